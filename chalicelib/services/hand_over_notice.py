"""The paper for a patient without a phone goes through the hands of a clerk who had no part in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.access_words import Said
from chalicelib.domain.consent import Denied
from chalicelib.domain.hand_over import HandedHow, HandOver, Named, printed
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.page import Page
from chalicelib.services.access_ports import Doctors, People
from chalicelib.services.exception_ports import HandOvers
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended

READ, PRINT, FINISH = "read_hand_overs", "print_hand_over", "finish_hand_over"
LIMIT = 50


@dataclass(frozen=True, slots=True)
class FindHandOver:
    """A paper of the clerk's own hospital. Raises AccessDenied (unknown_hand_over, witness_hands_over)."""

    hand_overs: HandOvers
    people: People
    record: RecordDecision

    def __call__(self, caller: Caller, consent_id: str, action: str, now: datetime) -> tuple[HandOver, About]:
        paper = self.hand_overs.get(caller.hospital_id, consent_id)
        if paper is None:
            self.record.deny(caller, action, Denied("unknown_hand_over", "unknown_hand_over"), now)
        link = self.people.link(IdentityKey(paper.hospital_id, paper.patient_id))
        person_id = link.person_id if link and link.status != "contested" else ""
        about = About(person_id, None, paper.encounter_id, "assisted", paper.consent_id)
        if caller.subject in (paper.witness, paper.doctor_id):
            self.record.deny(caller, action, Denied("witness_hands_over", "witness_hands_over"), now, about)
        return paper, about


@dataclass(frozen=True, slots=True)
class ReadHandOvers:
    """The papers of the clerk's hospital that wait, oldest first. Raises AuditFailed, ValueError for a token that is
    not ours."""

    hand_overs: HandOvers
    record: RecordDecision

    def __call__(self, caller: Caller, now: datetime, token: str = "") -> Page[HandOver]:
        self.record.allow(caller, READ, "own_hospital", now)
        return self.hand_overs.waiting(caller.hospital_id, token, LIMIT)


@dataclass(frozen=True, slots=True)
class PrintHandOver:
    """The paper's text. Raises as FindHandOver, or AuditFailed."""

    find: FindHandOver
    doctors: Doctors
    hospitals: Hospitals

    def __call__(self, caller: Caller, consent_id: str, now: datetime) -> Said:
        paper, about = self.find(caller, consent_id, PRINT, now)
        self.find.record.allow(caller, PRINT, "printed", now, about)
        doctor, hospital = self.doctors.get(paper.doctor_id), self.hospitals.get(paper.hospital_id)
        name_zh = hospital.name if hospital else paper.hospital_id
        name_en = hospital.name_en or hospital.name if hospital else paper.hospital_id
        named = Named(self._patient(paper), name_zh, name_en, doctor.name if doctor else paper.doctor_id)
        return printed(paper, named)

    def _patient(self, paper: HandOver) -> str:
        link = self.find.people.link(IdentityKey(paper.hospital_id, paper.patient_id))
        return link.names[0] if link and link.names else ""


@dataclass(frozen=True, slots=True)
class FinishHandOver:
    """A clerk says that the paper was handed over or posted. Finishing twice changes nothing. Raises as FindHandOver,
    or AuditFailed, Contended."""

    find: FindHandOver

    def __call__(self, caller: Caller, consent_id: str, how: HandedHow, now: datetime) -> HandOver:
        for _ in range(ATTEMPTS):
            paper, about = self.find(caller, consent_id, FINISH, now)
            if paper.done_at is not None:
                self.find.record.allow(caller, FINISH, "again", now, about)
                return paper
            self.find.record.allow(caller, FINISH, how, now, about)
            done = replace(paper, how=how, done_by=caller.subject, done_at=now)
            if self.find.hand_overs.put(done):
                return done
        raise Contended
