"""What the joining of hospitals needs of the world; the rest is in `services.ports`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chalicelib.domain.hospital_key import HospitalKey, KeyFault, PublicKey
from chalicelib.domain.joining_code import JoiningCode, TypedCode
from chalicelib.domain.upload_pass import Prefixes, UploadKeys


class Uploader(Protocol):
    def __call__(self, hospital_id: str, reach: Prefixes) -> UploadKeys:
        """Keys that can put objects there, and nothing else anywhere."""
        ...


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """A public key as it was sent: a JWK or PEM text; and the JWT that proves its private half is held."""

    public_key: Any = field(repr=False)
    proof: str = field(repr=False)


class ProveKey(Protocol):
    def __call__(self, hospital_id: str, offered: OfferedKey, now: datetime) -> PublicKey | KeyFault:
        """The key, once it is one that may sign tokens and its holder has proven so to us, for this hospital, just
        now; else the first thing wrong with it."""
        ...


class HospitalKeys(Protocol):
    """Every read is strongly consistent."""

    def get(self, hospital_id: str, kid: str) -> HospitalKey | None: ...

    def of(self, hospital_id: str) -> tuple[HospitalKey, ...]:
        """All that the hospital ever had, in no particular order."""
        ...

    def add(self, key: HospitalKey, beside: str = "") -> bool:
        """Put it if it never was there, and if the key called `beside` lives still. False: one of both is not so."""
        ...

    def end(self, key: HospitalKey) -> None:
        """As `ended_at` and `ended_by` say, unless it had ended before; also where it was never put."""
        ...


class JoiningCodes(Protocol):
    """At most one for each hospital. Every read is strongly consistent."""

    def get(self, hospital_id: str) -> JoiningCode | None: ...

    def put(self, code: JoiningCode) -> None:
        """In place of the one before."""
        ...

    def take_try(self, hospital_id: str, typed: TypedCode, now: datetime) -> JoiningCode | None:
        """Count a try of the code with that name. None, and nothing is counted: it is not there, too old, or has had
        all its tries. Of many at once no more get one than there are tries."""
        ...

    def use_up(self, code: JoiningCode) -> bool:
        """Take it away. True for exactly one caller."""
        ...

    def void(self, hospital_id: str) -> None: ...
