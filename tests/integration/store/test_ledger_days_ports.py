"""The ports of days, outages, warnings and of what was said to flags, as the fakes and AWS keep them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.exam import ExamKey, Excuse
from chalicelib.domain.flag import LISTED, Behind, Flag, FlaggedExam, Step
from chalicelib.domain.hospital_day import DayMark
from chalicelib.domain.ledger import Docket, derive
from chalicelib.domain.outage import Outage
from chalicelib.domain.warning import Warned, told
from chalicelib.store.days import DynamoDays, DynamoWarnings
from chalicelib.store.exams import DynamoExams
from chalicelib.store.flags import DynamoFlags
from chalicelib.store.outages import DynamoExcuses, DynamoOutages
from tests.support.fakes_days import FakeDays, FakeExcuses, FakeOutages, FakeWarnings
from tests.support.fakes_ledger import FakeFlags, FakeLedger
from tests.support.ledger_world import DUE, HOUR, NOON, notice

DAY = "2026-11-20"
PLACE = ("H1", DAY, "missed_deadline")


def port(fake, real):
    @pytest.fixture(params=["fake", "dynamo"])
    def made(request):
        if request.param == "fake":
            return fake()
        cloud = request.getfixturevalue("cloud")
        return real(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])

    return made


ledger = port(FakeLedger, DynamoExams)
flags = port(FakeFlags, DynamoFlags)
excuses = port(FakeExcuses, DynamoExcuses)
outages = port(FakeOutages, DynamoOutages)
days = port(FakeDays, DynamoDays)
warnings = port(FakeWarnings, DynamoWarnings)


def pages(asked):
    """All items of a list asked for two at a time."""
    found, token = [], ""
    while True:
        page = asked(token, 2)
        assert len(page.items) <= 2
        found += page.items
        if not (token := page.next_token):
            return found


# Days


def test_a_days_mark_is_put_by_whoever_read_the_last(days):
    mark = DayMark("H1", DAY, DUE, watched=True, closed=True, excused=True, exams=0, usual=7)
    assert days.get("H1", DAY) is None
    assert days.put(mark)
    assert not days.put(mark)
    held = days.get("H1", DAY)
    assert (held, held.revision) == (mark, 1)
    assert days.put(replace(held, due_at=None))
    assert not days.put(held)
    assert days.get("H1", DAY) == replace(mark, due_at=None)


def test_a_days_mark_that_is_touched_is_due_and_loses_whoever_read_it_before(days):
    mark = DayMark("H1", DAY, closed=True, exams=3, usual=7)
    days.put(mark)
    held = days.get("H1", DAY)
    for _ in range(3):
        days.touch(held, DUE)
    assert not days.put(held)
    touched = days.get("H1", DAY)
    assert (touched, touched.revision) == (replace(mark, due_at=DUE), 4)
    assert list(days.due(DUE)) == [("H1", DAY)]
    assert days.put(replace(touched, due_at=None))
    assert list(days.due(DUE)) == []


def test_days_are_due_until_they_are_looked_at(days):
    for number, hospital in enumerate(("H1", "H2", "H3")):
        days.put(DayMark(hospital, DAY, DUE + number * HOUR))
    assert list(days.due(DUE + HOUR)) == [("H1", DAY), ("H2", DAY)]
    days.put(DayMark("H1", DAY, closed=True, revision=1))
    assert list(days.due(DUE + HOUR)) == [("H2", DAY)]


def test_days_of_a_hospital_between_two(days):
    for day in ("2026-11-19", DAY, "2026-11-21"):
        days.put(DayMark("H1", day, exams=3))
    days.put(DayMark("H2", DAY))
    assert [mark.day for mark in days.between("H1", "2026-11-19", DAY)] == ["2026-11-19", DAY]


def test_until_when_days_were_opened(days):
    assert days.opened_until() == ""
    days.put_opened_until(DAY)
    assert days.opened_until() == DAY


# Outages


def excuse(hospital="H1", reason="停电"):
    return Excuse(hospital, NOON, NOON + HOUR, reason, "r1", NOON)


def test_an_excuse_is_due_until_it_is_applied_and_stands_for_ever(excuses):
    for _ in range(2):
        excuses.put(excuse())
        excuses.put(excuse("H2"))
    assert {one.hospital_id for one in excuses.due()} == {"H1", "H2"}
    excuses.applied(excuse())
    assert [one.hospital_id for one in excuses.due()] == ["H2"]
    assert excuses.overlapping("H1", NOON, NOON) == (excuse(),)
    excuses.put(excuse())
    assert len(list(excuses.due())) == 2


def outage(begin=0, **changes):
    return replace(Outage("region", "苏南", NOON + begin * HOUR, NOON + 99 * HOUR, "停电", "r1", NOON), **changes)


def test_an_outage_is_due_until_every_hospital_has_it(outages):
    outages.put(outage())
    (held,) = outages.due()
    assert (held, held.revision) == (outage(), 1)
    come = replace(held, after="H2", hospitals=2)
    assert outages.come(come)
    assert not outages.come(come)
    (held,) = outages.due()
    assert (held.after, held.hospitals) == ("H2", 2)
    assert outages.come(replace(held, spread_at=DUE))
    assert list(outages.due()) == []
    outages.put(outage())
    assert [one.after for one in outages.due()] == [""]
    assert not outages.come(replace(held, revision=3))


def test_a_withdrawn_excuse_counts_no_more_whichever_is_put_first(excuses):
    gone = replace(excuse(), withdrawn=True, made_at=DUE)
    for facts in ((excuse(), gone), (replace(gone, hospital_id="H2"), excuse("H2"))):
        for one in facts:
            excuses.put(one)
        assert excuses.overlapping(facts[0].hospital_id, NOON, NOON) == ()
        assert {one.withdrawn for one in excuses.due() if one.hospital_id == facts[0].hospital_id} == {False, True}
        for one in facts:
            excuses.applied(one)
    assert list(excuses.due()) == []
    excuses.put(other := excuse(reason="断网"))
    assert excuses.overlapping("H1", NOON, NOON) == (other,)


def test_whether_an_excuse_was_accepted_is_known_without_its_withdrawal(excuses):
    excuses.put(replace(excuse(), withdrawn=True))
    assert not excuses.has(replace(excuse(), withdrawn=True))
    excuses.put(excuse())
    assert excuses.has(replace(excuse(), withdrawn=True))


def test_an_outage_is_found_by_its_id_and_its_first_withdrawal_stands(outages):
    assert outages.find(outage().outage_id) is None
    for begin in range(3):
        outages.put(outage(begin))
    found = outages.find(outage(1).outage_id)
    assert found == outage(1)
    assert outages.withdrawals([outage(begin) for begin in range(3)]) == {}
    assert outages.withdrawals([]) == {}
    first = found.withdrawn("误报", "r2", DUE)
    for one in (first, found.withdrawn("又一个理由", "r3", DUE + HOUR)):
        outages.put(one)
    assert outages.withdrawals([outage(begin) for begin in range(3)]) == {found.outage_id: first}
    assert outages.withdrawals([outage(0), outage(2)]) == {}
    assert [one.withdrawal for one in outages.due()].count("误报") == 1
    (held,) = [one for one in outages.due() if one.withdrawal]
    assert outages.come(replace(held, spread_at=DUE))
    assert not [one for one in outages.due() if one.withdrawal]
    assert [one.withdrawal for one in pages(outages.list)] == ["", "", ""]


def test_outages_are_listed_the_latest_first(outages):
    for begin in range(5):
        outages.put(outage(begin))
    assert [(one.from_at - NOON) // HOUR for one in pages(outages.list)] == [4, 3, 2, 1, 0]


# Warnings


def test_what_a_hospital_was_warned_of_is_put_by_whoever_read_the_last(warnings):
    assert warnings.get("H1") == Warned()
    first = warnings.get("H1").and_of([told("A1", DUE), told("检查/2", DUE + HOUR)], NOON)
    assert warnings.put("H1", first)
    assert not warnings.put("H1", first)
    held = warnings.get("H1")
    assert (held, held.revision, warnings.get("H2")) == (first, 1, Warned())
    assert warnings.put("H1", held.and_of([], DUE))
    assert warnings.get("H1").told == {told("检查/2", DUE + HOUR)}


def test_twenty_thousand_warnings_of_a_hospital_fit_an_item(warnings):
    many = Warned().and_of(
        [told(f"A{number}", DUE + timedelta(seconds=number % 7000)) for number in range(20_000)], NOON
    )
    assert warnings.put("H1", many)
    assert warnings.get("H1") == many


# Exams


def test_what_waits_between_two_instants_whatever_its_docket_is_due_for(ledger):
    names = [ExamKey("H1", f"A{number}") for number in range(4)]
    waiting = [(DUE,), (DUE + HOUR,), (DUE - HOUR, DUE + 2 * HOUR, DUE + 3 * HOUR), (DUE + HOUR,)]
    for key, dues in zip(names, waiting, strict=True):
        first = DUE - 9 * HOUR if key == names[3] else dues[0]
        ledger.put_docket(key, Docket(due_at=first, fact_count=1, waiting=dues))
    found = [one for shard in range(16) for one in ledger.due_between(shard, DUE, DUE + 2 * HOUR, DUE - 2 * HOUR)]
    assert sorted(found) == [(names[1], DUE + HOUR), (names[2], DUE + 2 * HOUR)]


def test_a_docket_of_an_earlier_release_waits_for_its_due(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    ledger, key = DynamoExams(client, table), ExamKey("H1", "A1")
    ledger.put_docket(key, Docket(due_at=DUE + HOUR, fact_count=1, waiting=(DUE + HOUR,)))
    (item,) = client.scan(TableName=table)["Items"]
    client.put_item(TableName=table, Item={name: value for name, value in item.items() if name != "waiting"})
    found = [one for shard in range(16) for one in ledger.due_between(shard, DUE, DUE + HOUR, DUE)]
    assert found == [(key, DUE + HOUR)]


def test_the_rows_of_a_day_come_page_by_page_without_what_has_vanished(ledger):
    key = ExamKey("H1", "检查 #1/x")
    fact = replace(notice(), accession_number=key.accession)
    ledger.put_notice(key, fact)
    (row,) = derive(key, ledger.read(key).facts, (), NOON.tzinfo)
    for accession in ("B", "A", "检查 #1/x", "D", "C"):
        ledger.put_exam(replace(row, key=ExamKey("H1", accession)), 1)
    ledger.bury(ExamKey("H1", "C"), DAY, 1, 1)
    found = pages(lambda token, limit: ledger.page_of_day("H1", DAY, token, limit))
    assert [one.key.accession for one in found] == ["检查 #1/x", "A", "B", "D"]


# Flags


def flag(**changes):
    exams = tuple(FlaggedExam(f"{number:064d}", 1, "missing", DUE, None) for number in range(LISTED))
    return replace(Flag(*PLACE, "raised", Behind((("missing", 9000),), exams, 9000, "d"), NOON), **changes)


def test_the_steps_of_a_flag_are_kept_with_it_or_not_at_all(flags):
    steps = [Step(NOON + number * HOUR, "explained", "h1", "hospital", f"停电 {number}") for number in range(5)]
    assert flags.put(flag(), steps[0])
    assert not flags.put(flag(), steps[4])
    for number in range(1, 5):
        held = flags.get(*PLACE)
        assert flags.put(replace(held, state="explained", steps=(steps[number],)), steps[number])
    assert flags.put(flags.get(*PLACE))
    assert pages(lambda token, limit: flags.history(PLACE, token, limit)) == steps
    assert flags.get(*PLACE).steps == (steps[4],)
    assert flags.history(("H1", DAY, "missed_deadlin"), "", 9).items == ()


@pytest.mark.parametrize("state", ["raised", "acknowledged", "explained", "closed", "withdrawn"])
def test_a_flag_is_in_the_list_of_open_ones_until_it_is_closed_or_withdrawn(flags, state):
    flags.put(flag(state=state))
    assert bool(flags.open("", 9).items) == (state not in ("closed", "withdrawn"))


def test_the_largest_flag_that_there_can_be_fits_an_item(cloud):
    """Accession numbers of 64 characters that no compression helps, and words of 2,000 in each step."""
    import random

    chance = random.Random(7)  # noqa: S311 - made up data
    names = ["".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(64)) for _ in range(LISTED)]
    text = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(2000))
    exams = tuple(FlaggedExam(name, 1, "missing", DUE, None) for name in names)
    steps = tuple(Step(NOON, state, "x" * 128, "hospital", text) for state in ("acknowledged", "explained", "closed"))
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    largest = flag(behind=Behind((), exams, LISTED, "d"), steps=steps)
    assert DynamoFlags(client, table).put(largest, steps[1])
    (item,) = (one for one in client.scan(TableName=table)["Items"] if "body" in one)
    assert len(item["body"]["B"]) < 200_000
