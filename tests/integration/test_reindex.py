"""The bucket alone, on the real stores: single objects, a pack of the same slices, another ZIP, a broken file."""

import pytest

from chalicelib import wiring
from chalicelib.domain.manifest import Manifest
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
            if not item["PK"]["S"].startswith("HOSPITAL"):
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


def test_when_both_tables_are_lost_the_bucket_gives_the_same_manifests(bucket):
    reindex()
    before = {ref: manifest(ref).to_json() for ref in (FIRST, SECOND)}
    summaries = {ref: wiring.studies().summary(ref) for ref in (FIRST, SECOND)}
    forget()
    assert wiring.studies().summary(FIRST) is None
    reindex()
    assert {ref: manifest(ref).to_json() for ref in (FIRST, SECOND)} == before
    assert {ref: wiring.studies().summary(ref) for ref in (FIRST, SECOND)} == summaries
