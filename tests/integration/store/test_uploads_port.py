"""The uploads bucket, fake and real."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.study import Place
from chalicelib.store.uploads import S3Uploads
from tests.support.answers import Answers, refusal
from tests.support.fakes_ingest import FakeUploads

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KEY = "instances/H1/2026-11-24/a b+c/胸部.dcm"


class RealUploads(S3Uploads):
    """The store with the tests' own hand in its bucket."""

    def __init__(self, cloud):
        self.client, self.bucket = cloud.client("s3"), cloud.settings["UPLOADS_BUCKET"]
        super().__init__(self.client, self.bucket)

    def upload(self, key, body, *, metadata=None):
        answer = self.client.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=metadata or {})
        return answer["VersionId"]

    def delete(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=key)


@pytest.fixture(params=["fake", "real"])
def uploads(request):
    return FakeUploads() if request.param == "fake" else RealUploads(request.getfixturevalue("cloud"))


def test_a_range_tells_the_whole_objects_size_and_version(uploads):
    version = uploads.upload(KEY, b"0123456789", metadata={"received-at": "then"})
    part = uploads.read(KEY, None, 2, 4)
    assert (part.data, part.size, part.version_id) == (b"2345", 10, version)
    assert part.metadata == {"received-at": "then"}
    assert part.last_modified.tzinfo is not None


def test_a_range_past_the_end_is_cut_at_the_end(uploads):
    uploads.upload(KEY, b"0123456789")
    assert uploads.read(KEY, None, 8, 100).data == b"89"


def test_a_range_beyond_the_end_is_empty_and_still_tells_the_size(uploads):
    version = uploads.upload(KEY, b"0123456789")
    part = uploads.read(KEY, None, 10, 5)
    assert (part.data, part.size, part.version_id) == (b"", 10, version)


def test_an_empty_object_reads_as_no_bytes(uploads):
    version = uploads.upload(KEY, b"")
    part = uploads.read(KEY, None, 0, 65536)
    assert (part.data, part.size, part.version_id) == (b"", 0, version)


def test_an_older_version_can_be_read_by_its_id(uploads):
    first = uploads.upload(KEY, b"first")
    second = uploads.upload(KEY, b"second")
    assert uploads.read(KEY, first, 0, 100).data == b"first"
    assert uploads.read(KEY, None, 0, 100).version_id == second


@pytest.mark.parametrize("start", [0, 100])
def test_what_is_gone_reads_as_none(uploads, start):
    uploads.upload(KEY, b"x")
    uploads.delete(KEY)
    assert uploads.read(KEY, None, start, 10) is None
    assert uploads.read("instances/H1/2026-11-24/never", None, start, 10) is None
    assert uploads.read(KEY, "no-such-version", start, 10) is None


def test_the_digest_of_a_place_is_of_its_range_alone(uploads):
    version = uploads.upload(KEY, b"0123456789")
    assert uploads.sha256(Place(KEY, version, 2, 3)) == hashlib.sha256(b"234").hexdigest()
    assert uploads.sha256(Place(KEY, version, 0, 0)) == hashlib.sha256().hexdigest()
    assert uploads.sha256(Place(KEY, "gone", 0, 3)) is None


def test_what_exists_is_not_written_over(uploads):
    assert uploads.put_new("unpacked/H1/2026-11-24/v/1", b"first", {"received-at": "then"})
    assert not uploads.put_new("unpacked/H1/2026-11-24/v/1", b"second", {})
    part = uploads.read("unpacked/H1/2026-11-24/v/1", None, 0, 10)
    assert (part.data, part.metadata) == (b"first", {"received-at": "then"})


def test_versions_are_listed_under_a_prefix_only(uploads):
    old = uploads.upload("instances/H1/2026-11-24/b", b"1")
    new = uploads.upload("instances/H1/2026-11-24/b", b"22")
    other = uploads.upload("instances/H1/2026-11-24/a", b"333")
    uploads.upload("instances/H1/2026-11-25/a", b"4")
    found = [(one.key[-1], one.version_id, one.size) for one in uploads.versions("instances/H1/2026-11-24/")]
    assert [name for name, _, _ in found] == ["a", "b", "b"]
    assert set(found) == {("b", old, 1), ("b", new, 2), ("a", other, 3)}


def test_the_checksum_is_told_only_where_the_range_covers_the_object(cloud):
    uploads = RealUploads(cloud)
    uploads.client.put_object(Bucket=uploads.bucket, Key=KEY, Body=b"0123456789", ChecksumAlgorithm="SHA256")
    assert uploads.read(KEY, None, 0, 65536).checksum.algorithm == "SHA256"
    assert uploads.read(KEY, None, 0, 5).checksum is None


@pytest.mark.parametrize("told", [{"ChecksumType": "COMPOSITE", "ChecksumCRC32": "abc="}, {"ChecksumCRC32": "abc=-3"}])
def test_a_composite_checksum_is_none(told):
    client = Answers(get_object=[got(told)])
    assert S3Uploads(client, "bucket").read(KEY, None, 0, 10).checksum is None


@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied", "InternalError"])
def test_any_other_error_of_s3_is_our_fault(code):
    place = Place(KEY, "v1", 0, 1)
    calls = (
        lambda uploads: uploads.read(KEY, None, 0, 10),
        lambda uploads: uploads.sha256(place),
        lambda uploads: uploads.put_new(KEY, b"", {}),
    )
    for call in calls:
        with pytest.raises(ClientError):
            call(S3Uploads(Answers(get_object=[refusal(code)], put_object=[refusal(code)]), "bucket"))


def test_an_error_while_asking_for_the_size_is_our_fault_too():
    with pytest.raises(ClientError):
        S3Uploads(Answers(get_object=[refusal("InvalidRange")], head_object=[refusal("SlowDown")]), "b").read(
            KEY, None, 0, 1
        )


@pytest.mark.parametrize("code", ["404", "405"])
def test_what_goes_while_its_size_is_asked_for_is_gone(code):
    client = Answers(get_object=[refusal("InvalidRange")], head_object=[refusal(code)])
    assert S3Uploads(client, "bucket").read(KEY, "v1", 0, 1) is None


def test_a_delete_marker_is_gone():
    assert S3Uploads(Answers(get_object=[refusal("MethodNotAllowed")]), "bucket").read(KEY, "marker", 0, 1) is None


def got(changes):
    class Body:
        def read(self):
            return b"0123456789"

    return {"Body": Body(), "VersionId": "v1", "LastModified": NOW, **changes}
