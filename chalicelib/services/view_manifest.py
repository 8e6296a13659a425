"""Everything a viewer needs to show a study: what each image is, and where its bytes may be had for five minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, islice
from typing import Any, Protocol

from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.manifest import Manifest, Row, Series, place_of
from chalicelib.domain.study import Place, StudyRef, Summary
from chalicelib.services.ports import Signer
from chalicelib.services.watch_ports import Lap, untimed

PAGE = 1000  # instances in one answer
MOST_BYTES = 3_000_000  # of what viewers need in one answer; it holds 6 MB, of which 1,000 URLs take 2
URLS_LIVE = timedelta(minutes=5)
DICOM = "application/dicom"

# PS3.4 Annex B.5: classes whose instances are reports. Structured Reporting is the whole 88.* branch.
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."

_STUDY = (
    "patient_id",
    "patient_name",
    "patient_birth_date",
    "patient_sex",
    "accession_number",
    "study_date",
    "study_time",
    "study_description",
    "modalities",
    "body_parts",
    "institution_name",
    "instances",
    "series",
)
_SERIES = ("series_instance_uid", "modality", "series_number", "series_description", "body_part_examined")
_INSTANCE = ("sop_instance_uid", "sop_class_uid", "transfer_syntax_uid", "instance_number", "length")


Urls = Mapping[tuple[str, str], str]  # (key, version_id) → signed URL


class ManifestChanged(Exception):  # noqa: N818 - named by the fact
    """The study was settled anew since the page before: pages of two revisions never mix. Start again."""


class TokenNotOurs(Exception):  # noqa: N818 - named by the fact
    """The continuation token was not made by this service."""


class Authorizes(Protocol):
    """`services.authorize`: a Grant with study and manifest as read for it, or AccessDenied; either is audited."""

    def with_manifest(
        self, caller: Caller, study: StudyRef, now: datetime, lap: Lap
    ) -> tuple[Grant, Summary, bytes]: ...


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report that came with a notice and lies in the uploads bucket."""

    place: Place
    content_type: str
    title: str = ""


class Reports(Protocol):
    """Reports of a study that are no DICOM instances."""

    def __call__(self, ref: StudyRef, accession_number: str) -> Sequence[StoredReport]: ...


@dataclass(frozen=True, slots=True)
class _Part:
    """The instances of one series that stand on this page."""

    series: Series
    rows: Sequence[Row]


@dataclass(frozen=True)
class ViewManifest:
    """GET …/manifest. At most 1,000 instances a page, fewer where they say much of themselves. Each object is signed
    once, so all of a pack share a URL."""

    authorize: Authorizes
    reports: Reports
    signer: Signer

    def __call__(
        self, caller: Caller, ref: StudyRef, token: str, now: datetime, lap: Lap = untimed
    ) -> Mapping[str, Any]:
        """The answer, JSON-ready. `lap` hears of the stages authorize, manifest, sign and answer. Raises AccessDenied,
        ManifestChanged, TokenNotOurs."""
        grant, summary, body = self.authorize.with_manifest(caller, ref, now, lap)
        start = page_start(token, summary.manifest_digest)
        manifest = Manifest.from_json(body)
        if manifest.ref != grant.study:
            raise ManifestChanged("the manifest is of another study")
        room = _fitting(_page(manifest, start, PAGE)) if len(body) > MOST_BYTES else PAGE
        parts = _page(manifest, start, room)
        end = start + sum(len(part.rows) for part in parts)
        reports = [] if start else _report_rows(manifest)
        stored = [] if start else self.reports(summary.ref, summary.accession_number)
        lap("manifest")
        urls = self._sign_once(grant, [row for part in parts for row in part.rows] + reports, now)
        told = [self._stored(grant, report, now) for report in stored]
        lap("sign")
        more = end < summary.instances
        return {
            "study": _study(summary),
            "series": [_series(part, urls) for part in parts],
            "reports": [_report(row, urls) for row in reports] + told,
            "expires_at": min(now + URLS_LIVE, grant.expires_at).isoformat(),
            "next_token": next_page(summary.manifest_digest, end) if more else "",
        }

    def _sign_once(self, grant: Grant, rows: Sequence[Row], now: datetime) -> Urls:
        objects = {(row["key"], row["version_id"]): row for row in rows}
        places = [place_of(row) for row in objects.values()]
        return dict(zip(objects, self.signer.sign(grant, places, now, DICOM), strict=True))

    def _stored(self, grant: Grant, report: StoredReport, now: datetime) -> dict[str, Any]:
        (url,) = self.signer.sign(grant, [report.place], now, report.content_type)
        return {
            "content_type": report.content_type,
            "title": report.title,
            "length": report.place.length,
            "url": url,
        }


