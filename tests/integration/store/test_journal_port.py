"""The journal, fake and real."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from chalicelib.dicom.header import read_header
from chalicelib.domain.study import Checksum, Entry, Header, Place, StudyRef
from chalicelib.store import journal as journal_module
from chalicelib.store.batch import Throttled
from chalicelib.store.journal import DynamoJournal
from infra.local.samples import chest_ct, single
from tests.support.answers import Answers
from tests.support.fakes_ingest import FakeJournal

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KEY = "instances/H1/2026-11-24/1.dcm"
STUDY = StudyRef("H1", "1.2.3")


@pytest.fixture(params=["fake", "real"])
def journal(request):
    if request.param == "fake":
        return FakeJournal()
    cloud = request.getfixturevalue("cloud")
    return DynamoJournal(cloud.client("dynamodb"), cloud.settings["JOURNAL_TABLE"])


def entry(number=1, *, version="v1", offset=0, key=KEY, study="1.2.3"):
    header = Header(f"{study}.{number}", f"{study}.0", study, "1.2.840", "1.2.1", patient_name="王^小明")
    return Entry(header, Place(key, version, offset, 100), NOW)


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
    client = Answers(batch_write_item=[left, left, {}])
    DynamoJournal(client, "journal", sleep=lambda _: None).write({STUDY: [entry(1), entry(2, version="v2")]}, NOW)
    assert [len(call["RequestItems"]["journal"]) for call in client.calls] == [2, 1, 1]


def test_a_table_that_never_takes_an_item_is_our_fault():
    left = {"UnprocessedItems": {"journal": [{"PutRequest": {"Item": {}}}]}}
    waits = []
    client = Answers(batch_write_item=[left] * 8)
    with pytest.raises(Throttled):
        DynamoJournal(client, "journal", sleep=waits.append).write({STUDY: [entry(1)]}, NOW)
    assert len(client.calls) == 8


def test_entries_of_a_study_have_one_order():
    entries = [entry(1), entry(2, version="v1", offset=5), entry(3, version="v2")]
    assert all(first.order < second.order for first, second in pairwise(entries))


def place(one):
    return one.place
