"""What became of quarantined uploads, in memory."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.page import Page
from chalicelib.domain.release import Standing


class FakeStandings:
    def __init__(self):
        self.items = {}

    def get(self, hospital_id, entry_id):
        return self.items.get((hospital_id, entry_id)) or Standing(hospital_id, entry_id)

    def of(self, hospital_id, entry_ids):
        return {one: self.items[hospital_id, one] for one in entry_ids if (hospital_id, one) in self.items}

    def put(self, standing):
        held = self.items.get((standing.hospital_id, standing.entry_id))
        if (held.revision if held else 0) != standing.revision:
            return False
        kept = replace(standing, revision=standing.revision + 1)
        self.items[standing.hospital_id, standing.entry_id] = kept
        return True

    def restore(self, standing, *, settled):
        held = self.get(standing.hospital_id, standing.entry_id).revision
        if held < standing.revision or (settled and held == standing.revision):
            self.items[standing.hospital_id, standing.entry_id] = standing

    def asked(self, token, limit):
        waiting = [one for one in self.items.values() if one.state == "asked"]
        waiting.sort(key=lambda one: (one.asked_at, one.hospital_id, one.entry_id))
        start = int(token or 0)
        return Page(tuple(waiting[start : start + limit]), str(start + limit) if waiting[start + limit :] else "")
