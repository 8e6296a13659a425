"""Hospitals, their keys and credentials, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from chalicelib.domain import upload_pass as limits
from chalicelib.domain.contact import ContactRole
from chalicelib.domain.hospital_key import HospitalKey, issuer_of
from chalicelib.domain.joining_code import TRIES, JoiningCode
from chalicelib.domain.study import Hospital
from chalicelib.domain.upload_key import Kind
from chalicelib.domain.upload_pass import Depot, UploadPass
from chalicelib.http import told as types
from chalicelib.http.json_types import Day, Instant
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.contact import Contact
    from chalicelib.domain.page import Page


class ListedHospital(TypedDict):
    """Without the people to reach. `closed_at`: since when it uploads no more, if it ever did."""

    hospital_id: str
    name: str
    name_en: str
    level: str
    region: str
    utc_offset_minutes: int
    active: bool
    closed_at: Instant | None


class ListedHospitals(TypedDict):
    """By id."""

    hospitals: Sequence[ListedHospital]
    next_token: str


class HospitalContact(TypedDict):
    """Staff at their desks, by `phone` or `email`, or both."""

    role: ContactRole
    name: str
    phone: str
    email: str


class RegisteredHospital(ListedHospital):
    """`weekday_volume`: exams on a usual Monday, …, Sunday; empty where nobody said. `default_class`: of exams whose
    class no notice tells; "" is unknown. `patient_id_issuer`: a hospital's numbers are its own."""

    contacts: Sequence[HospitalContact]
    weekday_volume: Sequence[int]
    default_class: Literal["", "outpatient", "inpatient"]
    patient_id_issuer: str


class IssuedCode(TypedDict):
    """What the regulator hands on to the hospital. The code is told here and never again."""

    code: str
    expires_at: Instant | None
    issuer: str
    audience: str


class NewHospital(RegisteredHospital):
    """The first time."""

    joining: IssuedCode


class WaitingCode(TypedDict):
    """A code that can still be used, without it."""

    expires_at: Instant | None
    tries_left: int


class OwnKey(TypedDict):
    """`kid`: its thumbprint (RFC 7638). `added_by`, `ended_by`: as a token names them; "code" for joining."""

    kid: str
    added_at: Instant | None
    added_by: str
    ended_at: Instant | None
    ended_by: str


class OwnKeys(TypedDict):
    """Latest first."""

    keys: Sequence[OwnKey]


class KnownHospital(RegisteredHospital):
    """`joining`: null where no code can be used."""

    keys: Sequence[OwnKey]
    joining: WaitingCode | None


class RevokedKeys(TypedDict):
    """How many ended."""

    revoked: int


class TokenForm(TypedDict):
    algorithm: str
    role: str
    lifetime_seconds: int


class JoinedHospital(TypedDict):
    """All that the hospital needs to sign its tokens."""

    hospital_id: str
    issuer: str
    audience: str
    kid: str
    token: TokenForm


class GrantedKeys(TypedDict):
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: Instant | None


class GrantChecksum(TypedDict):
    """The best first."""

    algorithms: Sequence[str]
    type: str


class GrantLimits(TypedDict):
    """Beyond them an upload ends in quarantine."""

    instance_bytes: int
    archive_bytes: int
    archive_instances: int


class UploadGrant(TypedDict):
    """`prefixes`: by UTC day and kind. `headers` go with each PUT."""

    credentials: GrantedKeys
    bucket: str
    region: str
    endpoint: str
    prefixes: Mapping[Day, Mapping[Kind, str]]
    headers: Mapping[str, str]
    checksum: GrantChecksum
    limits: GrantLimits


TOKEN: TokenForm = {"algorithm": "RS256", "role": "hospital", "lifetime_seconds": 300}


def hint(english_and_chinese: tuple[str, str]) -> types.Words:
    en, zh = english_and_chinese
    return {"en": en, "zh": zh}


# For the commission


def hospitals(found: Page[Hospital]) -> ListedHospitals:
    return {"hospitals": [listed(one) for one in found.items], "next_token": found.next_token}


def listed(known: Hospital) -> ListedHospital:
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


def hospital(known: Hospital) -> RegisteredHospital:
    return {
        **listed(known),
        "contacts": [_contact(one) for one in known.contacts],
        "weekday_volume": [*known.weekday_volume],
        "default_class": known.default_class,
        "patient_id_issuer": known.hospital_id,
    }


def _contact(one: Contact) -> HospitalContact:
    return {"role": one.role, "name": one.name, "phone": one.phone, "email": one.email}


def issued(text: str, code: JoiningCode, audience: str) -> IssuedCode:
    return {
        "code": text,
        "expires_at": instant(code.expires_at),
        "issuer": issuer_of(code.hospital_id),
        "audience": audience,
    }


def waiting(code: JoiningCode | None, now: datetime) -> WaitingCode | None:
    if code is None or code.expires_at <= now:
        return None
    return {"expires_at": instant(code.expires_at), "tries_left": max(TRIES - code.tries, 0)}


# For hospitals


def joined(added: HospitalKey, audience: str) -> JoinedHospital:
    return {
        "hospital_id": added.hospital_id,
        "issuer": issuer_of(added.hospital_id),
        "audience": audience,
        "kid": added.key.kid,
        "token": TOKEN,
    }


def keys(known: Iterable[HospitalKey]) -> list[OwnKey]:
    """Latest first."""
    return [key(one) for one in sorted(known, key=lambda one: one.added_at, reverse=True)]


def key(known: HospitalKey) -> OwnKey:
    return {
        "kid": known.key.kid,
        "added_at": instant(known.added_at),
        "added_by": known.added_by,
        "ended_at": instant(known.ended_at),
        "ended_by": known.ended_by,
    }


def upload_pass(made: UploadPass, depot: Depot) -> UploadGrant:
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
        "prefixes": {day.isoformat(): kinds for day, kinds in made.prefixes.items()},
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
