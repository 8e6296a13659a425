"""What reminders need of the world, in memory."""

from chalicelib.domain.alert import day_of
from chalicelib.services.gain_ports import DueAlert


class FakeAlerts:
    """The reminders, and which of them are due."""

    def __init__(self):
        self.kept = {}
        self.said = {}
        self.marks = {}

    def keep(self, alert):
        key = (alert.hospital_id, alert.alert_id)
        new = key not in self.kept
        self.kept.setdefault(key, alert)
        if new:
            self.marks[key] = (alert.shown_at, "")
        return new

    def get(self, hospital_id, alert_id):
        return self.kept.get((hospital_id, alert_id))

    def answer(self, hospital_id, alert_id, outcome, reason, at):
        if (hospital_id, alert_id) not in self.kept:
            return False
        place = (hospital_id, alert_id, outcome, reason)
        self.said[place] = max(at, self.said.get(place, at))
        return True

    def answers(self, hospital_id, alert_id):
        return self._of((hospital_id, alert_id))

    def wake(self, hospital_id, alert_id, said, now):
        if (hospital_id, alert_id) in self.kept:
            self.marks[hospital_id, alert_id] = (now, said)

    def of_day(self, hospital_id, day):
        shown = sorted((key, alert) for key, alert in self.kept.items() if key[0] == hospital_id)
        return tuple((alert, self._of(key)) for key, alert in shown if day_of(key[1]) == day)

    def of_visit(self, hospital_id, encounter_id):
        visit = (hospital_id, encounter_id)
        return tuple(sorted(key[1] for key, one in self.kept.items() if (key[0], one.encounter_id) == visit))

    def due(self, shard, until):
        yield from (DueAlert(*key, mark) for key, mark in list(self.marks.items()) if not shard and mark[0] <= until)

    def due_again(self, alert, at):
        key = (alert.hospital_id, alert.alert_id)
        if self.marks.get(key) == alert.mark:
            self.marks[key] = (at, "")
            if at is None:
                del self.marks[key]

    def _of(self, shown):
        given = sorted((key[2], key[3], at) for key, at in self.said.items() if key[:2] == shown)
        return tuple(given)
