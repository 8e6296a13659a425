"""What leaves of persons' own hands on their record, and of links: the rest is in `shapes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from chalicelib.http.json_types import Instant
from chalicelib.http.shapes import instant
from chalicelib.http.told import Words

if TYPE_CHECKING:
    from chalicelib.domain.identity import Link as KnownLink
    from chalicelib.domain.pair import Pair as FoundPair
    from chalicelib.services.change_phone import OwnPhone
    from chalicelib.services.export_person import OwnExport


class Link(TypedDict):
    """Whose an identity is or was, for its own hospital: no name, no phone, nothing of other hospitals."""

    hospital_id: str
    patient_id: str
    person_id: str
    status: str
    confirmed_by: str
    contested_because: str
    contested_by: str
    linked_at: Instant | None
    confirmed_at: Instant | None


class Links(TypedDict):
    links: Sequence[Link]


class Phone(TypedDict):
    """One's own verified number, masked, and what it opens; "" where there is none."""

    phone: str
    verified_at: Instant | None
    opens_all: bool
    opens_all_at: Instant | None
    hospitals: Sequence[str]


class Export(TypedDict):
    """How far one's archive is; `url` opens for five minutes, and only where it is ready."""

    state: str
    asked_at: Instant | None
    expires_at: Instant | None
    url: str


class Epoch(TypedDict):
    """Every token of a lower epoch is worth nothing."""

    session_epoch: int


class OpenedPerson(TypedDict):
    person_id: str
    frozen_at: None


class EndedSessions(TypedDict):
    person_id: str
    session_epoch: int


class Pair(TypedDict):
    """Two who so often did together what needs two."""

    kind: str
    helper: str
    doctor_id: str
    count: int


class Pairs(TypedDict):
    month: str
    pairs: Sequence[Pair]


def link(known: KnownLink) -> Link:
    """Whose an identity is or was, for its own hospital: no name, no phone, nothing of other hospitals."""
    return {
        "hospital_id": known.identity.issuer,
        "patient_id": known.identity.local_id,
        "person_id": known.person_id,
        "status": known.status,
        "confirmed_by": known.confirmed_by or "",
        "contested_because": known.contested_because,
        "contested_by": known.contested_by,
        "linked_at": instant(known.linked_at),
        "confirmed_at": instant(known.confirmed_at),
    }


def phone(own: OwnPhone) -> Phone:
    """One's own verified number, masked, and what it opens; "" where there is none."""
    return {
        "phone": own.phone,
        "verified_at": instant(own.verified_at),
        "opens_all": own.opens_all,
        "opens_all_at": instant(own.opens_at),
        "hospitals": own.hospitals,
    }


def export(own: OwnExport) -> Export:
    """How far one's archive is; `url` opens for five minutes, and only where it is ready."""
    return {
        "state": own.state,
        "asked_at": instant(own.asked_at),
        "expires_at": instant(own.expires_at),
        "url": own.url,
    }


def pair(found: FoundPair, count: int) -> Pair:
    return {"kind": found.kind, "helper": found.helper, "doctor_id": found.doctor, "count": count}


def wording(kind: str) -> Words:
    """What a person reads in the app about something done to their record."""
    from chalicelib.domain.in_app import WORDINGS

    return {"en": WORDINGS[kind].en, "zh": WORDINGS[kind].zh}
