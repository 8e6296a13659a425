"""What leaves of persons' own hands on their record, and of links: the rest is in `shapes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.http import told as types
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.identity import Link
    from chalicelib.domain.pair import Pair
    from chalicelib.services.change_phone import OwnPhone
    from chalicelib.services.export_person import OwnExport


def link(known: Link) -> types.Link:
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


def phone(own: OwnPhone) -> types.Phone:
    """One's own verified number, masked, and what it opens; "" where there is none."""
    return {
        "phone": own.phone,
        "verified_at": instant(own.verified_at),
        "opens_all": own.opens_all,
        "opens_all_at": instant(own.opens_at),
        "hospitals": own.hospitals,
    }


def export(own: OwnExport) -> types.Export:
    """How far one's archive is; `url` opens for five minutes, and only where it is ready."""
    return {
        "state": own.state,
        "asked_at": instant(own.asked_at),
        "expires_at": instant(own.expires_at),
        "url": own.url,
    }


def pair(found: Pair, count: int) -> types.Pair:
    return {"kind": found.kind, "helper": found.helper, "doctor_id": found.doctor, "count": count}


def wording(kind: str) -> types.Words:
    """What a person reads in the app about something done to their record."""
    from chalicelib.domain.in_app import WORDINGS

    return {"en": WORDINGS[kind].en, "zh": WORDINGS[kind].zh}
