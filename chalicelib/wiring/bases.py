"""How a patient, or somebody for them, answers a doctor: the health app, a QR, a guardian."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import (
    act_as,
    answer_request,
    find_visit,
    own_account,
    record_decision,
    resolve_studies,
)
from chalicelib.wiring.adapters import (
    consents,
    counters,
    doctors,
    encounters,
    guardians,
    in_app_notices,
    mac,
    people,
    qrs,
    sms,
)

if TYPE_CHECKING:
    from chalicelib.services.decide_request import DecideRequest
    from chalicelib.services.object_to_guardian import ObjectForWard, ObjectToGuardian
    from chalicelib.services.prove_guardian import EndGuardian, ProveGuardian, ReadCard, StopGuardian, TellOfGuardian
    from chalicelib.services.read_guardians import ReadGuardians, ReadNotices, ReadWards
    from chalicelib.services.read_requests import ReadOutcome, ReadRequests
    from chalicelib.services.scan_qr import ScanQr
    from chalicelib.services.show_qr import ShowQr


@cache
def read_requests() -> ReadRequests:
    from chalicelib.services.read_requests import ReadRequests

    return ReadRequests(act_as(), consents(), doctors())


@cache
def decide_request() -> DecideRequest:
    from chalicelib.services.decide_request import DecideRequest

    parts = (people(), encounters(), consents(), resolve_studies(), answer_request())
    return DecideRequest(act_as(), *parts, record_decision())


@cache
def read_outcome() -> ReadOutcome:
    from chalicelib.services.read_requests import ReadOutcome

    return ReadOutcome(find_visit(), consents(), record_decision())


@cache
def show_qr() -> ShowQr:
    from secrets import token_bytes

    from chalicelib.services.show_qr import ShowQr

    return ShowQr(act_as(), people(), qrs(), token_bytes, record_decision())


@cache
def scan_qr() -> ScanQr:
    from secrets import token_bytes

    from chalicelib.services.scan_qr import ScanQr

    stores = (people(), guardians(), consents(), counters(), qrs())
    return ScanQr(find_visit(), *stores, resolve_studies(), token_bytes, record_decision())


# Guardians


@cache
def _read_card() -> ReadCard:
    from chalicelib.services.prove_guardian import ReadCard

    return ReadCard(people(), mac())


@cache
def _tell_of_guardian() -> TellOfGuardian:
    from secrets import token_bytes

    from chalicelib.services.prove_guardian import TellOfGuardian

    return TellOfGuardian(people(), guardians(), in_app_notices(), counters(), sms(), token_bytes)


@cache
def _stop_guardian() -> StopGuardian:
    from chalicelib.services.prove_guardian import StopGuardian

    return StopGuardian(guardians(), consents())


@cache
def prove_guardian() -> ProveGuardian:
    from secrets import token_bytes

    from chalicelib.services.prove_guardian import ProveGuardian

    return ProveGuardian(_read_card(), guardians(), _tell_of_guardian(), token_bytes, record_decision())


@cache
def end_guardian() -> EndGuardian:
    from chalicelib.services.prove_guardian import EndGuardian

    return EndGuardian(_read_card(), guardians(), _stop_guardian(), _tell_of_guardian(), record_decision())


@cache
def object_to_guardian() -> ObjectToGuardian:
    from chalicelib.services.object_to_guardian import ObjectToGuardian

    return ObjectToGuardian(own_account(), guardians(), _stop_guardian(), _tell_of_guardian(), record_decision())


@cache
def object_for_ward() -> ObjectForWard:
    from chalicelib.services.object_to_guardian import ObjectForWard

    return ObjectForWard(act_as(), guardians(), _stop_guardian(), _tell_of_guardian(), record_decision())


@cache
def read_guardians() -> ReadGuardians:
    from chalicelib.services.read_guardians import ReadGuardians

    return ReadGuardians(act_as(), guardians())


@cache
def read_wards() -> ReadWards:
    from chalicelib.services.read_guardians import ReadWards

    return ReadWards(act_as(), guardians(), record_decision())


@cache
def read_notices() -> ReadNotices:
    from chalicelib.services.read_guardians import ReadNotices

    return ReadNotices(own_account(), in_app_notices())
