"""What people do to their own record, and desks and privacy officers to links."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import own_account, record_decision, tell_of_phone, tell_person
from chalicelib.wiring.adapters import consents, decision_facts, hidden_studies, mac, pairs, people

if TYPE_CHECKING:
    from chalicelib.services.change_phone import ChangePhone, ReadPhone, VoidPhone
    from chalicelib.services.contest_identity import ContestIdentity, UndoLink
    from chalicelib.services.end_sessions import EndSessions
    from chalicelib.services.freeze_person import FreezePerson, UnfreezePerson
    from chalicelib.services.hide_study import HideStudy, ReadHidden
    from chalicelib.services.read_pairs import ReadPairs


@cache
def contest_identity() -> ContestIdentity:
    from chalicelib.services.contest_identity import ContestIdentity

    return ContestIdentity(own_account(), people(), tell_person(), record_decision())


@cache
def undo_link() -> UndoLink:
    from secrets import token_bytes

    from chalicelib.services.contest_identity import UndoLink

    return UndoLink(people(), tell_person(), token_bytes, record_decision())


@cache
def freeze_person() -> FreezePerson:
    from chalicelib.services.freeze_person import FreezePerson

    return FreezePerson(own_account(), people(), tell_person(), record_decision())


@cache
def unfreeze_person() -> UnfreezePerson:
    from chalicelib.services.freeze_person import UnfreezePerson

    return UnfreezePerson(people(), consents(), mac(), tell_person(), record_decision())


@cache
def end_sessions() -> EndSessions:
    from chalicelib.services.end_sessions import EndSessions
    from chalicelib.services.prove_guardian import ReadCard

    read_card = ReadCard(people(), mac())
    return EndSessions(own_account(), people(), read_card, tell_person(), record_decision())


@cache
def read_phone() -> ReadPhone:
    from chalicelib.services.change_phone import ReadPhone

    return ReadPhone(own_account(), people(), mac())


@cache
def change_phone() -> ChangePhone:
    from chalicelib.services.change_phone import ChangePhone

    return ChangePhone(own_account(), people(), mac(), tell_person(), tell_of_phone(), record_decision())


@cache
def void_phone() -> VoidPhone:
    from chalicelib.services.change_phone import VoidPhone

    return VoidPhone(own_account(), people(), tell_person(), record_decision())


@cache
def hide_study() -> HideStudy:
    from chalicelib.services.hide_study import HideStudy

    return HideStudy(own_account(), decision_facts(), people(), consents(), hidden_studies(), record_decision())


@cache
def read_hidden() -> ReadHidden:
    from chalicelib.services.hide_study import ReadHidden

    return ReadHidden(own_account(), hidden_studies())


@cache
def read_pairs() -> ReadPairs:
    from chalicelib.services.read_pairs import ReadPairs

    return ReadPairs(pairs(), record_decision())
