"""The Studies port, as the fake and DynamoDB keep it."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.study import StudyRef, Summary
from chalicelib.store.studies import DynamoStudies
from tests.support.fakes_settle import FakeStudies
from tests.support.settle_samples import REF, T0, entry, exclude


@pytest.fixture(params=["fake", "dynamo"])
def studies(request):
    if request.param == "fake":
        return FakeStudies()
    cloud = request.getfixturevalue("cloud")
    return DynamoStudies(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])


def summary(ref=REF, **changes):
    values = {
        "ref": ref,
        "state": "served",
        "manifest_digest": "d" * 64,
        "manifest_parts": 1,
        "instances": 300,
        "series": 2,
        "entries": 301,
        "duplicates": 1,
        "divergent": 0,
        "issuer": ref.hospital_id,
        "patient_id": "P 1#住院",
        "patient_name": "张三",
        "patient_birth_date": "19700101",
        "patient_sex": "M",
        "accession_number": "A1",
        "study_date": "20261124",
        "study_time": "",
        "study_description": "胸部CT平扫",
        "modalities": ("CT", "SR"),
        "body_parts": ("CHEST",),
        "series_descriptions": (),
        "institution_name": "",
        "first_received_at": T0,
        "last_received_at": T0 + timedelta(microseconds=1),
        "exam_ended_at": None,
        "exam_end_source": "none",
        "exam_end_flags": ("start_only",),
    }
    return Summary(**values | changes)


def incompressible(size):
    blocks = (hashlib.sha256(str(number).encode()).digest() for number in range(size // 32))
    return b"".join(blocks)


def test_an_unknown_study_has_nothing(studies):
    assert studies.summary(REF) is None
    assert studies.amendments(REF) == ()
    assert studies.digests(REF) == {}
    assert studies.hospitals_holding(REF.study_instance_uid) == ()
    assert studies.timeline("H1", "P1", "", 10).items == ()


def test_a_summary_comes_back_as_it_was_flipped(studies):
    assert studies.flip(summary(), 0)
    found = studies.summary(REF)
    assert found == summary()
    assert found.revision == 1


def test_of_two_flips_from_one_revision_the_second_is_lost(studies):
    assert studies.flip(summary(), 0)
    assert not studies.flip(summary(instances=7), 0)
    assert studies.flip(summary(instances=8), 1)
    assert not studies.flip(summary(instances=9), 1)
    assert (studies.summary(REF).instances, studies.summary(REF).revision) == (8, 2)


@pytest.mark.parametrize("size", [1, 10_000, 700_000])
def test_a_manifest_comes_back_byte_for_byte_however_large(studies, size):
    body = incompressible(size + 32)
    parts = studies.put_manifest(REF, "digest", body, 0)
    assert studies.put_manifest(REF, "digest", body, 0) == parts
    assert studies.manifest(REF, "digest", parts) == body


def test_a_manifest_that_is_not_all_there_is_an_error(studies):
    parts = studies.put_manifest(REF, "digest", b"body", 0)
    with pytest.raises(LookupError):
        studies.manifest(REF, "digest", parts + 1)
    with pytest.raises(LookupError):
        studies.manifest(REF, "other", 1)


@pytest.fixture
def expiries(studies, request):
    """When the parts of any manifest go; None for those that stay."""

    def read():
        if isinstance(studies, FakeStudies):
            return [studies.expiring.get(blob) for blob in studies.manifests]
        cloud = request.getfixturevalue("cloud")
        items = cloud.client("dynamodb").scan(TableName=cloud.settings["MAIN_TABLE"], ConsistentRead=True)["Items"]
        found = [item.get("expires_at", {}).get("N") for item in items if item["SK"]["S"].startswith("MANIFEST#")]
        return [at and datetime.fromtimestamp(int(at), UTC) for at in found]

    return read


@pytest.mark.parametrize("size", [10, 700_000])
def test_a_superseded_manifest_gets_an_end_in_all_its_parts_and_is_read_until_then(studies, expiries, size):
    body = incompressible(size + 32)
    parts = studies.put_manifest(REF, "digest", body, 3)
    studies.expire_manifest(REF, "digest", parts, 5, T0)
    assert set(expiries()) == {T0}
    assert studies.manifest(REF, "digest", parts) == body


def test_a_manifest_written_again_stays(studies, expiries):
    parts = studies.put_manifest(REF, "digest", b"body", 3)
    studies.expire_manifest(REF, "digest", parts, 4, T0)
    studies.put_manifest(REF, "digest", b"body", 4)
    assert expiries() == [None]


def test_a_late_end_spares_what_was_written_by_one_who_knew_of_the_flip(studies, expiries):
    studies.put_manifest(REF, "digest", b"body", 3)
    parts = studies.put_manifest(REF, "digest", b"body", 4)
    studies.expire_manifest(REF, "digest", parts, 4, T0)
    assert expiries() == [None]


def test_a_laggard_does_not_make_a_newer_manifest_look_old(studies, expiries):
    studies.put_manifest(REF, "digest", b"body", 4)
    parts = studies.put_manifest(REF, "digest", b"body", 2)
    studies.expire_manifest(REF, "digest", parts, 4, T0)
    assert expiries() == [None]


def test_the_end_of_a_manifest_that_is_gone_leaves_nothing(studies, expiries):
    studies.expire_manifest(REF, "digest", 1, 4, T0)
    assert expiries() == []


def test_several_hospitals_may_hold_one_uid(studies):
    for hospital in ("H2", "H1", "H2"):
        studies.put_pointer(StudyRef(hospital, "1.2.3"))
    studies.put_pointer(StudyRef("H3", "1.2.33"))
    assert studies.hospitals_holding("1.2.3") == ("H1", "H2")


def test_amendments_come_back_in_the_order_in_which_they_were_made(studies):
    later, first = exclude("v2", 512, number=2), exclude("v1", number=1)
    for amendment in (later, first, first):
        studies.amend(REF, amendment)
    studies.amend(StudyRef("H2", REF.study_instance_uid), exclude("v3"))
    assert studies.amendments(REF) == (first, later)


def test_digests_are_kept_by_place(studies):
    places = [entry(1, "pack", offset=offset).place for offset in (0, 512)]
    for number, place in enumerate(places):
        studies.put_digest(REF, place, f"sha{number}")
    assert studies.digests(REF) == {("pack", 0): "sha0", ("pack", 512): "sha1"}
    assert studies.digests(StudyRef("H1", "1.2.3")) == {}


def test_a_timeline_goes_newest_first_and_pages_without_gaps(studies):
    refs = [StudyRef("H1", f"1.2.{number}") for number in range(7)]
    for number, ref in enumerate(refs):
        studies.flip(summary(ref, study_date=f"2026110{number % 4}"), 0)
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        page = studies.timeline("H1", "P 1#住院", token, 3)
        seen += [(found.study_date, found.ref) for found in page.items]
        token, pages = page.next_token, pages + 1
    assert seen == sorted(seen, reverse=True)
    assert {ref for _, ref in seen} == set(refs)
    assert pages == 3
    assert [found.ref for found in studies.timeline("H1", "P 1#住院", "20261102", 9).items] == [
        StudyRef("H1", f"1.2.{number}") for number in (5, 1, 4, 0)
    ]


def test_a_timeline_is_one_identitys_only(studies):
    studies.flip(summary(), 0)
    assert [found.ref for found in studies.timeline("H1", "P 1#住院", "", 9).items] == [REF]
    assert studies.timeline("H2", "P 1#住院", "", 9).items == ()
    assert studies.timeline("H1", "P 1", "", 9).items == ()


def test_placeholders_and_conflicted_studies_stand_in_no_timeline(studies):
    studies.flip(summary(patient_id=""), 0)
    assert studies.timeline("H1", "", "", 9).items == ()
    studies.flip(summary(), 1)
    assert len(studies.timeline("H1", "P 1#住院", "", 9).items) == 1
    studies.flip(summary(state="conflicted"), 2)
    assert studies.timeline("H1", "P 1#住院", "", 9).items == ()


def test_a_view_reads_summary_and_manifest_in_two_calls(cloud):
    client = cloud.client("dynamodb")
    studies = DynamoStudies(client, cloud.settings["MAIN_TABLE"])
    body = incompressible(900_000)
    parts = studies.put_manifest(REF, "digest", body, 0)
    studies.flip(summary(manifest_digest="digest", manifest_parts=parts), 0)
    calls = []

    def count(**kwargs):
        calls.append(kwargs["model"].name)

    client.meta.events.register("before-call.dynamodb", count)
    try:
        found = studies.summary(REF)
        assert studies.manifest(REF, found.manifest_digest, found.manifest_parts) == body
    finally:
        client.meta.events.unregister("before-call.dynamodb", count)
    assert parts > 3
    assert calls == ["GetItem", "BatchGetItem"]


def test_no_item_of_a_manifest_reaches_300_kilobytes(cloud):
    client = cloud.client("dynamodb")
    DynamoStudies(client, cloud.settings["MAIN_TABLE"]).put_manifest(REF, "digest", incompressible(900_000), 0)
    items = client.scan(TableName=cloud.settings["MAIN_TABLE"], ConsistentRead=True)["Items"]
    assert max(len(item["body"]["B"]) for item in items) < 300_000
