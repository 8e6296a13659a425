"""What a day's sweeps read beside histories of three lengths, and in provinces of three sizes.

The same small day is lived through each time. The history are days before it, told through the same code: exams that
were done long ago. Every read of the sweep's ports is counted, and every item that comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.table import Table

from chalicelib.domain.ledger import Collection
from chalicelib.domain.page import Page
from tests.bench.province.day import live
from tests.bench.province.draft import DAY
from tests.bench.province.draw import Size, draw
from tests.bench.province.drive import Drive
from tests.bench.province.plan import Settle, Study
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import World

SIZE = Size(exams=1500, hospitals=40, every=1800)
HISTORIES = (1, 3, 10)
READS = ("read", "due", "due_between", "of_day", "get", "between", "overlapping", "of_hospital", "opened_until", "list")
READS += ("withdrawals", "has")


def rows(seed):
    """[{kind, times, exams, due, calls, items, differences}]"""
    told = [_row(seed, "history", times, SIZE, times) for times in HISTORIES]
    return told + [_row(seed, "due", times, _larger(times), 1) for times in HISTORIES[1:]]


def _larger(times):
    """More hospitals, no larger ones: a look at a hospital's day reads all exams of it."""
    return replace(SIZE, exams=SIZE.exams * times, hospitals=SIZE.hospitals * times)


def follow_what_is_due(found):
    """Whether sweeps read the same whatever the history, to the item, and the ledger said the truth each time."""
    history = [(row["due"], row["calls"], row["items"]) for row in found if row["kind"] == "history"]
    return len(set(history)) == 1 and not any(row["differences"] for row in found)


def table(found):
    shown = Table(title="What the sweeps of a day read")
    for heading in ("exams in the ledger", "history", "exams judged", "reads", "items read", "items for each judged"):
        shown.add_column(heading, justify="right")
    for row in found:
        history = f"{row['history']} ×"
        cells = (row["exams"], row["due"], row["calls"], row["items"])
        exams, due, calls, items = (f"{cell:,}" for cell in cells)
        shown.add_row(exams, history, due, calls, items, f"{row['items'] / max(1, row['due']):.1f}")
    return shown


def _row(seed, kind, times, size, history):
    province = draw(seed, size)
    world = World(hospitals=FakeHospitals())
    before = _before(province, history)
    _tell(before, world)
    counts = Counter()
    drive = Drive(province, world)
    differences = live(drive, looks=(), gate=lambda port: Counted(port, counts))
    return {
        "kind": kind,
        "history": history,
        "times": times,
        "exams": len(province.exams) + len(before.exams),
        "due": drive.swept["judged"],
        "calls": counts["calls"],
        "items": counts["items"],
        "differences": len(differences),
    }


def _before(province, times):
    """The day's exams that went well, again and again, on days that are long over: before those that teach what is
    usual."""
    done = [exam for exam in province.exams if exam.fate == "as_it_should"]
    exams = tuple(_shifted(exam, 60 + 20 * (number + 1)) for number in range(times) for exam in done)
    return replace(province, exams=exams, outages=())


def _shifted(exam, days):
    """The same exam so many days earlier, under another name."""

    def back(seconds):
        return None if seconds is None else seconds - days * DAY

    def seen(times):
        return tuple(back(at) for at in times)

    def notice(one):
        times = {"sent": back(one.sent), "received": back(one.received), "at": back(one.at), "seen": seen(one.seen)}
        return replace(one, accession=f"{one.accession}-{days}", notice_id=f"{one.notice_id}-{days}", **times)

    def settle(one):
        return Settle(tuple((back(at), count) for at, count in one.runs), seen(one.seen), back(one.waited))

    def study(one):
        settles = tuple(map(settle, one.settles))
        return Study(f"{one.uid}.{days}", f"{one.accession}-{days}", back(one.device_end), settles)

    return replace(exam, notices=tuple(map(notice, exam.notices)), studies=tuple(map(study, exam.studies)))


def _tell(before, world):
    """No sweep: all of it was on time, and nothing is due."""
    drive = Drive(before, world)
    drive.tell_until(before.sweeps[0].at, notices_first=True)


class Counted:
    """A port of the sweep's whose reads are counted."""

    def __init__(self, port, counts):
        self._port, self._counts = port, counts

    def __getattr__(self, name):
        method = getattr(self._port, name)
        if name not in READS or type(self._port) is FakeHospitals:  # a function keeps the hospitals it knows
            return method

        def counted(*given, **named):
            answer = method(*given, **named)
            answer = list(answer) if isinstance(answer, Iterator) else answer
            self._counts["calls"] += 1
            self._counts["items"] += _items(answer)
            return iter(answer) if isinstance(answer, list) else answer

        return counted


def _items(answer):
    if isinstance(answer, Collection):
        return answer.facts.count + 1
    if isinstance(answer, Page):
        return len(answer.items)
    return len(answer) if isinstance(answer, Sequence) and not isinstance(answer, str) else bool(answer)
