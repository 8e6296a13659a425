from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied, Doctor, Encounter, deny_doctor
from chalicelib.domain.identity import Link, stand_in
from chalicelib.services.access_ports import Doctors, Encounters, People


@dataclass(frozen=True, slots=True)
class Visit:
    """An open encounter, who its patient is as far as that is known, and the account of the doctor who asks."""

    encounter: Encounter
    link: Link | None
    doctor: Doctor | None = None

    @property
    def owner(self) -> str:
        """Whose requests, codes and counters these are: a person's, or the stand-in of an identity without one."""
        return self.link.person_id if self.link else stand_in(self.encounter.identity)

    @property
    def person_id(self) -> str:
        """Who may read of this in their own audit: nobody while the identity is contested."""
        return self.link.person_id if self.link and self.link.status != "contested" else ""


@dataclass(frozen=True, slots=True)
class FindVisit:
    """What every ask of a doctor stands on: an active account and an open encounter of its own hospital."""

    doctors: Doctors
    encounters: Encounters
    people: People

    def __call__(self, caller: Caller, encounter_id: str, now: datetime) -> Visit | Denied:
        doctor = self.doctors.get(caller.subject)
        denied = deny_doctor(caller, doctor)
        return denied or self._visit(caller.hospital_id, encounter_id, doctor, now)

    def of_order(self, hospital_id: str, doctor_id: str, encounter_id: str, now: datetime) -> Visit | Denied:
        """The same where the doctor's hospital asks for them: there is no session that could have ended."""
        doctor = self.doctors.get(doctor_id)
        if doctor is None or doctor.status != "active" or doctor.hospital_id != hospital_id:
            return Denied("doctor_inactive", "doctor_inactive")
        return self._visit(hospital_id, encounter_id, doctor, now)

    def _visit(self, hospital_id: str, encounter_id: str, doctor: Doctor | None, now: datetime) -> Visit | Denied:
        encounter = self.encounters.get(hospital_id, encounter_id)
        if encounter is None or not encounter.admits(now):
            return Denied("no_encounter", _detail(encounter))
        return Visit(encounter, self.people.link(encounter.identity), doctor)


def _detail(encounter: Encounter | None) -> str:
    if encounter is None:
        return "unknown_encounter"
    return "old_encounter" if encounter.is_open else "closed_encounter"
