"""Exams as the ledger knows them: grow-only facts, and the exam that is derived from them (DESIGN §7).

Facts of one accession gather in one collection. They are only ever added, so whoever reads the collection after
adding to it knows at least as much as everyone before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from chalicelib.domain.arrivals import Arrivals


@dataclass(frozen=True, slots=True)
class StudyFact:
    """What one settle learnt of a study, for one of the accession numbers its entries bear.

    `entry_count` (all entries ever received) and `amend_count` only grow, so of several facts of one study that with
    the greatest sum counts. `withdrawn`: the study no longer stands under this accession number.
    """

    study_instance_uid: str
    accession_number: str
    patient_id: str
    modality: str
    exam_ended_at: datetime | None
    exam_end_source: str
    received: Arrivals
    entry_count: int
    amend_count: int
    withdrawn: bool = False

    @property
    def rank(self) -> tuple[int, str]:
        """Order of several facts of one study; the digest only breaks ties, the same way for every reader."""
        return (self.entry_count + self.amend_count, self.digest)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()[:32]

    def to_json(self) -> bytes:
        """Canonical: equal facts give equal bytes."""
        return canonical(
            {
                "study_instance_uid": self.study_instance_uid,
                "accession_number": self.accession_number,
                "patient_id": self.patient_id,
                "modality": self.modality,
                "exam_ended_at": written(self.exam_ended_at),
                "exam_end_source": self.exam_end_source,
                "received": self.received.to_json(),
                "entry_count": self.entry_count,
                "amend_count": self.amend_count,
                "withdrawn": self.withdrawn,
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> StudyFact:
        values = json.loads(body)
        values["exam_ended_at"] = read(values["exam_ended_at"])
        values["received"] = Arrivals.from_json(values["received"])
        return cls(**values)


NoticeStatus = Literal["scheduled", "performed", "cancelled"]
STATUS_ORDER: tuple[NoticeStatus, ...] = ("scheduled", "performed", "cancelled")


@dataclass(frozen=True, slots=True)
class Report:
    """A report that came with a notice: where its bytes lie in the uploads bucket."""

    digest: str
    content_type: str
    key: str
    version_id: str
    length: int


@dataclass(frozen=True, slots=True)
class NoticeFact:
    """What one exam notice says of an exam. `sent_at` is the sender's own, else `received_at`, the LastModified of the
    object it came in: both are in the bucket for ever, so the order of notices never depends on when we read them.
    Holds no name, birth date, national id or phone.
    """

    notice_id: str
    status: NoticeStatus
    sent_at: datetime
    received_at: datetime
    accession_number: str
    patient_id: str
    study_instance_uid: str = ""
    patient_class: str = ""
    modality: str = ""
    procedure: str = ""
    scheduled_at: datetime | None = None
    performed_at: datetime | None = None
    declared_instances: int | None = None
    report: Report | None = None

    @property
    def rank(self) -> tuple[datetime, int, str]:
        """Order of notices: as sent; of those sent in one instant, as an exam's life goes."""
        return (self.sent_at, STATUS_ORDER.index(self.status), self.digest)

    @property
    def about(self) -> datetime | None:
        """The instant of the exam it speaks of; None: a cancellation that does not say."""
        return self.performed_at or self.scheduled_at

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()[:32]

    def to_json(self) -> bytes:
        """Canonical: equal facts give equal bytes."""
        return canonical(
            {
                "notice_id": self.notice_id,
                "status": self.status,
                "sent_at": written(self.sent_at),
                "received_at": written(self.received_at),
                "accession_number": self.accession_number,
                "patient_id": self.patient_id,
                "study_instance_uid": self.study_instance_uid,
                "patient_class": self.patient_class,
                "modality": self.modality,
                "procedure": self.procedure,
                "scheduled_at": written(self.scheduled_at),
                "performed_at": written(self.performed_at),
                "declared_instances": self.declared_instances,
                "report": asdict(self.report) if self.report else None,
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> NoticeFact:
        values = json.loads(body)
        for name in ("sent_at", "received_at", "scheduled_at", "performed_at"):
            values[name] = read(values[name])
        values["report"] = Report(**values["report"]) if values["report"] else None
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Excuse:
    """An outage, accepted by a regulator: exams whose 12 hours overlap [from_at, to_at] are not held against it.

    `withdrawn`: the fact that it does not count, whichever is told first. Of two outages alike, of a hospital
    and of its region, each is withdrawn by itself: `outage_id`.
    """

    hospital_id: str
    from_at: datetime
    to_at: datetime
    reason: str
    made_by: str
    made_at: datetime
    outage_id: str = ""
    withdrawn: bool = False

    @property
    def digest(self) -> str:
        """The same outage told twice is one fact, whoever tells it; its withdrawal bears the same."""
        told = [self.hospital_id, written(self.from_at), written(self.to_at), self.reason, self.outage_id]
        return hashlib.sha256(canonical({"told": told})).hexdigest()[:32]


def counting(excuses: Iterable[Excuse]) -> tuple[Excuse, ...]:
    """Those that were accepted and not withdrawn, in their order."""
    known = tuple(excuses)
    withdrawn = {excuse.digest for excuse in known if excuse.withdrawn}
    return tuple(excuse for excuse in known if excuse.digest not in withdrawn)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known under one accession number of one hospital. `judged_until`: every due up to it has been swept,
    with nothing received before it still on its way through our queues."""

    notices: tuple[NoticeFact, ...] = ()
    studies: tuple[StudyFact, ...] = ()
    judged_until: datetime | None = None
    count: int = 0


# What hospitals write where they have no accession number. Under one of these all their exams would gather.
NO_ACCESSION = re.compile(r"[\W_0]*|NONE|NULL|N/?A|UNKNOWN|TEST|无", re.IGNORECASE)
LONGEST_ACCESSION = 64  # characters; an SH has 16 (PS3.5 6.2), and some write more

ExamState = Literal["scheduled", "expected", "partial", "complete", "missing", "excused", "cancelled"]
Standing = Literal["scheduled", "pending", "on_time", "late", "partial", "missing", "excused", "cancelled", "imported"]
BREACHES: frozenset[Standing] = frozenset({"late", "partial", "missing"})


@dataclass(frozen=True, slots=True, order=True)
class ExamKey:
    """Where an exam's facts gather: a hospital's accession number, or a study UID where it gave none."""

    hospital_id: str
    accession: str

    @classmethod
    def of(cls, hospital_id: str, accession_number: str, study_instance_uid: str) -> ExamKey:
        """The accession number, unless it is a placeholder, or longer than any notice can name."""
        number = accession_number.strip()
        named = len(number) <= LONGEST_ACCESSION and NO_ACCESSION.fullmatch(number) is None
        return cls(hospital_id, number if named else study_instance_uid)


@dataclass(frozen=True, slots=True)
class Exam:
    """One exam of the ledger: a row. `use` counts the uses of its accession number by time, from 1.

    `day` is the local date of the end (scheduled and cancelled orders: of the scheduled time; imported exams: of the
    first arrival, else the reports of these days would not count them). `standing` is the column of the report it
    counts in; `partial` there means: still incomplete when the 12 hours were over. `worklist` names what a person at
    the hospital should look at.
    """

    key: ExamKey
    use: int
    day: str
    state: ExamState
    standing: Standing
    patient_id: str
    patient_class: str
    modality: str
    procedure: str
    study_instance_uids: tuple[str, ...]
    notified: bool
    scheduled_at: datetime | None
    ended_at: datetime | None
    end_source: str
    due_at: datetime | None
    declared: int | None
    received: int
    first_received_at: datetime | None
    completed_at: datetime | None
    amended: bool
    worklist: tuple[str, ...]
    reports: tuple[Report, ...] = ()

    def to_json(self) -> bytes:
        """Canonical: equal rows give equal bytes."""
        values = asdict(self)
        return canonical(values | {name: written(values[name]) for name in _EXAM_INSTANTS})

    @classmethod
    def from_json(cls, body: bytes) -> Exam:
        values = json.loads(body)
        values |= {name: read(values[name]) for name in _EXAM_INSTANTS}
        values |= {name: tuple(values[name]) for name in ("study_instance_uids", "worklist")}
        values["reports"] = tuple(Report(**report) for report in values["reports"])
        return cls(**values | {"key": ExamKey(**values["key"])})

    @property
    def delay(self) -> timedelta | None:
        """From the exam's end to the last image that was needed."""
        return self.completed_at - self.ended_at if self.completed_at and self.ended_at else None


_EXAM_INSTANTS = ("scheduled_at", "ended_at", "due_at", "first_received_at", "completed_at")


def canonical(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
