"""The hospital's receipt of a study: a Merkle root over all that arrived, and a statement that names it.

What a leaf says of an entry never changes once it arrived, and the leaves stand in an order of their own: the root is
the same however, how often and in which company the objects came, and another if and only if the set is another. What
became of an entry (served, divergent, excluded) may change later, so it stands beside the leaf, not in it; the
statement holds it by the manifest's digest. infra/RECEIPTS.md says how anybody verifies one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain import merkle
from chalicelib.domain.exam import Exam
from chalicelib.domain.manifest import Manifest, Row
from chalicelib.domain.seal import canonical
from chalicelib.domain.study import EntryStatus, StudyState

FORM = 1  # of statement and leaves; another form gets another number

Leaf = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One entry. `leaf`: what the root is over, JSON-ready; all else of it is `status`."""

    leaf: Leaf
    status: EntryStatus

    @property
    def order(self) -> tuple[str, str, int]:
        return (self.leaf["sop_instance_uid"], self.leaf["version_id"], self.leaf["offset"])


@dataclass(frozen=True, slots=True)
class Statement:
    """What the cloud states, in the names and the form that are told. `entries`: leaves under `root` (RFC 6962, hex);
    `instances`: SOP Instance UIDs among them. `declared` and `complete`: None where no notice says how many."""

    hospital_id: str
    study_instance_uid: str
    entries: int
    instances: int
    root: str
    manifest: str
    revision: int
    state: StudyState
    declared: int | None
    complete: bool | None
    issued_at: str
    form: int = FORM

    def told(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its canonical JSON: what goes on record."""
        return hashlib.sha256(canonical(self.told())).hexdigest()


def arrivals(manifest: Manifest) -> list[Arrived]:
    """Every entry ever received, in the order of the leaves: SOP Instance UID, version id, offset."""
    rows = ({**series.shared, **row} for series in manifest.series for row in series.rows)
    return sorted((Arrived(_leaf(row), row["status"]) for row in rows), key=lambda one: one.order)


def root(arrived: Iterable[Arrived]) -> str:
    """Over entries in their order; hex."""
    return merkle.root(merkle.leaf(canonical(one.leaf)) for one in arrived).hex()


def completeness(exams: Sequence[Exam]) -> tuple[int | None, bool | None]:
    """(declared, complete) over the exams that a study stands in; those that declare nothing say nothing."""
    declaring = [exam for exam in exams if exam.declared is not None]
    if not declaring:
        return None, None
    declared = sum(exam.declared or 0 for exam in declaring)
    return declared, all(exam.received >= (exam.declared or 0) for exam in declaring)


def _leaf(row: Row) -> Leaf:
    """`checksum`: of the whole object, as S3 verified it, "{algorithm}:{base64}". `declared_sha256`: hex, as the sender
    told it in a pack's index or beside the object. "" for what is not known."""
    checksum = row.get("checksum")
    return {
        "sop_instance_uid": row["sop_instance_uid"],
        "series_instance_uid": row["series_instance_uid"],
        "key": row["key"],
        "version_id": row["version_id"],
        "offset": row["offset"],
        "length": row["length"],
        "received_at": row["received_at"],
        "checksum": ":".join(checksum) if checksum else "",
        "declared_sha256": row.get("declared_sha256", ""),
    }
