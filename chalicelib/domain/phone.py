"""Phone numbers: how they are written, and what a verified one opens.

Whoever can make a desk clerk type an own number beside somebody's national id must gain nothing by it: a corrupt
clerk, a spouse who has the card in hand, a gateway that reads every SMS. So a number that a desk verified opens a
hospital's studies only where that hospital itself has seen the number as this patient's (its own desk, or its own
notices), until others who could object have kept silent for a time. `PHONE_RULES` says when that is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.identity import Link, Person, PhoneRuleName

_NOISE = re.compile(r"[\s\-()]")
_COUNTRY = re.compile(r"^(?:\+86|0086|86(?=1\d{10}$))")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")  # the mainland numbering plan's mobile ranges; SMS reaches no other

PHONE_WAIT = timedelta(hours=72)  # [A] a weekend, and a day to read an SMS; app and QR open everything meanwhile
WITNESS_AGE = timedelta(days=30)  # [A] a number told by mouth for the purpose is told shortly before
PAIR_WINDOW = timedelta(days=30)  # [A] for so long a number's first uses are counted by the clerk who set it


@dataclass(frozen=True, slots=True)
class PhoneRule:
    """Under what circumstances a number opens how much. `opens`: all at once, or the hospitals that saw it until the
    wait is over (None: no wait ends by itself)."""

    when: str
    opens_all: bool
    wait: timedelta | None
    reason: str


PHONE_RULES: Mapping[PhoneRuleName, PhoneRule] = {
    "app": PhoneRule(
        "the real-name health app vouches for it",
        opens_all=True,
        wait=None,
        reason="the operator's real-name register and a face check; no clerk and no card takes part",
    ),
    "known": PhoneRule(
        "a desk, and it is the number that opened everything before",
        opens_all=True,
        wait=None,
        reason="whoever wants to gain by a number brings an own one",
    ),
    "told_others": PhoneRule(
        "a desk, another number or a first one, and an SMS reached a number that this desk had no hand in",
        opens_all=False,
        wait=PHONE_WAIT,
        reason="silence of somebody who was asked; one press on 'not me' voids it",
    ),
    "told_nobody": PhoneRule(
        "a desk, and there was no number but those of this desk's own hospital to ask",
        opens_all=False,
        wait=None,
        reason="silence of nobody proves nothing: an old person without a phone is whom a corrupt clerk would choose. "
        "It grows hospital by hospital as their desks see it, and the app opens everything",
    ),
}


def normal_phone(text: str) -> str:
    """The 11 digits of a mainland mobile number, or "" when it is none: a code can be sent to nothing else."""
    digits = _COUNTRY.sub("", _NOISE.sub("", unicodedata.normalize("NFKC", text)))
    return digits if _MOBILE.fullmatch(digits) else ""


def masked_phone(phone: str) -> str:
    """How a number is shown, to its owner too: 138****5678."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""


# What a number opens


def opens_all(person: Person, now: datetime) -> bool:
    """Whether the verified phone answers for all of the person's confirmed identities."""
    if not person.phone:
        return False
    rule = PHONE_RULES[person.phone_rule]
    return rule.opens_all or (person.phone_opens_at is not None and person.phone_opens_at <= now)


def opened_hospitals(person: Person, links: Iterable[Link]) -> tuple[str, ...]:
    """The hospitals whose studies a number opens before it opens all: those whose desk saw it, and those that told it
    themselves of the patient whose `links` these are (the person's own, or a ward's)."""
    told = {link.identity.issuer for link in links if link.status == "confirmed" and link.phone == person.phone}
    return tuple(sorted(told | set(person.phone_desks)))


# How it changes


@dataclass(frozen=True, slots=True)
class SeenAtDesk:
    """A number that a desk typed beside a card. `holder_id` is whose it was verified for last, "" nobody's."""

    number: str
    hospital_id: str
    clerk: str
    holder_id: str = ""


@dataclass(frozen=True, slots=True)
class PhoneChange:
    """The person with the number, and the numbers to be told of it by SMS; of those the `witnesses`, which the desk
    had no hand in."""

    person: Person
    to_tell: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()


