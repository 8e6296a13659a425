"""The oracle: the rules of the ledger applied to what was injected, as known at an instant. Written from the design
alone; it imports nothing of the ledger, and its own hand-written cases are in tests/unit/services/test_province.py.

A row is (standing, due, completed, received), a flag (figures, ((accession, use, standing, due, completed), …)).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise, takewhile
from statistics import median_low
from typing import NamedTuple

HOUR, DAY = 3600, 86400
DUE, PAUSE, TOLERANCE, OLD = 12 * HOUR, 1800, 600, 30 * DAY
GRACE, CAP, PATIENCE, AHEAD = 900, 6 * HOUR, 1800, 2 * HOUR
NEAR = 7 * DAY
MISSES = ("late", "partial", "missing")
LIFE = ("scheduled", "performed", "cancelled")
HOLIDAYS = {f"2026-10-0{number}" for number in range(1, 8)} | {
    "2026-09-20",
    "2026-09-25",
    "2026-09-26",
    "2026-09-27",
    "2026-10-10",
}


class Known(NamedTuple):
    """What the platform knows of an exam: notices in the order sent, of each study (device's end, images received)."""

    notices: tuple
    studies: tuple


class Row(NamedTuple):
    day: str
    standing: str
    ended: int | None
    due: int | None
    completed: int | None
    received: int
    first: int  # the exam's first instant, by which uses of an accession number are counted


def horizon(sweep):
    """What was due by then is judged; None: nothing is."""
    return None if sweep.age is None else sweep.at - min(max(sweep.age, GRACE), CAP)


def known(exam, at):
    seen = [notice for notice in exam.notices if min(notice.seen) <= at]
    order = sorted(seen, key=lambda n: (min(n.sent, n.received), LIFE.index(n.status)))
    last = {(notice.notice_id, notice.status): notice for notice in order}
    studies = []
    for study in exam.studies:
        runs = [one.runs for one in study.settles if min(one.seen) <= at]
        if runs:
            studies.append((study, max(runs, key=lambda all_: sum(count for _, count in all_))))
    return Known(tuple(notice for notice in order if last[notice.notice_id, notice.status] is notice), tuple(studies))


def key_of(exam, told):
    """(hospital, the accession number that anything bears, or the study's UID)."""
    named = [one.accession for one in told.notices] + [study.accession for study, _ in told.studies]
    return exam.hospital_id, next(filter(None, named), "") or told.studies[0][0].uid


def judge(told, place, due_until, outages):
    """How an exam stands by what is known of it."""
    performed = [one for one in told.notices if one.status == "performed"]
    declared = next((one.declared for one in reversed(told.notices) if one.declared), None)
    images = sorted(run for _, runs in told.studies for run in runs)
    completed = _completed(images, declared)
    ended, old = _ended(told, performed, images, completed)
    due = None if ended is None or old else ended + DUE
    said = _said(told.notices)
    if old:
        standing, at = "imported", images[0][0]
    elif said == "cancelled" or due is None or (said == "scheduled" and not images):
        standing = "cancelled" if said == "cancelled" else "scheduled"
        at = next((one.at for one in reversed(told.notices) if one.status == "scheduled"), None) or ended
    else:
        standing, at = _standing(bool(images), completed, due, due_until), ended
        if standing in MISSES and any(_touches(outage, place, ended, due) for outage in outages):
            standing = "excused"
    count = sum(count for _, count in images)
    first = _first(told)
    return Row(_local(at or first, place), standing, ended, due, completed, count, first)


def _standing(begun, completed, due, due_until):
    if completed is not None:
        return "on_time" if completed <= due else "late"
    if due > due_until:
        return "pending"
    return "partial" if begun else "missing"


def _first(told):
    """A cancellation names no time of the exam: it counts only where nothing else does."""
    times = [one.at for one in told.notices if one.at is not None]
    times += [_device(study, runs) or runs[0][0] for study, runs in told.studies]
    times = sorted(times or [min(one.sent, one.received) for one in told.notices], reverse=True)
    near = takewhile(lambda pair: pair[0] - pair[1] <= NEAR, pairwise(times))  # an order beyond was put off to here
    return min([times[0], *(earlier for _, earlier in near)])


def _said(notices):
    said = None
    for notice in notices:
        if (said, notice.status) != ("performed", "scheduled"):
            said = notice.status
    return said


def _completed(images, declared):
    if declared:
        totals = accumulate(count for _, count in images)
        return next((at for (at, _), total in zip(images, totals, strict=True) if total >= declared), None)
    times = [at for at, _ in images]
    paused = (one for one, following in pairwise(times) if following - one >= PAUSE)
    return next(paused, times[-1] if times else None)


def _device(study, runs):
    """By the device's clock, never long after its last image came."""
    end, last = study.device_end, max(at for at, _ in runs)
    return last if end is not None and end > last + TOLERANCE else end


def _ended(told, performed, images, completed):
    """(when it ended: a performed notice, else the devices, else the first image; whether it is an import)."""
    ends = [end for end in (_device(*study) for study in told.studies) if end is not None]
    limits = [completed] if completed else []
    if performed:
        return min(performed[-1].at, performed[-1].received, *limits), False
    if ends:
        return min(max(ends), images[-1][0], *limits), not told.notices and images[0][0] - max(ends) > OLD
    return (images[0][0] if images else None), False


def _touches(outage, place, since, until):
    where = {"all": "", "region": place.region, "hospital": place.hospital_id}[outage.scope]
    return outage.of == where and outage.since <= until and outage.until >= since


def _local(at, place):
    return (datetime.fromtimestamp(at, UTC) + timedelta(minutes=place.offset)).date().isoformat()


def _accepted(province, at):
    """What counts at that instant."""
    return [one for one in province.outages if one.made <= at and (one.withdrawn is None or at < one.withdrawn)]


def rows(province, at, due_until):
    """{(hospital, day): {(accession, use): Row}}"""
    outages = _accepted(province, at)
    places = {place.hospital_id: place for place in province.places}
    found = defaultdict(list)
    for exam in province.exams:
        told = known(exam, at)
        if told.notices or told.studies:
            place = places[exam.hospital_id]
            found[key_of(exam, told)].append((judge(told, place, due_until, outages), exam.patient_id))
    days = defaultdict(dict)
    for (hospital_id, accession), uses in found.items():
        for use, (row, _) in enumerate(sorted(uses, key=lambda one: (one[0].first, one[1])), start=1):
            days[hospital_id, row.day][accession, use] = row
    return dict(days)


def flags(province, days, at, due_until):
    """{(hospital, day, rule): (figures, exams behind it)}"""
    found = {}
    places = {place.hospital_id: place for place in province.places}
    for hospital_id, day in sorted({*days, *((place.hospital_id, province.day) for place in province.places)}):
        exams, place = days.get((hospital_id, day), {}), places[hospital_id]
        begins = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) - place.offset * 60
        over = begins + DAY + DUE <= due_until
        missed = {name: row for name, row in exams.items() if row.standing in MISSES}
        for rule, (figures, behind) in _broken(exams, missed, over=over):
            told = ((*name, row.standing, row.due, row.completed) for name, row in sorted(behind.items()))
            found[hospital_id, day, rule] = (figures, tuple(told))
        usual = _usual(province, place, at, begins)
        count = sum(row.standing not in ("scheduled", "cancelled", "imported") for row in exams.values())
        if over and day == province.day and usual >= 10 and 5 * count < usual:
            found[hospital_id, day, "silent"] = ({"exams": count, "usual": usual}, ())
    return found


