from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.manifest import Manifest, Row
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.ports import Studies
from chalicelib.services.view_manifest import next_page, page_start

PAGE = 1000  # entries in one answer


@dataclass(frozen=True, slots=True)
class Inspected:
    """A study as its hospital may see it: what became of every object it sent. No pixels, and nobody's name."""

    summary: Summary
    statuses: Mapping[str, int]
    entries: tuple[Mapping[str, Any], ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class InspectStudy:
    """What a hospital needs to find a lost, doubled or foreign image among its own uploads, and to exclude it."""

    studies: Studies

    def __call__(self, ref: StudyRef, token: str) -> Inspected | None:
        """None for a study the hospital never sent. Raises ManifestChanged, TokenNotOurs."""
        summary = self.studies.summary(ref)
        if summary is None:
            return None
        if summary.state == "destroyed":
            return Inspected(summary, {}, (), "")
        start = page_start(token, summary.manifest_digest, PAGE)
        body = self.studies.manifest(ref, summary.manifest_digest, summary.manifest_parts)
        rows = [{**series.shared, **row} for series in Manifest.from_json(body).series for row in series.rows]
        page = tuple(_entry(row) for row in rows[start : start + PAGE])
        more = next_page(summary.manifest_digest, start + PAGE) if start + PAGE < len(rows) else ""
        return Inspected(summary, Counter(row["status"] for row in rows), page, more)


def _entry(row: Row) -> dict[str, Any]:
    names = (
        "sop_instance_uid",
        "series_instance_uid",
        "key",
        "version_id",
        "offset",
        "length",
        "received_at",
        "status",
    )
    return {name: row[name] for name in names}
