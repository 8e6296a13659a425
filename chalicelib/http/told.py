"""What is told of persons, studies and consents, as types: `shapes` makes them, and `openapi` tells what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from chalicelib.domain.access import Basis, Purpose
from chalicelib.domain.study import EntryStatus, StudyState
from chalicelib.http.json_types import Day, Instant


class Words(TypedDict):
    """A sentence in both languages."""

    zh: str
    en: str


class Ref(TypedDict):
    """A study of one hospital."""

    hospital_id: str
    study_instance_uid: str


class Study(Ref):
    """A study in a list, for who may read it. Values are DICOM's, as text; days and times as DICOM writes them."""

    patient_name: str
    patient_birth_date: str
    patient_sex: str
    accession_number: str
    study_date: str
    study_time: str
    study_description: str
    modalities: Sequence[str]
    body_parts: Sequence[str]
    series_descriptions: Sequence[str]
    institution_name: str
    instances: int
    series: int
    state: StudyState


class Studies(TypedDict):
    """Newest first."""

    studies: Sequence[Study]
    next_token: str


class Refs(TypedDict):
    studies: Sequence[Ref]


class Retention(TypedDict):
    """By which rule and through which day a study must be kept."""

    rule: str
    clause: str
    keep_through: Day
    waits: str
    identity_settled: bool
    has_one_patient: bool
    is_over: bool


class SentStudy(Ref):
    state: StudyState
    accession_number: str
    instances: int
    series: int
    first_received_at: Instant | None
    last_received_at: Instant | None
    exam_ended_at: Instant | None
    exam_end_source: str
    exam_end_flags: Sequence[str]


class SentEntry(TypedDict):
    """An object of a study, or a part of one: `length` bytes from `offset` on."""

    sop_instance_uid: str
    series_instance_uid: str
    key: str
    version_id: str
    offset: int
    length: int
    received_at: Instant
    status: EntryStatus


class Inspected(TypedDict):
    """A study for the hospital that sent it: counts by status, and each object."""

    study: SentStudy
    statuses: Mapping[str, int]
    entries: Sequence[SentEntry]
    next_token: str


class Consent(TypedDict):
    """A consent as its person sees it. `guardian_id`: who gave it, where that was a guardian."""

    consent_id: str
    doctor_id: str
    hospital_id: str
    basis: Basis
    purpose: Purpose
    granted_at: Instant | None
    expires_at: Instant | None
    revoked_at: Instant | None
    guardian_id: str
    studies: Sequence[Ref]


class Consents(TypedDict):
    consents: Sequence[Consent]


class GivenConsent(TypedDict):
    """A consent as the doctor sees it who holds it."""

    consent_id: str
    basis: Basis
    expires_at: Instant | None
    studies: Sequence[Ref]


class Outcome(TypedDict):
    """What became of a doctor's request. `consent` where it was given."""

    state: str
    consent: GivenConsent | None


class AccessedRef(Ref):
    hospital: Words


class AccessedStudy(AccessedRef):
    """By name only where it is the reader's own."""

    study_date: str
    study_description: str
    modalities: Sequence[str]
    body_parts: Sequence[str]


class Access(TypedDict):
    """Who looked or tried to: facts, and one sentence in each language."""

    at: Instant | None
    action: str
    role: str
    subject: str
    name: str
    guardian_id: str
    hospital_id: str
    hospital: Words
    allowed: bool
    reason: str
    basis: str
    purpose: str
    consent_id: str
    encounter_id: str
    study: AccessedStudy | AccessedRef | None
    sentence: Words


class Accesses(TypedDict):
    """Newest first."""

    accesses: Sequence[Access]
    next_token: str


class Request(TypedDict):
    """A doctor's request as the person, or their guardian, sees it."""

    request_id: str
    doctor_id: str
    doctor_name: str
    hospital_id: str
    encounter_id: str
    purpose: Purpose
    asked_at: Instant | None
    expires_at: Instant | None
    state: str


class Agreement(TypedDict):
    """The words that are agreed to."""

    version: str
    zh: str
    en: str


class Requests(TypedDict):
    requests: Sequence[Request]
    notice: Agreement


class Decided(TypedDict):
    state: Literal["approved", "denied"]
    consent: Consent | None


class Qr(TypedDict):
    """What the phone draws; it needs a new one at `expires_at`."""

    qr: str
    expires_at: Instant | None
    notice: Agreement


class Guardianship(TypedDict):
    """To the ward, and to the guardian: each sees the other's name. `ward` is what the guardian's requests name."""

    ward: str
    guardian_id: str
    name: str
    kind: str
    document: str
    hospital_id: str
    proven_at: Instant | None
    starts_at: Instant | None
    ends_at: Instant | None
    objected_at: Instant | None
    ended_at: Instant | None
    is_live: bool


class Guardians(TypedDict):
    guardians: Sequence[Guardianship]


class Wards(TypedDict):
    wards: Sequence[Guardianship]


class StoppedGuardian(TypedDict):
    ward: str
    objected_at: Instant | None


class Notice(TypedDict):
    """What a person is told in the app."""

    notice_id: str
    at: Instant | None
    kind: str
    hospital_id: str
    consent_id: str
    study: Ref | None
    message: Words


class Notices(TypedDict):
    notices: Sequence[Notice]
    next_token: str


class Identity(TypedDict):
    """One of the hospitals' numbers for the person."""

    hospital_id: str
    patient_id: str
    status: str
    confirmed_by: str | None
    contested_because: str
    linked_at: Instant | None
    confirmed_at: Instant | None
    phone: str


class Identities(TypedDict):
    identities: Sequence[Identity]


class ContestedIdentity(TypedDict):
    hospital_id: str
    patient_id: str
    status: str


class Frozen(TypedDict):
    frozen_at: Instant | None
    message: Words


class Hidden(Ref):
    hidden: Literal[True]
    still_open_to: Sequence[Consent]


class Shown(Ref):
    hidden: Literal[False]
