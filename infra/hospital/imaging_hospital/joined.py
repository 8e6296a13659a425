"""What `join` was told and later commands need, beside the key: not a secret, and not for people to edit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .settings import Settings, SettingsError
from .spool import durably
from .tongue import Said

NOT_JOINED = Said(
    "this hospital has not joined yet: run `imaging-cloud join`", "本院尚未接入：请先运行 `imaging-cloud join`"
)


@dataclass(frozen=True)
class Joined:
    """`audience`: what each token is made out to. `kid`: of the key that was registered. `former`: of the one before,
    while it still opens anything."""

    hospital_id: str
    audience: str
    kid: str
    former: str = ""


def place(settings: Settings) -> Path:
    return settings.key_file.with_name("joined.json")


def load(settings: Settings) -> Joined:
    """Raises SettingsError when this hospital has not joined with this key file."""
    try:
        joined = Joined(**json.loads(place(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        raise SettingsError(NOT_JOINED) from None
    if joined.hospital_id != settings.hospital_id:
        raise SettingsError(NOT_JOINED)
    return joined


def keep(settings: Settings, joined: Joined) -> None:
    path = place(settings)
    durably(path.parent, path.name, (json.dumps(asdict(joined), indent=2) + "\n").encode())
