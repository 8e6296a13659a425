"""QIDO-RS: studies, series and instances among what the caller may see (PS3.18 §10.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from chalicelib.dicom.attributes import Level
from chalicelib.dicom.query import MORE, Query, Values, read_query
from chalicelib.domain.access import Caller
from chalicelib.domain.manifest import Manifest, Series
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.list_covered import Covered, ListCovered
from chalicelib.services.open_study import OpenStudy

Result = Mapping[str, Any]


class ManifestOf(Protocol):
    """The part of `ports.Studies` that gives a study's manifest."""

    def manifest(self, ref: StudyRef, digest: str, parts: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: at what level, by which parameters as asked, and the URL beneath which DICOMweb answers."""

    level: Level
    params: Sequence[tuple[str, str]]
    base: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results in the DICOM JSON Model, and what a Warning 299 has to say."""

    results: Sequence[Result]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class SearchImages:
    """GET …/studies, /series, /instances."""

    covered: ListCovered
    open_study: OpenStudy
    studies: ManifestOf

    def __call__(self, caller: Caller, search: Search, now: datetime, ward: str = "") -> Found:
        """Over all that the caller may see. Raises BadQuery, and as `ListCovered`."""
        query, base = read_query(search.params, search.level), search.base
        mine = self.covered(caller, now, ward)
        matching = [one for one in mine if query.matches(study_values(one.summary, base), "study")]
        if query.level == "study":
            shown = matching[query.offset : query.offset + query.limit]
            results = [query.answer(study_values(one.summary, base), relational=True) for one in shown]
            self.covered.tell(caller, shown, now)
            return _found(query, results, len(matching))
        return self._beneath(caller, query, matching, base, now)

    def within(self, caller: Caller, search: Search, named: tuple[str, str], now: datetime) -> Found:
        """In one study, or one series of it ("": all): `named` are their UIDs. Raises BadQuery, AccessDenied,
        AuditFailed."""
        query, base, (uid, series_uid) = read_query(search.params, search.level), search.base, named
        opened = self.open_study(caller, uid, now)
        values = list(_matching(query, opened.summary, opened.manifest(), base))
        of_series = [one for one in values if series_uid in ("", one["series_instance_uid"])]
        page = of_series[query.offset : query.offset + query.limit]
        return _found(query, [query.answer(one, relational=False) for one in page], len(of_series))

    def _beneath(self, caller: Caller, query: Query, studies: Sequence[Covered], base: str, now: datetime) -> Found:
        """Manifest after manifest, as far as the page goes; one result beyond it says that there are more."""
        shown: dict[StudyRef, Covered] = {}
        end, found = query.offset + query.limit, 0
        results: list[Result] = []
        for one in studies:
            if found > end:
                break
            summary = one.summary
            body = self.studies.manifest(summary.ref, summary.manifest_digest, summary.manifest_parts)
            for values in _matching(query, summary, Manifest.from_json(body), base):
                if query.offset <= found < end:
                    results.append(query.answer(values, relational=True))
                    shown[summary.ref] = one
                found += 1
        self.covered.tell(caller, list(shown.values()), now)
        return _found(query, results, found)


def _found(query: Query, results: Sequence[Result], matching: int) -> Found:
    left = max(0, matching - query.offset - len(results))
    more = (MORE.format(left=left),) if left and results else ()
    return Found(results, (*query.warnings, *more))


def _matching(query: Query, summary: Summary, manifest: Manifest, base: str) -> Iterator[Values]:
    of_study = study_values(summary, base)
    if not query.matches(of_study, "study"):
        return
    for series in manifest.series:
        rows = list(series.instances())
        if not rows:
            continue
        of_series = of_study | series_values(rows, of_study["study_url"])
        if not query.matches(of_series, "series"):
            continue
        if query.level == "series":
            yield of_series
            continue
        each = (of_series | instance_values(series, row, of_series["series_url"]) for row in rows)
        yield from (one for one in each if query.matches(one, "instance"))


_OF_STUDY = (
    "study_date",
    "study_time",
    "accession_number",
    "modalities",
    "patient_name",
    "patient_id",
    "issuer",
    "patient_birth_date",
    "patient_sex",
    "institution_name",
    "study_description",
)


def study_values(summary: Summary, base: str) -> dict[str, Any]:
    """What `dicom.attributes` names of a study. An empty modality list is no value."""
    uid = summary.ref.study_instance_uid
    return {
        **{name: getattr(summary, name) for name in _OF_STUDY},
        "character_set": "ISO_IR 192",
        "availability": "ONLINE",
        "study_instance_uid": uid,
        "series_in_study": summary.series,
        "instances_in_study": summary.instances,
        "study_url": f"{base}/studies/{quote(uid, safe='')}",
    }


def series_values(rows: Sequence[Mapping[str, Any]], study_url: str) -> dict[str, Any]:
    first = rows[0]
    uid = first["series_instance_uid"]
    named = ("modality", "series_number", "series_description", "body_part_examined")
    return {
        **{name: next((row[name] for row in rows if row.get(name) not in ("", None)), None) for name in named},
        "series_instance_uid": uid,
        "instances_in_series": len(rows),
        "series_url": f"{study_url}/series/{quote(uid, safe='')}",
    }


def instance_values(series: Series, row: Mapping[str, Any], series_url: str) -> dict[str, Any]:
    uid = row["sop_instance_uid"]
    return {
        **series.viewer,
        **row.get("viewer", {}),
        "sop_class_uid": row["sop_class_uid"],
        "sop_instance_uid": uid,
        "transfer_syntax_uid": row["transfer_syntax_uid"],
        "instance_number": row.get("instance_number"),
        "instance_url": f"{series_url}/instances/{quote(uid, safe='')}",
    }


def rows_of(manifest: Manifest, series_uid: str = "", instance_uid: str = "") -> Iterable[Mapping[str, Any]]:
    """Served instances of a study, or of one series, or one of them."""
    for series in manifest.series:
        for row in series.instances():
            if series_uid in ("", row["series_instance_uid"]) and instance_uid in ("", row["sop_instance_uid"]):
                yield row
