"""Facts that people added, as the objects of the uploads bucket that keep them beside what was uploaded: with them the
bucket alone can rebuild what is served (DESIGN §4.9). A fact is written there first, then to the table.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Final

from chalicelib.domain.contact import Contact
from chalicelib.domain.hospital_key import HospitalKey, PublicKey
from chalicelib.domain.release import Standing
from chalicelib.domain.study import Amendment, Hospital
from chalicelib.domain.upload_key import Kind, prefix

MAX_BYTES = 64 * 1024  # far more than any fact's object holds


def fact_key(kind: Kind, hospital_id: str, made_at: datetime, ulid: str) -> str:
    """In the order in which they were made; no credential of a hospital reaches these kinds."""
    return f"{prefix(kind, hospital_id, made_at.astimezone(UTC).date())}{ulid}.json"


def amendment_body(study_instance_uid: str, amendment: Amendment) -> bytes:
    return _json(
        {
            "study_instance_uid": study_instance_uid,
            "amendment_id": amendment.amendment_id,
            "kind": amendment.kind,
            "version_id": amendment.version_id,
            "offset": amendment.offset,
            "reason": amendment.reason,
            "made_by": amendment.made_by,
            "made_at": amendment.made_at.isoformat(),
        }
    )


def read_amendment(body: bytes) -> tuple[str, Amendment]:
    """(study_instance_uid, fact). KeyError or ValueError for what `amendment_body` did not write."""
    told = json.loads(body)
    if told["kind"] not in ("exclude", "destroy"):
        raise ValueError("an amendment of a kind that is not known")
    return str(told["study_instance_uid"]), Amendment(
        amendment_id=told["amendment_id"],
        kind=told["kind"],
        version_id=told["version_id"],
        offset=int(told["offset"]),
        reason=told["reason"],
        made_by=told["made_by"],
        made_at=datetime.fromisoformat(told["made_at"]),
    )


def registration_body(hospital: Hospital) -> bytes:
    return _json(
        {
            "hospital_id": hospital.hospital_id,
            "name": hospital.name,
            "name_en": hospital.name_en,
            "level": hospital.level,
            "region": hospital.region,
            "utc_offset_minutes": hospital.utc_offset_minutes,
            "active": hospital.active,
            "closed_at": hospital.closed_at.isoformat() if hospital.closed_at else None,
            "contacts": contacts_text(hospital.contacts),
            "weekday_volume": hospital.weekday_volume,
            "default_class": hospital.default_class,
        }
    )


def contacts_text(contacts: tuple[Contact, ...]) -> str:
    """As one text, in bucket and table alike."""
    return json.dumps([asdict(one) for one in contacts], ensure_ascii=False)


def read_contacts(text: str) -> tuple[Contact, ...]:
    return tuple(Contact(**one) for one in json.loads(text))


def read_registration(body: bytes) -> Hospital:
    """KeyError or ValueError for what `registration_body` did not write."""
    told = json.loads(body)
    return Hospital(
        hospital_id=told["hospital_id"],
        name=told["name"],
        name_en=told["name_en"],
        level=told["level"],
        region=told["region"],
        utc_offset_minutes=int(told["utc_offset_minutes"]),
        active=bool(told["active"]),
        closed_at=datetime.fromisoformat(told["closed_at"]) if told["closed_at"] else None,
        # Registrations of before lack these.
        contacts=read_contacts(told.get("contacts", "[]")),
        weekday_volume=tuple(told.get("weekday_volume", ())),
        default_class=told.get("default_class", ""),
    )


_KEY_FACT: Final = ".key.json"  # beside the registrations, and told from them by this


def key_fact_key(hospital_id: str, made_at: datetime, ulid: str) -> str:
    return f"{fact_key('registrations', hospital_id, made_at, ulid).removesuffix('.json')}{_KEY_FACT}"


def is_key_fact(key: str) -> bool:
    return key.endswith(_KEY_FACT)


def key_body(key: HospitalKey) -> bytes:
    """That it was added; and that it has ended, where it has."""
    return _json(
        {
            "hospital_id": key.hospital_id,
            "n": key.key.n,
            "e": key.key.e,
            "added_at": key.added_at.isoformat(),
            "added_by": key.added_by,
            "ended_at": key.ended_at.isoformat() if key.ended_at else None,
            "ended_by": key.ended_by,
        }
    )


def read_key_fact(body: bytes) -> HospitalKey:
    """KeyError or ValueError for what `key_body` did not write."""
    told = json.loads(body)
    return HospitalKey(
        hospital_id=told["hospital_id"],
        key=PublicKey(told["n"], told["e"]),
        added_at=datetime.fromisoformat(told["added_at"]),
        added_by=told["added_by"],
        ended_at=datetime.fromisoformat(told["ended_at"]) if told["ended_at"] else None,
        ended_by=told["ended_by"],
    )


_STANDING_FACT: Final = ".standing.json"  # beside the amendments, and told from them by this
_INSTANTS: Final = frozenset({"asked_at", "decided_at", "closed_at"})


def standing_fact_key(hospital_id: str, made_at: datetime, ulid: str) -> str:
    return f"{fact_key('amendments', hospital_id, made_at, ulid).removesuffix('.json')}{_STANDING_FACT}"


def is_standing_fact(key: str) -> bool:
    return key.endswith(_STANDING_FACT)


def standing_body(standing: Standing, *, settled: bool = False) -> bytes:
    """How a quarantined upload stands after a step. `settled`: read from the table, so that of several facts with this
    revision it is the one that counted."""
    told = {name: _plain(value) for name, value in asdict(standing).items()}
    return _json({"standing": told, "settled": settled})


def read_standing(body: bytes) -> tuple[Standing, bool]:
    """(standing, settled). KeyError, TypeError or ValueError for what `standing_body` did not write."""
    told = json.loads(body)
    named = {one.name: told["standing"][one.name] for one in fields(Standing)}
    instants = {name: datetime.fromisoformat(named[name]) if named[name] else None for name in _INSTANTS}
    if not isinstance(named["revision"], int) or named["revision"] < 1:
        raise ValueError("a standing that no step led to")
    return Standing(**{**named, **instants}), bool(told["settled"])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
