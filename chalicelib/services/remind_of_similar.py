"""While a doctor orders an exam: that a similar one was made, before the same is made again (infra/REMINDERS.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import chain
from typing import Final

from chalicelib.domain.access import Caller
from chalicelib.domain.alert import Alert, Prior, alert_id
from chalicelib.domain.body_region import Part
from chalicelib.domain.code import REMINDERS, REMINDERS_OF_PERSON, counter
from chalicelib.domain.consent import REMEMBERED, Denied, closed_to, covers
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.mutual import recognises
from chalicelib.domain.order import Draft, Ordering
from chalicelib.domain.similarity import RELATED, SAME_VISIT, Exam, Likeness, compare, group_of, windows
from chalicelib.domain.study import Hospital, StudyRef, Summary
from chalicelib.domain.timeline import order
from chalicelib.services.access_ports import Consents, Counters, DecisionFacts, HiddenStudies, People, Timeline
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.reminder_ports import Alerts

ACTION: Final = "remind_of_similar"
PAGE: Final = 50  # of each identity's timeline, newest first: nothing more is read, however much a patient has
MOST_TOLD: Final = 5  # exams of one reminder


@dataclass(frozen=True, slots=True)
class Told:
    """An earlier exam as a reminder names it. `place`, the hospital's name, and `study` only where this doctor holds
    the patient's consent."""

    exam: Exam
    likeness: Likeness
    days: int
    recognisable: bool
    place: str = ""
    study: StudyRef | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """For one order: the earlier exams, the best first."""

    alert_id: str
    encounter_id: str
    exam: Exam
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asks, and about whom; `links` are that person's confirmed ones."""

    caller: Caller
    hospital: Hospital
    visit: Visit
    link: Link
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """An earlier exam that is like an order's."""

    summary: Summary
    exam: Exam
    likeness: Likeness
    days: int


@dataclass(frozen=True, slots=True)
class RemindOfSimilar:
    """Reminders for a visit's orders; none for an unknown patient, one who closed or hid, and where nothing is similar:
    these cannot be told apart. Each call is on record before it is answered.

    Raises AuditFailed.
    """

    find_visit: FindVisit
    hospitals: Hospitals
    people: People
    timeline: Timeline
    facts: DecisionFacts
    hidden: HiddenStudies
    consents: Consents
    counters: Counters
    alerts: Alerts
    record: RecordDecision

    def __call__(self, ordering: Ordering, now: datetime) -> tuple[Reminder, ...]:
        asker = self._asker(ordering, now)
        if isinstance(asker, str):
            caller = Caller("hospital", ordering.hospital_id, ordering.hospital_id)
            self.record.note(caller, ACTION, asker, now)
            return ()
        about = About(asker.link.person_id, encounter_id=asker.visit.encounter.encounter_id)
        person = self.people.person(asker.link.person_id)
        drafts, silent = self._drafts(ordering, asker, person, now)
        if silent:
            self.record.note(asker.caller, ACTION, silent, now, about)
            return ()
        found = self._found(drafts, asker, now)
        reminders = self._reminders(found, asker, person, now)
        self.record.allow(asker.caller, ACTION, "reminded" if reminders else "nothing_similar", now, about)
        for _, alert in reminders:
            self.alerts.keep(alert)
        return tuple(reminder for reminder, _ in reminders)

    def _asker(self, ordering: Ordering, now: datetime) -> _Asker | str:
        """Who asks; or why nobody is answered."""
        hospital = self.hospitals.get(ordering.hospital_id)
        if hospital is None or not hospital.active:
            return "hospital_closed"
        visit: Visit | Denied = Denied("no_encounter", "unknown_encounter")
        for encounter_id in ordering.encounter_ids:
            visit = self.find_visit.of_order(ordering.hospital_id, ordering.doctor_id, encounter_id, now)
            if isinstance(visit, Visit) or visit.reason != "no_encounter":
                break
        if isinstance(visit, Denied):
            return visit.detail
        if visit.encounter.identity.local_id not in ordering.patient_ids:
            return "other_patient"
        if visit.link is None or visit.link.status != "confirmed":
            return "unknown_person"
        links = tuple(link for link in self.people.links(visit.link.person_id) if link.status == "confirmed")
        return _Asker(Caller("doctor", ordering.doctor_id, ordering.hospital_id), hospital, visit, visit.link, links)

    def _drafts(
        self, ordering: Ordering, asker: _Asker, person: Person | None, now: datetime
    ) -> tuple[tuple[Draft, ...], str]:
        """What is to be looked for, and why nothing is."""
        if person is None or person.frozen_at is not None:
            return (), "frozen" if person else "unknown_person"
        drafts = {draft.exam: draft for draft in ordering.drafts if draft.exam.group and draft.exam.parts}
        if not drafts:
            return (), "nothing_asked"
        urgent = asker.visit.encounter.patient_class == "emergency"
        calm = [draft for draft in drafts.values() if not (urgent or draft.is_urgent)]
        wanted = tuple(draft for draft in calm if not draft.is_follow_up)
        if not wanted:
            return (), "suppressed_follow_up" if calm else "suppressed_emergency"
        limits = (counter(REMINDERS, ordering.doctor_id, now), counter(REMINDERS_OF_PERSON, person.person_id, now))
        within = all(self.counters.take(limit) is not None for limit in limits)
        return (wanted, "") if within else ((), "reminder_limit")

    def _found(self, drafts: Sequence[Draft], asker: _Asker, now: datetime) -> list[tuple[Draft, list[_Found]]]:
        """The exams that are like each order's. An index named them: what is told is what stands now."""
        candidates = list(self._candidates(asker, now))
        likely = {one.ref for draft in drafts for one in candidates if _like(draft, one, asker.hospital, now)}
        if not likely:
            return []
        standing = self.facts.summaries(sorted(likely)[: 2 * PAGE])
        mine = {link.identity for link in asker.links}
        kept = [one for one in standing if _may_be_told(one) and IdentityKey(one.issuer, one.patient_id) in mine]
        each = [(draft, [_like(draft, one, asker.hospital, now) for one in kept]) for draft in drafts]
        return [(draft, best) for draft, found in each if (best := sorted(filter(None, found), key=_rank))]

    def _candidates(self, asker: _Asker, now: datetime) -> Iterable[Summary]:
        hidden = self.hidden.of_person(asker.link.person_id)
        oldest = (now - timedelta(days=RELATED + 1)).strftime("%Y%m%d")
        pages = (self.timeline.timeline(link.identity.issuer, link.identity.local_id, "", PAGE) for link in asker.links)
        for one in chain.from_iterable(page.items for page in pages):
            if _may_be_told(one) and one.ref not in hidden and order(one) >= oldest:
                yield one

    def _reminders(
        self, found: Sequence[tuple[Draft, list[_Found]]], asker: _Asker, person: Person | None, now: datetime
    ) -> list[tuple[Reminder, Alert]]:
        if not found:
            return []
        seen = self._seen(asker, person, now)
        return [self._reminder(draft, best[:MOST_TOLD], asker, seen, now) for draft, best in found]

    def _seen(self, asker: _Asker, person: Person | None, now: datetime) -> frozenset[StudyRef]:
        """The studies that this doctor may see already."""
        consents = self.consents.of_doctor(asker.link.person_id, asker.caller.subject, now - REMEMBERED)
        mine = [one for one in consents if one.is_live(now) and one.hospital_id == asker.hospital.hospital_id]
        live = [one for one in mine if not closed_to(one, person, asker.visit.doctor)]
        return frozenset(
            ref for one in live for ref in one.studies if any(covers(one, link, ref) for link in asker.links)
        )

    def _reminder(
        self, draft: Draft, best: Sequence[_Found], asker: _Asker, seen: frozenset[StudyRef], now: datetime
    ) -> tuple[Reminder, Alert]:
        hospital, encounter = asker.hospital, asker.visit.encounter
        day = _local(now, hospital).date()
        ids = (hospital.hospital_id, asker.caller.subject, encounter.encounter_id)
        shown = alert_id(day, ids, draft.exam, best[0].summary.ref)
        told = tuple(self._told(one, hospital, seen) for one in best)
        priors = tuple(
            Prior(found.summary.ref, one.likeness, one.days, one.recognisable)
            for found, one in zip(best, told, strict=True)
        )
        alert = Alert(shown, *ids, encounter.identity.local_id, draft.exam, priors, now)
        return Reminder(shown, encounter.encounter_id, draft.exam, told), alert

    def _told(self, found: _Found, own: Hospital, seen: frozenset[StudyRef]) -> Told:
        source = self.hospitals.get(found.summary.ref.hospital_id)
        fit = found.likeness == "duplicate" and recognises(own.level, source.level if source else "")
        if found.summary.ref not in seen:
            return Told(found.exam, found.likeness, found.days, fit)
        place = source.name if source else found.summary.ref.hospital_id
        return Told(found.exam, found.likeness, found.days, fit, place, found.summary.ref)


