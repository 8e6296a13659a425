"""The bucket alone, on the real stores: single objects, a pack of the same slices, another ZIP, a broken file."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.access import Caller
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.reconciling import CheckPiece
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.store import clients
from infra.local.samples import make_pack
from tests.support.ingest_samples import DAY, archive, instance

FIRST, SECOND = StudyRef("H1", "1.2.3.1"), StudyRef("H1", "1.2.3.2")


@pytest.fixture
def bucket(cloud_settings):
    wiring.hospitals().put(Hospital("H1", "省人民医院"))
    slices = [instance(1, number) for number in (1, 2, 3)]
    for number, body in enumerate([*slices[:2], b"no DICOM at all"]):
        put(f"instances/H1/{DAY}/{number}.dcm", body)
    put(f"archives/H1/{DAY}/pack.zip", make_pack(slices))
    put(f"archives/H1/{DAY}/others.zip", archive([("a", instance(2, 1)), ("b", instance(2, 2))]))


def put(key, body):
    clients.s3().put_object(Bucket=wiring.settings().uploads_bucket, Key=key, Body=body)


def reindex():
    return wiring.reindex_studies()("", lambda: True)


def manifest(ref):
    found = wiring.studies().summary(ref)
    return Manifest.from_json(wiring.studies().manifest(ref, found.manifest_digest, found.manifest_parts))


def forget():
    client = clients.dynamodb()
    for table in (wiring.settings().journal_table, wiring.settings().main_table):
        for item in client.scan(TableName=table)["Items"]:
            client.delete_item(TableName=table, Key={"PK": item["PK"], "SK": item["SK"]})


def test_slices_of_a_pack_that_also_came_singly_are_duplicates_by_their_bytes(bucket):
    done = reindex()
    assert (done.done, done.left) == (True, 0)
    found = wiring.studies().summary(FIRST)
    assert (found.instances, found.entries, found.duplicates, found.divergent) == (3, 5, 2, 0)
    assert len(wiring.studies().digests(FIRST)) == 4
    assert wiring.studies().summary(SECOND).instances == 2


def test_an_instance_of_a_pack_is_served_from_its_place_in_it(bucket):
    reindex()
    places = [entry.place for entry, status in manifest(FIRST).entries() if status == "served"]
    bodies = set()
    for place in places:
        part = wiring.uploads().read(place.key, place.version_id, place.offset, place.length)
        bodies.add(part.data)
    assert bodies == {instance(1, number) for number in (1, 2, 3)}


def exclude(ref):
    """As the API does it for a hospital: one of the served slices is another patient's."""
    place = next(entry.place for entry, status in manifest(ref).entries() if status == "served")
    told = {"reason": "another patient's", "made_by": "dr-9", "now": wiring.now()}
    wiring.amend_study().exclude(ref, place.version_id, place.offset, **told)


def take_steps():
    """Two cut files: a release of one is refused, and asked for again; one of the other is granted."""
    regulator, hospital = Caller("regulator", "wei"), Caller("hospital", "gateway", "H1")
    first, second = (entry for entry, _ in wiring.list_quarantine()("H1", "", 9).items if entry.reason == "truncated")
    for entry, decision in ((first, "refuse"), (second, "grant")):
        wiring.ask_release()(hospital, entry.entry_id, "misjudged", wiring.now())
        told = {"decision": decision, "note": "看过", "now": wiring.now()}
        wiring.decide_release()(regulator, "H1", entry.entry_id, **told)
    wiring.ask_release()(hospital, first.entry_id, "misjudged", wiring.now())
    found = wiring.standings().of("H1", [first.entry_id, second.entry_id])
    assert sorted(one.state for one in found.values()) == ["asked", "granted"]
    return found


def test_when_all_tables_are_lost_the_bucket_gives_the_same_manifests_exclusions_steps_and_hospitals(bucket):
    for number in (1, 2):
        put(f"instances/H1/{DAY}/cut-{number}.dcm", instance(3, number)[:300])
    wiring.register_hospital()(Caller("regulator", "wei"), Hospital("H1", "省人民医院", region="320102"), wiring.now())
    known = wiring.hospitals().list()
    reindex()
    exclude(SECOND)
    reindex()
    standings = take_steps()
    before = {ref: manifest(ref).to_json() for ref in (FIRST, SECOND)}
    summaries = {ref: wiring.studies().summary(ref) for ref in (FIRST, SECOND)}
    assert summaries[SECOND].instances == 1
    forget()
    assert wiring.studies().summary(FIRST) is None
    assert wiring.hospitals().list() == ()
    reindex()
    assert wiring.hospitals().list() == known
    assert wiring.standings().of("H1", standings) == standings
    assert [one.entry_id for one in wiring.standings().asked("", 9).items] == [
        one.entry_id for one in standings.values() if one.state == "asked"
    ]
    assert {ref: manifest(ref).to_json() for ref in (FIRST, SECOND)} == before
    assert {ref: wiring.studies().summary(ref) for ref in (FIRST, SECOND)} == summaries


def test_the_nightly_reconcile_brings_a_fact_to_the_table_that_only_the_bucket_has(bucket):
    for number in (1, 2):
        put(f"instances/H1/{DAY}/cut-{number}.dcm", instance(3, number)[:300])
    reindex()
    exclude(SECOND)
    standings = take_steps()
    forget()
    wiring.hospitals().put(Hospital("H1", "省人民医院"))
    reconcile = replace(wiring.reconcile_uploads(), settling=timedelta(0))
    reconcile(CheckPiece(wiring.now() + timedelta(minutes=1), "H1", ()), lambda: True)
    assert wiring.standings().of("H1", standings) == standings
    (made,) = wiring.studies().amendments(SECOND)
    assert (made.reason, made.made_by) == ("another patient's", "dr-9")
