import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.contact import Contact
from chalicelib.domain.study import Hospital
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.register_hospital import EFFECT, RegisterHospital
from chalicelib.services.replay_facts import ReplayRegistrations
from chalicelib.store.hospitals import KEEP
from tests.support.fakes_ingest import FakeUploads
from tests.support.fakes_joining import FakeHospitalKeys
from tests.support.fakes_people import FakeAudit
from tests.support.fakes_settle import FakeHospitals

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
REGULATOR = Caller("regulator", "wei")
OPEN = Hospital("H1", "省人民医院")
SHUT = replace(OPEN, active=False)


class World:
    def __init__(self):
        self.uploads, self.hospitals, self.audit = FakeUploads(), FakeHospitals(), FakeAudit()
        self.numbers = itertools.count()

    def register(self, hospital, at=NOW):
        record = RecordDecision(self.audit, bytes)
        register = RegisterHospital(self.uploads, self.hospitals, record, lambda _: f"{next(self.numbers):026d}")
        return register(REGULATOR, hospital, at)

    def replay(self):
        return ReplayRegistrations(self.uploads, self.hospitals, FakeHospitalKeys())()


def test_a_registration_stands_and_is_audited():
    world = World()
    assert world.register(OPEN) == OPEN == world.hospitals.get("H1")
    assert [event.action for event in world.audit.events.values()] == ["register_hospital"]


def test_a_closing_takes_effect_when_no_process_still_remembers_it_open():
    assert World().register(SHUT).closed_at == NOW + EFFECT
    assert EFFECT >= KEEP


def test_a_closed_hospital_that_is_changed_stays_closed_since_it_first_was():
    world = World()
    first = world.register(SHUT).closed_at
    assert world.register(replace(SHUT, name="新名"), NOW + timedelta(days=9)).closed_at == first


def test_a_hospital_may_open_and_close_again():
    world = World()
    world.register(SHUT)
    assert world.register(OPEN).closed_at is None
    assert world.register(SHUT, NOW + timedelta(days=9)).closed_at == NOW + timedelta(days=9) + EFFECT


def test_each_hospitals_last_registration_comes_back_from_the_bucket_alone():
    world = World()
    for number, hospital in enumerate([OPEN, replace(OPEN, hospital_id="H2"), SHUT, replace(SHUT, name="新名")]):
        world.register(hospital, NOW + timedelta(hours=7 * number))
    known = world.hospitals.list()
    world.hospitals = FakeHospitals()
    assert (world.replay(), world.hospitals.list()) == (2, known)
    assert (world.replay(), world.hospitals.list()) == (0, known)


def test_a_registration_in_full_comes_back_whole():
    world = World()
    full = replace(
        OPEN,
        contacts=(Contact("pacs", "王工", "025-80000000", "pacs@example.test"),),
        weekday_volume=(9, 8, 7, 6, 5, 4, 0),
        default_class="inpatient",
    )
    world.register(full)
    world.hospitals = FakeHospitals()
    assert (world.replay(), world.hospitals.get("H1")) == (1, full)


def test_a_registration_of_before_contacts_were_kept_comes_back_without():
    world = World()
    world.register(OPEN)
    (kept,) = world.uploads.versions("registrations/")
    told = json.loads(world.uploads.read(kept.key, None, 0, 9999).data)
    old = {name: told[name] for name in told if name not in ("contacts", "weekday_volume", "default_class")}
    world.uploads.upload(kept.key, json.dumps(old).encode())
    world.hospitals = FakeHospitals()
    assert (world.replay(), world.hospitals.get("H1")) == (1, OPEN)


def test_whom_to_reach_is_in_no_repr_that_a_log_could_hold():
    shown = repr(replace(OPEN, contacts=(Contact("pacs", "王工", "025-80000000"),)))
    assert not any(word in shown for word in ("王工", "8000"))


def test_a_registration_under_another_hospitals_key_is_no_registration():
    world = World()
    world.register(OPEN)
    (kept,) = world.uploads.versions("registrations/")
    world.uploads.upload(kept.key.replace("H1", "H2"), world.uploads.read(kept.key, None, 0, 9999).data)
    with pytest.raises(ValueError, match="another hospital"):
        world.replay()


def test_without_an_audit_event_nothing_is_registered():
    world = World()
    world.audit.broken = True
    with pytest.raises(AuditFailed):
        world.register(OPEN)
    assert world.hospitals.list() == ()
    assert list(world.uploads.versions("")) == []
