"""What leaves about a hospital's own uploads: receipts and quarantine. No pixels, and nobody's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast

from chalicelib.domain.exam import ExamState
from chalicelib.domain.quarantine import REASONS
from chalicelib.domain.release import GROUNDS, Ground, Standing, State, grounds
from chalicelib.domain.seal import hour_name
from chalicelib.domain.study import EntryStatus, StudyState
from chalicelib.http import told as types
from chalicelib.http.json_types import Instant
from chalicelib.http.shapes import instant

if TYPE_CHECKING:
    from chalicelib.domain.exam import Exam
    from chalicelib.domain.page import Page
    from chalicelib.services.give_receipt import Receipt
    from chalicelib.services.list_quarantine import Quarantined


class ReceiptStatement(types.Ref):
    """What the cloud states. `entries`: leaves under `root` (RFC 6962, hex); `instances`: SOP Instance UIDs among them;
    `manifest`: its digest. `declared`, `complete`: null where no notice says how many."""

    entries: int
    instances: int
    root: str
    manifest: str
    revision: int
    state: StudyState
    declared: int | None
    complete: bool | None
    issued_at: Instant
    form: int


class ReceiptConflicts(TypedDict):
    """`divergent`: how many entries say something else under a SOP Instance UID that came before."""

    several_patients: bool
    divergent: int


class ReceiptExam(TypedDict):
    accession_number: str
    state: ExamState
    declared: int | None
    received: int
    ended_at: Instant | None
    due_at: Instant | None
    completed_at: Instant | None


class ReceiptLeaf(TypedDict):
    """What the root is over. `checksum`: of the whole object, "{algorithm}:{base64}"; `declared_sha256`: hex, as the
    sender told it. "" for what is not known. `length` in bytes."""

    sop_instance_uid: str
    series_instance_uid: str
    key: str
    version_id: str
    offset: int
    length: int
    received_at: Instant
    checksum: str
    declared_sha256: str


class ReceiptEntry(TypedDict):
    arrived: ReceiptLeaf
    status: EntryStatus


class StudyReceipt(TypedDict):
    """As infra/RECEIPTS.md describes it: hospitals keep this for years. `sealed_with`: the hour of the audit;
    `first`: the index of this part's first entry among all leaves."""

    statement: ReceiptStatement
    statement_sha256: str
    event_id: str
    sealed_with: str
    statuses: Mapping[str, int]
    conflicts: ReceiptConflicts
    exams: Sequence[ReceiptExam]
    first: int
    entries: Sequence[ReceiptEntry]
    next_token: str


class QuarantineStanding(TypedDict):
    """How it stands since. `ground` of the last request for release; `note` of its decision."""

    state: State
    ground: str
    asked_at: Instant | None
    decided_at: Instant | None
    note: str
    closed_at: Instant | None


class QuarantineReason(TypedDict):
    """Why it could not be indexed: in one word, in a sentence, and what the hospital can do about it."""

    reason: str
    message: types.Words
    remedy: types.Words


class ReplacedBy(TypedDict):
    """An entry of a study; or a notice, by its digest."""

    study_instance_uid: str
    version_id: str
    offset: int
    notice: str


class OwnQuarantined(QuarantineReason, QuarantineStanding):
    """An entry for the hospital that sent it. `size` in bytes; `release_grounds`: on which a release may be asked for.
    `replaced_by` where it is closed."""

    entry_id: str
    key: str
    version_id: str
    size: int
    received_at: Instant | None
    detail: str
    sop_instance_uid: str
    recorded_at: Instant | None
    release_grounds: Mapping[Ground, types.Words]
    replaced_by: ReplacedBy | None


class AllOwnQuarantined(TypedDict):
    """Oldest date of upload first."""

    records: Sequence[OwnQuarantined]
    next_token: str


class AskedRelease(QuarantineReason, QuarantineStanding):
    """A request for release, for the commission."""

    hospital_id: str
    entry_id: str
    size: int


class AskedReleases(TypedDict):
    requests: Sequence[AskedRelease]
    next_token: str


