"""The Hospitals port, as the fake and DynamoDB keep it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.domain.contact import Contact
from chalicelib.domain.study import Hospital
from chalicelib.store.hospitals import DynamoHospitals
from tests.support.fakes_settle import FakeHospitals

PEOPLES = Hospital("H1", "省人民医院", "Provincial People's Hospital", "三级甲等", "320102")
BARE = Hospital("H2", "县医院", utc_offset_minutes=0, active=False)
FULL = Hospital(
    "H5",
    "市医院",
    contacts=(Contact("network", "王工", "025-8000 0000"), Contact("pacs", "李工", email="li@example.test")),
    weekday_volume=(210, 200, 205, 190, 180, 60, 40),
    default_class="outpatient",
)
CLOSED = Hospital("H4", "老医院", active=False, closed_at=datetime(2026, 11, 24, 4, 5, 6, 7, tzinfo=UTC))


def dynamo(cloud, **settings):
    return DynamoHospitals(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"], **settings)


@pytest.fixture(params=["fake", "dynamo"])
def hospitals(request):
    return FakeHospitals() if request.param == "fake" else dynamo(request.getfixturevalue("cloud"))


def test_a_hospital_comes_back_as_it_was_registered(hospitals):
    hospitals.put(PEOPLES)
    hospitals.put(BARE)
    hospitals.put(CLOSED)
    hospitals.put(FULL)
    assert hospitals.get("H1") == PEOPLES
    assert hospitals.get("H2") == BARE
    assert hospitals.get("H4") == CLOSED
    assert hospitals.get("H5") == FULL
    assert hospitals.get("H3") is None


def test_the_directory_lists_each_hospital_once_by_id(hospitals):
    for hospital in (BARE, PEOPLES, replace(PEOPLES, name="新名")):
        hospitals.put(hospital)
    assert hospitals.list() == (replace(PEOPLES, name="新名"), BARE)


def test_a_change_is_seen_at_once_where_it_was_made(hospitals):
    hospitals.put(PEOPLES)
    hospitals.put(replace(PEOPLES, active=False))
    assert not hospitals.get("H1").active


def test_another_process_sees_a_change_when_what_it_keeps_has_aged(cloud):
    seconds = [100.0]
    here, there = dynamo(cloud, seconds=lambda: seconds[0]), dynamo(cloud)
    there.put(PEOPLES)
    assert here.get("H1") == PEOPLES
    there.put(replace(PEOPLES, active=False))
    seconds[0] += 299
    assert here.get("H1").active
    seconds[0] += 2
    assert not here.get("H1").active


def test_an_unknown_hospital_counts_as_soon_as_it_is_registered_elsewhere(cloud):
    here, there = dynamo(cloud), dynamo(cloud)
    assert here.get("H1") is None
    there.put(PEOPLES)
    assert here.get("H1") == PEOPLES


def test_what_came_from_the_database_reads_as_what_was_put(cloud):
    for hospital in (PEOPLES, BARE, CLOSED, FULL):
        dynamo(cloud).put(hospital)
        assert dynamo(cloud).get(hospital.hospital_id) == hospital
