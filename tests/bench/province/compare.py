"""What the ledger says beside the truth, and where they differ."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from chalicelib.domain.compliance import COUNTS, total
from chalicelib.domain.flag import LISTED
from tests.bench.province import truth
from tests.bench.province.drive import instant


def differences(province, world, sweep):
    """Lines: every row and every open flag, as they stand after this sweep."""
    due_until = truth.horizon(sweep)
    days = truth.rows(province, sweep.at, due_until)
    flags = _listed(truth.flags(province, days, sweep.at, due_until))
    told = ledger_flags(world, province)
    rows = {(*place, *name): row for place, exams in days.items() for name, row in exams.items()}
    early = {place for place, exams in days.items() if any(_is_early(row, due_until) for row in exams.values())}
    early |= {name[:2] for name, (_, behind, _) in told.items() if any(_is_ahead(exam, due_until) for exam in behind)}
    flags, told, held = _without(flags, early), _without(told, early), _only(told, early)
    return [
        *_unequal("exam", _rows(rows), _ledger_rows(world, _places(province, days))),
        *_unequal("flag", flags, told),
        *_unfounded(held, days, due_until),
    ]


def _is_early(row, due_until):
    """Images that came too late speak for themselves in the row. Its flag comes with the sweep that judges its due, or
    with another exam's of that day: until then it may or may not tell of it."""
    return row.standing in truth.MISSES and row.due > due_until


def _is_ahead(exam, due_until):
    """An exam behind a flag that was early: what takes it back, as a corrected end, comes with that sweep as well."""
    *_, due, _ = exam
    return due > due_until


def _without(flags, places):
    return {name: flag for name, flag in flags.items() if name[:2] not in places}


def _only(flags, places):
    return {name: flag for name, flag in flags.items() if name[:2] in places}


def _unfounded(held, days, due_until):
    """Exams behind a flag that missed nothing."""
    for name, (_, behind, _) in held.items():
        for exam in behind:
            accession, use, *_ = exam
            row = days[name[:2]].get((accession, use))
            if not _is_ahead(exam, due_until) and (row is None or row.standing not in truth.MISSES):
                yield f"flag {name}: tells of {accession} {use}, the truth is {row}"


def _unequal(what, expected, found):
    for name in sorted({*expected, *found}, key=str):
        if expected.get(name) != found.get(name):
            yield f"{what} {name}: the truth is {expected.get(name)}, the ledger says {found.get(name)}"


def _places(province, days):
    """Also where no row should be."""
    around = [date.fromisoformat(province.day) + timedelta(days=number) for number in (-2, -1, 0, 1, 2)]
    return sorted({*days, *((one.hospital_id, day.isoformat()) for one in province.places for day in around)})


def _rows(rows):
    return {name: (row.standing, row.ended, row.due, row.completed, row.received) for name, row in rows.items()}


def _ledger_rows(world, places):
    return {
        (*place, exam.key.accession, exam.use): (
            exam.standing,
            seconds(exam.ended_at),
            seconds(exam.due_at),
            seconds(exam.completed_at),
            exam.received,
        )
        for place in places
        for exam in world.ledger.of_day(*place)
    }


def _listed(flags):
    return {name: (figures, behind[:LISTED], len(behind)) for name, (figures, behind) in flags.items()}


def ledger_flags(world, province):
    return {
        flag.place: (flag.figures, tuple(map(_behind, flag.behind.exams)), flag.behind.total)
        for one in province.places
        for flag in world.flags.of_hospital(one.hospital_id, "0000-00-00", "9999-99-99")
        if flag.is_open
    }


def _behind(exam):
    return (exam.accession, exam.use, exam.standing, seconds(exam.due_at), seconds(exam.completed_at))


def seconds(at):
    return None if at is None else int(at.timestamp())


def figure_differences(province, world):
    """The day's columns and percentiles of each hospital, each region and the province, when all is over."""
    last = province.sweeps[-1]
    days = truth.rows(province, last.at, truth.horizon(last))
    expected, found = {}, {}
    find = world.making().find
    for place in province.places:
        exams = days.get((place.hospital_id, province.day), {}).values()
        hospital = world.hospitals.get(place.hospital_id)
        told = find(hospital, [province.day], instant(last.at))[province.day]
        for scope in (place.hospital_id, place.region, "province"):
            expected.setdefault(scope, []).extend(exams)
            found.setdefault(scope, []).append(told)
    return [
        *_unequal(
            "figures",
            {scope: _counted(*truth.figures(exams)) for scope, exams in expected.items()},
            {scope: _told(total(parts)) for scope, parts in found.items()},
        )
    ]


def _counted(counts, delays):
    return dict(counts), dict(delays), [truth.percentile(delays, percent) for percent in (50, 90, 99)]


def _told(figures):
    counts = {name: count for name in COUNTS if (count := getattr(figures, name))}
    return counts, dict(figures.delays), [figures.delay(percent) for percent in (50, 90, 99)]


def warning_differences(province, world):
    """Who was told two hours before of what; a message lists the first hundred and counts them all."""
    expected = truth.warnings(province)
    told = [body for _, body in world.warned.messages]
    listed = Counter((body["hospital_id"], one["accession"], one["due_at"]) for body in told for one in body["exams"])
    named = {(hospital, accession, instant(due).isoformat()) for hospital, accession, due in expected}
    yield from (f"warning {name}: told {n} times" for name, n in listed.items() if n > 1 or name not in named)
    if not any(body["count"] > body["listed"] for body in told):
        yield from (f"warning {name}: never told" for name in sorted(named - set(listed)))
    sums = Counter()
    for body in told:
        sums[body["hospital_id"]] += body["count"]
    counts = Counter(hospital for hospital, _, _ in expected)
    for hospital in sorted({*sums, *counts}):
        if sums[hospital] != counts[hospital]:
            yield f"warnings of {hospital}: the truth is {counts[hospital]}, told were {sums[hospital]}"