def _study(summary: Summary) -> dict[str, Any]:
    named = {"hospital_id": summary.ref.hospital_id, "study_instance_uid": summary.ref.study_instance_uid}
    return {**named, "state": summary.state, **{name: getattr(summary, name) for name in _STUDY}}


def _page(manifest: Manifest, start: int, room: int) -> list[_Part]:
    """Served instances start … start + room, in the manifest's order, by series."""
    parts, skip = [], start
    for series in manifest.series:
        served = list(series.instances())
        rows = list(islice(served, skip, skip + room))
        skip = max(0, skip - len(served))
        room -= len(rows)
        if rows:
            parts.append(_Part(series, rows))
    return parts


def _fitting(parts: Sequence[_Part]) -> int:
    """How many instances fit in an answer, one at least: long cines have kilobytes of frame times each."""
    sizes = accumulate(len(json.dumps(row.get("viewer", {}))) for part in parts for row in part.rows)
    return max(1, sum(size <= MOST_BYTES for size in sizes))


def _series(part: _Part, urls: Urls) -> dict[str, Any]:
    return {
        **_chosen(_SERIES, part.rows[0]),
        "metadata": part.series.viewer,
        "instances": [_instance(row, urls) for row in part.rows],
    }


def _report_rows(manifest: Manifest) -> list[Row]:
    found = (row for series in manifest.series if _may_report(series) for row in series.instances())
    return [row for row in found if _is_report(row["sop_class_uid"])]


def _report(row: Row, urls: Urls) -> dict[str, Any]:
    return {**_instance(row, urls), "content_type": DICOM, "title": row.get("series_description", "")}


def _instance(row: Row, urls: Urls) -> dict[str, Any]:
    made = _chosen(_INSTANCE, row)
    made["url"] = urls[row["key"], row["version_id"]]
    offset = row["offset"]
    if offset:  # single objects start at 0; in a pack the index does
        made["range"] = f"bytes={offset}-{offset + row['length'] - 1}"
    made["metadata"] = row.get("viewer", {})
    return made


def _chosen(names: Sequence[str], row: Row) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _may_report(series: Series) -> bool:
    """Most series are of one class, which stands once in `shared`: no need to look at each of 300 slices."""
    return "sop_class_uid" not in series.shared or _is_report(series.shared["sop_class_uid"])


def _is_report(sop_class_uid: str) -> bool:
    return sop_class_uid == ENCAPSULATED_PDF or sop_class_uid.startswith(STRUCTURED_REPORTS)


def next_page(digest: str, start: int) -> str:
    """The continuation token. It names the manifest that its pages are cut from."""
    return f"{start}.{digest}"


def page_start(token: str, digest: str, size: int = 1) -> int:
    """Where the page begins. Raises TokenNotOurs; ManifestChanged where the pages before were cut from another."""
    if not token:
        return 0
    start, dot, of = token.partition(".")
    if not (dot and of and start.isascii() and start.isdigit() and len(start) < 8 and int(start) % size == 0):
        raise TokenNotOurs("not a continuation token")
    if of != digest:
        raise ManifestChanged("the study was settled anew")
    return int(start)
