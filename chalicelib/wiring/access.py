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
    guardians,
    hidden_studies,
    hospitals,
    in_app_notices,
    mac,
    pairs,
    people,
    queued_sms,
    sms_gateway,
    studies,
    uploads,
)
from chalicelib.wiring.environment import new_id

if TYPE_CHECKING:
    from chalicelib.services.act_as import ActAs
    from chalicelib.services.answer_request import AnswerRequest
    from chalicelib.services.authorize import Authorize
    from chalicelib.services.find_visit import FindVisit
    from chalicelib.services.on_record import OnRecord
    from chalicelib.services.own_account import OwnAccount
    from chalicelib.services.read_accesses import ReadAccesses, ReadConsents, ReadIdentities
    from chalicelib.services.read_timeline import ReadEncounterTimeline, ReadOwnTimeline
    from chalicelib.services.record_decision import RecordDecision
    from chalicelib.services.register_doctor import ChangeDoctor, RegisterDoctor
    from chalicelib.services.register_hospital import RegisterHospital
    from chalicelib.services.register_patient import RegisterPatient
    from chalicelib.services.request_consent import RequestConsent
    from chalicelib.services.resolve_studies import ResolveStudies
    from chalicelib.services.revoke_consent import RevokeConsent
    from chalicelib.services.tell_person import TellOfPhone, TellPerson
    from chalicelib.services.verify_code import VerifyCode


@cache
def record_decision() -> RecordDecision:
    from secrets import token_bytes

    from chalicelib.services.record_decision import RecordDecision

    return RecordDecision(audit(), token_bytes)


@cache
def on_record() -> OnRecord:
    from chalicelib.services.on_record import OnRecord

    return OnRecord(record_decision())


@cache
def authorize() -> Authorize:
    from chalicelib.services.authorize import Authorize

    return Authorize(decision_facts(), people(), guardians(), consents(), act_as(), record_decision())


@cache
def find_visit() -> FindVisit:
    from chalicelib.services.find_visit import FindVisit

    return FindVisit(doctors(), encounters(), people())


@cache
def request_consent() -> RequestConsent:
    from secrets import token_bytes

    from chalicelib.services.reach_patient import ReachPatient
    from chalicelib.services.request_consent import RequestConsent

    reach = ReachPatient(people(), guardians(), mac())
    asked = (find_visit(), reach, consents(), counters(), mac(), queued_sms())
    return RequestConsent(*asked, token_bytes, record_decision())


@cache
def resolve_studies() -> ResolveStudies:
    from chalicelib.services.resolve_studies import ResolveStudies

    return ResolveStudies(people(), studies(), hidden_studies())


@cache
def answer_request() -> AnswerRequest:
    from chalicelib.services.answer_request import AnswerRequest

    return AnswerRequest(consents())


@cache
def verify_code() -> VerifyCode:
    from chalicelib.services.verify_code import VerifyCode

    return VerifyCode(
        find_visit(),
        people(),
        guardians(),
        consents(),
        counters(),
        pairs(),
        resolve_studies(),
        answer_request(),
        mac(),
        record_decision(),
    )


@cache
def read_encounter_timeline() -> ReadEncounterTimeline:
    from chalicelib.services.read_timeline import ReadEncounterTimeline

    return ReadEncounterTimeline(find_visit(), decision_facts(), people(), consents(), record_decision())


@cache
def own_account() -> OwnAccount:
    from chalicelib.services.own_account import OwnAccount

    return OwnAccount(people(), record_decision())


@cache
def act_as() -> ActAs:
    from secrets import token_bytes

    from chalicelib.services.act_as import ActAs

    return ActAs(own_account(), people(), guardians(), in_app_notices(), token_bytes, record_decision())


@cache
def read_own_timeline() -> ReadOwnTimeline:
    from chalicelib.services.read_timeline import ReadOwnTimeline

    return ReadOwnTimeline(act_as(), people(), studies(), record_decision())


@cache
def read_accesses() -> ReadAccesses:
    from chalicelib.services.read_accesses import ReadAccesses

    return ReadAccesses(act_as(), audit())


@cache
def read_consents() -> ReadConsents:
    from chalicelib.services.read_accesses import ReadConsents

    return ReadConsents(act_as(), consents())


@cache
def read_identities() -> ReadIdentities:
    from chalicelib.services.read_accesses import ReadIdentities

    return ReadIdentities(own_account(), people())


@cache
def revoke_consent() -> RevokeConsent:
    from chalicelib.services.revoke_consent import RevokeConsent

    return RevokeConsent(act_as(), consents(), record_decision())


@cache
def register_patient() -> RegisterPatient:
    from chalicelib.services.register_patient import RegisterPatient

    return RegisterPatient(people(), mac(), tell_person(), tell_of_phone(), record_decision())


@cache
def tell_person() -> TellPerson:
    from secrets import token_bytes

    from chalicelib.services.tell_person import TellPerson

    return TellPerson(in_app_notices(), token_bytes)


@cache
def tell_of_phone() -> TellOfPhone:
    from chalicelib.services.tell_person import TellOfPhone

    return TellOfPhone(counters(), hospitals(), sms_gateway())


@cache
def register_doctor() -> RegisterDoctor:
    from chalicelib.services.register_doctor import RegisterDoctor, SaveDoctor

    return RegisterDoctor(SaveDoctor(doctors(), record_decision()))


@cache
def change_doctor() -> ChangeDoctor:
    from chalicelib.services.register_doctor import ChangeDoctor, SaveDoctor

    return ChangeDoctor(SaveDoctor(doctors(), record_decision()))


@cache
def register_hospital() -> RegisterHospital:
    from chalicelib.services.register_hospital import RegisterHospital

    return RegisterHospital(uploads(), hospitals(), record_decision(), new_id)
