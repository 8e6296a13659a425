"""Refusals on the card and refusals of an exam are each counted once, in whatever order, however often and beside
whomever they are told: figures equal a recount of what was said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import Caller
from chalicelib.domain.alert import Alert, Prior, alert_id
from chalicelib.domain.body_region import Part
from chalicelib.domain.card_answer import answered
from chalicelib.domain.gains import ANSWERED
from chalicelib.domain.identity import IdentityKey, Link
from chalicelib.domain.recognition import Judgement
from chalicelib.domain.similarity import Exam
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.domain.summary import destroyed
from chalicelib.services.answer_reminder import Answered, AnswerReminder
from chalicelib.services.count_gains import CountGains
from chalicelib.services.find_visit import Visit
from chalicelib.services.recognise_study import RecogniseStudy
from tests.support.fakes_gains import FakeGains, FakeRecognitions
from tests.support.fakes_reminders import FakeAlerts
from tests.support.interleave import Crash, Gate, crash_at

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
EXAM = Exam("CT", (Part("CHEST"),), "plain")
STUDIES = tuple(StudyRef("H1", f"1.2.{number}") for number in range(3))
LINK = Link(IdentityKey("H1", "P1"), "p", "confirmed", NOW)


def shown(visit, doctor_id, studies, day=24):
    name = alert_id(date(2026, 11, day), ("H2", doctor_id, visit), EXAM, studies[0])
    priors = tuple(Prior(study, "duplicate", 3, recognisable=True) for study in studies)
    return Alert(name, "H2", doctor_id, visit, "Q1", EXAM, priors, NOW - timedelta(days=25 - day))


# The same visit twice, another doctor in it, another visit of the same doctor; exams in common and apart.
ALERTS = (
    shown("E1", "d1", STUDIES[:2]),
    shown("E1", "d1", STUDIES[1:], day=23),
    shown("E1", "d2", STUDIES[:1]),
    shown("E2", "d1", STUDIES[:1]),
)


@dataclass(frozen=True)
class Said:
    """To a card, or (`study`) of an exam."""

    who: tuple[str, str] = ("", "")  # visit, doctor
    study: int = 0
    judgement: Judgement | None = None
    card: int = 0
    answer: tuple[str, str, int] = ("", "", 0)


answers = st.builds(
    lambda card, outcome, reason, minute: Said(
        card=card, answer=(outcome, reason if outcome == "overridden" else "", minute)
    ),
    st.integers(0, len(ALERTS) - 1),
    st.sampled_from(["overridden", "overridden", "accepted"]),
    st.sampled_from(["", "1", "3", "6"]),
    st.integers(0, 3),
)
judgements = st.builds(
    Said,
    st.sampled_from([("E1", "d1"), ("E1", "d2"), ("E2", "d1")]),
    st.integers(0, 2),
    st.sampled_from([Judgement("refuse", "3"), Judgement("recognise"), Judgement("pass_over", "98")]),
)


@dataclass(frozen=True)
class Allowing:
    """Of visits, exams and grants all that is asked for; nothing is denied here."""

    action: str = ""

    def __call__(self, _caller, asked, _now):
        return Visit(None, LINK) if isinstance(asked, str) else None

    def get(self, hospital_id):
        return Hospital(hospital_id, hospital_id)

    def summaries(self, studies):
        return [replace(destroyed(one), issuer="H1", patient_id="P1", modalities=("CT",)) for one in studies]

    def link(self, _identity):
        return LINK

    def links(self, _person_id):
        return ()

    def timeline(self, *_asked):
        return type("Page", (), {"items": ()})()

    def allow(self, *_event):
        pass

    def in_order(self, _hour):
        return iter(())


class World:
    def __init__(self):
        self.alerts, self.gains, self.recognitions = FakeAlerts(), FakeGains(), FakeRecognitions()
        for one in ALERTS:
            self.alerts.keep(one)

    def say(self, said, gate=lambda port: port, now=NOW):
        alerts, gains, recognitions = (gate(port) for port in (self.alerts, self.gains, self.recognitions))
        if said.judgement is None:
            card = ALERTS[said.card].alert_id
            outcome, reason, minute = said.answer
            one = Answered(card, outcome, reason, NOW - timedelta(minutes=minute))
            AnswerReminder(alerts, Allowing())("H2", [one], now)
            return
        visit, doctor_id = said.who
        known = (Allowing(), Allowing(), Allowing(), Allowing(), Allowing())
        judge = RecogniseStudy(*known, recognitions, gains, alerts, Allowing())
        judge(Caller("doctor", doctor_id, "H2"), visit, STUDIES[said.study], said.judgement, now)

    def sweep(self, gate=lambda port: port, now=NOW):
        alerts, gains, recognitions = (gate(port) for port in (self.alerts, self.gains, self.recognitions))
        others = (Allowing(), Allowing(), Allowing(), Allowing())
        return CountGains(alerts, alerts, gains, recognitions, *others)(now, lambda: True)

    def figures(self):
        total = sum((sum(rows.values(), Counter()) for rows, _ in self.gains.rows.values()), Counter())
        return Counter({name: count for name, count in total.items() if "refused" in name or "overridden" in name})


def recount(said, kept):
    """From what was said alone; of judgements in the order in which they were kept."""
    total = Counter()
    for number, alert in enumerate(ALERTS):
        given = [one.answer for one in said if one.judgement is None and one.card == number]
        telling = [one for one in given if one[0] == "accepted" or one[1]]
        spoke = {(one.who, STUDIES[one.study]) for one in said if one.judgement}
        if telling and not any(((alert.encounter_id, alert.doctor_id), prior.study) in spoke for prior in alert.priors):
            _, reason, _ = max(telling, key=lambda one: (-one[2], one[1]))
            total.update({f"overridden_{reason}": 1, "refused": 1} if reason else {})
    for revisions in kept.values():
        last = revisions[max(revisions)].judgement
        total.update({last.measure: 1, "refused": 1} if last.decision == "refuse" else {})
    return total


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(answers, judgements), max_size=10), st.data())
def test_refusals_are_a_recount_of_what_was_said_in_any_order_and_repetition(said, data):
    told = data.draw(st.permutations([*said, *said[:4], *["sweep"] * 3]))
    world = World()
    for one in told:
        world.sweep() if one == "sweep" else world.say(one)
    assert world.sweep().faults == 0
    assert world.figures() == recount(said, world.recognitions.said)
    world.sweep(now=NOW + timedelta(days=9))
    assert world.figures() == recount(said, world.recognitions.said)


CARD, OF_EXAM = Said(card=0, answer=("overridden", "6", 0)), Said(("E1", "d1"), 0, Judgement("refuse", "3"))


@pytest.mark.parametrize("said", [[CARD], [CARD, OF_EXAM], [OF_EXAM, CARD]], ids=["card", "exam", "card last"])
@pytest.mark.parametrize("days", [0, 9], ids=["new", "judged"])
def test_what_is_said_between_any_two_calls_of_a_sweep_is_not_lost(said, days):
    *before, last = said
    for number in count():
        world, calls, come = World(), count(), []
        for one in before:
            world.say(one)

        def between(world=world, calls=calls, come=come, number=number):
            if next(calls) == number:
                come.append(world.say(last))

        world.sweep(Gate(before=between), NOW + timedelta(days=days))
        if not come:
            break
        world.sweep(now=NOW + timedelta(days=days))
        assert world.figures() == recount(said, world.recognitions.said)
    assert number > len(ALERTS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(answers, judgements), min_size=1, max_size=4), st.integers(0, 8), st.booleans(), st.data())
def test_refusals_are_a_recount_though_each_call_died_once_and_was_made_again(said, number, after, data):
    world = World()
    for one in said:
        for gate in (crash_at(number, after=after), Gate()):
            try:
                world.say(one, gate)
            except Crash:
                continue
        if data.draw(st.booleans()):
            world.sweep()
    world.sweep()
    assert world.figures() == recount(said, world.recognitions.said)


def test_what_is_said_of_an_exam_wins_over_the_card_whichever_came_first():
    for order in ((CARD, OF_EXAM), (OF_EXAM, CARD)):
        world = World()
        for one in order:
            world.say(one)
            world.sweep()
        assert world.figures() == {"refused": 1, "refused_3": 1}
    other = World()
    other.say(CARD)
    other.say(Said(("E1", "d2"), 0, Judgement("refuse", "3")))  # another doctor's word does not
    other.sweep()
    assert other.figures() == {"refused": 2, "refused_3": 1, "overridden_6": 1}


def test_a_clock_of_long_ago_makes_no_fact_of_long_ago():
    long_ago = datetime(1950, 1, 1, tzinfo=UTC)
    assert answered(ALERTS[0], [("overridden", "2", long_ago)], ()).at == ALERTS[0].shown_at


def test_accepting_takes_a_reason_back_and_no_reason_says_nothing():
    alert = ALERTS[0]
    refused, accepted, silent = ("overridden", "2", NOW), ("accepted", "", NOW), ("overridden", "", NOW)
    assert answered(alert, [silent], ()) is None
    assert answered(alert, [refused, silent], ()).measure == "overridden_2"
    later = ("accepted", "", NOW + timedelta(seconds=1))
    assert answered(alert, [refused, later], ()).measure == ANSWERED
    assert answered(alert, [refused, accepted], ()).measure == "overridden_2", "of one instant the reason stands"
