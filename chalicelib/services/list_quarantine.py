from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.page import Page
from chalicelib.domain.release import Standing
from chalicelib.services.ports import QuarantineRecord
from chalicelib.services.quarantine_ports import QuarantineRecords, Standings

Quarantined = tuple[QuarantineRecord, Standing]


@dataclass(frozen=True, slots=True)
class ListQuarantine:
    """A hospital's quarantine, with what became of each entry since. Closed ones stay listed: nothing is ever lost."""

    records: QuarantineRecords
    standings: Standings

    def __call__(self, hospital_id: str, token: str, limit: int) -> Page[Quarantined]:
        """Oldest date of upload first."""
        found = self.records.list(hospital_id, token, limit)
        standings = self.standings.of(hospital_id, [record.entry_id for record in found.items])
        items = (
            (record, standings.get(record.entry_id) or Standing(hospital_id, record.entry_id)) for record in found.items
        )
        return Page(tuple(items), found.next_token)
