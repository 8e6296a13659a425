"""Who a person is, what they allowed, and who may read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.adapters import (
    audit,
    consents,
    counters,
    decision_facts,
    doctors,
    encounters,
    hospitals,
    mac,
    people,
    sms,
    studies,
)

if TYPE_CHECKING:
    from chalicelib.services.authorize import Authorize
    from chalicelib.services.find_visit import FindVisit
    from chalicelib.services.own_account import OwnAccount
    from chalicelib.services.read_accesses import ReadAccesses, ReadConsents, ReadIdentities
    from chalicelib.services.read_timeline import ReadEncounterTimeline, ReadOwnTimeline
    from chalicelib.services.record_decision import RecordDecision
    from chalicelib.services.register_doctor import RegisterDoctor
    from chalicelib.services.register_hospital import RegisterHospital
    from chalicelib.services.register_patient import RegisterPatient
    from chalicelib.services.request_consent import RequestConsent
    from chalicelib.services.revoke_consent import RevokeConsent
    from chalicelib.services.verify_code import VerifyCode


@cache
def record_decision() -> RecordDecision:
    from secrets import token_bytes

    from chalicelib.services.record_decision import RecordDecision

    return RecordDecision(audit(), token_bytes)


@cache
def authorize() -> Authorize:
    from chalicelib.services.authorize import Authorize

    return Authorize(decision_facts(), people(), consents(), record_decision())


@cache
def find_visit() -> FindVisit:
    from chalicelib.services.find_visit import FindVisit

    return FindVisit(doctors(), encounters(), people())


@cache
def request_consent() -> RequestConsent:
    from secrets import token_bytes

    from chalicelib.services.request_consent import RequestConsent

    return RequestConsent(find_visit(), people(), consents(), counters(), mac(), sms(), token_bytes, record_decision())


@cache
def verify_code() -> VerifyCode:
    from secrets import token_bytes

    from chalicelib.services.resolve_studies import ResolveStudies
    from chalicelib.services.verify_code import VerifyCode

    resolve = ResolveStudies(people(), studies())
    return VerifyCode(find_visit(), people(), consents(), counters(), resolve, mac(), token_bytes, record_decision())


@cache
def read_encounter_timeline() -> ReadEncounterTimeline:
    from chalicelib.services.read_timeline import ReadEncounterTimeline

    return ReadEncounterTimeline(find_visit(), decision_facts(), people(), consents(), record_decision())


@cache
def own_account() -> OwnAccount:
    from chalicelib.services.own_account import OwnAccount

    return OwnAccount(people(), record_decision())


@cache
def read_own_timeline() -> ReadOwnTimeline:
    from chalicelib.services.read_timeline import ReadOwnTimeline

    return ReadOwnTimeline(own_account(), people(), studies(), record_decision())


@cache
def read_accesses() -> ReadAccesses:
    from chalicelib.services.read_accesses import ReadAccesses

    return ReadAccesses(own_account(), audit())


@cache
def read_consents() -> ReadConsents:
    from chalicelib.services.read_accesses import ReadConsents

    return ReadConsents(own_account(), consents())


@cache
def read_identities() -> ReadIdentities:
    from chalicelib.services.read_accesses import ReadIdentities

    return ReadIdentities(own_account(), people())


@cache
def revoke_consent() -> RevokeConsent:
    from chalicelib.services.revoke_consent import RevokeConsent

    return RevokeConsent(own_account(), consents(), record_decision())


@cache
def register_patient() -> RegisterPatient:
    from chalicelib.services.register_patient import RegisterPatient

    return RegisterPatient(people(), mac(), record_decision())


@cache
def register_doctor() -> RegisterDoctor:
    from chalicelib.services.register_doctor import RegisterDoctor

    return RegisterDoctor(doctors(), record_decision())


@cache
def register_hospital() -> RegisterHospital:
    from chalicelib.services.register_hospital import RegisterHospital

    return RegisterHospital(hospitals(), record_decision())
