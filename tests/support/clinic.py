"""All use cases of people and access, composed over in-memory or over moto's stores, and a small cast."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Doctor
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.national_id import check_digit
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.act_as import ActAs
from chalicelib.services.answer_request import AnswerRequest
from chalicelib.services.authorize import Authorize
from chalicelib.services.change_phone import ChangePhone, ReadPhone, VoidPhone
from chalicelib.services.contest_identity import ContestIdentity, UndoLink
from chalicelib.services.decide_request import DecideRequest
from chalicelib.services.end_sessions import EndSessions
from chalicelib.services.find_visit import FindVisit
from chalicelib.services.freeze_person import FreezePerson, UnfreezePerson
from chalicelib.services.hide_study import HideStudy, ReadHidden
from chalicelib.services.object_to_guardian import ObjectForWard, ObjectToGuardian
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.prove_guardian import EndGuardian, ProveGuardian, ReadCard, StopGuardian, TellOfGuardian
from chalicelib.services.reach_patient import ReachPatient
from chalicelib.services.read_accesses import ReadAccesses, ReadConsents, ReadIdentities
from chalicelib.services.read_guardians import ReadGuardians, ReadNotices, ReadWards
from chalicelib.services.read_pairs import ReadPairs
from chalicelib.services.read_requests import ReadOutcome, ReadRequests
from chalicelib.services.read_timeline import ReadEncounterTimeline, ReadOwnTimeline
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from chalicelib.services.register_doctor import ChangeDoctor, RegisterDoctor, SaveDoctor
from chalicelib.services.register_patient import LinkFromNotice, RegisterPatient
from chalicelib.services.request_consent import RequestConsent
from chalicelib.services.resolve_studies import ResolveStudies
from chalicelib.services.revoke_consent import RevokeConsent
from chalicelib.services.scan_qr import ScanQr
from chalicelib.services.show_qr import ShowQr
from chalicelib.services.tell_person import TellOfPhone, TellPerson
from chalicelib.services.verify_code import VerifyCode
from chalicelib.store.audit import DynamoAudit
from chalicelib.store.consents import DynamoConsents
from chalicelib.store.counters import DynamoCounters
from chalicelib.store.guardians import DynamoGuardians, DynamoInAppNotices, DynamoQrs
from chalicelib.store.hidden import DynamoHiddenStudies, DynamoPairs
from chalicelib.store.hospitals import DynamoHospitals
from chalicelib.store.mac import KmsMac
from chalicelib.store.people import DynamoPeople
from chalicelib.store.studies import DynamoStudies
from chalicelib.store.visits import DynamoDecisionFacts, DynamoDoctors, DynamoEncounters
from tests.support.fakes_bases import FakeGuardians, FakeInAppNotices, FakeQrs
from tests.support.fakes_people import (
    FakeAudit,
    FakeConsents,
    FakeCounters,
    FakeDecisionFacts,
    FakeDoctors,
    FakeHiddenStudies,
    FakeMac,
    FakePairs,
    FakePeople,
    FakeSms,
    SeededRandomness,
)
from tests.support.fakes_settle import FakeHospitals, FakeStudies
from tests.support.fakes_visits import FakeEncounters

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ZHANG_PHONE = "13800138000"
CLERK = Caller("desk_clerk", "clerk-1", "H1")
ADMIN = Caller("administrator", "admin-1")


def national_id(birth_date="19800102", order="011", region="320102"):
    first = f"{region}{birth_date}{order}"
    return first + check_digit(first)


def zhang(patient_id="A1", **changes):
    details = {
        "name": "张三",
        "sex": "M",
        "birth_date": "1980-01-02",
        "national_id": national_id(),
        "phone": ZHANG_PHONE,
    }
    return PatientDetails(patient_id, **{**details, **changes})


def summary(ref, patient_id="A1", issuer="", **changes):
    values: dict[str, Any] = {
        "ref": ref,
        "state": "served",
        "manifest_digest": "d",
        "manifest_parts": 1,
        "instances": 1,
        "series": 1,
        "entries": 1,
        "duplicates": 0,
        "divergent": 0,
        "issuer": issuer or ref.hospital_id,
        "patient_id": patient_id,
        "patient_name": "张三",
        "patient_birth_date": "19800102",
        "patient_sex": "M",
        "accession_number": "",
        "study_date": "20261120",
        "study_time": "",
        "study_description": "",
        "modalities": ("CT",),
        "body_parts": (),
        "series_descriptions": (),
        "institution_name": "",
        "first_received_at": None,
        "last_received_at": None,
        "exam_ended_at": None,
        "exam_end_source": "none",
        "exam_end_flags": (),
    }
    return Summary(**{**values, **changes})


@dataclass
class Clinic:
    """The ports under test, and every service over them."""

    people: Any
    doctors: Any
    encounters: Any
    consents: Any
    counters: Any
    studies: Any
    facts: Any
    audit: Any
    mac: Any
    guardians: Any
    notices: Any
    qrs: Any
    hidden: Any
    pairs: Any
    hospitals: Any
    sms: FakeSms = field(default_factory=FakeSms)
    random: Any = field(default_factory=SeededRandomness)

    def __post_init__(self):
        self.record = RecordDecision(self.audit, self.random)
        self.find_visit = FindVisit(self.doctors, self.encounters, self.people)
        self.own = OwnAccount(self.people, self.record)
        self.tell_person = TellPerson(self.notices, self.random)
        self.tell_of_phone = TellOfPhone(self.counters, self.hospitals, self.sms)
        self.register = RegisterPatient(self.people, self.mac, self.tell_person, self.tell_of_phone, self.record)
        self.link_from_notice = LinkFromNotice(self.people, self.mac, self.random, self.record)
        self.record_encounter = RecordEncounter(self.encounters)
        save = SaveDoctor(self.doctors, self.record)
        self.register_doctor, self.change_doctor = RegisterDoctor(save), ChangeDoctor(save)
        self.act_as = ActAs(self.own, self.people, self.guardians, self.notices, self.random, self.record)
        self.request = RequestConsent(
            self.find_visit,
            ReachPatient(self.people, self.guardians, self.mac),
            self.consents,
            self.counters,
            self.mac,
            self.sms,
            self.random,
            self.record,
        )
        self.answer_request = AnswerRequest(self.consents)
        self.resolve = ResolveStudies(self.people, self.studies, self.hidden)
        self.verify = VerifyCode(
            self.find_visit,
            self.people,
            self.guardians,
            self.consents,
            self.counters,
            self.pairs,
            self.resolve,
            self.answer_request,
            self.mac,
            self.record,
        )
        self.authorize = Authorize(self.facts, self.people, self.guardians, self.consents, self.act_as, self.record)
        self.revoke = RevokeConsent(self.act_as, self.consents, self.record)
        self.read_timeline = ReadOwnTimeline(self.act_as, self.people, self.studies, self.record)
        self.read_encounter = ReadEncounterTimeline(
            self.find_visit, self.facts, self.people, self.consents, self.record
        )
        self.read_accesses = ReadAccesses(self.act_as, self.audit)
        self.read_consents = ReadConsents(self.act_as, self.consents)
        self.read_identities = ReadIdentities(self.own, self.people)
        self._bases()
        self._own_hands()

    def _own_hands(self):
        """What people do to their own record, and desks and officers to links."""
        self.contest = ContestIdentity(self.own, self.people, self.tell_person, self.record)
        self.undo = UndoLink(self.people, self.tell_person, self.random, self.record)
        self.freeze = FreezePerson(self.own, self.people, self.tell_person, self.record)
        self.end_sessions = EndSessions(
            self.own, self.people, ReadCard(self.people, self.mac), self.tell_person, self.record
        )
        self.unfreeze = UnfreezePerson(self.people, self.consents, self.mac, self.tell_person, self.record)
        self.change_phone = ChangePhone(
            self.own, self.people, self.mac, self.tell_person, self.tell_of_phone, self.record
        )
        self.void_phone = VoidPhone(self.own, self.people, self.tell_person, self.record)
        self.read_phone = ReadPhone(self.own, self.people, self.mac)
        self.hide = HideStudy(self.own, self.facts, self.people, self.consents, self.hidden, self.record)
        self.read_hidden = ReadHidden(self.own, self.hidden)
        self.read_pairs = ReadPairs(self.pairs, self.record)

    def _bases(self):
        """The health app, the QR and guardians."""
        self.read_requests = ReadRequests(self.act_as, self.consents, self.doctors)
        self.read_outcome = ReadOutcome(self.find_visit, self.consents, self.record)
        self.decide = DecideRequest(
            self.act_as,
            self.people,
            self.encounters,
            self.consents,
            self.resolve,
            self.answer_request,
            self.record,
        )
        self.show_qr = ShowQr(self.act_as, self.people, self.qrs, self.random, self.record)
        self.scan_qr = ScanQr(
            self.find_visit,
            self.people,
            self.guardians,
            self.consents,
            self.counters,
            self.qrs,
            self.resolve,
            self.random,
            self.record,
        )
        read_card, stop = ReadCard(self.people, self.mac), StopGuardian(self.guardians, self.consents)
        tell = TellOfGuardian(self.people, self.guardians, self.notices, self.counters, self.sms, self.random)
        self.prove_guardian = ProveGuardian(read_card, self.guardians, tell, self.random, self.record)
        self.end_guardian = EndGuardian(read_card, self.guardians, stop, tell, self.record)
        self.object_to_guardian = ObjectToGuardian(self.own, self.guardians, stop, tell, self.record)
        self.object_for_ward = ObjectForWard(self.act_as, self.guardians, stop, tell, self.record)
        self.read_guardians = ReadGuardians(self.act_as, self.guardians)
        self.read_wards = ReadWards(self.act_as, self.guardians, self.record)
        self.read_notices = ReadNotices(self.own, self.notices)

    # The cast: Dr Li at H1, the desk of H1, Zhang San with studies at H1 and H2.

    def doctor(self, doctor_id="li", hospital_id="H1", **changes):
        account = Doctor(doctor_id, hospital_id, f"110320-{doctor_id}", "李医生", **changes)
        account = self.register_doctor(ADMIN, account, NOW)
        return Caller("doctor", doctor_id, hospital_id, session_epoch=account.session_epoch)

    def visit(self, encounter_id="E1", hospital_id="H1", patient=None, status="open", at=NOW - timedelta(hours=1)):
        notice = EncounterNotice(hospital_id, encounter_id, status, patient or zhang(), "outpatient", at)
        return self.record_encounter(notice)

    def study(self, uid="1.2.3", hospital_id="H1", patient_id="A1", **changes):
        ref = StudyRef(hospital_id, uid)
        self.studies.flip(summary(ref, patient_id, **changes), 0)
        return ref

    def patient(self, hospital_id="H1", patient=None):
        """Zhang at the desk of a hospital; who calls as them afterwards."""
        clerk = Caller("desk_clerk", f"clerk-{hospital_id}", hospital_id)
        done = self.register(clerk, patient or zhang(), NOW - timedelta(days=1))
        return Caller("patient", done.person_id, person_id=done.person_id)

    def code(self):
        return self.sms.sent[-1][2]["code"]

    def wrong_code(self):
        return f"{(int(self.code()) + 1) % 10**6:06}"

    def consent(self, doctor, encounter_id="E1", now=NOW):
        asked = self.request(doctor, encounter_id, "treatment", now)
        return self.verify(doctor, encounter_id, asked.request_id, self.code(), now)


def clinic_in_memory():
    studies, people, doctors, guardians = FakeStudies(), FakePeople(), FakeDoctors(), FakeGuardians()
    return Clinic(
        people,
        doctors,
        FakeEncounters(),
        FakeConsents(guardians),
        FakeCounters(),
        studies,
        FakeDecisionFacts(studies, people, doctors),
        FakeAudit(),
        FakeMac(),
        guardians,
        FakeInAppNotices(),
        FakeQrs(),
        FakeHiddenStudies(),
        FakePairs(),
        FakeHospitals(),
    )


def clinic_on(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    return Clinic(
        DynamoPeople(client, table),
        DynamoDoctors(client, table),
        DynamoEncounters(client, table),
        DynamoConsents(client, table),
        DynamoCounters(client, table),
        DynamoStudies(client, table),
        DynamoDecisionFacts(client, table),
        DynamoAudit(client, cloud.settings["AUDIT_TABLE"]),
        KmsMac(cloud.client("kms"), cloud.settings["MAC_KEY_ID"]),
        DynamoGuardians(client, table),
        DynamoInAppNotices(client, table),
        DynamoQrs(client, table),
        DynamoHiddenStudies(client, table),
        DynamoPairs(client, table),
        DynamoHospitals(client, table),
    )