def with_desk_phone(person: Person, seen: SeenAtDesk, links: Iterable[Link], now: datetime) -> PhoneChange:
    """What a desk's word does to the verified phone. Another number takes the former one's place at once: two that
    contradict one another must not both open. The former comes back when the person contests."""
    links = tuple(links)
    number, independent = seen.number, _independent(person, links, seen, now)
    was_lost = seen.holder_id not in ("", person.person_id)
    if number == person.phone and not was_lost:
        desks = tuple(sorted({*person.phone_desks, seen.hospital_id}))
        person = replace(person, phone_verified_at=now, phone_desks=desks)
        if opens_all(person, now):  # a wait that is over, or none
            return PhoneChange(replace(person, phone_rule="known"))
        if person.phone_rule == "told_others" or not independent:
            return PhoneChange(person)  # goes on waiting: a second look by the same hands shortens nothing
        wait = PHONE_RULES["told_others"].wait or PHONE_WAIT  # by now there is somebody to ask
        waiting = replace(person, phone_rule="told_others", phone_opens_at=now + wait)
        return PhoneChange(waiting, tuple(sorted(independent)), tuple(sorted(independent)))
    if number == person.former_phone and not was_lost:
        return PhoneChange(_set(person, seen, "known", now))
    rule: PhoneRuleName = "told_others" if independent else "told_nobody"
    own = {link.phone for link in links if link.identity.issuer == seen.hospital_id}
    to_tell = (independent | own | {person.phone, person.former_phone}) - {"", number}
    if was_lost:
        to_tell.add(number)  # whoever held it until now
    return PhoneChange(_set(person, seen, rule, now), tuple(sorted(to_tell)), tuple(sorted(independent)))


def unheard(change: PhoneChange) -> PhoneChange:
    """The change when no SMS reached a witness: nobody was asked, so no wait ends by itself."""
    if change.person.phone_rule != "told_others":
        return change
    return replace(change, person=replace(change.person, phone_rule="told_nobody", phone_opens_at=None))


def with_app_phone(person: Person, number: str, now: datetime) -> PhoneChange:
    """The real-name app vouches for a number. A former one is told, for phones are stolen and faces are not."""
    to_tell = {person.phone, person.former_phone} - {"", number}
    person = replace(
        person,
        phone=number,
        phone_verified_at=now,
        phone_rule="app",
        phone_desks=(),
        phone_set_at=person.phone_set_at if number == person.phone else now,
        phone_opens_at=None,
        phone_clerk="",
        former_phone="",
        former_phone_verified_at=None,
    )
    return PhoneChange(person, tuple(sorted(to_tell)))


def without_new_phone(person: Person, now: datetime) -> Person:
    """The number is not the person's: voided, and the one that opened everything before it is back, if any."""
    return replace(
        person,
        phone=person.former_phone,
        phone_verified_at=person.former_phone_verified_at,
        phone_rule="known",
        phone_desks=(),
        phone_set_at=now,
        phone_opens_at=None,
        phone_clerk="",
        former_phone="",
        former_phone_verified_at=None,
    )


def _set(person: Person, seen: SeenAtDesk, rule: PhoneRuleName, now: datetime) -> Person:
    former, verified_at = person.former_phone, person.former_phone_verified_at
    if opens_all(person, now):
        former, verified_at = person.phone, person.phone_verified_at
    wait = PHONE_RULES[rule].wait
    return replace(
        person,
        phone=seen.number,
        phone_verified_at=now,
        phone_rule=rule,
        phone_desks=(seen.hospital_id,),
        phone_set_at=now,
        phone_opens_at=now + wait if wait else None,
        phone_clerk=seen.clerk,
        former_phone=former,
        former_phone_verified_at=verified_at,
    )


def _independent(person: Person, links: Iterable[Link], seen: SeenAtDesk, now: datetime) -> set[str]:
    """Numbers of this person that the desk had no hand in: one that opened everything, and those that other hospitals
    have told for long. A number that only waited is nobody's witness, nor is what the desks that set it tell: the same
    hands may have done both."""
    opened = opens_all(person, now)
    doubted = {seen.hospital_id} | (set() if opened else set(person.phone_desks))
    told = {link.phone for link in links if link.identity.issuer not in doubted and _stands(link, now)}
    return (told | ({person.phone} if opened else set()) | {person.former_phone}) - {"", seen.number}


def _stands(link: Link, now: datetime) -> bool:
    told_at = link.phone_told_at
    return link.status != "contested" and told_at is not None and told_at <= now - WITNESS_AGE
