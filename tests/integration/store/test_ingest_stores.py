"""One suite for each port of ingest, run against the fake and against the store on moto."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from chalicelib.dicom.header import read_header
from chalicelib.domain.quarantine import REASONS
from chalicelib.domain.study import Checksum, Entry, Header, Place, StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.events.ingest import uploads_of
from chalicelib.services.ports import QuarantineRecord
from chalicelib.store import journal as journal_module
from chalicelib.store.batch import Throttled
from chalicelib.store.journal import DynamoJournal
from chalicelib.store.quarantine import S3Quarantine, record_key
from chalicelib.store.receipts import S3Receipts
from chalicelib.store.refeed import RefeedBusyError, SqsRefeed
from chalicelib.store.settle_queue import SettleQueueBusyError, SqsSettleQueue
from chalicelib.store.uploads import S3Uploads
from infra.local.samples import chest_ct, single
from tests.support.fakes_ingest import FakeJournal, FakeQuarantine, FakeReceipts, FakeUploads

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KEY = "instances/H1/2026-11-24/a b+c/胸部.dcm"
STUDY = StudyRef("H1", "1.2.3")


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


@pytest.fixture(params=["fake", "real"])
def receipts(request):
    if request.param == "fake":
        return FakeReceipts()
    cloud = request.getfixturevalue("cloud")
    return S3Receipts(cloud.client("s3"), cloud.settings["UPLOADS_BUCKET"])


@pytest.fixture(params=["fake", "real"])
def quarantine(request):
    if request.param == "fake":
        return FakeQuarantine()
    cloud = request.getfixturevalue("cloud")
    return S3Quarantine(cloud.client("s3"), cloud.settings["QUARANTINE_BUCKET"])


@pytest.fixture(params=["fake", "real"])
def journal(request):
    if request.param == "fake":
        return FakeJournal()
    cloud = request.getfixturevalue("cloud")
    return DynamoJournal(cloud.client("dynamodb"), cloud.settings["JOURNAL_TABLE"])


def entry(number=1, *, version="v1", offset=0, key=KEY, study="1.2.3"):
    header = Header(f"{study}.{number}", f"{study}.0", study, "1.2.840", "1.2.1", patient_name="王^小明")
    return Entry(header, Place(key, version, offset, 100), NOW)


def record(number=1, hospital="H1", **changes):
    made = QuarantineRecord(
        hospital_id=hospital,
        key=f"instances/{hospital}/2026-11-24/{number}.dcm",
        version_id="v1",
        size=7,
        received_at=NOW,
        reason="not_dicom",
        detail="",
        recorded_at=NOW,
    )
    return replace(made, **changes)


# Uploads


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
    client = _Answers(get_object=[_got(told)])
    assert S3Uploads(client, "bucket").read(KEY, None, 0, 10).checksum is None


# Receipts


def test_a_receipt_tells_what_was_seen_on_its_date(receipts):
    receipts.write("b1", NOW, [{"key": KEY, "version_id": "v1", "outcome": "indexed"}])
    receipts.write("b2", NOW, [{"key": KEY, "version_id": "v2", "outcome": "empty"}])
    receipts.write("b3", NOW + timedelta(days=1), [{"key": KEY, "version_id": "v3", "outcome": "indexed"}])
    assert sorted(receipts.seen("2026-11-24")) == [(KEY, "v1"), (KEY, "v2")]


def test_the_same_receipt_twice_is_one(receipts):
    for _ in range(2):
        receipts.write("b1", NOW, [{"key": KEY, "version_id": "v1", "outcome": "indexed"}])
    assert list(receipts.seen("2026-11-24")) == [(KEY, "v1")]


# Quarantine


def test_a_record_comes_back_as_it_was_put(quarantine):
    known = record(detail="(0020,000D)")
    unread = record(2, received_at=None, reason="deleted", size=0)
    quarantine.put(known)
    quarantine.put(unread)
    assert set(quarantine.list("H1", "", 10).items) == {known, unread}


def test_repetition_changes_not_even_the_time_of_recording(quarantine):
    quarantine.put(record())
    quarantine.put(record(recorded_at=NOW + timedelta(hours=1)))
    assert quarantine.list("H1", "", 10).items == (record(),)


def test_a_hospitals_records_come_in_pages_and_only_its_own(quarantine):
    for number in range(5):
        quarantine.put(record(number))
    quarantine.put(record(hospital="H11"))
    found, token = [], ""
    while True:
        page = quarantine.list("H1", token, 2)
        found += page.items
        token = page.next_token
        if not token:
            break
    assert sorted(one.key for one in found) == [f"instances/H1/2026-11-24/{number}.dcm" for number in range(5)]
    assert quarantine.list("H3", "", 2).items == ()


def test_a_records_object_speaks_both_languages(cloud):
    s3, bucket = cloud.client("s3"), cloud.settings["QUARANTINE_BUCKET"]
    S3Quarantine(s3, bucket).put(record())
    answer = s3.get_object(Bucket=bucket, Key=record_key(record()))
    body = json.loads(answer["Body"].read())
    assert answer["ContentType"] == "application/json"
    assert body["message"] == {"en": REASONS["not_dicom"].en, "zh": REASONS["not_dicom"].zh}
    assert body["remedy"]["zh"] == REASONS["not_dicom"].remedy_zh


@pytest.mark.parametrize(
    ("changes", "date"),
    [
        ({}, "2026-11-24"),
        ({"key": "elsewhere/x"}, "2026-11-24"),
        ({"key": "elsewhere/x", "received_at": None}, "undated"),
    ],
)
def test_a_records_key_depends_on_the_object_version_alone(changes, date):
    one, later = record(**changes), record(**changes, recorded_at=NOW + timedelta(days=3), detail="other")
    assert record_key(one) == record_key(later)
    assert record_key(one).split("/")[1] == date


# Journal


def test_what_was_written_is_read_at_once(journal):
    journal.write({STUDY: [entry(1), entry(2, version="v2")]}, NOW)
    assert set(map(place, journal.read(STUDY))) == {place(entry(1)), place(entry(2, version="v2"))}
    assert entry(1) in journal.read(STUDY)


def test_an_unknown_study_has_no_entries(journal):
    assert journal.read(STUDY) == ()


def test_repetition_adds_nothing(journal):
    for _ in range(2):
        journal.write({STUDY: [entry(1), entry(2, version="v2")]}, NOW)
    assert len(journal.read(STUDY)) == 2


def test_the_same_instance_in_another_version_is_another_entry(journal):
    journal.write({STUDY: [entry(1)]}, NOW)
    journal.write({STUDY: [entry(1, version="v2")]}, NOW)
    assert len(journal.read(STUDY)) == 2


def test_one_study_uid_at_two_hospitals_is_two_studies(journal):
    other = StudyRef("H2", STUDY.study_instance_uid)
    journal.write({STUDY: [entry(1)], other: [entry(1, version="v2"), entry(3, version="v3")]}, NOW)
    assert (len(journal.read(STUDY)), len(journal.read(other))) == (1, 2)


def test_sixty_instances_over_many_studies_are_all_written(journal):
    refs = [StudyRef("H1", f"1.2.{number}") for number in range(20)]
    journal.write(
        {ref: [entry(n, version=f"v{n}", study=ref.study_instance_uid) for n in range(3)] for ref in refs}, NOW
    )
    assert [len(journal.read(ref)) for ref in refs] == [3] * 20


def test_a_pack_comes_back_whole(journal):
    pack = [entry(number, offset=number * 100) for number in range(1, 301)]
    journal.write({STUDY: pack}, NOW)
    assert sorted(journal.read(STUDY), key=lambda one: one.order) == pack


def test_a_pack_is_one_compressed_item_whatever_the_order(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["JOURNAL_TABLE"]
    pack = [entry(number, offset=number * 100) for number in range(1, 301)]
    DynamoJournal(client, table).write({STUDY: pack}, NOW)
    (first,) = client.scan(TableName=table)["Items"]
    DynamoJournal(client, table).write({STUDY: pack[::-1]}, NOW)
    assert client.scan(TableName=table)["Items"] == [first]
    assert first["SK"]["S"] == "PACK#v1#0000"


def test_a_pack_too_large_for_one_item_is_cut_the_same_way_each_time(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["JOURNAL_TABLE"]
    noise = [hashlib.shake_256(str(number).encode()).hexdigest(1500) for number in range(500)]
    pack = [
        replace(made, header=replace(made.header, viewer={"noise": noise[number]}))
        for number in range(500)
        for made in [entry(number, offset=number * 100)]
    ]
    journal = DynamoJournal(client, table)
    journal.write({STUDY: pack}, NOW)
    items = client.scan(TableName=table)["Items"]
    assert len(items) == 4
    assert all(len(item["body"]["B"]) <= 300_000 for item in items)
    journal.write({STUDY: pack}, NOW)
    assert client.scan(TableName=table)["Items"] == items
    assert sorted(journal.read(STUDY), key=lambda one: one.order) == pack


def test_an_item_lives_45_days_and_is_small(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["JOURNAL_TABLE"]
    DynamoJournal(client, table).write({STUDY: [entry(1)]}, NOW)
    (item,) = client.scan(TableName=table)["Items"]
    assert int(item["expires_at"]["N"]) == (NOW + timedelta(days=45)).timestamp()
    assert (item["PK"]["S"], item["SK"]["S"]) == ("H1#1.2.3", "1.2.3.1#v1#0")
    assert len(item["body"]["B"]) < 400


@pytest.mark.parametrize("modality", ["CT", "MR", "DX", "US"])
def test_a_realistic_instance_takes_one_write_unit(cloud, modality):
    client, table = cloud.client("dynamodb"), cloud.settings["JOURNAL_TABLE"]
    file = chest_ct(slices=1)[0] if modality == "CT" else single(modality)
    header = read_header(file, len(file), UTC)
    place = Place(f"instances/JB001/2026-11-24/{header.sop_instance_uid}.dcm", "3sL4kqtJlcpXroDTDmJ" * 4, 0, len(file))
    made = Entry(header, place, NOW, Checksum("CRC64NVME", "q83vASNFZ4k="))
    DynamoJournal(client, table).write({STUDY: [made]}, NOW)
    (item,) = client.scan(TableName=table)["Items"]
    values = (item["PK"]["S"], item["SK"]["S"], item["body"]["B"], item["expires_at"]["N"])
    assert sum(map(len, (*item, *values))) <= 1024
    assert DynamoJournal(client, table).read(STUDY) == (made,)


def test_what_is_already_stored_is_read_with_the_words_it_was_written_with():
    words = (Path(journal_module.__file__).parent / "journal_words.txt").read_bytes()
    assert hashlib.sha256(words).hexdigest() == "a91843508fd717d566378c0106091021a8e5c0a1498be6626368565235eac3a6"


def test_unprocessed_items_are_written_again_until_none_is_left():
    left = {"UnprocessedItems": {"journal": [{"PutRequest": {"Item": {"PK": {"S": "left over"}}}}]}}
    client = _Answers(batch_write_item=[left, left, {}])
    DynamoJournal(client, "journal", sleep=lambda _: None).write({STUDY: [entry(1), entry(2, version="v2")]}, NOW)
    assert [len(call["RequestItems"]["journal"]) for call in client.calls] == [2, 1, 1]


def test_a_table_that_never_takes_an_item_is_our_fault():
    left = {"UnprocessedItems": {"journal": [{"PutRequest": {"Item": {}}}]}}
    waits = []
    client = _Answers(batch_write_item=[left] * 8)
    with pytest.raises(Throttled):
        DynamoJournal(client, "journal", sleep=waits.append).write({STUDY: [entry(1)]}, NOW)
    assert len(client.calls) == 8


# The settle queue


def test_a_study_is_told_once_in_a_window(cloud):
    url = cloud.queue_url("settle.fifo")
    client = _Answers(send_message_batch=[{}] * 4)
    instants = iter([NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)])
    queue = SqsSettleQueue(client, url, timedelta(seconds=60), lambda: next(instants))
    for _ in range(3):
        queue.send([STUDY])
    first, second, third = (call["Entries"][0] for call in client.calls)
    assert first["MessageDeduplicationId"] == second["MessageDeduplicationId"] != third["MessageDeduplicationId"]
    assert first["MessageGroupId"] == third["MessageGroupId"]
    assert json.loads(first["MessageBody"]) == {"hospital_id": "H1", "study_instance_uid": "1.2.3"}


def test_fifo_ids_are_short_ascii_and_no_message_has_a_delay_of_its_own():
    client = _Answers(send_message_batch=[{}])
    SqsSettleQueue(client, "url", timedelta(seconds=60), lambda: NOW).send([StudyRef("H1", "不是 UID" * 50)])
    (message,) = client.calls[0]["Entries"]
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        assert message[name].isascii()
        assert len(message[name]) == 64
    assert "DelaySeconds" not in message


def test_studies_go_ten_to_a_call_and_refused_ones_again():
    refused = {"Failed": [{"Id": "3", "Code": "InternalError", "SenderFault": False}]}
    client = _Answers(send_message_batch=[{}, refused, {}, {}])
    refs = [StudyRef("H1", f"1.2.{number}") for number in range(25)]
    SqsSettleQueue(client, "url", timedelta(seconds=60), lambda: NOW).send(refs)
    assert [len(call["Entries"]) for call in client.calls] == [10, 10, 1, 5]
    assert client.calls[2]["Entries"][0]["MessageBody"] == client.calls[1]["Entries"][3]["MessageBody"]


def test_a_settle_queue_that_keeps_refusing_is_our_fault():
    refused = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    client = _Answers(send_message_batch=[refused] * 4)
    with pytest.raises(SettleQueueBusyError):
        SqsSettleQueue(client, "url", timedelta(seconds=60), lambda: NOW).send([STUDY])


def test_the_real_queue_takes_its_messages(cloud):
    queue = SqsSettleQueue(cloud.client("sqs"), cloud.queue_url("settle.fifo"), timedelta(seconds=1), lambda: NOW)
    queue.send([StudyRef("H1", f"1.2.{number}") for number in range(12)])
    told = cloud.client("sqs").get_queue_attributes(
        QueueUrl=cloud.queue_url("settle.fifo"),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
    )["Attributes"]
    assert sum(map(int, told.values())) == 12


# Refeed


def test_what_is_fed_again_reads_like_s3s_own_events(cloud):
    fed = [
        Uploaded(KEY, "v1", 7),
        Uploaded("unpacked/H1/2026-11-24/v/000001", "v2", 8),
        Uploaded("archives/H1/2026-11-24/x.zip", "v3", 9),
        Uploaded("notices/H1/2026-11-24/n.json", "v4", 10),
    ]
    SqsRefeed(cloud.client("sqs")).feed([*fed, Uploaded("receipts/2026-11-24/x", "v5", 1)])
    queues = {"instances": fed[:2], "archives": fed[2:3], "notices": fed[3:]}
    for name, expected in queues.items():
        messages = cloud.client("sqs").receive_message(QueueUrl=cloud.queue_url(name), MaxNumberOfMessages=10)[
            "Messages"
        ]
        assert frozenset().union(*(uploads_of(one["Body"]) for one in messages)) == frozenset(expected)


def test_a_queue_that_keeps_refusing_is_our_fault():
    refused = {"Failed": [{"Id": "0"}]}
    client = _Answers(get_queue_url=[{"QueueUrl": "url"}], send_message_batch=[refused] * 4)
    with pytest.raises(RefeedBusyError):
        SqsRefeed(client).feed([Uploaded(KEY, "v1", 7)])


def place(one):
    return one.place


def test_entries_of_a_study_have_one_order():
    entries = [entry(1), entry(2, version="v1", offset=5), entry(3, version="v2")]
    assert all(first.order < second.order for first, second in pairwise(entries))


class _Answers:
    """A client that gives prepared answers, for what moto never says."""

    def __init__(self, **answers):
        self._answers = {name: iter(prepared) for name, prepared in answers.items()}
        self.calls = []

    def __getattr__(self, name):
        def call(**given):
            if name != "get_queue_url":
                self.calls.append(given)
            return next(self._answers[name])

        return call


def _got(changes):
    class Body:
        def read(self):
            return b"0123456789"

    return {"Body": Body(), "VersionId": "v1", "LastModified": NOW, **changes}
