"""What the steps after a quarantine need of the world."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from chalicelib.domain.page import Page
from chalicelib.domain.release import Standing
from chalicelib.services.ports import QuarantineRecord


class QuarantineRecords(Protocol):
    """The quarantine's records, as `ports.Quarantine` wrote them."""

    def list(self, hospital_id: str, token: str, limit: int) -> Page[QuarantineRecord]: ...

    def get(self, hospital_id: str, entry_id: str) -> QuarantineRecord | None:
        """By its id within the hospital (`record.entry_id`); None for one that does not exist."""
        ...


class Standings(Protocol):
    """One item per quarantined upload that anything happened to since; strongly consistent but for `asked`."""

    def get(self, hospital_id: str, entry_id: str) -> Standing:
        """What nothing happened to is open at revision 0."""
        ...

    def of(self, hospital_id: str, entry_ids: Collection[str]) -> Mapping[str, Standing]:
        """By id; what nothing happened to is left out."""
        ...

    def put(self, standing: Standing) -> bool:
        """Put as revision + 1 if it still is at `standing.revision` (0: absent). False: it is not."""
        ...

    def restore(self, standing: Standing, *, settled: bool) -> None:
        """Put at its own revision, unless a later one is there; of the same revision, a `settled` one replaces it."""
        ...

    def asked(self, token: str, limit: int) -> Page[Standing]:
        """Those of all hospitals that wait for a decision, oldest first (an index: eventually consistent). ValueError:
        not a token of ours."""
        ...
