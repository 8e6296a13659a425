from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.flag import Flag, Step, assess
from chalicelib.domain.rule import RULES, Finding, HospitalDay, Rule, find, performed
from chalicelib.services.keep_figures import KeepFigures
from chalicelib.services.ledger_ports import ExamLedger, Flags
from chalicelib.services.look_at_day import LookAtDay
from chalicelib.services.ports import Topic

TRIES = 20


class FlagContended(Exception):  # noqa: N818 - named by the fact
    """Others kept writing this flag. The next sweep tries again."""


@dataclass(frozen=True)
class RaiseFlags:
    """Bring flags and figures of a hospital's day in line with its rows, and tell of flags newly raised.

    A message is owed from the moment a flag is raised until it is marked as told, and the mark follows the message:
    a crash between the two repeats it (at least once), nothing loses it, and without a fault it is sent exactly once.
    """

    ledger: ExamLedger
    flags: Flags
    look: LookAtDay
    topic: Topic
    keep: KeepFigures
    rules: tuple[Rule, ...] = RULES

    def __call__(self, hospital_id: str, day: str, now: datetime, horizon: datetime) -> int:
        """How many messages were sent. `horizon`: all that was received before it is in the rows. Raises FlagContended
        and DayContended."""
        mark = self.look.begin(hospital_id, day, horizon)
        for _ in range(TRIES):
            # Flags before the rows: whoever read older rows loses the put.
            held = {flag.rule: flag for flag in self.flags.of_hospital(hospital_id, day, day)}
            seen = HospitalDay(tuple(self.ledger.of_day(hospital_id, day)), mark.expected)
            rules = [rule for rule in self.rules if mark.closed or not rule.when_over]
            found = {rule.name: find(rule, seen) for rule in rules}
            found |= dict.fromkeys(held.keys() - {rule.name for rule in self.rules})  # of rules that are no more
            stand = self._stand(found, (hospital_id, day), held, now)
            if stand is None:
                continue
            messages = sum(self._tell(flag) for flag in stand if flag.owed)
            self.keep(mark, seen.exams, now)
            self.look.end(mark, performed(seen.exams))
            return messages
        raise FlagContended

    def _stand(
        self, found: Mapping[str, Finding | None], place: tuple[str, str], held: Mapping[str, Flag], now: datetime
    ) -> list[Flag] | None:
        """The flags as they now stand; None when another was faster."""
        stand = []
        for rule, finding in found.items():
            before = held.get(rule)
            flag = assess((*place, rule), finding, before, now)
            if flag is None:
                continue
            if flag != before:
                moved = before is None or before.state != flag.state
                if not self.flags.put(flag, Step(now, flag.state) if moved else None):
                    return None
                flag = replace(flag, revision=flag.revision + 1)
            stand.append(flag)
        return stand

    def _tell(self, flag: Flag) -> int:
        told = flag.raises
        self.topic.publish(f"{flag.rule} {flag.hospital_id} {flag.day}", message(flag))
        for _ in range(TRIES):
            if self.flags.put(replace(flag, published=told)):
                return 1
            held = self.flags.get(*flag.place)
            if held is None or held.published >= told:
                return 1
            flag = held
        raise FlagContended


def message(flag: Flag) -> dict[str, object]:
    """What subscribers get: rule and figures, and where the exams are named. No accession number leaves by mail."""
    return {
        "event": "flag_raised",
        "rule": flag.rule,
        "hospital_id": flag.hospital_id,
        "day": flag.day,
        "figures": flag.figures,
        "raised_at": flag.raised_at.isoformat(),
        "report": f"compliance/{flag.day}/{flag.hospital_id}.json",
    }
