"""A person's copy of all that is held about them (PIPL Art. 44, 45): asked for, built, fetched within a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.study import Place

EXPORT_PREFIX = "exports/"  # in the reports bucket
EXPORT_NAME = "imaging-cloud-record.zip"
EXPORT_KEPT = timedelta(days=1)  # then the bucket lets it go: a copy of a record is a risk for as long as it lies there
BUILD_LIMIT = timedelta(minutes=30)  # the queue has given up long before

ExportState = Literal["none", "building", "ready", "failed", "expired"]


@dataclass(frozen=True, slots=True)
class Export:
    """One archive. `place` is where it lies once it is built; its key is random and says nothing of the person."""

    export_id: str
    person_id: str
    asked_at: datetime
    ready_at: datetime | None = None
    place: Place | None = None

    def state(self, now: datetime) -> ExportState:
        if self.place is None:
            return "building" if now < self.asked_at + BUILD_LIMIT else "failed"
        return "ready" if now < self.expires_at else "expired"

    @property
    def expires_at(self) -> datetime:
        return (self.ready_at or self.asked_at) + EXPORT_KEPT
