"""The ports of days, outages and warnings in memory."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.exam import counting
from chalicelib.domain.page import Page, opaque
from chalicelib.domain.page import place as place_of
from chalicelib.domain.warning import Warned
from chalicelib.store import keys
from tests.support.indexed import ByHospital


class FakeExcuses:
    def __init__(self):
        self.held = ByHospital()
        self.not_applied = {}

    def put(self, excuse):
        self.held[_place(excuse)] = self.not_applied[_place(excuse)] = excuse

    def has(self, excuse):
        return _place(replace(excuse, withdrawn=False)) in self.held

    def applied(self, excuse):
        self.not_applied.pop(_place(excuse), None)

    def due(self):
        return iter([excuse for _, excuse in sorted(self.not_applied.items(), key=lambda held: held[0])])

    def overlapping(self, hospital_id, from_at, to_at):
        found = counting(excuse for excuse in self.held.of(hospital_id) if excuse.to_at >= from_at)
        return tuple(excuse for excuse in found if excuse.from_at <= to_at)


def _place(excuse):
    return excuse.hospital_id, keys.excuse(excuse.to_at, excuse.digest, withdrawn=excuse.withdrawn)


class FakeOutages:
    def __init__(self):
        self.held, self.withdrawn = {}, {}

    def _of(self, outage):
        return self.withdrawn if outage.withdrawal else self.held

    def put(self, outage):
        held = self._of(outage).get(outage.outage_id)
        if not (held and outage.withdrawal):
            self._of(outage)[outage.outage_id] = replace(outage, revision=(held.revision if held else 0) + 1)

    def come(self, outage):
        held = self._of(outage)
        if held[outage.outage_id].revision != outage.revision:
            return False
        held[outage.outage_id] = replace(outage, revision=outage.revision + 1)
        return True

    def due(self):
        found = (one for one in (*self.held.values(), *self.withdrawn.values()) if one.spread_at is None)
        return iter(sorted(found, key=lambda outage: (outage.made_at, outage.outage_id)))

    def find(self, outage_id):
        return self.held.get(outage_id)

    def withdrawals(self, outages):
        wanted = {outage.outage_id for outage in outages}
        return {name: one for name, one in self.withdrawn.items() if name in wanted}

    def list(self, token, limit):
        after = place_of(token, 512) if token else "~"
        rows = {f"{keys.instant(one.from_at)}#{one.outage_id}": one for one in self.held.values()}
        names = sorted((name for name in rows if name < after), reverse=True)
        return Page(tuple(rows[name] for name in names[:limit]), opaque(names[limit - 1]) if names[limit:] else "")


class FakeDays:
    def __init__(self):
        self.held = ByHospital()
        self.opened = ""

    def get(self, hospital_id, day):
        return self.held.get((hospital_id, day))

    def put(self, mark):
        held = self.held.get((mark.hospital_id, mark.day))
        if (held.revision if held else 0) != mark.revision:
            return False
        self.held[mark.hospital_id, mark.day] = replace(mark, revision=mark.revision + 1)
        return True

    def touch(self, mark, due_at):
        held = self.held[mark.hospital_id, mark.day]
        self.held[mark.hospital_id, mark.day] = replace(held, due_at=due_at, revision=held.revision + 1)

    def between(self, hospital_id, first_day, last_day):
        return tuple(mark for mark in self.held.of(hospital_id) if first_day <= mark.day <= last_day)

    def due(self, until):
        due = sorted(
            (mark.due_at, place)
            for place, mark in self.held.items()
            if mark.due_at is not None and mark.due_at <= until
        )
        return iter([place for _, place in due])

    def opened_until(self):
        return self.opened

    def put_opened_until(self, day):
        self.opened = day


class FakeWarnings:
    def __init__(self):
        self.held = {}

    def get(self, hospital_id):
        return self.held.get(hospital_id, Warned())

    def put(self, hospital_id, warned):
        if self.get(hospital_id).revision != warned.revision:
            return False
        self.held[hospital_id] = replace(warned, revision=warned.revision + 1)
        return True
