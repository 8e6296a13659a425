"""The figures of a day are what its facts come to, whichever sweep looks when, and dies where."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.gains import Happening, figures, kind_of
from chalicelib.domain.seal import Record, hour_of
from chalicelib.services.count_gains import CountGains
from tests.support.fakes_gains import FakeGains
from tests.support.interleave import Crash

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
DAYS = ("2026-11-23", "2026-11-24")


class FakeAudit:
    def __init__(self, *records):
        self.records = records

    def in_order(self, hour):
        return iter([one for at, one in self.records if hour_of(at) == hour])


class Nothing:
    """Of reminders, people and hospitals: what is asked for is not there."""

    def __init__(self):
        self.opened = Counter()

    def due(self, _shard, _until):
        return iter(())

    def get(self, _id):
        return None

    def viewed(self, opened, _now):
        self.opened.update(opened)


def sweep(gains, audit=None, now=NOW, seen=None):
    nothing = seen or Nothing()
    parts = (nothing, nothing, gains, nothing, nothing, nothing, nothing, audit or FakeAudit())
    return CountGains(*parts)(now, lambda: True)


happenings = st.builds(
    Happening,
    measure=st.sampled_from(["alerts", "viewed", "recognised", "refused_1", "avoided", "repeated"]),
    key=st.sampled_from("abc"),
    day=st.sampled_from(DAYS),
    at=st.just(NOW),
    receiving=st.sampled_from(["H1", "H2"]),
    source=st.sampled_from(["H1", "H3"]),
    encounter_id=st.just("E1"),
    group=st.just("CT"),
    parts=st.just(("CHEST",)),
    revision=st.integers(0, 2),
)
steps = st.lists(st.one_of(happenings, st.sampled_from(["sweep", "crash", "fault"])), max_size=30)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_figures_equal_the_facts_whatever_came_between_and_died(told):
    gains, raw = FakeGains(), {}
    for step in told:
        if isinstance(step, str):
            gains.dies = {"crash": Crash, "fault": OSError}.get(step)
            with suppress(Crash):
                sweep(gains)
            gains.dies = None
            continue
        gains.put(step, NOW)
        raw.setdefault((step.receiving, step.day), {}).setdefault(
            (kind_of(step.measure), step.key, step.revision), step
        )
    assert sweep(gains).faults == 0
    assert not gains.marks
    for place, facts in raw.items():
        of_source, seen = gains.rows[place]
        assert sum(of_source.values(), Counter()) == figures(facts.values())
        assert seen == len(facts)


def view(minutes=0, **changes):
    at = NOW - timedelta(hours=3) + timedelta(minutes=minutes)
    values = {"action": "view_study", "role": "doctor", "allowed": True, "hospital_id": "H2", "encounter_id": "E1"}
    values |= {"study_hospital_id": "H1", "study_instance_uid": "1.2.3", "at": at.isoformat(), **changes}
    return at, Record(f"{minutes}", "p", {name: value for name, value in values.items() if value is not None})


def test_a_study_opened_ten_times_in_a_visit_is_one_view_also_when_the_hour_is_counted_again():
    gains, seen = FakeGains(), Nothing()
    audit = FakeAudit(*(view(minutes) for minutes in range(10)))
    gains.dies = OSError
    assert sweep(gains, audit, seen=seen).faults == 1
    assert gains.hour is None or gains.hour < hour_of(NOW - timedelta(hours=3))
    sweep(gains, audit, seen=seen)
    sweep(gains, audit, seen=seen)
    assert [one.measure for facts in gains.facts.values() for one in facts.values()] == ["viewed"]
    assert gains.hour == hour_of(NOW - timedelta(hours=2))


def test_what_is_no_doctors_view_in_a_visit_is_not_counted():
    others = [
        view(action="read_timeline"),
        view(role="patient"),
        view(allowed=False),
        view(encounter_id=None),
        view(study_hospital_id=None),
    ]
    gains = FakeGains()
    sweep(gains, FakeAudit(*others))
    assert not gains.facts


def test_an_hour_that_cannot_be_counted_keeps_reminders_from_being_judged():
    gains = FakeGains()
    gains.put(Happening("alerts", "a", DAYS[0], NOW, "H1", "H2", "E1"), NOW)
    gains.dies = OSError
    done = sweep(gains)
    assert (done.faults, done.days) == (1, 0)
