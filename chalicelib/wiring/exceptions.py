"""What is done without the patient's own answer: by a witness, in an emergency; and who looks at it afterwards."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import find_visit, own_account, record_decision, resolve_studies
from chalicelib.wiring.adapters import (
    consents,
    counters,
    doctors,
    encounters,
    guardians,
    hospitals,
    in_app_notices,
    mac,
    pairs,
    people,
    sms,
)
from chalicelib.wiring.environment import settings

if TYPE_CHECKING:
    from chalicelib.services.break_glass import BreakGlass
    from chalicelib.services.confirm_assisted import ConfirmAssisted
    from chalicelib.services.hand_over_notice import FindHandOver, FinishHandOver, PrintHandOver, ReadHandOvers
    from chalicelib.services.object_to_access import ObjectToAccess
    from chalicelib.services.ports import Topic
    from chalicelib.services.read_assisted import ReadAssisted, ReadAssistedOutcome
    from chalicelib.services.request_assisted import RequestAssisted
    from chalicelib.services.review_access import LiftSuspension, ReadReviews, ReadSuspensions, ReviewAccess
    from chalicelib.services.suspend_unreviewed import SuspendUnreviewed
    from chalicelib.services.tell_of_access import TellOfAccess
    from chalicelib.store.assisted import DynamoAssistedRequests, DynamoHandOvers
    from chalicelib.store.reviews import DynamoReviews


@cache
def assisted_requests() -> DynamoAssistedRequests:
    from chalicelib.store import clients
    from chalicelib.store.assisted import DynamoAssistedRequests

    return DynamoAssistedRequests(clients.dynamodb(), settings().main_table)


@cache
def hand_overs() -> DynamoHandOvers:
    from chalicelib.store import clients
    from chalicelib.store.assisted import DynamoHandOvers

    return DynamoHandOvers(clients.dynamodb(), settings().main_table)


@cache
def reviews() -> DynamoReviews:
    from chalicelib.store import clients
    from chalicelib.store.reviews import DynamoReviews

    return DynamoReviews(clients.dynamodb(), settings().main_table)


@cache
def privacy_topic() -> Topic:
    from chalicelib.store import clients
    from chalicelib.store.topics import SnsTopic

    return SnsTopic(clients.sns(), settings().privacy_topic_arn)


@cache
def _tell_of_access() -> TellOfAccess:
    from secrets import token_bytes

    from chalicelib.services.tell_of_access import TellOfAccess

    return TellOfAccess(people(), guardians(), in_app_notices(), hospitals(), mac(), sms(), token_bytes)


# By a witness


@cache
def request_assisted() -> RequestAssisted:
    from secrets import token_bytes

    from chalicelib.services.request_assisted import RequestAssisted

    stores = (people(), counters(), assisted_requests())
    return RequestAssisted(find_visit(), *stores, _tell_of_access(), mac(), token_bytes, record_decision())


@cache
def read_assisted() -> ReadAssisted:
    from chalicelib.services.read_assisted import ReadAssisted

    return ReadAssisted(assisted_requests(), doctors(), record_decision())


@cache
def read_assisted_outcome() -> ReadAssistedOutcome:
    from chalicelib.services.read_assisted import ReadAssistedOutcome

    return ReadAssistedOutcome(find_visit(), assisted_requests(), consents(), record_decision())


@cache
def confirm_assisted() -> ConfirmAssisted:
    from chalicelib.services.confirm_assisted import ConfirmAssisted, OpenReview

    opens = OpenReview(reviews(), hand_overs(), pairs(), _tell_of_access())
    stores = (doctors(), encounters(), people(), assisted_requests(), consents())
    return ConfirmAssisted(*stores, resolve_studies(), opens, _tell_of_access(), record_decision())


@cache
def _find_hand_over() -> FindHandOver:
    from chalicelib.services.hand_over_notice import FindHandOver

    return FindHandOver(hand_overs(), people(), record_decision())


@cache
def read_hand_overs() -> ReadHandOvers:
    from chalicelib.services.hand_over_notice import ReadHandOvers

    return ReadHandOvers(hand_overs(), record_decision())


@cache
def print_hand_over() -> PrintHandOver:
    from chalicelib.services.hand_over_notice import PrintHandOver

    return PrintHandOver(_find_hand_over(), doctors(), hospitals())


@cache
def finish_hand_over() -> FinishHandOver:
    from chalicelib.services.hand_over_notice import FinishHandOver

    return FinishHandOver(_find_hand_over())


# In an emergency


@cache
def break_glass() -> BreakGlass:
    from secrets import token_bytes

    from chalicelib.services.break_glass import BreakGlass

    stores = (people(), counters(), reviews(), consents())
    tells = (_tell_of_access(), privacy_topic())
    return BreakGlass(find_visit(), *stores, resolve_studies(), *tells, token_bytes, record_decision())


@cache
def suspend_unreviewed() -> SuspendUnreviewed:
    from chalicelib.services.suspend_unreviewed import SuspendUnreviewed

    return SuspendUnreviewed(reviews(), doctors(), consents(), privacy_topic(), record_decision())


# Afterwards


@cache
def read_reviews() -> ReadReviews:
    from chalicelib.services.review_access import ReadReviews

    return ReadReviews(reviews(), record_decision())


@cache
def review_access() -> ReviewAccess:
    from chalicelib.services.review_access import ReviewAccess

    return ReviewAccess(reviews(), doctors(), consents(), _tell_of_access(), record_decision())


@cache
def read_suspensions() -> ReadSuspensions:
    from chalicelib.services.review_access import ReadSuspensions

    return ReadSuspensions(reviews(), doctors(), record_decision())


@cache
def lift_suspension() -> LiftSuspension:
    from chalicelib.services.review_access import LiftSuspension

    return LiftSuspension(reviews(), doctors(), record_decision())


@cache
def object_to_access() -> ObjectToAccess:
    from chalicelib.services.object_to_access import ObjectToAccess

    return ObjectToAccess(own_account(), consents(), reviews(), _tell_of_access(), mac(), record_decision())
