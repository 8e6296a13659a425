"""A province's day from a seed: the same seed is the same day."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from datetime import date, datetime

from tests.bench.province import fates, tables
from tests.bench.province.fates import DAY, HOUR, MINUTE, Draft
from tests.bench.province.plan import Outage, Place, Province, Sweep

OFFSETS = (480, 480, 480, 480, 360, 540)
REGIONS = ("苏南", "苏中", "苏北", "江东", "江西", "湖滨")
LAST = 58 * HOUR  # of the run, from the day's beginning: then the day after is not over yet


@dataclass(frozen=True)
class Size:
    """`trouble`: how much likelier than usual anything goes wrong. `every`: seconds between sweeps."""

    exams: int = 300_000
    hospitals: int = 1578
    trouble: float = 1.0
    every: int = 5 * MINUTE


@dataclass(frozen=True)
class Habits:
    """How a hospital works."""

    hospital_id: str
    declares: bool
    orders: bool
    clock_off: int  # of its RIS, in seconds
    care: float  # how many times the usual exams miss their deadline


@dataclass(frozen=True)
class Scene:
    """`start`: of the day in China's zone."""

    start: int
    queues: Queues
    size: Size


class Queues:
    """Our own: (which, from, to) when nothing was taken from them."""

    def __init__(self, stops):
        self.stops = stops

    def through(self, queue, at, chance):
        """When an event is taken that is sent at this instant; a backlog takes ten minutes to work off."""
        for name, since, until in self.stops:
            if name == queue and since <= at < until:
                return until + chance.randint(0, 10 * MINUTE)
        return at


