"""What destroying a study takes: the object versions it lies in, and the certificate that says so afterwards."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chalicelib.domain import upload_key
from chalicelib.domain.disposal import Disposal, Item, Outcome
from chalicelib.domain.retention import CLAUSES, local_day
from chalicelib.domain.study import Amendment, Hospital


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """One object version to be deleted, and its size in bytes."""

    key: str
    version_id: str
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All versions that hold nothing but this study. `kept` counts those that stay, by why; `person_id` is whom to
    tell, "" for nobody."""

    versions: tuple[Planned, ...]
    kept: Mapping[str, int]
    person_id: str = ""

    @property
    def size(self) -> int:
        return sum(version.size for version in self.versions)


def tombstone(disposal: Disposal, number: int) -> Amendment:
    """The fact that ends study `number` of a proposal: the same however often it is made. Names nobody."""
    if disposal.begun_at is None:
        raise ValueError("not begun")
    name = f"{disposal.disposal_id}-{number:03d}"
    return Amendment(name, "destroy", "", 0, "retention_over", disposal.disposal_id, disposal.begun_at)


def archive_prefixes(keys: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """For what was unpacked: (prefix of all that came out of that archive, prefix of the archive's own key, its
    version as the prefix spells it), each once."""
    seen = set()
    for name in keys:
        key = upload_key.parse(name)
        if key is None or key.kind != "unpacked":
            continue
        version = key.rest.split("/", 1)[0]
        day = (key.hospital_id, key.date)
        prefix = f"{upload_key.prefix('unpacked', *day)}{version}/"
        if prefix not in seen:
            seen.add(prefix)
            yield prefix, upload_key.prefix("archives", *day), version


LAW: Final = (
    "医疗机构病历管理规定（2013年版）第二十九条",
    "医疗机构病历管理规定（2013年版） Art. 29",
)


def certificate(disposal: Disposal, hospital: Hospital | None) -> bytes:
    """JSON, the same for the same proposal. Names studies by their UID, for a certificate must say what was destroyed;
    no name, number, birth date, accession number, description or key of a patient's stands in it."""
    rows = [_row(item, outcome) for item, outcome in _pairs(disposal)]
    told = {
        "certificate_of_destruction": disposal.disposal_id,
        "hospital_id": disposal.hospital_id,
        "hospital": hospital.name if hospital else "",
        "law": list(LAW),
        "proposed": _act(disposal.proposed.by, disposal.proposed.at, "hospital"),
        "approved": [
            _act(act.by, act.at, role)
            for role, act in (("privacy_officer", disposal.officer), ("regulator", disposal.regulator))
            if act is not None
        ],
        "begun_at": _instant(disposal.begun_at),
        "executed_at": _instant(last_at(disposal)),
        "destroyed": [row for row in rows if not row["why"]],
        "spared": [row for row in rows if row["why"]],
        "total": totals(disposal),
        "not_destroyed": {"zh": REST_ZH, "en": REST_EN},
    }
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()


REST_ZH: Final = (
    "就诊通知、收件回执、审计记录、另一区域的副本和备份按各自的锁定期限保留；与仍须保存的检查同处一个压缩包的影像、"
    "同用一个检查号的检查通知和报告随其保留，不向任何人提供。"
)
REST_EN: Final = (
    "Notices of visits, receipts, the audit, copies in another region and backups stay for as long as each is locked. "
    "Images in an archive together with a study that must be kept, and notices and reports of an accession number that "
    "stands for one too, stay with it and are given to nobody."
)


def digest(body: bytes) -> str:
    """SHA-256 (hex): what the audit keeps of a certificate."""
    return hashlib.sha256(body).hexdigest()


def last_at(disposal: Disposal) -> datetime | None:
    """When the last study was done: from what is kept, so that writing the certificate again gives the same."""
    return max((outcome.at for outcome in disposal.outcomes), default=disposal.begun_at)


def totals(disposal: Disposal) -> dict[str, Any]:
    """Counts alone: what the commission sees too."""
    done = [outcome for outcome in disposal.outcomes if outcome.is_destroyed]
    kept: Counter[str] = Counter()
    for outcome in done:
        kept.update(outcome.kept)
    return {
        "studies": len(done),
        "versions": sum(outcome.versions for outcome in done),
        "bytes": sum(outcome.size for outcome in done),
        "spared": len(disposal.outcomes) - len(done),
        "kept": dict(sorted(kept.items())),
    }


def figures(items: Collection[Item]) -> list[dict[str, Any]]:
    """Studies as one may see them who sees no person: day, kind, size and rule, in the order of days."""
    rows = [
        {
            "exam_day": item.verdict.exam_day.isoformat() if item.verdict.exam_day else "",
            "modalities": list(item.verdict.modalities),
            "instances": item.verdict.instances,
            "rule": item.verdict.rule,
            "keep_through": item.verdict.keep_through.isoformat() if item.verdict.keep_through else "",
            "last_visit": item.stated.last_visit.isoformat(),
            "last_discharge": item.stated.last_discharge.isoformat() if item.stated.last_discharge else "",
        }
        for item in items
    ]
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def _pairs(disposal: Disposal) -> Iterator[tuple[Item, Outcome]]:
    outcomes = {outcome.study_instance_uid: outcome for outcome in disposal.outcomes}
    for item in disposal.items:
        yield item, outcomes[item.stated.study_instance_uid]


def _row(item: Item, outcome: Outcome) -> dict[str, Any]:
    (row,) = figures([item])
    return row | {
        "study_instance_uid": outcome.study_instance_uid,
        "clause": CLAUSES[item.verdict.rule],
        "at": _instant(outcome.at),
        "why": outcome.why,
        "versions": outcome.versions,
        "bytes": outcome.size,
        "kept": dict(sorted(outcome.kept.items())),
    }


def _act(by: str, at: datetime, role: str) -> dict[str, str | None]:
    return {"by": by, "role": role, "at": _instant(at), "day": local_day(at).isoformat()}


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
