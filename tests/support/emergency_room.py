"""The clinic with what is done without the patient's own answer: assisted, break-glass, and their reviews."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from chalicelib.domain.access import Caller
from chalicelib.domain.break_glass import CONFIRMATION, REVIEW_LIFE
from chalicelib.domain.study import Hospital
from chalicelib.services.break_glass import BreakGlass, Emergency
from chalicelib.services.confirm_assisted import ConfirmAssisted, OpenReview
from chalicelib.services.hand_over_notice import FindHandOver, FinishHandOver, PrintHandOver, ReadHandOvers
from chalicelib.services.object_to_access import ObjectToAccess
from chalicelib.services.read_assisted import ReadAssisted, ReadAssistedOutcome
from chalicelib.services.record_encounter import EncounterNotice
from chalicelib.services.request_assisted import CardRead, RequestAssisted
from chalicelib.services.review_access import LiftSuspension, ReadReviews, ReadSuspensions, ReviewAccess
from chalicelib.services.suspend_unreviewed import SuspendUnreviewed
from chalicelib.services.tell_of_access import TellOfAccess
from chalicelib.store.assisted import DynamoAssistedRequests, DynamoHandOvers
from chalicelib.store.reviews import DynamoReviews
from tests.support.clinic import NOW, Clinic, clinic_in_memory, clinic_on, national_id, zhang
from tests.support.fakes_exceptions import FakeAssistedRequests, FakeHandOvers, FakeReviews, FakeTopic

WORDS = "车祸，昏迷，准备手术，需了解既往影像"
OFFICER = Caller("privacy_officer", "officer-1", "H1")


@dataclass
class EmergencyRoom(Clinic):
    assisted: Any = None
    hand_overs: Any = None
    reviews: Any = None
    topic: FakeTopic = field(default_factory=FakeTopic)

    def __post_init__(self):
        super().__post_init__()
        self.tell_access = TellOfAccess(
            self.people, self.guardians, self.notices, self.hospitals, self.mac, self.sms, self.random
        )
        tell, record = self.tell_access, self.record
        self.ask_assisted = RequestAssisted(
            self.find_visit, self.people, self.counters, self.assisted, tell, self.mac, self.random, record
        )
        self.confirm_assisted = ConfirmAssisted(
            self.doctors,
            self.encounters,
            self.people,
            self.assisted,
            self.consents,
            self.resolve,
            OpenReview(self.reviews, self.hand_overs, self.pairs, tell),
            tell,
            record,
        )
        self.read_assisted = ReadAssisted(self.assisted, self.doctors, record)
        self.assisted_outcome = ReadAssistedOutcome(self.find_visit, self.assisted, self.consents, record)
        self.break_glass = BreakGlass(
            self.find_visit,
            self.people,
            self.counters,
            self.reviews,
            self.consents,
            self.resolve,
            tell,
            self.topic,
            self.random,
            record,
        )
        self._afterwards()

    def _afterwards(self):
        record = self.record
        self.review = ReviewAccess(self.reviews, self.doctors, self.consents, self.tell_access, record)
        self.read_reviews = ReadReviews(self.reviews, record)
        self.read_suspensions = ReadSuspensions(self.reviews, self.doctors, record)
        self.lift = LiftSuspension(self.reviews, self.doctors, record)
        self.sweep = SuspendUnreviewed(self.reviews, self.doctors, self.consents, self.topic, record)
        self.object = ObjectToAccess(self.own, self.consents, self.reviews, self.tell_access, self.mac, record)
        find = FindHandOver(self.hand_overs, self.people, record)
        self.read_hand_overs = ReadHandOvers(self.hand_overs, record)
        self.print_hand_over = PrintHandOver(find, self.doctors, self.hospitals)
        self.finish_hand_over = FinishHandOver(find)

    # The cast: an emergency visit of Zhang's at H1, and a clerk who has just signed in.

    def in_emergency(self):
        """The doctor of an open emergency visit."""
        self.emergency()
        return self.doctor()

    def swept(self, now=NOW + REVIEW_LIFE):
        return self.sweep(now, lambda: True)

    def emergency(self, encounter_id="X1", patient=None, hospital_id="H1", patient_class="emergency", at=None):
        at = at or NOW - timedelta(hours=1)
        notice = EncounterNotice(hospital_id, encounter_id, "open", patient or zhang(), patient_class, at)
        return self.record_encounter(notice)

    def broken(self, doctor, encounter_id="X1", now=NOW, **changes):
        stated = {"reason": "unconscious", "text": WORDS, "confirmation": CONFIRMATION.zh, **changes}
        return self.break_glass(doctor, Emergency(encounter_id, **stated), now)

    def phoneless(self, hospital_id="H1", patient_id="A1"):
        """Zhang at the desk without a phone; who they are afterwards."""
        return self.patient(hospital_id, zhang(patient_id, phone=""))

    def read_card(self, doctor, encounter_id="E1", number="", now=NOW, reason="no_phone"):
        return self.ask_assisted(doctor, CardRead(encounter_id, number or national_id(), reason), now)

    def assist(self, doctor, witness=None, encounter_id="E1", now=NOW):
        asked = self.read_card(doctor, encounter_id, now=now)
        return self.confirm_assisted(witness or clerk(now=now), asked.request_id, now)


def clerk(subject="clerk-9", hospital_id="H1", now=NOW, ago=timedelta(seconds=30), role="desk_clerk"):
    return Caller(role, subject, hospital_id, signed_in_at=now - ago)


def _room(clinic, assisted, hand_overs, reviews):
    made = {one.name: getattr(clinic, one.name) for one in fields(Clinic)}
    room = EmergencyRoom(**made, assisted=assisted, hand_overs=hand_overs, reviews=reviews)
    room.hospitals.put(Hospital("H1", "第一医院", "First Hospital"))
    return room


def room_in_memory():
    clinic = clinic_in_memory()
    return _room(clinic, FakeAssistedRequests(), FakeHandOvers(), FakeReviews(clinic.doctors))


def room_on(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    stores = DynamoAssistedRequests(client, table), DynamoHandOvers(client, table), DynamoReviews(client, table)
    return _room(clinic_on(cloud), *stores)
