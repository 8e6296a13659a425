from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.consent import Encounter
from chalicelib.domain.identity import IdentityKey, PatientDetails, is_placeholder
from chalicelib.services.access_ports import Encounters


@dataclass(frozen=True, slots=True)
class EncounterNotice:
    """A hospital saying that a visit opened or closed. `at` is the hospital's time of it, aware."""

    hospital_id: str
    encounter_id: str
    status: Literal["open", "closed"]
    patient: PatientDetails
    patient_class: str
    at: datetime
    doctor_id: str = ""


@dataclass(frozen=True, slots=True)
class RecordEncounter:
    """Keep the visit as its latest event says, in whatever order events arrive, and that the patient was there: how
    long a record is kept counts from the last visit (`domain.retention`). Whose identity it is, is not decided here:
    the notice's patient goes to LinkFromNotice as well, first. True when this event is the latest."""

    encounters: Encounters

    def __call__(self, notice: EncounterNotice) -> bool:
        told = Encounter(
            hospital_id=notice.hospital_id,
            encounter_id=notice.encounter_id,
            identity=IdentityKey(notice.hospital_id, notice.patient.patient_id.strip()),
            patient_class=notice.patient_class,
            is_open=notice.status == "open",
            at=notice.at,
            doctor_id=notice.doctor_id,
        )
        if not is_placeholder(told.identity.local_id, notice.patient.name):
            self.encounters.remember(told)
        return self.encounters.put(told)
