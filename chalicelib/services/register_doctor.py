"""Doctors' accounts, by an administrator: opened, changed, suspended, and their sessions ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Doctor, DoctorStatus
from chalicelib.domain.licence import held_licence
from chalicelib.services.access_ports import Doctors
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended

REGISTER, SET_STATUS, END_SESSIONS = "register_doctor", "set_doctor_status", "end_doctor_sessions"


Change = Callable[[Doctor | None], Doctor]


class LicenceTaken(Exception):  # noqa: N818 - the fact is the name
    """Another account stands for this licence: `doctor_id`."""

    def __init__(self, doctor_id: str) -> None:
        super().__init__("licence_taken")
        self.doctor_id = doctor_id


class UnknownDoctor(Exception):  # noqa: N818 - the fact is the name
    """There is no account of this name."""


@dataclass(frozen=True, slots=True)
class SaveDoctor:
    """Read, change, record, write; again from the read when someone else wrote meanwhile."""

    doctors: Doctors
    record: RecordDecision

    def __call__(self, caller: Caller, action: str, doctor_id: str, changed: Change, now: datetime) -> Doctor:
        for _ in range(ATTEMPTS):
            former = self.doctors.get(doctor_id)
            doctor = replace(changed(former), revision=former.revision if former else 0)
            self._refuse_taken(caller, action, doctor, now)
            self.record.allow(caller, action, _reason(former, doctor), now)
            if self.doctors.save(doctor, former) == "written":
                return doctor
        raise Contended

    def _refuse_taken(self, caller: Caller, action: str, doctor: Doctor, now: datetime) -> None:
        """Two that ask for one licence at once both get past here: the write lets one of them, and the other comes
        back."""
        holder = self.doctors.holder(doctor.licence_number) if held_licence(doctor) else ""
        if holder not in ("", doctor.doctor_id):
            self.record.note(caller, action, "licence_taken", now)
            raise LicenceTaken(holder)


@dataclass(frozen=True, slots=True)
class RegisterDoctor:
    """An administrator opens, changes or closes a doctor's account. Another hospital, licence or status ends every
    session of it. What a privacy officer holds against it stays. Answers the account as it stands; raises LicenceTaken
    (audited), AuditFailed, Contended."""

    save: SaveDoctor

    def __call__(self, caller: Caller, account: Doctor, now: datetime) -> Doctor:
        def changed(former: Doctor | None) -> Doctor:
            if former is None:
                return account
            epoch = former.session_epoch + (_bonds(former) != _bonds(account))
            return replace(account, session_epoch=epoch, break_glass_stops=former.break_glass_stops)

        return self.save(caller, REGISTER, account.doctor_id, changed, now)


@dataclass(frozen=True, slots=True)
class ChangeDoctor:
    """An administrator suspends, reactivates or signs out a doctor; the next decision already knows. Each ends every
    session. Raises UnknownDoctor, LicenceTaken (both audited), AuditFailed, Contended."""

    save: SaveDoctor

    def set_status(self, caller: Caller, doctor_id: str, status: DoctorStatus, now: datetime) -> Doctor:
        """Setting the status that stands already changes nothing and ends no session."""

        def changed(former: Doctor | None) -> Doctor:
            known = self._known(caller, SET_STATUS, former, now)
            epoch = known.session_epoch + (known.status != status)
            return replace(known, status=status, session_epoch=epoch)

        return self.save(caller, SET_STATUS, doctor_id, changed, now)

    def end_sessions(self, caller: Caller, doctor_id: str, now: datetime) -> Doctor:
        def changed(former: Doctor | None) -> Doctor:
            known = self._known(caller, END_SESSIONS, former, now)
            return replace(known, session_epoch=known.session_epoch + 1)

        return self.save(caller, END_SESSIONS, doctor_id, changed, now)

    def _known(self, caller: Caller, action: str, former: Doctor | None, now: datetime) -> Doctor:
        if former is None:
            self.save.record.note(caller, action, "unknown_doctor", now)
            raise UnknownDoctor
        return former


def _reason(former: Doctor | None, doctor: Doctor) -> str:
    if former is None:
        return "new"
    return doctor.status if doctor.status != former.status else "changed"


def _bonds(doctor: Doctor) -> tuple[str, str, DoctorStatus]:
    return doctor.hospital_id, doctor.licence_number, doctor.status
