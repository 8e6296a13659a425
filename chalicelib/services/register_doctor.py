from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Doctor, DoctorStatus
from chalicelib.services.access_ports import Doctors
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended


@dataclass(frozen=True, slots=True)
class RegisterDoctor:
    """An administrator opens, changes or closes a doctor's account. Another hospital, licence or status ends every
    session of it. What a privacy officer holds against it stays. Answers the account as it stands; raises AuditFailed,
    Contended."""

    doctors: Doctors
    record: RecordDecision

    def __call__(self, caller: Caller, account: Doctor, now: datetime) -> Doctor:
        for _ in range(ATTEMPTS):
            former = self.doctors.get(account.doctor_id)
            changed = former is not None and _bonds(former) != _bonds(account)
            epoch = former.session_epoch + changed if former else 0
            stops = former.break_glass_stops if former else ()
            revision = former.revision if former else 0
            doctor = replace(account, session_epoch=epoch, break_glass_stops=stops, revision=revision)
            self.record.allow(caller, "register_doctor", "changed" if former else "new", now)
            if self.doctors.put(doctor):
                return doctor
        raise Contended


def _bonds(doctor: Doctor) -> tuple[str, str, DoctorStatus]:
    return doctor.hospital_id, doctor.licence_number, doctor.status
