"""For administrators: doctors' accounts. They see no persons and no images."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from chalicelib import wiring
from chalicelib.domain.consent import Doctor, DoctorStatus
from chalicelib.http.answers import answer
from chalicelib.http.asked import Asked
from chalicelib.http.routes import Routes

if TYPE_CHECKING:
    from chalice.app import Response

routes = Routes(__name__)


@routes.post("/doctors")
def register_doctor(asked: Asked) -> Response:
    """One account to a licence; the same `doctor_id` again changes the account."""
    fields = asked.fields()
    account = Doctor(
        doctor_id=fields.subject("doctor_id"),
        hospital_id=fields.hospital("hospital_id"),
        licence_number=fields.text("licence_number", 32),
        name=fields.text("name", 64),
        status=cast(DoctorStatus, fields.choice("status", get_args(DoctorStatus), default="active")),
        emergency_role=fields.flag("emergency_role", default=False),
    )
    return answer(_account(wiring.register_doctor()(asked.caller, account, asked.now)), 201)


@routes.post("/doctors/status")
def set_status(asked: Asked) -> Response:
    """{doctor_id, status: active|suspended|left}: counts at the next decision, and ends every session."""
    fields = asked.fields()
    doctor_id = fields.subject("doctor_id")
    status = cast(DoctorStatus, fields.choice("status", get_args(DoctorStatus)))
    return answer(_account(wiring.change_doctor().set_status(asked.caller, doctor_id, status, asked.now)))


@routes.post("/doctors/sessions/end")
def end_sessions(asked: Asked) -> Response:
    """Every token with the former session epoch is worth nothing from now on."""
    doctor_id = asked.fields().subject("doctor_id")
    return answer(_account(wiring.change_doctor().end_sessions(asked.caller, doctor_id, asked.now)))


def _account(doctor: Doctor) -> dict[str, object]:
    told = {"doctor_id": doctor.doctor_id, "hospital_id": doctor.hospital_id, "status": doctor.status}
    return {**told, "session_epoch": doctor.session_epoch}