def _broken(exams, missed, *, over):
    by_standing = dict(Counter(row.standing for row in missed.values()))
    if missed:
        yield "missed_deadline", (by_standing, missed)
    if len(missed) >= 20:
        yield "many_missed", (by_standing, missed)
    on_time = sum(row.standing == "on_time" for row in exams.values())
    due = on_time + len(missed)
    if over and due >= 20 and 10 * on_time < 9 * due:
        yield "low_rate", ({"due": due, "on_time": on_time, "percent": on_time * 100 // due}, missed)
    very = {name: row for name, row in missed.items() if row.standing == "late" and row.completed - row.due >= DAY}
    if very:
        longest = max((row.completed - row.due) // 60 for row in very.values())
        yield "long_delay", ({"late": len(very), "longest_minutes_after_due": longest}, very)


def _usual(province, place, at, begins):
    """Exams on a usual day of this kind; 0 where silence is not judged."""
    outages = _accepted(province, at)
    if not place.active or province.day in HOLIDAYS or any(_touches(o, place, begins, begins + DAY) for o in outages):
        return 0
    today = datetime.fromisoformat(province.day)
    weeks = ((today - timedelta(weeks=n)).date().isoformat() for n in range(1, 9))
    learnt = [count for week, count in zip(weeks, place.before, strict=False) if week not in HOLIDAYS]
    return median_low(learnt) if len(learnt) >= 4 else place.volume[today.weekday()] if place.volume else 0


def figures(exams):
    """A day's columns, and how many exams took how many minutes from end to complete."""
    counts = Counter(row.standing for row in exams)
    counts["due"] = sum(counts[name] for name in ("on_time", *MISSES))
    timed = [row for row in exams if row.standing in ("on_time", "late")]
    return +counts, Counter((row.completed - row.ended) // 60 for row in timed)


def percentile(delays, percent):
    """Nearest rank."""
    minutes = sorted(delays.elements())
    return minutes[-(-percent * len(minutes) // 100) - 1] if minutes else None


def warnings(province):
    """{(hospital, accession, due)}: told two hours before, once, of exams that wait then and no outage excuses, or when
    that is withdrawn."""
    sweeps = [sweep for sweep in province.sweeps if sweep.age is not None and sweep.age <= PATIENCE]
    places = {place.hospital_id: place for place in province.places}
    found = set()
    for exam in province.exams:
        changes = sorted({min(one.seen) for one in (*exam.notices, *(s for st in exam.studies for s in st.settles))})
        for change, following in pairwise([*changes, sweeps[-1].at + 1]):
            told = known(exam, change)
            row = judge(told, places[exam.hospital_id], 0, ())
            if row.standing != "pending":
                continue
            times = [sweep.at for sweep in sweeps if change <= sweep.at < following and 0 < row.due - sweep.at <= AHEAD]
            if any(not _excused(province, places[exam.hospital_id], row.due, at) for at in times):
                found.add((*key_of(exam, told), row.due))
    return found


def _excused(province, place, due, at):
    return any(_touches(outage, place, due - DUE, due) for outage in _accepted(province, at))
