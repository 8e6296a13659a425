"""The ledger's ports in memory. `FakeLedger` counts what it reads, as DynamoDB would bill it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.compliance_report import Written
from chalicelib.domain.exam import Facts
from chalicelib.domain.ledger import Collection, Docket
from chalicelib.domain.page import Page, opaque
from chalicelib.domain.page import place as place_of
from chalicelib.store import keys
from tests.support.indexed import ByHospital, Dues

MOVED = "gone"


class FakeLedger:
    def __init__(self):
        self.facts = defaultdict(dict)
        self.notice_ids = defaultdict(dict)
        self.patients = set()
        self.dockets = {}
        self.dues = defaultdict(Dues)  # by shard, of (owner, key)
        self.rows = defaultdict(dict)  # (hospital, day) → sort key → (fact count, Exam or MOVED)
        self.reads = Counter()
        self.pause = lambda: None  # between the docket and the facts: a query is no snapshot

    def put_notice(self, key, fact):
        self.facts[key]["notice", fact.digest] = fact

    def put_notice_id(self, hospital_id, fact):
        self.notice_ids[hospital_id, fact.notice_id, fact.patient_id][fact.digest] = fact

    def of_notice_id(self, hospital_id, fact):
        held = self.notice_ids.get((hospital_id, fact.notice_id, fact.patient_id), {})
        self._read("of_notice_id", len(held))
        return tuple(fact for _, fact in sorted(held.items()))

    def put_patient(self, key, patient_id):
        self.patients.add((key, patient_id))

    def of_patient(self, identity):
        own = {key for key, patient_id in self.patients if patient_id == identity.local_id}
        return tuple(sorted(key for key in own if key.hospital_id == identity.issuer))

    def rows_of(self, key, docket):
        places = [(self.rows[key.hospital_id, day], keys.exam(key.accession, use)) for day, use in sorted(docket.rows)]
        found = [rows[sort_key][1] for rows, sort_key in places if sort_key in rows]
        return tuple(exam for exam in found if exam is not MOVED)

    def put_study(self, key, fact):
        self.facts[key]["study", fact.study_instance_uid, fact.digest] = fact

    def put_judged(self, key, due_at):
        self.facts[key]["judged", due_at] = due_at

    def read(self, key):
        docket = self.dockets.get(key, Docket())
        self.pause()
        held = self.facts.get(key, {})
        self._read("read", len(held) + 1)
        kinds = defaultdict(list)
        for (kind, *_), fact in held.items():
            kinds[kind].append(fact)
        facts = Facts(
            tuple(kinds["notice"]), tuple(kinds["study"]), max(kinds["judged"], default=None), count=len(held)
        )
        return Collection(facts, docket)

    def put_docket(self, key, docket):
        if not self._docket_stands(key, docket):
            return False
        self.dockets[key] = replace(docket, revision=docket.revision + 1)
        owner = keys.accession(key.hospital_id, key.accession, "")
        self.dues[keys.shard(owner)].put((owner, key), docket.due_at)
        return True

    def put_exam(self, exam, fact_count):
        return self._put((exam.key.hospital_id, exam.day), keys.exam(exam.key.accession, exam.use), fact_count, exam)

    def bury(self, key, day, use, fact_count):
        return self._put((key.hospital_id, day), keys.exam(key.accession, use), fact_count, MOVED)

    def move(self, key, move):
        count = move.docket.fact_count
        places = [(exam.day, exam.use, exam) for exam in move.exams] + [(*place, MOVED) for place in move.gone]
        named = [((key.hospital_id, day), keys.exam(key.accession, use), what) for day, use, what in places]
        if not self._docket_stands(key, move.docket) or any(not self._may(*at, count) for *at, _ in named):
            return False
        self.put_docket(key, move.docket)
        for place, sort_key, what in named:
            self._put(place, sort_key, count, what)
        return True

    def of_day(self, hospital_id, day):
        found = sorted(self.rows.get((hospital_id, day), {}).items())
        self._read("of_day", len(found))
        return iter([exam for _, (_, exam) in found if exam is not MOVED])

    def page_of_day(self, hospital_id, day, token, limit):
        after = place_of(token, 512) if token else ""
        if token and "#" not in after:
            raise ValueError("not a continuation token")
        rows = [row for row in sorted(self.rows.get((hospital_id, day), {}).items()) if row[0] > after]
        exams = tuple(exam for _, (_, exam) in rows[:limit] if exam is not MOVED)
        return Page(exams, opaque(rows[limit - 1][0]) if rows[limit:] else "")

    def due(self, shard, until):
        return iter([key for _, (_, key) in self._due(shard, until)])

    def due_between(self, shard, after, until, since):
        found = [key for _, (_, key) in self._due(shard, until, since)]
        return iter([(key, at) for key in found for at in self.dockets[key].waiting if after < at <= until])

    def _due(self, shard, until, after=None):
        due = self.dues[shard].until(until, after)
        self._read("due", len(due))
        return due

    def standing(self):
        """All rows, as comparable values."""
        return {
            (place, sort_key): exam
            for place, rows in self.rows.items()
            for sort_key, (_, exam) in rows.items()
            if exam is not MOVED
        }

    def _docket_stands(self, key, docket):
        held = self.dockets.get(key, Docket())
        return held.revision == docket.revision and held.fact_count <= docket.fact_count

    def _may(self, place, sort_key, fact_count):
        held = self.rows[place].get(sort_key)
        return held is None or held[0] <= fact_count

    def _put(self, place, sort_key, fact_count, what):
        if not self._may(place, sort_key, fact_count):
            return False
        self.rows[place][sort_key] = (fact_count, what)
        return True

    def _read(self, what, items):
        self.reads["calls"] += 1
        self.reads["items"] += items
        self.reads[what] += 1


class FakeFlags:
    def __init__(self):
        self.held = ByHospital()
        self.steps = defaultdict(dict)

    def get(self, hospital_id, day, rule):
        return self.held.get((hospital_id, day, rule))

    def put(self, flag, step=None):
        held = self.held.get(flag.place)
        if (held.revision if held else 0) != flag.revision:
            return False
        self.held[flag.place] = replace(flag, revision=flag.revision + 1)
        if step:
            self.steps[flag.place][f"{flag.revision + 1:09d}"] = step
        return True

    def history(self, place, token, limit):
        if token and not token.isdigit():
            raise ValueError("not a continuation token")
        names = sorted(name for name in self.steps[place] if name > token)
        return Page(tuple(self.steps[place][name] for name in names[:limit]), names[limit - 1] if names[limit:] else "")

    def of_hospital(self, hospital_id, first_day, last_day):
        return tuple(flag for flag in self.held.of(hospital_id) if first_day <= flag.day <= last_day)

    def open(self, token, limit):
        if token and not token.startswith("after:"):
            raise ValueError("not a continuation token")
        flags = {f"{f.day}#{f.hospital_id}#{f.rule}": f for f in self.held.values() if f.is_open}
        names = sorted(name for name in flags if name > token.removeprefix("after:"))
        return Page(tuple(flags[name] for name in names[:limit]), f"after:{names[limit - 1]}" if names[limit:] else "")


class FakeTopic:
    def __init__(self):
        self.messages = []

    def publish(self, subject, body):
        self.messages.append((subject, dict(body)))


class FakeFigures:
    def __init__(self):
        self.held = defaultdict(dict)

    def put(self, hospital_id, day, figures, seen):
        if self.held[hospital_id].get(day, (None, seen))[1] <= seen:
            self.held[hospital_id][day] = (figures, seen)

    def between(self, hospital_id, first_day, last_day):
        found = sorted(self.held[hospital_id].items())
        return {day: figures for day, (figures, _) in found if first_day <= day <= last_day}


class FakeOwedReports:
    def __init__(self):
        self.held = {}

    def owe(self, period, token):
        self.held[period] = token

    def owed(self):
        return sorted(self.held.items())

    def made(self, period, token):
        if self.held.get(period) == token:
            del self.held[period]


class FakeReports:
    def __init__(self):
        self.files = {}

    def put(self, key, body, content_type):
        self.files[key] = body

    def get(self, key):
        return self.files.get(key)

    def written(self, key):
        body = self.files.get(key)
        return Written(datetime(2026, 11, 21, tzinfo=UTC), hashlib.sha256(body).hexdigest()) if body else None

    def oldest_year(self):
        years = [int(key.split("/")[1][:4]) for key in self.files if key.startswith("compliance/")]
        return min(years, default=None)

    def periods_of(self, year):
        names = {key.split("/")[1] for key in self.files if key.startswith(f"compliance/{year:04d}-")}
        return tuple(sorted(names))


class FakeBacklog:
    def __init__(self, oldest=timedelta(0)):
        self.oldest = oldest

    def __call__(self):
        return self.oldest


class OneZone:
    """Every hospital is registered, at one offset from UTC."""

    def __init__(self, minutes=480):
        self.minutes = minutes

    def get(self, hospital_id):
        from chalicelib.domain.study import Hospital

        return Hospital(hospital_id, f"医院{hospital_id}", utc_offset_minutes=self.minutes)

    def list(self):
        return ()
