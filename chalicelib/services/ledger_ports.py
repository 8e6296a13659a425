"""What the ledger needs of the world. One behavioural suite runs against the real stores and the fakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.exam import Exam, ExamKey, Excuse, NoticeFact, StudyFact
from chalicelib.domain.flag import Flag
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.ledger import Collection, Docket, Move
from chalicelib.domain.page import Page

MOVE_LIMIT = 99  # a DynamoDB transaction holds 100 writes, one of them the docket


class ExamLedger(Protocol):
    """Facts, docket and rows. Reads are strongly consistent but for `due`, which asks an index."""

    def put_notice(self, key: ExamKey, fact: NoticeFact) -> None: ...

    def put_notice_id(self, hospital_id: str, fact: NoticeFact) -> None:
        """The same fact under the notice's id and patient, where notices that moved from one accession number to
        another meet."""
        ...

    def of_notice_id(self, hospital_id: str, fact: NoticeFact) -> tuple[NoticeFact, ...]:
        """All facts of that notice's id and patient, in a fixed order."""
        ...

    def put_patient(self, key: ExamKey, patient_id: str) -> None:
        """That notices name this patient under this accession number. Blind and grow-only."""
        ...

    def of_patient(self, identity: IdentityKey) -> tuple[ExamKey, ...]:
        """Where notices named a patient, in a fixed order; what stands there now may be another's."""
        ...

    def put_study(self, key: ExamKey, fact: StudyFact) -> None: ...

    def put_judged(self, key: ExamKey, due_at: datetime) -> None:
        """The fact that a sweep has judged this due. Blind, as the other two: the same fact is the same item."""
        ...

    def read(self, key: ExamKey) -> Collection:
        """An unknown accession number has no facts and an empty docket at revision 0."""
        ...

    def put_docket(self, key: ExamKey, docket: Docket) -> bool:
        """Put as revision + 1 if the docket still is at `docket.revision` and saw no more facts. False: it is not."""
        ...

    def put_exam(self, exam: Exam, fact_count: int) -> bool:
        """Put the row if what stands there saw no more facts. False: it did, and stays."""
        ...

    def bury(self, key: ExamKey, day: str, use: int, fact_count: int) -> bool:
        """Leave a marker where a row has vanished, under the same condition: a late writer cannot bring it back."""
        ...

    def move(self, key: ExamKey, move: Move) -> bool:
        """All of it in one transaction, each part under its own condition. False: nothing was written."""
        ...

    def of_day(self, hospital_id: str, day: str) -> Iterator[Exam]:
        """The rows of a hospital's day, in key order."""
        ...

    def rows_of(self, key: ExamKey, docket: Docket) -> tuple[Exam, ...]:
        """The rows that a docket names and that have not vanished, by day and use."""
        ...

    def due(self, shard: int, until: datetime) -> Iterator[ExamKey]:
        """Whose docket in this shard is due by `until`, earliest first; read page by page as it is asked for.
        Eventually consistent: read the docket again before acting on it."""
        ...


class Excuses(Protocol):
    def put(self, excuse: Excuse) -> None:
        """Grow-only; the same outage told twice is one item."""
        ...

    def overlapping(self, hospital_id: str, from_at: datetime, to_at: datetime) -> tuple[Excuse, ...]:
        """Strongly consistent, in a fixed order."""
        ...


class Flags(Protocol):
    def get(self, hospital_id: str, day: str, rule: str) -> Flag | None: ...

    def put(self, flag: Flag) -> bool:
        """Put as revision + 1 if it still is at `flag.revision` (0: absent). False: it is not."""
        ...

    def of_hospital(self, hospital_id: str, first_day: str, last_day: str) -> tuple[Flag, ...]:
        """Open and withdrawn, by day and rule."""
        ...

    def open(self, token: str, limit: int) -> Page[Flag]:
        """Open flags of all hospitals by day (an index: eventually consistent). ValueError: not a token of ours."""
        ...


class ComplianceReports(Protocol):
    """`compliance/{day}/…` in the reports bucket."""

    def put(self, key: str, body: bytes, content_type: str) -> None: ...

    def get(self, key: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Derived:
    """The rows as they stand now, and the docket that was written with them."""

    key: ExamKey
    exams: Sequence[Exam]
    docket: Docket