class QuarantinedAbroad(AskedRelease):
    """An entry for the commission. A key is the hospital's own words and may name a patient; so may a study."""

    received_at: Instant | None
    recorded_at: Instant | None


class AllQuarantinedAbroad(TypedDict):
    """Oldest date of upload first."""

    records: Sequence[QuarantinedAbroad]
    next_token: str


def receipt(found: Receipt) -> StudyReceipt:
    return {
        "statement": cast(ReceiptStatement, found.statement.told()),
        "statement_sha256": found.statement.digest,
        "event_id": found.event_id,
        "sealed_with": hour_name(found.issued_at),
        "statuses": found.statuses,
        "conflicts": {
            "several_patients": found.statement.state == "conflicted",
            "divergent": found.statuses.get("divergent", 0),
        },
        "exams": [_exam(one) for one in found.exams],
        "first": found.first,
        "entries": [{"arrived": cast(ReceiptLeaf, one.leaf), "status": one.status} for one in found.entries],
        "next_token": found.next_token,
    }


def _exam(found: Exam) -> ReceiptExam:
    return {
        "accession_number": found.key.accession,
        "state": found.state,
        "declared": found.declared,
        "received": found.received,
        "ended_at": instant(found.ended_at),
        "due_at": instant(found.due_at),
        "completed_at": instant(found.completed_at),
    }


def own_quarantine(found: Page[Quarantined]) -> AllOwnQuarantined:
    return {"records": [quarantined(one) for one in found.items], "next_token": found.next_token}


def quarantined(found: Quarantined) -> OwnQuarantined:
    record, standing = found
    possible = grounds(record.key, record.reason) if standing.state != "closed" else ()
    return {
        "entry_id": record.entry_id,
        "key": record.key,
        "version_id": record.version_id,
        "size": record.size,
        "received_at": instant(record.received_at),
        **_reason(record.reason),
        "detail": record.detail,
        "sop_instance_uid": record.sop_instance_uid,
        "recorded_at": instant(record.recorded_at),
        "release_grounds": {ground: types.Words(en=en, zh=zh) for ground in possible for en, zh in [GROUNDS[ground]]},
        **standing_of(standing),
        "replaced_by": _replacement(standing),
    }


def quarantine_abroad(found: Page[Quarantined]) -> AllQuarantinedAbroad:
    return {"records": [quarantined_abroad(one) for one in found.items], "next_token": found.next_token}


def quarantined_abroad(found: Quarantined) -> QuarantinedAbroad:
    record, standing = found
    return {
        "received_at": instant(record.received_at),
        "recorded_at": instant(record.recorded_at),
        **waiting(Standing(record.hospital_id, record.entry_id, reason=record.reason, size=record.size)),
        **standing_of(standing),
    }


def releases(found: Page[Standing]) -> AskedReleases:
    return {"requests": [waiting(one) for one in found.items], "next_token": found.next_token}


def waiting(standing: Standing) -> AskedRelease:
    return {
        "hospital_id": standing.hospital_id,
        "entry_id": standing.entry_id,
        **_reason(standing.reason),
        "size": standing.size,
        **standing_of(standing),
    }


def standing_of(standing: Standing) -> QuarantineStanding:
    return {
        "state": standing.state,
        "ground": standing.ground,
        "asked_at": instant(standing.asked_at),
        "decided_at": instant(standing.decided_at),
        "note": standing.note,
        "closed_at": instant(standing.closed_at),
    }


def _reason(name: str) -> QuarantineReason:
    reason = REASONS[name]
    return {
        "reason": name,
        "message": {"en": reason.en, "zh": reason.zh},
        "remedy": {"en": reason.remedy_en, "zh": reason.remedy_zh},
    }


def _replacement(standing: Standing) -> ReplacedBy | None:
    if standing.state != "closed":
        return None
    return {
        "study_instance_uid": standing.study_instance_uid,
        "version_id": standing.version_id,
        "offset": standing.offset,
        "notice": standing.notice,
    }
