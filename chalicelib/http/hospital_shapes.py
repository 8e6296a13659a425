"""Hospitals, their keys and credentials, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.domain import upload_pass as limits
from chalicelib.domain.hospital_key import HospitalKey, issuer_of
from chalicelib.domain.joining_code import TRIES, JoiningCode
from chalicelib.domain.study import Hospital
from chalicelib.domain.upload_pass import Depot, UploadPass
from chalicelib.http.shapes import instant

Shape = dict[str, Any]

TOKEN = {"algorithm": "RS256", "role": "hospital", "lifetime_seconds": 300}


def hint(english_and_chinese: tuple[str, str]) -> Shape:
    return dict(zip(("en", "zh"), english_and_chinese, strict=True))


# For the commission


def listed(known: Hospital) -> Shape:
    """Without the people to reach."""
    return {
        "hospital_id": known.hospital_id,
        "name": known.name,
        "name_en": known.name_en,
        "level": known.level,
        "region": known.region,
        "utc_offset_minutes": known.utc_offset_minutes,
        "active": known.active,
        "closed_at": instant(known.closed_at),
    }


def hospital(known: Hospital) -> Shape:
    """`patient_id_issuer`: a hospital's numbers are its own."""
    return {
        **listed(known),
        "contacts": [asdict(one) for one in known.contacts],
        "weekday_volume": [*known.weekday_volume],
        "default_class": known.default_class,
        "patient_id_issuer": known.hospital_id,
    }


def issued(text: str, code: JoiningCode, audience: str) -> Shape:
    """What the regulator hands on to the hospital. The code is told here and never again."""
    return {
        "code": text,
        "expires_at": instant(code.expires_at),
        "issuer": issuer_of(code.hospital_id),
        "audience": audience,
    }


def waiting(code: JoiningCode | None, now: datetime) -> Shape | None:
    """Whether a code can still be used, without it."""
    if code is None or code.expires_at <= now:
        return None
    return {"expires_at": instant(code.expires_at), "tries_left": max(TRIES - code.tries, 0)}


# For hospitals


def joined(added: HospitalKey, audience: str) -> Shape:
    """All that the hospital needs to sign its tokens."""
    return {
        "hospital_id": added.hospital_id,
        "issuer": issuer_of(added.hospital_id),
        "audience": audience,
        "kid": added.key.kid,
        "token": TOKEN,
    }


def keys(known: Iterable[HospitalKey]) -> Shape:
    """Latest first."""
    return {"keys": [key(one) for one in sorted(known, key=lambda one: one.added_at, reverse=True)]}


def key(known: HospitalKey) -> Shape:
    return {
        "kid": known.key.kid,
        "added_at": instant(known.added_at),
        "added_by": known.added_by,
        "ended_at": instant(known.ended_at),
        "ended_by": known.ended_by,
    }


def upload_pass(made: UploadPass, depot: Depot) -> Shape:
    return {
        "credentials": {
            "access_key_id": made.keys.access_key_id,
            "secret_access_key": made.keys.secret_access_key,
            "session_token": made.keys.session_token,
            "expires_at": instant(made.keys.expires_at),
        },
        "bucket": depot.bucket,
        "region": depot.region,
        "endpoint": depot.endpoint,
        "prefixes": {day.isoformat(): dict(kinds) for day, kinds in made.prefixes.items()},
        "headers": {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": depot.key_arn,
        },
        "checksum": {"algorithms": [*limits.CHECKSUMS], "type": "FULL_OBJECT"},
        "limits": {
            "instance_bytes": limits.INSTANCE_BYTES,
            "archive_bytes": limits.ARCHIVE_BYTES,
            "archive_instances": limits.ARCHIVE_INSTANCES,
        },
    }
