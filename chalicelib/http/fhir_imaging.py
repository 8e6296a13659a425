"""Studies and reports as FHIR R4 resources. What is told is what `http.shapes` and a manifest tell the same caller.

There is no Patient to be had: who a study is of stands within it. Body regions are named by our own table, not by
SNOMED CT: whether its codes may be shipped is a question of licence (infra/REMINDERS.md).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.body_region import of_term, regions
from chalicelib.domain.fhir_id import study_id
from chalicelib.domain.study_query import day_of, study_day
from chalicelib.http.addresses import outside
from chalicelib.http.fhir_types import (
    DCM,
    HL7,
    OID,
    OURS,
    ROOT,
    SUBSETTED,
    UID,
    Element,
    coding,
    concept,
    filled,
    identifier,
    instant,
    named,
    numbers,
    text,
    unsigned,
)

if TYPE_CHECKING:
    from chalicelib.domain.manifest import Manifest, Series
    from chalicelib.domain.study import Hospital, Summary
    from chalicelib.http.asked import Asked
    from chalicelib.services.find_diagnostics import FoundReport
    from chalicelib.services.find_studies import FoundStudy

MOST_INSTANCES: Final = 20_000  # told one by one: an answer holds 6 MB
DICOMWEB: Final = "/dicomweb"
OTHER: Final = "OT"  # DCM's "other", where a series has no modality that can be told
REPORT: Final = "影像检查报告 imaging report"
_CODE: Final = re.compile(r"[A-Z0-9_]{1,16}")  # a CS, PS3.5 6.2
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)?")
_SEXES: Final = {"M": "male", "F": "female", "O": "other"}


def dicomweb_of(asked: Asked) -> str:
    """Where the same caller finds the same studies by DICOMweb."""
    return f"{outside(asked, ROOT)}{DICOMWEB}"


def in_list(found: FoundStudy, dicomweb: str) -> Element:
    """Counts, and no series: those stand in the study itself."""
    return {**_study(found, dicomweb), "meta": _meta(found.summary) | SUBSETTED}


def imaging_study(found: FoundStudy, manifest: Manifest, dicomweb: str) -> Element:
    """All of it. Where there are too many instances to name each, the series tell their numbers."""
    each = found.summary.instances <= MOST_INSTANCES
    series = [told for one in manifest.series if (told := _series(one, each=each))]
    meta = _meta(found.summary) | ({} if each else SUBSETTED)
    return filled(**_study(found, dicomweb) | {"meta": meta, "series": series})


def _study(found: FoundStudy, dicomweb: str) -> Element:
    summary = found.summary
    return filled(
        resourceType="ImagingStudy",
        id=study_id(summary.ref),
        meta=_meta(summary),
        contained=[_patient(summary), _endpoint(dicomweb)],
        identifier=_identifiers(found),
        status="available" if summary.state == "served" else "registered",
        modality=[coding(DCM, code) for code in map(_modality, summary.modalities) if code],
        subject=_subject(summary),
        started=_started(summary, found.hospital),
        endpoint=[{"reference": "#dicomweb", "type": "Endpoint"}],
        numberOfSeries=summary.series,
        numberOfInstances=summary.instances,
        description=text(summary.study_description),
    )


def _endpoint(dicomweb: str) -> Element:
    return filled(
        resourceType="Endpoint",
        id="dicomweb",
        status="active",
        connectionType=coding(f"{HL7}endpoint-connection-type", "dicom-wado-rs", "DICOM WADO-RS"),
        payloadType=[concept(says="DICOM")],
        payloadMimeType=["application/dicom"],
        address=dicomweb,
    )


def _meta(summary: Summary) -> Element:
    return filled(lastUpdated=instant(summary.last_received_at) if summary.last_received_at else "")


def _patient(summary: Summary) -> Element:
    birth = day_of(summary.patient_birth_date)
    name = text(summary.patient_name.replace("^", " ").replace("=", " / "))
    return filled(
        resourceType="Patient",
        id="patient",
        identifier=list(filter(None, [_patient_number(summary)])),
        name=[{"text": name}] if name else [],
        gender=_SEXES.get(summary.patient_sex.strip().upper(), "unknown"),
        birthDate=birth.isoformat() if birth else "",
    )


def _patient_number(summary: Summary) -> Element:
    return identifier(numbers(summary.issuer, "patient"), summary.patient_id)


def _subject(summary: Summary) -> Element:
    return filled(reference="#patient", type="Patient", identifier=_patient_number(summary))


def _identifiers(found: FoundStudy) -> list[Element]:
    ref, number = found.summary.ref, found.summary.accession_number
    accession = identifier(
        numbers(ref.hospital_id, "accession"),
        number,
        type=concept(coding(f"{HL7}v2-0203", "ACSN")),
        assigner=hospital_named(ref.hospital_id, found.hospital),
    )
    return [identifier(UID, f"{OID}{ref.study_instance_uid}"), *([accession] if accession else [])]


def hospital_named(hospital_id: str, hospital: Hospital | None) -> Element:
    return named("Organization", "hospital", hospital_id, hospital.name if hospital else "")


def _started(summary: Summary, hospital: Hospital | None) -> str:
    """With the time where one is told: in the zone of the hospital, whose clock it is."""
    day = study_day(summary)
    if day is None:
        return ""
    time = _TIME.match(summary.study_time.replace(":", ""))
    if time is None:
        return day.isoformat()
    zone = timezone(timedelta(minutes=hospital.utc_offset_minutes if hospital else 480))
    hour, minute, second = (int(part or 0) for part in time.groups())
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).isoformat()


def _modality(told: str) -> str:
    """A code of DCM as devices write it; "" for what cannot be one."""
    code = told.strip().upper()
    return code if _CODE.fullmatch(code) else ""


def _series(series: Series, *, each: bool) -> Element:
    """{} where nothing of it is served."""
    rows = list(series.instances())
    if not rows:
        return {}
    first = rows[0]
    return filled(
        uid=first["series_instance_uid"],
        number=unsigned(first.get("series_number")),
        modality=coding(DCM, _modality(first.get("modality", "")) or OTHER),
        description=text(first.get("series_description", "")),
        numberOfInstances=len(rows),
        bodySite=_body_site(first.get("body_part_examined", "")),
        instance=[_instance(row) for row in rows] if each else [],
    )


def _body_site(body_part_examined: str) -> Element:
    parts = of_term(body_part_examined)
    if len(parts) != 1:
        return filled(display=text(body_part_examined))
    region = regions()[parts[0].region]
    return coding(
        f"{OURS}body-region", region.name, f"{region.zh[0]} {region.en[0]}" if region.zh and region.en else ""
    )


def _instance(row: Any) -> Element:
    return filled(
        uid=row["sop_instance_uid"],
        sopClass=coding("urn:ietf:rfc:3986", f"{OID}{row['sop_class_uid']}"),
        number=unsigned(row.get("instance_number")),
    )


def diagnostic_report(found: FoundReport) -> Element:
    """`presentedForm` has a URL where the report was opened: in lists it says what there is to open."""
    summary, exam = found.study.summary, found.exam
    form = filled(
        contentType=found.report.content_type,
        url=found.url,
        size=unsigned(found.report.length),
        title=REPORT,
    )
    return filled(
        resourceType="DiagnosticReport",
        id=found.report_id,
        meta={} if found.url else SUBSETTED,
        contained=[_patient(summary)],
        identifier=_identifiers(found.study)[1:],
        status="final",
        category=[concept(coding(f"{HL7}v2-0074", "RAD", "Radiology"))],
        code=concept(says=text(exam.procedure) or REPORT),
        subject=_subject(summary),
        effectiveDateTime=instant(exam.ended_at) if exam.ended_at else "",
        performer=[hospital_named(summary.ref.hospital_id, found.study.hospital)],
        imagingStudy=[{"reference": f"ImagingStudy/{study_id(summary.ref)}", "type": "ImagingStudy"}],
        presentedForm=[form],
    )