def _may_be_told(summary: Summary) -> bool:
    return summary.state == "served" and not summary.rejected


def _like(draft: Draft, summary: Summary, own: Hospital, now: datetime) -> _Found | None:
    """The earlier exam, if it is like the order's and not that order's own."""
    days = _days_ago(summary, own, now)
    if days is None or _is_the_same(draft, summary, own, now):
        return None
    exam = Exam(group_of(summary.modalities), tuple(map(Part.of, summary.regions)), summary.contrast)
    likeness = compare(exam, draft.exam, days, windows(own.hospital_id))
    return None if likeness == "none" else _Found(summary, exam, likeness, days)


def _is_the_same(draft: Draft, summary: Summary, own: Hospital, now: datetime) -> bool:
    """Made here, and under this order's number or just now."""
    if summary.ref.hospital_id != own.hospital_id:
        return False
    just_made = summary.exam_ended_at is not None and now - summary.exam_ended_at < SAME_VISIT
    return just_made or (bool(summary.accession_number) and summary.accession_number in draft.numbers)


def _days_ago(summary: Summary, own: Hospital, now: datetime) -> int | None:
    """By the calendar of who asks; None where it is not known when it was. A clock may be a day ahead, not more."""
    made = _local(summary.exam_ended_at, own).date() if summary.exam_ended_at else _study_day(summary)
    days = (_local(now, own).date() - made).days if made else -2
    return max(0, days) if days >= -1 else None


def _study_day(summary: Summary) -> date | None:
    try:
        return date.fromisoformat(order(summary).partition("#")[0])
    except ValueError:
        return None


def _local(at: datetime, hospital: Hospital) -> datetime:
    return at.astimezone(timezone(timedelta(minutes=hospital.utc_offset_minutes)))


def _rank(found: _Found) -> tuple[bool, int, StudyRef]:
    """Duplicates first, then the newest."""
    return found.likeness != "duplicate", found.days, found.summary.ref