def draw(seed, size, day="2026-11-24"):
    chance = random.Random(f"province {seed}")  # noqa: S311 - no secret
    start = int(datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp())
    scene = Scene(start, Queues(_stops(chance, start)), size)
    sizes = _sizes(size)
    silent = frozenset(chance.sample(range(len(sizes)), max(1, len(sizes) // 25)))
    places, exams = [], []
    for number, usual in enumerate(sizes):
        own = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
        place = _place(own, number, usual, date.fromisoformat(day).weekday())
        count = own.choice((0, 0, max(0, usual // 10), usual // 5)) if number in silent else usual
        places.append(place)
        exams += _exams(own, place, count if place.active else 0, scene)
    outages = _outages(chance, places, start)
    sweeps = _sweeps(chance, exams, start, size)
    return Province(seed, day, tuple(places), tuple(exams), outages, sweeps)


def _sizes(size):
    """A few huge, many small: Zipf's law, flattened at the top."""
    weights = [1 / (rank + 10) for rank in range(1, size.hospitals + 1)]
    scale = size.exams / sum(weights)
    return [max(1, round(weight * scale)) for weight in weights]


def _place(chance, number, usual, weekday):
    """What is usual is known from registration, from the weeks before, from both or not at all."""
    known = chance.choices(("both", "registered", "learnt", "few", "nothing"), (4, 3, 2, 1, 1))[0]
    weeks = {"both": 8, "learnt": 8, "few": 3}.get(known, 0)
    registered = known in ("both", "registered", "few")
    return Place(
        hospital_id=f"H{number:04d}",
        region=REGIONS[number % len(REGIONS)],
        offset=chance.choice(OFFSETS),
        size=usual,
        volume=tuple(usual + (day == weekday) for day in range(7)) if registered else (),
        before=tuple(round(usual * chance.uniform(0.7, 1.3)) for _ in range(weeks)),
        active=chance.random() > 0.01,
    )


def _exams(chance, place, count, scene):
    midnight = scene.start - (place.offset - 480) * MINUTE
    habits = Habits(
        place.hospital_id,
        declares=chance.random() < 0.8,
        orders=chance.random() < 0.5,
        clock_off=chance.choice((0, 0, 0, 0, -40, 90, 400, -1500)),
        care=chance.choices((0.3, 1, 8, 25), (50, 35, 10, 5))[0],
    )
    weights = _weights(habits, scene.size)
    found = []
    for number in range(count):
        name = f"{int(place.hospital_id[1:]) + 1}-{number + 1}"
        (patient_class,) = chance.choices(tuple(tables.CLASSES), tuple(tables.CLASSES.values()))
        (hour,) = chance.choices(range(24), tables.HOURS[patient_class])
        draft = Draft(chance, habits, scene.queues, name, midnight + hour * HOUR + chance.randrange(HOUR))
        (fate,) = chance.choices((*weights, "as_it_should"), (*weights.values(), max(0, 1000 - sum(weights.values()))))
        found += _happened(draft, fate, found[-1] if found else None)
    return found


def _weights(habits, size):
    return {
        fate: weight * size.trouble * (habits.care if fate in tables.MISSES else 1)
        for fate, weight in tables.FATES.items()
    }


def _happened(draft, fate, before):
    if fate == "reused_after_a_month":
        earlier = Draft(draft.chance, draft.habits, draft.queues, f"{draft.uid[4:]}-9", draft.ended - 30 * DAY)
        earlier.accession, earlier.patient = draft.accession, draft.patient
        fates.as_it_should(earlier)
        yield earlier.made(fate)
    if fate == "reused_by_another":
        fates.reused_by_another(draft, before)
    elif fate == "as_it_should":
        fates.as_it_should(draft)
    else:
        fates.ALL[fate](draft)
    yield draft.made(fate)


def _stops(chance, start):
    """One outage of all our queues by day, one of the notices' by night; each below the sweep's cap of six hours."""
    first = start + chance.randint(9 * HOUR, 20 * HOUR)
    second = start + chance.randint(26 * HOUR, 40 * HOUR)
    until = first + chance.randint(HOUR // 2, 5 * HOUR)
    return (
        ("notices", first, until),
        ("images", first, until),
        ("notices", second, second + chance.randint(HOUR // 2, 4 * HOUR)),
    )


def _outages(chance, places, start):
    """A hospital's, accepted afterwards; a region's, accepted while it lasted; now and then one of all."""
    found = []
    for place in chance.sample(places, max(1, len(places) // 40)):
        since = start + chance.randint(0, 30 * HOUR)
        until = since + chance.randint(HOUR, 10 * HOUR)
        found.append(Outage("hospital", place.hospital_id, since, until, chance.randint(since, until + 12 * HOUR)))
    since = start + chance.randint(4 * HOUR, 30 * HOUR)
    until = since + chance.randint(2 * HOUR, 6 * HOUR)
    found.append(Outage("region", chance.choice(places).region, since, until, chance.randint(since, until + 3 * HOUR)))
    if chance.random() < 0.2:
        since = start + chance.randint(0, 30 * HOUR)
        found.append(Outage("all", "", since, since + HOUR, chance.randint(since, since + 20 * HOUR)))
    return tuple(sorted(found, key=lambda outage: outage.made))


def _sweeps(chance, exams, start, size):
    """From the day's beginning on; for a quarter of an hour, once, our queues cannot be measured."""
    times = range(start, start + LAST + 1, size.every)
    dark = start + chance.randint(20 * HOUR, 50 * HOUR)
    ages = _ages(exams, times)
    return tuple(
        Sweep(at, None if dark <= at < dark + max(15 * MINUTE, size.every) else age)
        for at, age in zip(times, ages, strict=True)
    )


def _ages(exams, times):
    """Of the oldest event that was received and not seen yet, at each of these instants."""
    waits = [(notice.received, min(notice.seen)) for exam in exams for notice in exam.notices]
    waits += [(one.waited, min(one.seen)) for exam in exams for study in exam.studies for one in study.settles]
    waits = sorted(wait for wait in waits if wait[1] >= times[0])
    waiting, place = [], 0
    for at in times:
        while place < len(waits) and waits[place][0] <= at:
            heapq.heappush(waiting, waits[place])
            place += 1
        while waiting and waiting[0][1] <= at:
            heapq.heappop(waiting)
        yield at - waiting[0][0] if waiting else 0
