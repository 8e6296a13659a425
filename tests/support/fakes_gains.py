"""What counting mutual recognition needs of the world, in memory."""

from datetime import UTC, datetime

from chalicelib.domain.gains import kind_of
from chalicelib.services.gain_ports import DayFigures, DueDay

NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class FakeGains:
    """As `store.gains`: a fact stays as it was put first; a mark names what was put last."""

    def __init__(self):
        self.facts, self.marks, self.rows, self.hour, self.dies = {}, {}, {}, None, None

    def put(self, one, _now):
        place = (one.receiving, one.day)
        self.facts.setdefault(place, {}).setdefault((kind_of(one.measure), one.key, one.revision), one)
        self.marks[place] = f"{len(self.marks)}#{one.key}#{one.revision}#{one.measure}"

    def put_all(self, happenings, now):
        for one in happenings:
            self.put(one, now)

    def of_day(self, hospital_id, day):
        return tuple(self.facts.get((hospital_id, day), {}).values())

    def of_source(self, hospital_id, day):
        facts = [one for (_, when), held in self.facts.items() if when == day for one in held.values()]
        return tuple(one for one in facts if one.source == hospital_id)

    def figures(self, day, hospital_id=""):
        """As they were brought up last."""
        return {
            place[0]: DayFigures(of_source, NEVER)
            for place, (of_source, _) in self.rows.items()
            if place[1] == day and hospital_id in ("", place[0])
        }

    def due(self, shard, _until):
        yield from (DueDay(*place, mark) for place, mark in list(self.marks.items()) if not shard)

    def put_figures(self, day, of_source, seen, _now):
        self._may_die()
        place = (day.hospital_id, day.day)
        if place not in self.rows or self.rows[place][1] <= seen:
            self.rows[place] = (of_source, seen)

    def done(self, day):
        self._may_die()
        place = (day.hospital_id, day.day)
        if self.marks.get(place) == day.mark:
            del self.marks[place]

    def counted_until(self):
        return self.hour

    def counted(self, hour):
        self._may_die()
        self.hour = hour

    def _may_die(self):
        if self.dies:
            dies, self.dies = self.dies, None
            raise dies


class FakeRecognitions:
    """As `store.recognitions`."""

    def __init__(self):
        self.said, self.seen = {}, set()

    def of_study(self, visit, study, doctor_id):
        return tuple(one for _, one in sorted(self.said.get((visit, study, doctor_id), {}).items()))

    def put(self, one):
        place = self.said.setdefault(((one.hospital_id, one.encounter_id), one.study, one.doctor_id), {})
        return place.setdefault(one.revision, one) is one

    def judged(self, visit, doctor_id):
        return frozenset(study for where, study, who in self.said if (where, who) == (visit, doctor_id))

    def viewed(self, opened, _now):
        self.seen |= set(opened)

    def opened(self, visit):
        return frozenset(study for where, study in self.seen if where == visit)
