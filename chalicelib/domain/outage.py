"""An outage that a regulator accepts, and may withdraw: of one hospital, of a region, or of all (DESIGN §7, §8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.deadline import DEADLINE
from chalicelib.domain.exam import Excuse, canonical, written
from chalicelib.domain.study import Hospital

Scope = Literal["hospital", "region", "all"]
LONGEST = timedelta(days=31)
REASON_LENGTH = 500
MARGIN = timedelta(days=1)  # a day's rows are by local date, at most 14 h from UTC


class BadExcuse(ValueError):  # noqa: N818 - named by the fact
    """`field` says what is wrong: from, to, reason, or the region that no hospital is in."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class OutageWithdrawn(Exception):  # noqa: N818 - named by the fact
    """It was accepted once and withdrawn: that stands, whichever is told again. Told in other words it is another."""


@dataclass(frozen=True, slots=True)
class Outage:
    """As a regulator told it. `of` is a hospital's id, a region's name, or "". It becomes an `Excuse` of each hospital
    in turn, by id: `after` is the last that has it, `hospitals` how many do, `spread_at` when all had it.

    With `withdrawal`, why it counts no more, it is the other fact: made by and at are then the withdrawal's own, and it
    goes the same way to the hospitals.
    """

    scope: Scope
    of: str
    from_at: datetime
    to_at: datetime
    reason: str
    made_by: str
    made_at: datetime
    after: str = ""
    hospitals: int = 0
    spread_at: datetime | None = None
    withdrawal: str = ""
    revision: int = field(default=0, compare=False)

    @property
    def outage_id(self) -> str:
        """The same outage told twice is one, whoever tells it."""
        told = [self.scope, self.of, written(self.from_at), written(self.to_at), self.reason]
        return hashlib.sha256(canonical({"told": told})).hexdigest()[:32]

    def touches(self, hospital: Hospital) -> bool:
        return self.scope == "all" or self.of == (hospital.region if self.scope == "region" else hospital.hospital_id)

    def left(self, hospitals: Iterable[Hospital]) -> list[str]:
        """Whom it touches and who does not have it yet, in order. A withdrawal goes to all: who has it may have been
        registered in another region since."""
        touched = (one for one in hospitals if self.withdrawal or self.touches(one))
        return sorted(one.hospital_id for one in touched if one.hospital_id > self.after)

    def excuse(self, hospital_id: str) -> Excuse:
        told = hospital_id, self.from_at, self.to_at, self.reason, self.made_by, self.made_at
        return Excuse(*told, self.outage_id, bool(self.withdrawal))

    def withdrawn(self, why: str, by: str, at: datetime) -> Outage:
        """Raises BadExcuse."""
        if not 0 < len(why.strip()) <= REASON_LENGTH:
            raise BadExcuse("reason")
        fact = replace(self, withdrawal=why, made_by=by, made_at=at, revision=0)
        return replace(fact, after="", hospitals=0, spread_at=None)

    def shortened(self, from_at: datetime, to_at: datetime, by: str, at: datetime) -> Outage:
        """What is left of it, as an outage of its own. Raises BadExcuse where that is not a part of it."""
        if not self.from_at <= from_at < self.to_at:
            raise BadExcuse("from")
        if not from_at < to_at <= self.to_at or (from_at, to_at) == (self.from_at, self.to_at):
            raise BadExcuse("to")
        return Outage(self.scope, self.of, from_at, to_at, self.reason, by, at)


def check(outage: Outage) -> None:
    """Raises BadExcuse."""
    if outage.to_at <= outage.from_at or outage.to_at - outage.from_at > LONGEST:
        raise BadExcuse("to")
    if outage.from_at > outage.made_at:
        raise BadExcuse("from")
    if not 0 < len(outage.reason.strip()) <= REASON_LENGTH:
        raise BadExcuse("reason")


def days(excuse: Excuse) -> Iterator[str]:
    """The local dates on which an exam can have ended whose twelve hours touch the outage."""
    day = (excuse.from_at - DEADLINE - MARGIN).date()
    while day <= (excuse.to_at + MARGIN).date():
        yield day.isoformat()
        day += timedelta(days=1)
