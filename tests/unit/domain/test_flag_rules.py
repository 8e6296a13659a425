"""The rules as a table, and what becomes of a flag."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.exam import ExamKey, Excuse, Facts
from chalicelib.domain.flag import ACTS, LISTED, OPEN, VERDICTS, FlagNotSo, Step, answered, assess
from chalicelib.domain.ledger import derive
from chalicelib.domain.rule import BY_NAME, RULES, HospitalDay, find, is_behind, performed
from tests.support.ledger_world import DUE, HOUR, MINUTE, NOON, notice, study

PLACE = ("H1", "2026-11-20", "missed_deadline")
MISSED, MANY, RATE, LONG, SILENT = RULES


(ROW,) = derive(ExamKey("H1", "A1"), Facts((notice(),)), (), NOON.tzinfo)


def exam(standing, accession, completed_at=None):
    return replace(ROW, key=ExamKey("H1", str(accession)), standing=standing, completed_at=completed_at)


def day(usual=None, **counts):
    standings = [standing for standing, count in counts.items() for _ in range(count)]
    return HospitalDay(tuple(exam(standing, number) for number, standing in enumerate(standings)), usual)


@pytest.mark.parametrize(
    ("rule", "seen", "figures"),
    [
        (MISSED, day(on_time=9), None),
        (MISSED, day(late=1, on_time=9), {"late": 1}),
        (MISSED, day(excused=5, pending=5, cancelled=5, scheduled=5, imported=5), None),
        (MANY, day(missing=10, partial=5, late=4), None),
        (MANY, day(missing=10, partial=5, late=5), {"late": 5, "missing": 10, "partial": 5}),
        (RATE, day(on_time=17, missing=2), None),
        (RATE, day(on_time=18, missing=2), None),
        (RATE, day(on_time=17, missing=3), {"due": 20, "on_time": 17, "percent": 85}),
        (RATE, day(on_time=17, missing=3, excused=9, pending=9), {"due": 20, "on_time": 17, "percent": 85}),
        (SILENT, day(usual=None), None),
        (SILENT, day(usual=9), None),
        (SILENT, day(usual=10), {"exams": 0, "usual": 10}),
        (SILENT, day(usual=10, on_time=2), None),
        (SILENT, day(usual=100, missing=19, scheduled=9, cancelled=9, imported=9), {"exams": 19, "usual": 100}),
    ],
)
def test_a_rule_finds_what_its_row_says(rule, seen, figures):
    found = find(rule, seen)
    assert (dict(found.figures) if found else None) == figures


@pytest.mark.parametrize(("after", "found"), [(24 * HOUR - MINUTE, False), (24 * HOUR, True)])
def test_a_long_delay_counts_from_the_due(after, found):
    seen = HospitalDay((exam("late", 1, DUE + after), exam("late", 2, DUE + HOUR), exam("missing", 3)))
    finding = find(LONG, seen)
    assert bool(finding) is found
    if finding:
        assert dict(finding.figures) == {"late": 1, "longest_minutes_after_due": 24 * 60}
        assert [one.key.accession for one in finding.behind] == ["1"]


def test_every_rule_has_a_name_of_its_own_and_says_what_it_means_in_both_languages():
    assert len(BY_NAME) == len(RULES)
    assert all(rule.zh and rule.en and rule.zh != rule.en for rule in RULES)


def test_the_exams_behind_a_finding_are_those_that_a_list_gives():
    seen = HospitalDay(tuple(exam(s, n) for n, s in enumerate(["late", "missing", "on_time", "partial"] * 20)))
    for rule in (MISSED, MANY, RATE):
        assert find(rule, seen).behind == tuple(one for one in seen.exams if is_behind(rule, one))
    assert performed(seen.exams) == 80


def raised(seen, now=NOON, held=None):
    return assess(PLACE, find(MISSED, seen), held, now)


def test_a_flag_names_the_first_of_many_exams_and_says_how_many_there_are():
    flag = raised(day(missing=LISTED + 7))
    assert (len(flag.behind.exams), flag.behind.total, flag.figures) == (LISTED, LISTED + 7, {"missing": LISTED + 7})
    most = day(missing=LISTED + 6).exams
    one, other = (raised(HospitalDay((*most, exam(standing, "zzz")))).behind for standing in ("missing", "partial"))
    assert one.exams == other.exams
    assert one.digest != other.digest


def step(role="hospital", text="", verdict=""):
    return Step(NOON, "raised", "somebody", role, text, verdict)


def through(flag, *acts):
    roles = {"acknowledge": "hospital", "explain": "hospital", "close": "regulator"}
    for act in acts:
        flag = answered(flag, act, step(roles[act], "停电", "upheld" if act == "close" else ""), flag.version)
    return flag


def test_a_flag_is_acknowledged_explained_and_closed_and_keeps_who_said_what():
    flag = through(raised(day(missing=1)), "acknowledge", "explain", "explain", "close")
    assert [one.state for one in flag.steps] == ["acknowledged", "explained", "closed"]
    assert (flag.state, flag.is_open, flag.steps[-1].verdict in VERDICTS) == ("closed", False, True)


@pytest.mark.parametrize(
    ("acts", "act", "role"),
    [
        ((), "acknowledge", "doctor"),
        ((), "explain", "regulator"),
        ((), "close", "hospital"),
        (("acknowledge",), "acknowledge", "regulator"),
        (("close",), "explain", "hospital"),
        (("close",), "close", "regulator"),
        (("explain",), "acknowledge", "hospital"),
    ],
)
def test_what_is_not_theirs_or_too_late_is_refused(acts, act, role):
    flag = through(raised(day(missing=1)), *acts)
    with pytest.raises(FlagNotSo) as refused:
        answered(flag, act, step(role), flag.version)
    assert refused.value.state == flag.state


def test_nobody_answers_what_has_changed_since_they_looked():
    seen = raised(day(missing=1))
    now = raised(day(missing=2), held=seen)
    with pytest.raises(FlagNotSo):
        answered(now, "close", step("regulator"), seen.version)


def test_what_was_closed_is_raised_again_when_what_is_behind_it_changes_and_not_before():
    closed = through(raised(day(missing=2)), "close")
    assert raised(day(missing=2), NOON + HOUR, closed) == closed
    again = raised(day(missing=3), NOON + HOUR, closed)
    assert (again.state, again.raises, again.raised_at, again.steps) == ("raised", 2, NOON + HOUR, ())
    assert again.owed
    better = raised(day(late=1, missing=1), NOON + HOUR, closed)
    assert better.state == "raised"


def test_what_is_explained_stays_so_while_more_comes_behind_it():
    flag = raised(day(missing=3), NOON + HOUR, through(raised(day(missing=2)), "explain"))
    assert (flag.state, flag.figures, flag.raises) == ("explained", {"missing": 3}, 1)


@pytest.mark.parametrize("acts", [(), ("acknowledge",), ("explain",), ("close",)])
def test_a_flag_is_withdrawn_whatever_was_said_when_the_last_exam_is_gone(acts):
    flag = raised(day(on_time=1), NOON + HOUR, through(raised(day(missing=1)), *acts))
    assert (flag.state, flag.behind.total, flag.figures) == ("withdrawn", 0, {})
    assert raised(day(on_time=1), NOON + 2 * HOUR, flag) == flag
    assert raised(day(missing=1), NOON + 2 * HOUR, flag).raises == 2


moves = st.lists(st.integers(0, 3) | st.sampled_from(sorted(ACTS)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(moves)
def test_whatever_happens_a_flag_is_open_exactly_when_there_is_something_nobody_has_closed(done):
    flag, closed = None, None
    for what in done:
        if isinstance(what, int):
            flag = assess(PLACE, find(MISSED, day(missing=what)), flag, NOON + timedelta(hours=len(done)))
            closed = closed if what and closed == what else None
        elif flag and flag.state in ACTS[what].after:
            flag = through(flag, what)
            closed = flag.behind.total if what == "close" else closed
        if flag is None:
            continue
        assert flag.is_open == (flag.behind.total > 0 and closed is None)
        assert (flag.state in OPEN) == flag.is_open
        assert flag.published <= flag.raises


def test_an_outage_told_twice_is_one_whoever_tells_it():
    one = Excuse("H1", NOON, NOON + HOUR, "停电", "r1", NOON)
    assert one.digest == replace(one, made_by="r2", made_at=NOON + HOUR).digest


def test_a_study_alone_counts_as_performed():
    rows = derive(ExamKey("H1", "A1"), Facts(studies=(study(NOON),)), (), NOON.tzinfo)
    assert performed(rows) == 1
