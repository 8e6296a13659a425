"""What the cloud knows of an instance and of a study. Names are the snake_case of the DICOM keyword."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from chalicelib.domain.contact import Contact


@dataclass(frozen=True, slots=True, order=True)
class StudyRef:
    """A study at one hospital. A study is never named by its UID alone: several hospitals may hold one UID."""

    hospital_id: str
    study_instance_uid: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance's bytes lie: one object version, and the range in it (the whole, but for packs)."""

    key: str
    version_id: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Checksum:
    """A full-object checksum that S3 verified. `value` is base64; only equal algorithms can be compared."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class Times:
    """What one instance says of the exam's end; `domain.exam_end` reduces them over the study. Instants are UTC.

    `acquired_at` comes from `source` (the attribute's name); `step_ended_at` is PerformedProcedureStepEnd.
    `evidence` is False for objects made after the exam (SR, KO, PR, SEG, documents) and `capture` True for
    secondary captures, which count only when there is nothing else.
    """

    acquired_at: datetime | None = None
    source: str = "none"
    step_ended_at: datetime | None = None
    evidence: bool = True
    capture: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """Text whose declared character set was wrong or missing: the original bytes (hex) and the codec that fits."""

    codec: str
    original: str


@dataclass(frozen=True, slots=True)
class Header:
    """The indexed attributes of one instance, and `viewer`: DICOM keyword → value for all a viewer needs.

    Text is decoded, without padding; an absent attribute is "" (or None for numbers). DS keeps its text.
    `repaired` is keyed by the field's name here (or the DICOM keyword for values in `viewer`).
    """

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str = ""
    patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    accession_number: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part_examined: str = ""
    institution_name: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    times: Times = field(default_factory=Times)
    viewer: Mapping[str, Any] = field(default_factory=dict)
    repaired: Mapping[str, Repair] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One received instance: an item of the journal and a line of the manifest.

    `received_at` is S3's LastModified of the object version (of the archive, for what was unpacked);
    `checksum` is None inside packs and where S3 holds only a composite one. `declared_sha256` (hex, or "") is what the
    sender says of the bytes, in a pack's index or beside the object: it goes into receipts, and decides nothing.
    """

    header: Header
    place: Place
    received_at: datetime
    checksum: Checksum | None = None
    declared_sha256: str = ""

    @property
    def order(self) -> tuple[datetime, str, int]:
        """The order in which entries of one study count: the first per SOP Instance UID is served."""
        return (self.received_at, self.place.version_id, self.place.offset)


# `withheld`: in a pack together with something excluded; a signed URL would open all of the pack (DESIGN §4.8).
EntryStatus = Literal["served", "duplicate", "divergent", "excluded", "withheld"]


@dataclass(frozen=True, slots=True)
class Amendment:
    """A fact that a person added to a study. `exclude`: the entry at (version_id, offset) is not served, nor is any
    copy of its bytes. `destroy`: the study was disposed of and is nobody's for ever; it names no entry."""

    amendment_id: str
    kind: Literal["exclude", "destroy"]
    version_id: str
    offset: int
    reason: str
    made_by: str
    made_at: datetime


StudyState = Literal["served", "conflicted", "empty", "destroyed"]


@dataclass(frozen=True, slots=True)
class Summary:
    """One study in lists: what SUMMARY holds. `revision` counts flips and is no part of equality.

    `manifest_digest`/`manifest_parts` name the blob it was made from. `instances` counts served instances,
    `entries` everything ever received. `issuer` + `patient_id` is the identity whose timeline it stands in;
    `patient_id` is "" for a placeholder id, which gets no timeline. `regions` (`domain.body_region.Part`s as texts),
    `contrast` and `rejected` are what `domain.examined` read; a study that settled before they were read has none until
    it settles again. One that is `destroyed` has no manifest, and says nothing of anybody.
    """

    ref: StudyRef
    state: StudyState
    manifest_digest: str
    manifest_parts: int
    instances: int
    series: int
    entries: int
    duplicates: int
    divergent: int
    issuer: str
    patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    accession_number: str
    study_date: str
    study_time: str
    study_description: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    series_descriptions: tuple[str, ...]
    institution_name: str
    first_received_at: datetime | None
    last_received_at: datetime | None
    exam_ended_at: datetime | None
    exam_end_source: str
    exam_end_flags: tuple[str, ...]
    regions: tuple[str, ...] = ()
    contrast: Literal["", "plain", "contrast", "both"] = ""
    rejected: bool = False
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Hospital:
    """A registered hospital. `utc_offset_minutes` places times in files that carry no zone of their own; an offset and
    no zone's name, for China has had one without summer time since 1992.

    `weekday_volume`: exams on a usual Monday, …, Sunday; () where nobody said. `default_class`: whose record an exam is
    (domain.retention) that no notice gives a class; "" is unknown.
    One that is not `active` uploads no more since `closed_at` (None: since ever). What had come before stays taken,
    whenever we get to it: in a backlog, in a rebuild years later.
    """

    hospital_id: str
    name: str
    name_en: str = ""
    level: str = ""
    region: str = ""
    utc_offset_minutes: int = 480
    active: bool = True
    closed_at: datetime | None = None
    contacts: tuple[Contact, ...] = field(default=(), repr=False)
    weekday_volume: tuple[int, ...] = ()
    default_class: Literal["", "outpatient", "inpatient"] = ""

    def usual_on(self, day: date) -> int:
        """How many exams are usual on such a weekday, as registered; 0 where nobody said."""
        return self.weekday_volume[day.weekday()] if self.weekday_volume else 0

    def takes(self, received_at: datetime) -> bool:
        """Whether what was received then counts."""
        return self.active or (self.closed_at is not None and received_at < self.closed_at)
