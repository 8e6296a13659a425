"""Hospitals' own keys as the door asks for them: kept for a minute by each process.

So a key that was ended opens for a minute more at most, and a new one at once, for what is unknown is not kept. Only an
issuer of ours leads to a read, of one item by its key; nothing that a token says is ever fetched.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from chalicelib.domain.hospital_key import KID
from chalicelib.services.joining_ports import HospitalKeys
from chalicelib.store.key_proofs import to_check_with

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

KEEP: Final = timedelta(minutes=1)
MOST_KEPT: Final = 4096  # two for each hospital of the province


class RegisteredKeys:
    def __init__(self, keys: HospitalKeys) -> None:
        self._keys = keys
        self._kept: dict[tuple[str, str], tuple[datetime, RSAPublicKey]] = {}

    def get(self, hospital_id: str, kid: str, now: datetime) -> RSAPublicKey | None:
        """The hospital's live key of that id."""
        if not KID.fullmatch(kid):
            return None
        name = (hospital_id, kid)
        read_at, kept = self._kept.pop(name, (now, None))
        if kept is None or not timedelta(0) <= now - read_at < KEEP:
            found = self._keys.get(hospital_id, kid)
            if found is None or not found.is_live:
                return None
            read_at, kept = now, to_check_with(found.key)
        if len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]  # the one that was asked for longest ago
        self._kept[name] = (read_at, kept)
        return kept
