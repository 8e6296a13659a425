"""What storing for a hospital needs of the world; the rest is in `services.ports`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.upload_offer import Offer, SignedPut


class UploadSigner(Protocol):
    def __call__(self, hospital_id: str, offers: Sequence[Offer], now: datetime) -> tuple[SignedPut, ...]:
        """A PUT for each, in order, under the hospital's own prefix of today, by keys that reach nothing else."""
        ...


class SignedPuts(Protocol):
    def __call__(self, puts: Sequence[tuple[SignedPut, bytes]]) -> list[bool]:
        """For each whether it is in the bucket now, also if it was before. Raises nothing for one that is not."""
        ...
