"""The audit as the person concerned reads it: who, where, when, why, which study, on what basis, allowed or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.access_reasons import REASONS
from chalicelib.domain.access_words import (
    BASES,
    DEEDS,
    MODALITIES,
    PURPOSES,
    ROLES,
    Said,
    said,
)
from chalicelib.domain.consent import Consent
from chalicelib.domain.study import Hospital, StudyRef, Summary

PROVINCE = timedelta(hours=8)  # the sentences tell Beijing time
NOBODY = Said("", "")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known to tell an event by. `names` by role and id of doctors, by person id of guardians; `summaries` only
    of studies that are the reader's own now."""

    hospitals: Mapping[str, Hospital]
    names: Mapping[tuple[str, str], str]
    summaries: Mapping[StudyRef, Summary]
    consents: Mapping[str, Consent]


@dataclass(frozen=True, slots=True)
class Access:
    """One event, explained. `who` is a name where one is known; `purpose` is "" where none was stated."""

    event: AuditEvent
    who: str
    at_hospital: Said
    study_hospital: Said
    summary: Summary | None
    purpose: str
    encounter_id: str
    basis: str
    sentence: Said


def explain(event: AuditEvent, known: Known) -> Access:
    """The event in words. What is not known is left out; an id stands where a name is missing."""
    consent = known.consents.get(event.consent_id)
    who = known.names.get(("guardian", event.guardian_id) if event.role == "guardian" else (event.role, event.subject))
    study = event.study
    access = Access(
        event,
        who or "",
        _hospital(known, event.hospital_id),
        _hospital(known, study.hospital_id if study else ""),
        known.summaries.get(study) if study else None,
        event.purpose or (consent.purpose if consent else ""),
        event.encounter_id or (consent.encounter_id if consent else ""),
        event.basis or (event.reason if event.allowed and event.reason in BASES else ""),
        NOBODY,
    )
    return replace(access, sentence=Said(_chinese(access), _english(access)))


def _hospital(known: Known, hospital_id: str) -> Said:
    found = known.hospitals.get(hospital_id)
    if found is None:
        return Said(hospital_id, hospital_id)
    return Said(found.name, found.name_en or found.name)


# Sentences


def _chinese(access: Access) -> str:
    event, deed = access.event, DEEDS.get(access.event.action)
    at = event.at + PROVINCE
    did = deed and (deed.done if event.allowed else deed.tried).zh
    what = (did or f"{'进行了' if event.allowed else '试图进行'}操作（{event.action}）").replace(
        "{study}", _study_zh(access)
    )
    parts = [f"{_day_zh(at)}{at:%H:%M}，{_who_zh(access)}{what}"]
    if access.purpose or access.encounter_id:
        visit = f"（就诊号 {access.encounter_id}）" if access.encounter_id else ""
        parts.append(f"目的：{said(PURPOSES, access.purpose).zh or '未说明'}{visit}")
    if access.basis and event.allowed:
        parts.append(f"依据：{said(BASES, access.basis).zh}")
    parts.append("已获允许" if event.allowed else f"未获允许：{said(REASONS, event.reason).zh}")
    return "。".join(parts) + "。"


def _english(access: Access) -> str:
    event, deed = access.event, DEEDS.get(access.event.action)
    at = event.at + PROVINCE
    did = deed and (deed.done if event.allowed else deed.tried).en
    what = (did or f"{'did' if event.allowed else 'tried to do'} “{event.action}”").replace(
        "{study}", _study_en(access)
    )
    parts = [f"{_day_en(at)}, {at:%H:%M}: {_who_en(access)} {what}"]
    if access.purpose or access.encounter_id:
        visit = f" (visit {access.encounter_id})" if access.encounter_id else ""
        parts.append(f"Purpose: {said(PURPOSES, access.purpose).en or 'not stated'}{visit}")
    if access.basis and event.allowed:
        parts.append(f"Basis: {said(BASES, access.basis).en}")
    parts.append("Allowed" if event.allowed else f"Refused: {said(REASONS, event.reason).en}")
    return ". ".join(parts) + "."


def _who_zh(access: Access) -> str:
    event = access.event
    if event.role == "patient":
        return "您本人"
    role = said(ROLES, event.role).zh
    if event.role == "guardian":
        return role + access.who
    at = f"{access.at_hospital.zh}的" if access.at_hospital.zh else ""
    if event.role == "hospital":
        return at + role
    if event.role == "doctor" and access.who:
        return f"{at}{access.who.removesuffix('医生')}医生"
    return f"{at}{role}（{access.who or event.subject}）"


def _who_en(access: Access) -> str:
    event = access.event
    role = said(ROLES, event.role).en
    if event.role == "patient":
        return role
    if event.role == "guardian":
        return f"{role} {access.who}".rstrip()
    at = f" of {access.at_hospital.en}" if access.at_hospital.en else ""
    if event.role == "hospital":
        return role + at
    if event.role == "doctor" and access.who:
        return f"Dr {access.who.removesuffix('医生')}{at}"
    return f"{role}{at} ({access.who or event.subject})"


def _study_zh(access: Access) -> str:
    found = access.summary
    if found is None:
        return f"{access.study_hospital.zh}的一项检查" if access.study_hospital.zh else "一项检查"
    on = _day_zh(day) if (day := _day(found.study_date)) else ""
    kind = "、".join(said(MODALITIES, one).zh for one in _kinds(found.modalities))
    named = f"“{found.study_description}”" if found.study_description else ""
    return f"您{on}在{access.study_hospital.zh}的{kind}检查{named}"


def _study_en(access: Access) -> str:
    found = access.summary
    if found is None:
        return f"a study at {access.study_hospital.en}" if access.study_hospital.en else "a study"
    on = f" of {_day_en(day)}" if (day := _day(found.study_date)) else ""
    kind = ", ".join(said(MODALITIES, one).en for one in _kinds(found.modalities))
    named = f" “{found.study_description}”" if found.study_description else ""
    return f"your {kind} study{named}{on} at {access.study_hospital.en}".replace("  ", " ")


def _kinds(modalities: Sequence[str]) -> list[str]:
    """Those a person knows, each once; all of them where there is none."""
    known = [one for one in modalities if one in MODALITIES]
    return list({said(MODALITIES, one).zh: one for one in known or modalities}.values())


def _day(study_date: str) -> datetime | None:
    try:
        return datetime.strptime(study_date, "%Y%m%d")  # noqa: DTZ007 - a date without a zone, as DICOM has it
    except ValueError:
        return None


def _day_zh(at: datetime) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


def _day_en(at: datetime) -> str:
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"
