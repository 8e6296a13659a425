"""A province's day from a seed: the same seed is the same day."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, replace
from datetime import date, datetime

from tests.bench.province import fates, tables
from tests.bench.province.draft import DAY, HOUR, MINUTE, Draft
from tests.bench.province.plan import Outage, Place, Province, Sweep

OFFSETS = (480, 480, 480, 480, 360, 540)
REGIONS = ("苏南", "苏中", "苏北", "江东", "江西", "湖滨")
MORNING = 1, 10  # hours of the local day: what ends then is due before the night
NIGHT = 24 * HOUR + HOUR // 2  # of the day after, when the province's own day is over but the west's is not
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


@dataclass(frozen=True)
class Cast:
    """Whom something surely happens to, whatever the seed and the scale: hospitals by number. No outage that is drawn
    touches them.

    stricken  meets every fate once, and misses more than a score of deadlines; an outage of its is accepted, and
              withdrawn
    silent    little of it comes, of hospitals whose usual volume is known
    excused   misses deadlines in an accepted outage
    absent    takes no part
    """

    stricken: int
    silent: int
    excused: int
    absent: int
    also_silent: frozenset[int]

    @classmethod
    def of(cls, chance, hospitals):
        drawn = hospitals - 4
        also = frozenset(chance.sample(range(drawn), drawn // 25))
        return cls(hospitals - 1, hospitals - 2, hospitals - 3, hospitals - 4, also)

    @property
    def spared(self):
        return {f"H{number:04d}" for number in (self.stricken, self.silent, self.excused)}


MANY = 21  # misses of the stricken
LITTLE = 12  # exams, at the least, of a hospital whose silence is heard


def draw(seed, size, day="2026-11-24"):
    chance = random.Random(f"province {seed}")  # noqa: S311 - no secret
    start = int(datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp())
    scene = Scene(start, Queues(_stops(chance, start, size)), size)
    sizes = _sizes(size)
    cast = Cast.of(chance, len(sizes))
    places, exams = [], []
    for number, usual in enumerate(sizes):
        own = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
        place = _place(own, number, usual, date.fromisoformat(day).weekday())
        place, count = _cast(own, cast, number, place)
        places.append(place)
        exams += _exams(own, place, count if place.active else 0, scene, _sure(own, cast, number))
    outages = _outages(chance, places, start, cast)
    sweeps = _sweeps(chance, exams, start, size)
    silent = frozenset(f"H{number:04d}" for number in (cast.silent, *cast.also_silent))
    return Province(seed, day, tuple(places), tuple(exams), outages, sweeps, silent)


def _cast(chance, cast, number, place):
    """A hospital as its part has it, and how many exams it has on the day."""
    usual = place.size
    if number in cast.also_silent:
        return place, chance.choice((0, 0, max(0, usual // 10), usual // 5))
    if number == cast.silent:
        usual = max(usual, LITTLE)
        return replace(place, active=True, offset=480, size=usual, volume=(usual,) * 7, before=()), usual // 10
    if number == cast.stricken:
        return replace(place, active=True, clock_off=place.clock_off or 90), max(usual, 1 + len(tables.FATES) + MANY)
    if number == cast.excused:
        return replace(place, active=True), max(usual, 3)
    return replace(place, active=place.active and number != cast.absent), usual


def _sure(chance, cast, number):
    """The fates of its first exams, which end in the morning. A number is used again after an exam with a notice."""
    if number == cast.stricken:
        last = "reused_by_another"
        once = sorted({*tables.FATES, "as_it_should"} - {last})
        return (*chance.sample(once, len(once)), *("missing",) * MANY, last)
    return ("missing",) * 3 if number == cast.excused else ()


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
        clock_off=chance.choice((0, 0, 0, 0, -40, 90, 400, -1500)),
    )


def _exams(chance, place, count, scene, sure):
    midnight = scene.start - (place.offset - 480) * MINUTE
    habits = Habits(
        place.hospital_id,
        declares=chance.random() < 0.8,
        orders=chance.random() < 0.5,
        clock_off=place.clock_off,
        care=chance.choices((0.3, 1, 8, 25), (50, 35, 10, 5))[0],
    )
    weights = _weights(habits, scene.size)
    found = []
    for number in range(count):
        name = f"{int(place.hospital_id[1:]) + 1}-{number + 1}"
        (patient_class,) = chance.choices(tuple(tables.CLASSES), tuple(tables.CLASSES.values()))
        (hour,) = chance.choices(range(24), tables.HOURS[patient_class])
        hour = chance.randrange(*MORNING) if number < len(sure) else hour
        draft = Draft(chance, habits, scene.queues, name, midnight + hour * HOUR + chance.randrange(HOUR))
        (fate,) = chance.choices((*weights, "as_it_should"), (*weights.values(), max(0, 1000 - sum(weights.values()))))
        fate = sure[number] if number < len(sure) else fate
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


def _stops(chance, start, size):
    """One outage of all our queues by day, one of the notices' by night; each below the sweep's cap of six hours."""
    first = start + chance.randint(9 * HOUR, 20 * HOUR)
    second = start + chance.randint(26 * HOUR, 40 * HOUR)
    until = first + chance.randint(max(HOUR // 2, size.every), 5 * HOUR)
    return (
        ("notices", first, until),
        ("images", first, until),
        ("notices", second, second + chance.randint(HOUR // 2, 4 * HOUR)),
    )


def _outages(chance, places, start, cast):
    """Hospitals', accepted afterwards; a region's, accepted while it lasted; one of all in the night after, which
    leaves the morning's deadlines and, but in the west, the day's silence alone. Some are withdrawn."""
    found = list(_sure_outages(chance, cast, start))
    free = [place for place in places if place.hospital_id not in cast.spared]
    for place in chance.sample(free, max(1, len(free) // 40)):
        since = start + chance.randint(0, 30 * HOUR)
        until = since + chance.randint(HOUR, 10 * HOUR)
        found.append(Outage("hospital", place.hospital_id, since, until, chance.randint(since, until + 12 * HOUR)))
    since = start + chance.randint(4 * HOUR, 30 * HOUR)
    until = since + chance.randint(2 * HOUR, 6 * HOUR)
    spared = {place.region for place in places if place.hospital_id in cast.spared}
    region = chance.choice(sorted({place.region for place in free} - spared))
    found.append(Outage("region", region, since, until, chance.randint(since, until + 3 * HOUR)))
    since = start + chance.randint(NIGHT, 40 * HOUR)
    found.append(Outage("all", "", since, since + HOUR, chance.randint(since, since + 12 * HOUR)))
    return tuple(sorted((_perhaps_withdrawn(chance, one) for one in found), key=lambda outage: outage.made))


def _sure_outages(chance, cast, start):
    """The excused hospital's, and one of the stricken that stands for some hours after its day was judged."""
    morning = start - 2 * HOUR, start + 12 * HOUR
    yield Outage("hospital", f"H{cast.excused:04d}", *morning, start + chance.randint(12 * HOUR, 30 * HOUR))
    made = start + chance.randint(34 * HOUR, 40 * HOUR)
    withdrawn = made + chance.randint(5 * HOUR, 10 * HOUR)
    yield Outage("hospital", f"H{cast.stricken:04d}", *morning, made, withdrawn)


def _perhaps_withdrawn(chance, outage):
    if outage.withdrawn or outage.scope == "hospital" or chance.random() > 0.3:
        return outage
    return replace(outage, withdrawn=outage.made + chance.randint(1, 20 * HOUR))


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
