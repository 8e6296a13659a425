"""What an index of DynamoDB would hold: fakes then need not look at all they have, and a province stays linear."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict


class ByHospital(dict):
    """Items by (hospital, …), and each hospital's own in order."""

    def __init__(self):
        super().__init__()
        self._own = defaultdict(dict)

    def __setitem__(self, place, item):
        super().__setitem__(place, item)
        self._own[place[0]][place] = item

    def of(self, hospital_id):
        return [item for _, item in sorted(self._own.get(hospital_id, {}).items(), key=lambda held: held[0])]


class Dues:
    """Names by their due, earliest first; one due a name, or none."""

    def __init__(self):
        self._at = {}
        self._order = []

    def put(self, name, due_at):
        if (before := self._at.pop(name, None)) is not None:
            del self._order[bisect_left(self._order, (before, name))]
        if due_at is not None:
            self._at[name] = due_at
            insort(self._order, (due_at, name))

    def until(self, until, after=None):
        """[(due, name)] of after < due ≤ until."""
        first = 0 if after is None else bisect_right(self._order, after, key=lambda held: held[0])
        return self._order[first : bisect_right(self._order, until, key=lambda held: held[0])]
