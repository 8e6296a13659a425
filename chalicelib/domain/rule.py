"""When a hospital's day is flagged: the rules as one table, and the little that reads it (DESIGN §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from chalicelib.domain.exam import BREACHES, Exam, Standing

Measure = Literal["misses", "rate", "delay", "volume"]
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """`limit` is in the unit of the measure:

    misses  at least so many exams missed the twelve hours
    rate    fewer than so many per cent of the exams due were on time
    delay   at least one exam was complete so many minutes after its due, or later; what never came is a miss, no delay
    volume  fewer exams than so many per cent of what is usual on such a day

    Of fewer exams due (rate) or usual (volume) than `least` a rule says nothing: per cents of a handful mean little.
    """

    name: str
    measure: Measure
    limit: int
    zh: str
    en: str
    least: int = 1

    @property
    def when_over(self) -> bool:
        """Whether it speaks only once all of the day's exams are due: shares of half a day would come and go."""
        return self.measure in ("rate", "volume")


RULES = (
    # DESIGN §7: 12 hours from the end of the exam. One exam is enough.
    Rule("missed_deadline", "misses", 1, "有检查未在12小时内上传完整", "exams were not complete within 12 hours"),
    Rule("many_missed", "misses", 20, "一日内20例及以上未按时上传", "20 exams or more of a day missed the 12 hours"),
    Rule("low_rate", "rate", 90, "按时上传率低于90%", "fewer than 90 % of the exams were on time", least=20),
    Rule("long_delay", "delay", 24 * 60, "有检查超期24小时以上才传完", "exams came 24 hours or more after their due"),
    Rule("silent", "volume", 20, "检查量不足平日同期的20%", "fewer than 20 % of the usual exams", least=10),
)
BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class HospitalDay:
    """What the rules look at. `usual`: exams that are usual on such a day; None where silence is not judged (no exam
    is usual, a holiday, an excused outage, a hospital that was not yet or no longer taking part)."""

    exams: Sequence[Exam]
    usual: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a day breaks: its figures by name, and every exam behind it."""

    figures: tuple[tuple[str, int], ...]
    behind: tuple[Exam, ...] = ()


def find(rule: Rule, day: HospitalDay) -> Finding | None:
    """A pure function of the day: None where the rule is kept."""
    return _MEASURES[rule.measure](rule, day)


def is_behind(rule: Rule, exam: Exam) -> bool:
    """Whether an exam is among those behind a flag of this rule, if there is one."""
    if rule.measure == "delay":
        return _minutes_late(exam) >= rule.limit
    return rule.measure != "volume" and exam.standing in BREACHES


def performed(exams: Sequence[Exam]) -> int:
    """Exams that took place on the day: all but orders, cancelled ones and imports of old ones."""
    return sum(exam.standing not in _NOT_PERFORMED for exam in exams)


_NOT_PERFORMED: frozenset[Standing] = frozenset({"scheduled", "cancelled", "imported"})


def _misses(rule: Rule, day: HospitalDay) -> Finding | None:
    behind = tuple(exam for exam in day.exams if is_behind(rule, exam))
    return Finding(_by_standing(behind), behind) if len(behind) >= rule.limit else None


def _rate(rule: Rule, day: HospitalDay) -> Finding | None:
    behind = tuple(exam for exam in day.exams if is_behind(rule, exam))
    on_time = sum(exam.standing == "on_time" for exam in day.exams)
    due = on_time + len(behind)
    if due < rule.least or on_time * 100 >= rule.limit * due:
        return None
    return Finding((("due", due), ("on_time", on_time), ("percent", on_time * 100 // due)), behind)


def _delay(rule: Rule, day: HospitalDay) -> Finding | None:
    behind = tuple(exam for exam in day.exams if is_behind(rule, exam))
    if not behind:
        return None
    longest = max(map(_minutes_late, behind))
    return Finding((("late", len(behind)), ("longest_minutes_after_due", longest)), behind)


def _volume(rule: Rule, day: HospitalDay) -> Finding | None:
    """Behind silence there are no exams."""
    count = performed(day.exams)
    if day.usual is None or day.usual < rule.least or count * 100 >= rule.limit * day.usual:
        return None
    return Finding((("exams", count), ("usual", day.usual)))


_MEASURES: Mapping[Measure, Callable[[Rule, HospitalDay], Finding | None]] = {
    "misses": _misses,
    "rate": _rate,
    "delay": _delay,
    "volume": _volume,
}


def _by_standing(exams: Sequence[Exam]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter[str](exam.standing for exam in exams).items()))


def _minutes_late(exam: Exam) -> int:
    """Whole minutes from its due to its completion, of an exam that counts as late; -1 for every other."""
    if exam.standing != "late" or exam.completed_at is None or exam.due_at is None:
        return -1
    return (exam.completed_at - exam.due_at) // MINUTE
