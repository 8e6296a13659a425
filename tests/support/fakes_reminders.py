"""What reminders need of the world, in memory."""

from chalicelib.domain.alert import day_of


class FakeAlerts:
    def __init__(self):
        self.kept = {}
        self.answers = {}

    def keep(self, alert):
        key = (alert.hospital_id, alert.alert_id)
        new = key not in self.kept
        self.kept.setdefault(key, alert)
        return new

    def get(self, hospital_id, alert_id):
        return self.kept.get((hospital_id, alert_id))

    def answer(self, hospital_id, alert_id, outcome, reason, at):
        if (hospital_id, alert_id) not in self.kept:
            return False
        self.answers.setdefault((hospital_id, alert_id, outcome, reason), at)
        return True

    def of_day(self, hospital_id, day):
        shown = sorted((key, alert) for key, alert in self.kept.items() if key[0] == hospital_id)
        return tuple((alert, self._of(key)) for key, alert in shown if day_of(key[1]) == day)

    def of_patient(self, hospital_id, patient_id):
        return tuple(
            sorted(key[1] for key, one in self.kept.items() if (key[0], one.patient_id) == (hospital_id, patient_id))
        )

    def _of(self, shown):
        given = sorted((key[2], key[3], at) for key, at in self.answers.items() if key[:2] == shown)
        return tuple(given)
