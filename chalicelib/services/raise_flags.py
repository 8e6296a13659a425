from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.flag import RULES, Flag, Rule, assess
from chalicelib.services.ledger_ports import ExamLedger, Flags
from chalicelib.services.ports import Topic

TRIES = 20


class FlagContended(Exception):  # noqa: N818 - named by the fact
    """Others kept writing this flag. The next sweep tries again."""


@dataclass(frozen=True)
class RaiseFlags:
    """Bring the flags of a hospital's day in line with its rows, and tell of those newly raised.

    A message is owed from the moment a flag is raised until it is marked as told, and the mark follows the message:
    a crash between the two repeats it (at least once), nothing loses it, and without a fault it is sent exactly once.
    """

    ledger: ExamLedger
    flags: Flags
    topic: Topic

    def __call__(self, hospital_id: str, day: str, now: datetime) -> int:
        """How many messages were sent. Raises FlagContended."""
        return sum(self._keep(rule, (hospital_id, day), now) for rule in RULES)

    def _keep(self, rule: Rule, place: tuple[str, str], now: datetime) -> int:
        for _ in range(TRIES):
            held = self.flags.get(*place, rule.name)  # before the rows: whoever read older rows loses the put
            flag = assess(rule, place, self.ledger.of_day(*place), held, now)
            if flag is None:
                return 0
            if flag != held:
                if not self.flags.put(flag):
                    continue
                flag = replace(flag, revision=flag.revision + 1)
            return self._tell(flag) if flag.owed else 0
        raise FlagContended

    def _tell(self, flag: Flag) -> int:
        told = flag.raises
        self.topic.publish(f"{flag.rule} {flag.hospital_id} {flag.day}", message(flag))
        for _ in range(TRIES):
            if self.flags.put(replace(flag, published=told)):
                return 1
            held = self.flags.get(flag.hospital_id, flag.day, flag.rule)
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
