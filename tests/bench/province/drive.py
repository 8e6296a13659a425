"""The day told to the ledger's own code: notices through `RecordNotice`, what settles say through `DeriveExams`, sweeps
at their times. The world says over which stores."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.exam import StudyFact
from chalicelib.domain.exam_end import exam_end
from chalicelib.domain.hospital_day import DayMark
from chalicelib.domain.outage import Outage
from chalicelib.domain.study import Hospital, StudyRef, Times
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.ports import ObjectPart
from chalicelib.services.record_notice import RecordNotice
from tests.support.fakes_ingest import FakeQuarantine

BATCH = 100
WEEK = timedelta(days=7)


class Drive:
    """One province over one world (`tests.support.ledger_world.World`). `swept` counts what the sweeps did."""

    def __init__(self, province, world):
        self.province, self.world = province, world
        self.now = instant(province.sweeps[0].at)
        self.bucket = NoticesBucket()
        self.quarantine = FakeQuarantine()
        self.swept = Counter()
        self._register()
        self._events, self._next = _events(province), 0
        self._acts = _acts(province)

    @property
    def told(self):
        """Events so far."""
        return self._next

    def _register(self):
        for place in self.province.places:
            self.world.hospitals.put(
                Hospital(
                    place.hospital_id,
                    f"医院{place.hospital_id}",
                    region=place.region,
                    utc_offset_minutes=place.offset,
                    active=place.active,
                    weekday_volume=place.volume,
                )
            )
            for number, exams in enumerate(place.before, start=1):
                day = (date.fromisoformat(self.province.day) - WEEK * number).isoformat()
                self.world.days.put(DayMark(place.hospital_id, day, watched=True, closed=True, exams=exams))

    def sweeps(self, gate=lambda port: port):
        """Each sweep of the day, once what came before it was told. `gate` wraps the ports of the sweep."""
        for number, sweep in enumerate(self.province.sweeps):
            self.now = instant(sweep.at)
            self.tell_until(sweep.at, notices_first=number % 2 == 0)
            self.world.backlog.oldest = None if sweep.age is None else timedelta(seconds=sweep.age)
            done = self.world.sweep(self.now, gate)
            assert not done.more, sweep
            assert done.faults == 0, sweep
            assert done.held == (sweep.age is None), sweep
            for name in ("judged", "messages", "warned", "days", "excuses"):
                self.swept[name] += getattr(done, name)
            yield sweep
        assert self.quarantine.reasons() == []

    def tell_until(self, at, *, notices_first):
        first = self._next
        while self._next < len(self._events) and self._events[self._next][0] <= at:
            self._next += 1
        events = self._events[first : self._next]
        notices = [event for event in events if event[1] == "notice"]
        settles = [event for event in events if event[1] == "settle"]
        kinds = [(self._notices, notices), (self._settles, settles)]
        for tell, some in kinds if notices_first else reversed(kinds):
            tell(some)
        while self._acts and self._acts[0][0] <= at:
            when, act, one = self._acts.pop(0)
            times = instant(one.since), instant(one.until)
            outage = Outage(one.scope, one.of, *times, "停电 power cut", "commission", instant(one.made))
            if act == "accept":
                self.world.accept(outage)
            else:
                self.world.withdraw(outage, instant(when))

    def _notices(self, events):
        record = RecordNotice(
            uploads=self.bucket,
            hospitals=self.world.hospitals,
            quarantine=self.quarantine,
            receipts=NoReceipts(),
            exams=self.world.derive(),
            link=lambda *_: None,  # whose notice it is is no matter of the ledger
            encounter=lambda *_: None,
            clock=lambda: self.now,
        )
        for start in range(0, len(events), BATCH):
            put = [self._put(exam, number) for _, _, exam, number, _ in events[start : start + BATCH]]
            assert not record(put, lambda: True)
            self.bucket.parts.clear()

    def _put(self, number, place):
        exam = self.province.exams[number]
        notice = exam.notices[place]
        at = instant(notice.received)
        key = f"notices/{exam.hospital_id}/{at.date()}/{number}-{place}.json"
        self.bucket.parts[key] = ObjectPart(body := _body(exam, notice), len(body), "v", at)
        return Uploaded(key, "v", len(body))

    def _settles(self, events):
        derive = self.world.derive()
        for _, _, number, place, step in events:
            exam = self.province.exams[number]
            study = exam.studies[place]
            fact = _fact(exam, study, study.settles[step])
            derive.study_settled(StudyRef(exam.hospital_id, study.uid), fact, self.now)


class NoticesBucket:
    """What `RecordNotice` reads of the uploads bucket."""

    def __init__(self):
        self.parts = {}

    def read(self, key, version_id, start, length):
        return self.parts[key]


class NoReceipts:
    def write(self, batch, at, outcomes):
        """Reconcile's business: see the night's tests."""


def instant(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _events(province):
    """(seen, kind, exam, notice or study, settle), in the order seen."""
    found = []
    for number, exam in enumerate(province.exams):
        for place, notice in enumerate(exam.notices):
            found += [(seen, "notice", number, place, 0) for seen in notice.seen]
        for place, study in enumerate(exam.studies):
            for step, settle in enumerate(study.settles):
                found += [(seen, "settle", number, place, step) for seen in settle.seen]
    return sorted(found)


def _acts(province):
    """What the commission does, in the order of time."""
    accepted = [(one.made, "accept", one) for one in province.outages]
    withdrawn = [(one.withdrawn, "withdraw", one) for one in province.outages if one.withdrawn is not None]
    return sorted(accepted + withdrawn, key=lambda act: act[:2])


def _body(exam, notice):
    told = {
        "type": "exam",
        "notice_id": notice.notice_id,
        "status": notice.status,
        "accession_number": notice.accession,
        "study_instance_uid": notice.study_uid,
        "patient": {"patient_id": exam.patient_id},
        "patient_class": "outpatient",
        "modality": exam.modality,
        "sent_at": instant(notice.sent).isoformat(),
        "declared_instances": notice.declared,
    }
    if notice.at is not None:
        told[f"{notice.status}_at"] = instant(notice.at).isoformat()
    return json.dumps(told).encode()


def _fact(exam, study, settle):
    """As a settle makes it of the journal: see `domain.summary.study_facts`."""
    received = Arrivals(tuple((instant(at), count) for at, count in settle.runs))
    end = exam_end((Times(instant(study.device_end), "AcquisitionDateTime"),), received.runs[-1][0])
    return StudyFact(
        study_instance_uid=study.uid,
        accession_number=study.accession,
        patient_id=exam.patient_id,
        modality=exam.modality,
        exam_ended_at=end.at,
        exam_end_source=end.source,
        received=received,
        entry_count=received.total,
        amend_count=0,
    )
