"""Whatever the order, the repetition and the sweeps between: the same facts end in the same flags of whole days, and
those are what a few plain lines say of the rows."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.hospital_day import DayMark, over_at
from chalicelib.domain.rule import RULES
from chalicelib.domain.study import Hospital
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import HOUR, NOON, World
from tests.unit.services.test_ledger_properties import END, instants, notices, outages, studies

DAYS = ("2026-11-20", "2026-11-21", "2026-11-24")
USUAL = 10
# The same rules with limits that a handful of exams reach.
SMALL = tuple(replace(rule, least=1, limit=min(rule.limit, 60)) for rule in RULES)
MISSED = ("late", "partial", "missing")

numbered = st.integers(1, 3)
facts = st.lists(
    st.tuples(notices() | studies(), numbered).map(
        lambda told: replace(told[0], accession_number=f"A{told[1]}", **_names(told))
    ),
    min_size=1,
    max_size=7,
)
told = st.tuples(facts, outages).map(lambda parts: parts[0] + parts[1])


def _names(fact_and_number):
    fact, number = fact_and_number
    if hasattr(fact, "notice_id"):
        return {"notice_id": f"{fact.notice_id}{number}"}
    return {"study_instance_uid": f"{fact.study_instance_uid}.{number}"}


def opened():
    world = World(hospitals=FakeHospitals(Hospital("H1", "江北医院", weekday_volume=(USUAL,) * 7)), rules=SMALL)
    for day in DAYS:
        world.days.put(DayMark("H1", day, over_at(day, NOON.tzinfo), watched=True))
    return world


def ended(world):
    world.sweep(END)
    found = world.flags.held.values()
    return {(flag.day, flag.rule): flag.behind for flag in found if flag.is_open and flag.day in DAYS}


def plainly(world):
    """The figures of every rule, from the rows, without the rules' own code."""
    rows, found = list(world.ledger.standing().values()), {}
    for day in DAYS:
        of_day = [exam for exam in rows if exam.day == day]
        missed = [exam for exam in of_day if exam.standing in MISSED]
        on_time = sum(exam.standing == "on_time" for exam in of_day)
        performed = sum(exam.standing in ("on_time", "excused", "pending", *MISSED) for exam in of_day)
        excused = world.days.get("H1", day).excused
        late = [exam for exam in of_day if exam.standing == "late" and exam.completed_at >= exam.due_at + HOUR]
        if missed:
            found[day, "missed_deadline"] = len(missed)
        if len(missed) >= 20:
            found[day, "many_missed"] = len(missed)
        if missed and on_time / (on_time + len(missed)) < 0.6:
            found[day, "low_rate"] = len(missed)
        if late:
            found[day, "long_delay"] = len(late)
        if not excused and performed < USUAL * 0.2:
            found[day, "silent"] = 0
    return found


@settings(max_examples=150, deadline=None)
@given(told, st.data())
def test_flags_of_days_end_the_same_in_any_order_and_are_what_the_rows_say(given_facts, data):
    calm = opened()
    for fact in given_facts:
        calm.tell(fact)
    truth = ended(calm)
    assert {place: behind.total for place, behind in truth.items()} == plainly(calm)
    again = data.draw(st.permutations(given_facts + data.draw(st.lists(st.sampled_from(given_facts), max_size=2))))
    world = opened()
    for fact in again:
        world.tell(fact)
        if data.draw(st.booleans()):
            world.sweep(data.draw(instants))
    assert ended(world) == truth
    revisions = [flag.revision for flag in world.flags.held.values()]
    assert ended(world) == truth
    assert [flag.revision for flag in world.flags.held.values()] == revisions
