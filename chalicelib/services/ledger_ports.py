"""What the ledger needs of the world. One behavioural suite runs against the real stores and the fakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.domain.compliance import Figures
from chalicelib.domain.compliance_report import Written
from chalicelib.domain.exam import Exam, ExamKey, Excuse, NoticeFact, StudyFact
from chalicelib.domain.flag import Flag, Step
from chalicelib.domain.hospital_day import DayMark
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.ledger import Collection, Docket, Move
from chalicelib.domain.outage import Outage
from chalicelib.domain.page import Page
from chalicelib.domain.warning import Warned

SHARDS = 16  # of what is due
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

    def page_of_day(self, hospital_id: str, day: str, token: str, limit: int) -> Page[Exam]:
        """The same, part by part. ValueError: not a token of ours."""
        ...

    def rows_of(self, key: ExamKey, docket: Docket) -> tuple[Exam, ...]:
        """The rows that a docket names and that have not vanished, by day and use."""
        ...

    def due(self, shard: int, until: datetime) -> Iterator[ExamKey]:
        """Whose docket in this shard is due by `until`, earliest first; read page by page as it is asked for.
        Eventually consistent: read the docket again before acting on it."""
        ...

    def due_between(
        self, shard: int, after: datetime, until: datetime, since: datetime
    ) -> Iterator[tuple[ExamKey, datetime]]:
        """The same, with each due of a pending exam that is after `after`: of dockets that are due from `since` on."""
        ...


class Excuses(Protocol):
    def put(self, excuse: Excuse) -> None:
        """Grow-only; the same outage told twice is one item, and its withdrawal another. It is due until `applied`."""
        ...

    def has(self, excuse: Excuse) -> bool:
        """Whether it was ever accepted of this hospital; strongly consistent."""
        ...

    def applied(self, excuse: Excuse) -> None:
        """The rows it touches are derived again: it is due no more."""
        ...

    def due(self) -> Iterator[Excuse]:
        """Those not applied (an index: eventually consistent)."""
        ...

    def overlapping(self, hospital_id: str, from_at: datetime, to_at: datetime) -> tuple[Excuse, ...]:
        """Those that count. Strongly consistent, in a fixed order."""
        ...


class Outages(Protocol):
    """As regulators told them, beside the excuses that they become."""

    def put(self, outage: Outage) -> None:
        """To be spread, unless it says that it is; one that is told again begins anew. A withdrawal that is told again
        changes nothing: the first stands."""
        ...

    def come(self, outage: Outage) -> bool:
        """Put as revision + 1 how far it has come, if it still is at `outage.revision`. False: it is not."""
        ...

    def due(self) -> Iterator[Outage]:
        """Those that are not spread yet (an index: eventually consistent)."""
        ...

    def list(self, token: str, limit: int) -> Page[Outage]:
        """All that were accepted, the latest beginning first. ValueError: not a token of ours."""
        ...

    def find(self, outage_id: str) -> Outage | None:
        """As it was accepted. Reads all, of which there are hundreds in a year."""
        ...

    def withdrawals(self, outages: Sequence[Outage]) -> Mapping[str, Outage]:
        """Of these, those that were withdrawn, by id; strongly consistent."""
        ...


class Days(Protocol):
    """The marks of hospitals' days. Reads are strongly consistent but for `due`, which asks an index."""

    def get(self, hospital_id: str, day: str) -> DayMark | None: ...

    def put(self, mark: DayMark) -> bool:
        """Put as revision + 1 if it still is at `mark.revision` (0: absent). False: it is not."""
        ...

    def touch(self, mark: DayMark, due_at: datetime) -> None:
        """It is due, and at another revision, whoever else wrote meanwhile: thousands may at once."""
        ...

    def between(self, hospital_id: str, first_day: str, last_day: str) -> tuple[DayMark, ...]:
        """Both ends included, by day."""
        ...

    def due(self, until: datetime) -> Iterator[tuple[str, str]]:
        """(hospital, day) of those that must be looked at by `until`, earliest first."""
        ...

    def opened_until(self) -> str:
        """The last day that was opened for every hospital; "" for none."""
        ...

    def put_opened_until(self, day: str) -> None: ...


class Warnings(Protocol):
    """What a hospital was warned of."""

    def get(self, hospital_id: str) -> Warned: ...

    def put(self, hospital_id: str, warned: Warned) -> bool:
        """Put as revision + 1 if it still is at `warned.revision`. False: it is not."""
        ...


class Flags(Protocol):
    def get(self, hospital_id: str, day: str, rule: str) -> Flag | None: ...

    def put(self, flag: Flag, step: Step | None = None) -> bool:
        """Put as revision + 1 if it still is at `flag.revision` (0: absent), with a step of its history. False: it is
        not, and nothing was written."""
        ...

    def history(self, place: tuple[str, str, str], token: str, limit: int) -> Page[Step]:
        """All that became of a flag, oldest first. ValueError: not a token of ours."""
        ...

    def of_hospital(self, hospital_id: str, first_day: str, last_day: str) -> tuple[Flag, ...]:
        """Whatever their state, by day and rule. Strongly consistent."""
        ...

    def open(self, token: str, limit: int) -> Page[Flag]:
        """Open flags of all hospitals by day (an index: eventually consistent). ValueError: not a token of ours."""
        ...


class DayFigures(Protocol):
    """A hospital's days in figures, each as its rows were when somebody last looked at the day after it was over."""

    def put(self, hospital_id: str, day: str, figures: Figures, seen: int) -> None:
        """Unless what stands there was seen at a later revision of the day's mark."""
        ...

    def between(self, hospital_id: str, first_day: str, last_day: str) -> Mapping[str, Figures]:
        """By day, both ends included; strongly consistent."""
        ...


class OwedReports(Protocol):
    """Periods whose reports must be made (again)."""

    def owe(self, period: str, token: str) -> None:
        """Blind. `token`: one that was never used before."""
        ...

    def owed(self) -> Sequence[tuple[str, str]]:
        """(period, token), by period; strongly consistent."""
        ...

    def made(self, period: str, token: str) -> None:
        """It is owed no more, unless it was owed again since that token was read."""
        ...


class ComplianceReports(Protocol):
    """`compliance/{period}/…` in the reports bucket."""

    def put(self, key: str, body: bytes, content_type: str) -> None: ...

    def get(self, key: str) -> bytes | None: ...

    def written(self, key: str) -> Written | None: ...

    def oldest_year(self) -> int | None:
        """Of the names of all periods."""
        ...

    def periods_of(self, year: int) -> Sequence[str]:
        """The names of that year's periods of which anything was written."""
        ...


class ReportPage(Protocol):
    def __call__(self, report: Mapping[str, Any]) -> str:
        """A report's values as a web page that needs nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class Derived:
    """The rows as they stand now, and the docket that was written with them."""

    key: ExamKey
    exams: Sequence[Exam]
    docket: Docket
