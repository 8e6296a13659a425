"""For administrators: doctors' accounts. They see no persons and no images."""

from __future__ import annotations

from typing import TypedDict, cast, get_args

from chalicelib import wiring
from chalicelib.domain.consent import Doctor, DoctorStatus
from chalicelib.domain.session import MAX_SUBJECT
from chalicelib.http.asked import Asked
from chalicelib.http.kinds import FLAG, HOSPITAL, Kinds, one_of, optional, text
from chalicelib.http.routes import Routes

DOCTOR_ID, STATUS = text(MAX_SUBJECT), one_of(get_args(DoctorStatus))
ACCOUNT: Kinds = {
    "doctor_id": DOCTOR_ID,
    "hospital_id": HOSPITAL,
    "licence_number": text(32),
    "name": text(64),
    "status": optional(STATUS, "active"),
    "emergency_role": optional(FLAG, default=False),
}

routes = Routes()


class Account(TypedDict):
    """A doctor's account. Every token of a lower `session_epoch` is worth nothing."""

    doctor_id: str
    hospital_id: str
    status: DoctorStatus
    session_epoch: int


@routes.post("/doctors", body=ACCOUNT, status=201, tells=("licence_taken",))
def register_doctor(asked: Asked) -> Account:
    """One account to a licence; the same `doctor_id` again changes the account."""
    fields = asked.fields()
    account = Doctor(
        doctor_id=fields.subject("doctor_id"),
        hospital_id=fields.hospital("hospital_id"),
        licence_number=fields.text("licence_number"),
        name=fields.text("name"),
        status=cast(DoctorStatus, fields.choice("status")),
        emergency_role=fields.flag("emergency_role"),
    )
    return _account(wiring.register_doctor()(asked.caller, account, asked.now))


@routes.post(
    "/doctors/status",
    body={"doctor_id": DOCTOR_ID, "status": STATUS},
    tells=("not_found", "licence_taken"),
)
def set_status(asked: Asked) -> Account:
    """It counts at the next decision, and ends every session."""
    fields = asked.fields()
    doctor_id = fields.subject("doctor_id")
    status = cast(DoctorStatus, fields.choice("status"))
    return _account(wiring.change_doctor().set_status(asked.caller, doctor_id, status, asked.now))


@routes.post("/doctors/sessions/end", body={"doctor_id": DOCTOR_ID}, tells=("not_found",))
def end_sessions(asked: Asked) -> Account:
    """Every token with the former session epoch is worth nothing from now on."""
    doctor_id = asked.fields().subject("doctor_id")
    return _account(wiring.change_doctor().end_sessions(asked.caller, doctor_id, asked.now))


def _account(doctor: Doctor) -> Account:
    return {
        "doctor_id": doctor.doctor_id,
        "hospital_id": doctor.hospital_id,
        "status": doctor.status,
        "session_epoch": doctor.session_epoch,
    }
