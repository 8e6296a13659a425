"""A person's copy of all that is held about them (PIPL Art. 44, 45): asked for, built, fetched within a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.identity import Link
from chalicelib.domain.study import Place

EXPORT_PREFIX = "exports/"  # in the reports bucket
EXPORT_NAME = "imaging-cloud-record.zip"
EXPORT_KEPT = timedelta(days=1)  # then the bucket lets it go: a copy of a record is a risk for as long as it lies there
BUILD_LIMIT = timedelta(minutes=30)  # the queue has given up long before

ExportState = Literal["none", "building", "ready", "failed", "expired"]


@dataclass(frozen=True, slots=True)
class Export:
    """One archive. `place` is where it lies once it is built; its key is random and says nothing of the person.
    `covers`: the identities whose studies are in it (`covered`)."""

    export_id: str
    person_id: str
    asked_at: datetime
    ready_at: datetime | None = None
    place: Place | None = None
    covers: tuple[str, ...] = ()

    def state(self, now: datetime) -> ExportState:
        if self.place is None:
            return "building" if now < self.asked_at + BUILD_LIMIT else "failed"
        return "ready" if now < self.expires_at else "expired"

    @property
    def expires_at(self) -> datetime:
        return (self.ready_at or self.asked_at) + EXPORT_KEPT


def covered(links: Iterable[Link]) -> tuple[str, ...]:
    """The confirmed identities among these, each as a digest: what an archive rests on, and must still rest on when it
    is fetched, for a wrong link undone takes back what it gave."""
    own = (link.identity for link in links if link.status == "confirmed")
    return tuple(sorted(hashlib.sha256(f"{one.issuer}\0{one.local_id}".encode()).hexdigest() for one in own))
