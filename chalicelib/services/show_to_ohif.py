"""A study as OHIF's `dicomjson` data source reads it: out of the manifest alone, no object is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chalicelib.dicom.tags import INDEXED, VIEWER
from chalicelib.domain.access import Caller
from chalicelib.domain.manifest import Series
from chalicelib.domain.study import Summary
from chalicelib.services.open_study import OpenStudy

_DECIMALS = frozenset(tag.keyword for tag in VIEWER if tag.vr == "DS")
_OF_INSTANCE = (
    "sop_class_uid",
    "sop_instance_uid",
    "series_instance_uid",
    "modality",
    "instance_number",
    "series_number",
)


@dataclass(frozen=True, slots=True)
class ShowToOhif:
    open_study: OpenStudy

    def __call__(self, caller: Caller, study_uid: str, base: str, now: datetime) -> Mapping[str, Any]:
        """{"studies": [one]}. Raises AccessDenied, AuditFailed."""
        opened = self.open_study(caller, study_uid, now)
        series = [_series(one, study_uid, base) for one in opened.manifest().series]
        return {"studies": [_study(opened.summary, [one for one in series if one["instances"]])]}


def _study(summary: Summary, series: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "StudyInstanceUID": summary.ref.study_instance_uid,
        "StudyDate": summary.study_date,
        "StudyTime": summary.study_time,
        "StudyDescription": summary.study_description,
        "PatientName": summary.patient_name.replace("=", " ").strip(),
        "PatientID": summary.patient_id,
        "PatientSex": summary.patient_sex,
        "PatientBirthDate": summary.patient_birth_date,
        "AccessionNumber": summary.accession_number,
        "NumInstances": summary.instances,
        "Modalities": "\\".join(summary.modalities),
        "series": series,
    }


def _series(series: Series, study_uid: str, base: str) -> dict[str, Any]:
    rows = list(series.instances())
    first = rows[0] if rows else {}
    return {
        "SeriesInstanceUID": first.get("series_instance_uid", ""),
        "SeriesNumber": first.get("series_number", 0),
        "SeriesDescription": first.get("series_description", ""),
        "Modality": first.get("modality", ""),
        "instances": [
            {"metadata": _metadata(series, row, study_uid), "url": f"dicomweb:{_url(row, study_uid, base)}"}
            for row in rows
        ],
    }


def _metadata(series: Series, row: Mapping[str, Any], study_uid: str) -> dict[str, Any]:
    told = {name: _numeric(name, value) for name, value in {**series.viewer, **row.get("viewer", {})}.items()}
    own = {INDEXED[name].keyword: row[name] for name in _OF_INSTANCE if name in row}
    return told | own | {"StudyInstanceUID": study_uid}


def _numeric(name: str, value: Any) -> Any:
    """Decimal strings as numbers: OHIF calculates with them."""
    if name not in _DECIMALS:
        return value
    try:
        return [float(one) for one in value] if isinstance(value, list) else float(value)
    except (TypeError, ValueError):
        return value


def _url(row: Mapping[str, Any], study_uid: str, base: str) -> str:
    named = {
        "requestType": "WADO",
        "studyUID": study_uid,
        "seriesUID": row["series_instance_uid"],
        "objectUID": row["sop_instance_uid"],
        "contentType": "application/dicom",
    }
    return f"{base}/wado?{urlencode(named)}"
