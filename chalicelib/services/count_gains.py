"""What mutual recognition gains, brought from what happened to figures: reminders that are new, answered or eight days
old, views out of the audit, and days with new facts. Each step may be repeated, and die anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

from chalicelib.domain.alert import Alert, day_of, exam_to_texts
from chalicelib.domain.card_answer import answered
from chalicelib.domain.gains import Happening, by_source, day_at, key_of
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.repeat import judged_at, newest_place, outcome
from chalicelib.domain.seal import HOUR, hour_of, hours
from chalicelib.domain.study import Hospital, StudyRef, Summary
from chalicelib.services.access_ports import People, Timeline
from chalicelib.services.audit_ports import AuditHours
from chalicelib.services.authorize import ACTION as VIEW
from chalicelib.services.faults import note
from chalicelib.services.gain_ports import DueAlert, DueAlerts, DueDay, Gains, Recognitions
from chalicelib.services.ports import Hospitals
from chalicelib.services.reminder_ports import Alerts
from chalicelib.services.seal_audit import SETTLED

VIEWS: Final = frozenset({VIEW, "view_images"})  # the second: by DICOMweb
SHARDS: Final = 16
PAGE: Final = 50  # of each number's timeline, newest first, from a week after the reminder back
LOOK_BACK: Final = timedelta(hours=48)  # how far before the first run the first views may lie


@dataclass(frozen=True, slots=True)
class GainsCounted:
    """What a run did. `faults` and `more` are for the next."""

    alerts: int = 0
    judged: int = 0
    hours: int = 0
    days: int = 0
    faults: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class CountGains:
    """Views first, for reminders are judged by them; figures last."""

    alerts: Alerts
    due_alerts: DueAlerts
    gains: Gains
    recognitions: Recognitions
    timeline: Timeline
    people: People
    hospitals: Hospitals
    audit: AuditHours

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> GainsCounted:
        done = GainsCounted()
        for step, work in self._work(now):
            if not keep_going():
                return replace(done, more=True)
            try:
                work()
                done = replace(done, **{step: getattr(done, step) + 1})
            except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep the others from being counted
                note(fault)
                done = replace(done, faults=done.faults + 1)
                if step == "hours":
                    return done  # hour after hour, none left out: the next run takes this one up again
        return done

    def _work(self, now: datetime) -> Iterator[tuple[str, Callable[[], None]]]:
        for hour in self._hours(now):
            yield "hours", partial(self._count_hour, hour, now)
        for shard in range(SHARDS):
            turn = (shard + now.minute) % SHARDS
            for due in self.due_alerts.due(turn, now):
                alert = self.alerts.get(due.hospital_id, due.alert_id)
                if alert is None:
                    continue  # the index had not heard yet
                step = "judged" if judged_at(alert.shown_at) <= now else "alerts"
                yield step, partial(self._take_up, alert, due, now)
        for shard in range(SHARDS):
            for day in self.gains.due((shard + now.minute) % SHARDS, now):
                yield "days", partial(self._bring_up, day, now)

    def _hours(self, now: datetime) -> Iterator[datetime]:
        """Of the audit, into which nothing can be written any more."""
        last = self.gains.counted_until()
        due = hour_of(now) - SETTLED
        return hours(last + HOUR if last else hour_of(now - LOOK_BACK), due)

    def _count_hour(self, hour: datetime, now: datetime) -> None:
        found: dict[str, tuple[Happening, StudyRef]] = {}
        for record in self.audit.in_order(hour):
            viewed = _viewed(record.values, self.hospitals)
            if viewed:
                found.setdefault(f"{viewed[0].receiving}#{viewed[0].key}", viewed)
        self.recognitions.viewed([((one.receiving, one.encounter_id), study) for one, study in found.values()], now)
        self.gains.put_all([one for one, _ in found.values()], now)
        self.gains.counted(hour)

    def _take_up(self, alert: Alert, due: DueAlert, now: datetime) -> None:
        """As a fact, with what was answered; when it is old enough, with what became of it. Its due moves last."""
        shown = Happening(
            "alerts",
            alert.alert_id,
            day_of(alert.alert_id),
            alert.shown_at,
            alert.hospital_id,
            alert.priors[0].study.hospital_id,
            alert.encounter_id,
            alert.exam.group,
            exam_to_texts(alert.exam),
        )
        self.gains.put(shown, now)
        answer = self._answer(alert)
        if answer:
            self.gains.put(answer, now)
        due_at = judged_at(alert.shown_at)
        if now < due_at:
            self.due_alerts.due_again(due, due_at)
            return
        self.gains.put(replace(shown, measure=self._outcome(alert), at=due_at), now)
        self.due_alerts.due_again(due, None)

    def _answer(self, alert: Alert) -> Happening | None:
        answers = self.alerts.answers(alert.hospital_id, alert.alert_id)
        visit = (alert.hospital_id, alert.encounter_id)
        return answered(alert, answers, self.recognitions.judged(visit, alert.doctor_id)) if answers else None

    def _outcome(self, alert: Alert) -> str:
        opened = self.recognitions.opened((alert.hospital_id, alert.encounter_id))
        own = self.hospitals.get(alert.hospital_id) or Hospital(alert.hospital_id, "")
        was_opened = any(prior.study in opened for prior in alert.priors)
        return outcome(alert, self._arrived(alert), own, opened=was_opened)

    def _arrived(self, alert: Alert) -> Iterator[Summary]:
        """The person's exams in that hospital, under whichever of its numbers."""
        asked = IdentityKey(alert.hospital_id, alert.patient_id)
        link = self.people.link(asked)
        links = self.people.links(link.person_id) if link else ()
        mine = {one.identity for one in links if one.status == "confirmed" and one.identity.issuer == asked.issuer}
        pages = (
            self.timeline.timeline(one.issuer, one.local_id, newest_place(alert), PAGE)
            for one in sorted(mine | {asked}, key=lambda one: one.local_id)
        )
        return chain.from_iterable(page.items for page in pages)

    def _bring_up(self, day: DueDay, now: datetime) -> None:
        facts = self.gains.of_day(day.hospital_id, day.day)
        self.gains.put_figures(day, by_source(facts), len(facts), now)
        self.gains.done(day)


def _viewed(values: Any, hospitals: Hospitals) -> tuple[Happening, StudyRef] | None:
    """An event of the audit, if a doctor opened a study in a visit: once for each visit, study and day."""
    wanted = values.get("action") in VIEWS and values.get("role") == "doctor" and values.get("allowed")
    names = ("hospital_id", "encounter_id", "study_hospital_id", "study_instance_uid", "at")
    hospital_id, encounter_id, source, uid, at = (str(values.get(name, "")) for name in names)
    if not (wanted and hospital_id and encounter_id and source and uid):
        return None
    seen_at = datetime.fromisoformat(at)
    day = day_at(seen_at, hospitals.get(hospital_id) or Hospital(hospital_id, ""))
    key = key_of(day, encounter_id, source, uid)
    return Happening("viewed", key, day, seen_at, hospital_id, source, encounter_id), StudyRef(source, uid)
