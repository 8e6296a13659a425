"""The ports of ingest in memory, and a wrapper that crashes after any call."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chalicelib.domain.page import Page
from chalicelib.services.ports import ObjectPart, ObjectVersion
from chalicelib.store.quarantine import record_key

START = datetime(2026, 11, 23, 2, tzinfo=UTC)


class Crash(BaseException):
    """The process died. No `except Exception` sees it, as none sees a killed process."""


class OurFaultError(Exception):
    """AWS failed: a throttle, a timeout, a reset connection."""


class FakeClock:
    """Each reading is `step` later than the one before, so that order shows in the instants."""

    def __init__(self, at=START, step=timedelta(milliseconds=1)):
        self.at = at
        self.step = step

    def __call__(self):
        self.at += self.step
        return self.at


class FakeUploads:
    """Versions by key, oldest first. `reads` tells every range that was asked for."""

    def __init__(self, clock=None):
        self.clock = clock or FakeClock()
        self.objects = defaultdict(list)
        self.deleted = set()
        self.reads = []

    def upload(self, key, body, *, at=None, checksum=None, metadata=None):
        version_id = f"v{sum(map(len, self.objects.values())) + 1}"
        part = ObjectPart(body, len(body), version_id, at or self.clock(), checksum, metadata or {})
        self.objects[key].append(part)
        return version_id

    def delete(self, key):
        self.deleted.add(key)

    def read(self, key, version_id, start, length):
        self.reads.append((key, start, length))
        whole = self._version(key, version_id)
        if whole is None:
            return None
        data = whole.data[start : start + length]
        return ObjectPart(data, whole.size, whole.version_id, whole.last_modified, whole.checksum, whole.metadata)

    def sha256(self, place):
        whole = self._version(place.key, place.version_id)
        if whole is None:
            return None
        return hashlib.sha256(whole.data[place.offset : place.offset + place.length]).hexdigest()

    def put_new(self, key, body, metadata):
        if self.objects.get(key):
            return False
        self.upload(key, body, metadata=metadata)
        return True

    def versions(self, prefix, after=""):
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after:
                for part in self.objects[key]:
                    yield ObjectVersion(key, part.version_id, part.size, part.last_modified)

    def _version(self, key, version_id):
        if key in self.deleted:
            return None
        return next(
            (part for part in reversed(self.objects.get(key, ())) if version_id in {None, part.version_id}), None
        )


class FakeReceipts:
    """`reads` names each receipt whenever it is read."""

    def __init__(self):
        self.written = {}
        self.reads = []

    def write(self, batch, at, outcomes):
        self.written[at.date().isoformat(), batch] = [dict(told) for told in outcomes]

    def of(self, date, share, after=""):
        for (day, batch), outcomes in sorted(self.written.items()):
            if day == date and batch.startswith(share) and batch > after:
                self.reads.append(batch)
                yield batch, [(told["key"], told["version_id"]) for told in outcomes]


class FakeQuarantine:
    """The first record of a key stays, as `If-None-Match: *` has it."""

    def __init__(self):
        self.records = {}

    def put(self, record):
        self.records.setdefault(record_key(record), record)

    def list(self, hospital_id, token, limit):
        if token and "/" not in token:
            raise ValueError("not a continuation token")
        start = f"{hospital_id}/{token}.json" if token else ""
        keys = sorted(key for key in self.records if key.startswith(f"{hospital_id}/") and key > start)
        rest = keys[limit:]
        return Page(
            tuple(self.records[key] for key in keys[:limit]), self.records[keys[limit - 1]].entry_id if rest else ""
        )

    def get(self, hospital_id, entry_id):
        return self.records.get(f"{hospital_id}/{entry_id}.json")

    def reasons(self):
        return sorted(record.reason for record in self.records.values())


class FakeJournal:
    """Items by (study, version, offset). `last_write` is when each study was last written."""

    def __init__(self, clock=None):
        self.clock = clock or FakeClock()
        self.items = defaultdict(dict)
        self.last_write = {}

    def write(self, received, now):
        for ref, entries in received.items():
            for entry in entries:
                place = (entry.header.sop_instance_uid, entry.place.version_id, entry.place.offset)
                self.items[ref][place] = entry
            self.last_write[ref] = self.clock()

    def read(self, ref):
        return tuple(self.items.get(ref, {}).values())

    def everything(self):
        return {ref: dict(sorted(items.items())) for ref, items in self.items.items() if items}


class FakeSettleQueue:
    """`sent` holds (study, instant read after the journal's answer); one per study and window stays, as FIFO does."""

    def __init__(self, clock=None, window=timedelta(seconds=60)):
        self.clock = clock or FakeClock()
        self.window = window
        self.sent = []
        self.kept = {}

    def send(self, refs):
        at = self.clock()
        window = math.floor(at.timestamp() / self.window.total_seconds())
        for ref in refs:
            self.sent.append((ref, at))
            self.kept.setdefault((ref, window), at)


class FakeRefeed:
    def __init__(self):
        self.fed = []

    def feed(self, objects):
        self.fed += objects


@dataclass
class CrashAfter:
    """Lets call number `calls` happen and then raises `fault`, once: a crash after any call, whatever the port.

    One counter stands behind all the ports of a use case: `crash.around(port)` for each.
    """

    calls: int
    fault: type[BaseException] = Crash
    made: list[str] = field(default_factory=list)

    def around(self, port):
        return _Wrapped(port, self)

    def count(self, name):
        self.made.append(name)
        if len(self.made) == self.calls:
            raise self.fault


class _Wrapped:
    def __init__(self, port, crash):
        self._port = port
        self._crash = crash

    def __getattr__(self, name):
        call = getattr(self._port, name)

        def wrapped(*given, **named):
            answer = call(*given, **named)
            self._crash.count(f"{type(self._port).__name__}.{name}")
            return answer

        return wrapped
