"""S3 in memory, as far as the hospital's client uses it: conditional puts, multipart uploads, verified checksums. And a
cloud's vending of keys to it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from awscrt import checksums
from botocore.exceptions import ClientError, EndpointConnectionError

from infra.hospital.imaging_hospital.passes import Pass

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def error(code, status):
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


CUT = EndpointConnectionError(endpoint_url="https://s3")
SLOW_DOWN = error("SlowDown", 503)


@dataclass
class FakeS3:
    """`trouble`: what the next calls end in, None for none. A tuple (None, error): it is done, but the answer is lost.
    `puts` counts how often each key was written."""

    objects: dict = field(default_factory=dict)
    uploads: dict = field(default_factory=dict)
    trouble: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    refused: set = field(default_factory=set)
    puts: dict = field(default_factory=dict)

    def _call(self, name, key, work):
        self.calls.append((name, key))
        if any(key.startswith(prefix) for prefix in self.refused):
            raise error("AccessDenied", 403)
        trouble = self.trouble.pop(0) if self.trouble else None
        if isinstance(trouble, tuple):
            work()
            raise trouble[1]
        if trouble is not None:
            raise trouble
        return work()

    def put_object(self, *, Key, Body, **more):  # noqa: N803 - S3's own names
        data = Body.read()
        return self._call("put", Key, lambda: self._store(Key, data, more))

    def create_multipart_upload(self, *, Key, **_):  # noqa: N803 - as above
        def work():
            name = f"u{len(self.uploads)}"
            self.uploads[name] = {}
            return {"UploadId": name}

        return self._call("create", Key, work)

    def upload_part(self, *, Key, UploadId, PartNumber, Body, **more):  # noqa: N803 - as above
        data = Body.read()

        def work():
            if UploadId not in self.uploads:
                raise error("NoSuchUpload", 404)
            _verify(data, more)
            self.uploads[UploadId][PartNumber] = data
            return {"ETag": f"e{PartNumber}"}

        return self._call(f"part {PartNumber}", Key, work)

    def complete_multipart_upload(self, *, Key, UploadId, MultipartUpload, MpuObjectSize, **more):  # noqa: N803 - as above
        def work():
            if UploadId not in self.uploads:
                raise error("NoSuchUpload", 404)
            parts = self.uploads[UploadId]
            assert [one["PartNumber"] for one in MultipartUpload["Parts"]] == sorted(parts)
            whole = b"".join(parts[number] for number in sorted(parts))
            assert len(whole) == MpuObjectSize
            self._store(Key, whole, more)
            del self.uploads[UploadId]

        return self._call("complete", Key, work)

    def _store(self, key, data, more):
        assert more["IfNoneMatch"] == "*"
        _verify(data, more)
        if key in self.objects:
            raise error("PreconditionFailed", 412)
        self.objects[key] = data
        self.puts[key] = self.puts.get(key, 0) + 1


def _verify(data, more):
    if base64.b64decode(more["ChecksumCRC64NVME"]) != checksums.crc64nvme(data).to_bytes(8, "big"):
        raise error("BadDigest", 400)


@dataclass
class FakePasses:
    """The `Passes` of a clock that a test moves: keys reach the day they were made on, and a day that ends within the
    hour, the next. `given` counts how often keys were vended."""

    s3: FakeS3
    clock: list = field(default_factory=lambda: [NOON])
    given: int = 0
    trouble: list = field(default_factory=list)
    _held: Pass | None = None

    def now(self):
        return self.clock[0]

    def current(self):
        if self.trouble:
            raise self.trouble.pop(0)
        if self._held is None or self.now() > self._held.expires_at:
            self.given += 1
            days = {(self.now() + timedelta(hours=hours)).date().isoformat() for hours in (0, 1)}
            kinds = ("instances", "archives")
            prefixes = {day: {kind: f"{kind}/H1/{day}/" for kind in kinds} for day in days}
            self._held = Pass(self.s3, "uploads", prefixes, self.now() + timedelta(hours=1))
        return self._held

    def drop(self, which):
        if self._held is which:
            self._held = None


class Silent:
    """A watcher that remembers how far it got."""

    def __init__(self):
        self.size = self.expected = 0
        self.waited = []

    def expects(self, size):
        self.expected += size

    def moved(self, size):
        self.size += size

    def waits(self, why, seconds):
        self.waited.append(why)

    def goes_on(self):
        pass
