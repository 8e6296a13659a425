"""Visits in memory: the latest event of each, and that they took place."""

from __future__ import annotations

from chalicelib.domain.retention import Visit


class FakeEncounters:
    def __init__(self):
        self.visits = {}
        self.remembered = {}

    def get(self, hospital_id, encounter_id):
        return self.visits.get((hospital_id, encounter_id))

    def put(self, encounter):
        key = (encounter.hospital_id, encounter.encounter_id)
        known = self.visits.get(key)
        if known and (known.at > encounter.at or (known.at == encounter.at and encounter.is_open > known.is_open)):
            return False
        self.visits[key] = encounter
        return True

    def remember(self, encounter):
        key = (encounter.identity, encounter.encounter_id, encounter.patient_class, encounter.is_open)
        self.remembered[key] = max(encounter.at, self.remembered.get(key, encounter.at))

    def visits_of(self, identity):
        return frozenset(
            Visit(identity.issuer, encounter_id, patient_class, "open" if is_open else "closed", at)
            for (of, encounter_id, patient_class, is_open), at in self.remembered.items()
            if of == identity
        )
