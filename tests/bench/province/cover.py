"""Whether a day had something of everything: each kind of fact that is injected, each standing, each rule raised. A day
on which nothing of a kind happens proves nothing of it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from chalicelib.domain.rule import RULES
from tests.bench.province import compare, tables, truth

STANDINGS = ("on_time", "late", "partial", "missing", "excused", "cancelled", "scheduled", "imported")
HELD_UP = 1800  # seconds from S3 into our functions


def counted(drive):
    """{what: how many}, after the day."""
    province, world = drive.province, drive.world
    counts = {f"fate {name}": 0 for name in (*tables.FATES, "as_it_should")}
    counts |= Counter(f"fate {exam.fate}" for exam in province.exams)
    counts |= _injected(province)
    rows = truth.rows(province, province.sweeps[-1].at, truth.horizon(province.sweeps[-1]))
    standings = Counter(row.standing for exams in rows.values() for row in exams.values())
    counts |= {f"standing {name}": standings[name] for name in STANDINGS}
    flags = Counter(rule for _, _, rule in compare.ledger_flags(world, province))
    counts |= {f"flag {rule.name}": flags[rule.name] for rule in RULES if _is_judged(rule, province.day)}
    again = sum(flag.raises > 1 for place in province.places for flag in _flags(world, place))
    return counts | {"flag withdrawn and raised again": again, "warning": drive.swept["warned"]}


def lacking(drive):
    return sorted(what for what, count in counted(drive).items() if not count)


def _is_judged(rule, day):
    """Silence is not on holidays."""
    return rule.measure != "volume" or day not in truth.HOLIDAYS


def _flags(world, place):
    return world.flags.of_hospital(place.hospital_id, "0000-00-00", "9999-99-99")


def _injected(province):
    outages = Counter(outage.scope for outage in province.outages)
    notices = [notice for exam in province.exams for notice in exam.notices]
    settles = [one for exam in province.exams for study in exam.studies for one in study.settles]
    return {
        "silent hospital": len(province.silent),
        "absent hospital": sum(not place.active for place in province.places),
        "clock of a hospital off": sum(place.clock_off != 0 for place in province.places),
        **{f"outage of {scope}": outages[scope] for scope in ("hospital", "region", "all")},
        "outage withdrawn": sum(outage.withdrawn is not None for outage in province.outages),
        "event twice": sum(len(one.seen) > 1 for one in (*notices, *settles)),
        "event held up by our queues": sum(min(one.seen) - one.received > HELD_UP for one in notices),
        "notice overtaken": sum(map(_is_overtaken, province.exams)),
        "sweep without a measure": sum(sweep.age is None for sweep in province.sweeps),
    }


def _is_overtaken(exam):
    order = sorted(exam.notices, key=lambda notice: notice.sent)
    return any(min(one.seen) > min(other.seen) for one, other in pairwise(order))
