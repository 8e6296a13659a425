"""HL7 v2 messages → notices, by the tables in hl7_tables. What a message does not say is not guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any, Final

from . import hl7_tables as tables
from .hl7_message import Group, groups
from .hl7_report import report
from .local_time import NotATimeError, moment
from .notice_draft import NOT_A_TIME, BadPlaceError, Draft, PassedOver, Reading
from .tongue import Said

UNKNOWN_CONTROL = Said(
    "is no order control code of table 0119 that tells of an exam", "不是表 0119 中可说明检查的医嘱控制码"
)
UNKNOWN_CLASS = Said("is a patient class that is not known", "是未知的患者类别")
OTHER_MESSAGE = Said("message of type {kind}: neither an order nor a result", "{kind} 类消息：既非医嘱也非结果")
NOT_IMAGING = Said("not imaging ({section})", "非影像检查（{section}）")
NOTHING_CHANGED = Said("tells of no change to an exam ({code})", "未说明检查的变化（{code}）")

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_NATIONAL_ID = re.compile(r"\d{17}[\dXx]")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,24}")
_OF_AN_ORDER: Final = " of an order"


def read(message: str, reading: Reading) -> list[Draft | PassedOver]:
    """The notices of one message, those of one exam in one. Raises NotHl7Error or BadPlaceError: all or nothing."""
    passed: list[Draft | PassedOver] = []
    drafts: dict[tuple[str, str], Draft] = {}
    for group in groups(message):
        draft = _Exam(group, reading).draft()
        if isinstance(draft, PassedOver):
            passed.append(draft)
            continue
        key = (draft.notice.get("notice_id", ""), draft.notice["status"])
        drafts[key] = _joined(drafts[key], draft) if key[0] and key in drafts else draft
    return [*passed, *drafts.values()]


@dataclass(frozen=True)
class _Exam:
    group: Group
    reading: Reading

    def draft(self) -> Draft | PassedOver:
        kind = self.group.text("MSH-9.1")
        if kind not in tables.ORDERS | tables.RESULTS:
            return PassedOver(OTHER_MESSAGE, {"kind": kind[:3] if kind[:3].isalnum() else "?"})
        status = self._status(result=kind in tables.RESULTS)
        if isinstance(status, PassedOver):
            return status
        section = self.group.text("OBR-24.1").upper()
        if section in tables.NOT_IMAGING:
            return PassedOver(NOT_IMAGING, {"section": section})
        return self._describe(status, result=kind in tables.RESULTS)

    def _status(self, *, result: bool) -> tables.Status | PassedOver:
        control, order, told = (self.group.text(place).upper() for place in ("ORC-1", "ORC-5", "OBR-25"))
        if control in tables.SILENT or told in tables.NO_SUCH_RESULT:
            return PassedOver(NOTHING_CHANGED, {"code": control or told})
        if control in tables.CANCELLING or order in tables.CANCELLED_ORDER or told in tables.CANCELLED_RESULT:
            return "cancelled"
        if told in tables.PERFORMED_RESULT or order in tables.COMPLETED_ORDER:
            return "performed"
        if result:  # a result without any status is one; one that says "not yet" tells nothing
            return PassedOver(NOTHING_CHANGED, {"code": told}) if told in tables.PENDING_RESULT else "performed"
        if control not in tables.ORDERING:
            raise BadPlaceError("ORC-1", UNKNOWN_CONTROL)
        return "scheduled"

    def _describe(self, status: tables.Status, *, result: bool) -> Draft:
        notice: dict[str, Any] = {"type": "exam", "status": status, "patient": {}}
        places: dict[str, str] = {}
        self._put(notice, places, "notice_id", self._number())
        for name in ("accession_number", "study_instance_uid", "procedure"):
            self._put(notice, places, name, self._first(name))
        self._put(notice, places, "modality", _modality(self._first("modality")))
        self._put(notice, places, "patient_class", self._patient_class())
        self._patient(notice["patient"], places)
        self._times(notice, places, status, result=result)
        count, _ = self._first("declared_instances")
        if count.isdecimal():
            notice["declared_instances"] = int(count)
        if result and status == "performed":
            notice |= report(self.group, notice)
        return Draft(notice, places)

    def _first(self, name: str) -> tuple[str, str]:
        """The first text found and its place; "" and the places looked at where there is none."""
        places = self.reading.fields.get(name.removesuffix(_OF_AN_ORDER)) or tables.PLACES[name]
        found = ((text, place) for place in places if (text := self.group.text(place)))
        return next(found, ("", _short(places)))

    def _number(self) -> tuple[str, str]:
        """An order number is unique within who gave it (EI, 2.A.28), so that name is part of it."""
        if "notice_id" in self.reading.fields:
            return self._first("notice_id")
        for place in tables.PLACES["notice_id"]:
            if number := self.group.text(place):
                namespace = self.group.text(f"{place}.2")
                return (f"{number}^{namespace}" if namespace else number), place
        return self._first("accession_number")[0], _short(tables.PLACES["notice_id"])

    def _patient_class(self) -> tuple[str, str]:
        code, place = self._first("patient_class")
        found = {**tables.PATIENT_CLASSES, **self.reading.patient_classes}.get(code.upper(), "")
        if code and not found:
            raise BadPlaceError(place.removesuffix(".1"), UNKNOWN_CLASS, "patient_class")
        return found, place

    def _patient(self, patient: dict[str, Any], places: dict[str, str]) -> None:
        told = {
            "patient_id": self._patient_id(),
            "name": (_name(self.group), "PID-5"),
            "birth_date": _birth_date(*self._first("patient.birth_date")),
            "national_id": self._national_id(),
            "phone": self._phone(),
        }
        sex, place = self._first("patient.sex")
        told["sex"] = tables.SEXES.get(sex.upper(), ""), place
        for name, found in told.items():
            self._put(patient, places, name, found, path=f"patient.{name}")

    def _patient_id(self) -> tuple[str, str]:
        """The hospital's own number among those in PID-3 (CX, table 0203); PID-2 is where v2.3 has it. Types are often
        missing or a hospital's own words, so that a citizen's number is also told by its form."""
        if "patient.patient_id" in self.reading.fields:
            return self._first("patient.patient_id")
        own = [(kind, number) for kind, number in self._numbers() if kind not in tables.STATE_NUMBER]
        own.sort(key=_how_far_from_own)
        return (own[0][1] if own else self.group.text("PID-2.1")), "PID-3"

    def _national_id(self) -> tuple[str, str]:
        among = [
            number
            for kind, number in self._numbers()
            if kind in tables.STATE_NUMBER or (kind not in tables.OWN_NUMBER and _is_national_id(number))
        ]
        numbers = [self._first("patient.national_id")[0], *among]
        return next((number for number in numbers if _NATIONAL_ID.fullmatch(number)), ""), "PID-19"

    def _numbers(self) -> list[tuple[str, str]]:
        """Type and number, of each repetition of PID-3 that has one."""
        told = [
            (self.group.text("PID-3.5", n).upper(), self.group.text("PID-3.1", n))
            for n in range(1, self.group.repetitions("PID", 3) + 1)
        ]
        return [(kind, number) for kind, number in told if number]

    def _phone(self) -> tuple[str, str]:
        phone, place = self._first("patient.phone")
        return (phone if _PHONE.fullmatch(phone) else ""), place

    def _times(self, notice: dict[str, Any], places: dict[str, str], status: tables.Status, *, result: bool) -> None:
        self._put(notice, places, "sent_at", self._time("sent_at"))
        if status != "performed":  # whoever cancels may say which use of the number is meant
            self._put(notice, places, "scheduled_at", self._time("scheduled_at", whole_days=True))
        if status == "performed":
            name = "performed_at" if result else f"performed_at{_OF_AN_ORDER}"
            self._put(notice, places, "performed_at", self._time(name))

    def _time(self, name: str, *, whole_days: bool = False) -> tuple[str, str]:
        text, place = self._first(name)
        if not text:
            return "", place
        try:
            return moment(text, self._zone(), whole_days=whole_days).isoformat(), place
        except NotATimeError:
            raise BadPlaceError(place.removesuffix(".1"), NOT_A_TIME, name.removesuffix(_OF_AN_ORDER)) from None

    def _zone(self) -> timezone:
        """MSH-7's zone holds for the whole message (2.A.22)."""
        return _offset(self.group.text("MSH-7.1")) or self.reading.zone

    @staticmethod
    def _put(
        told: dict[str, Any], places: dict[str, str], name: str, found: tuple[str, str], *, path: str = ""
    ) -> None:
        text, place = found
        places[path or name] = place.removesuffix(".1")
        if text:
            told[name] = " ".join(text.split())  # line breaks are no part of a name, a number or a procedure


def _joined(first: Draft, second: Draft) -> Draft:
    """Several steps of one exam in one message: it ended when the last did."""
    notice = {**second.notice, **first.notice}
    for name in ("performed_at", "scheduled_at"):
        if name in first.notice and name in second.notice:
            notice[name] = max(first.notice[name], second.notice[name])
    procedures = dict.fromkeys(n.notice["procedure"] for n in (first, second) if n.notice.get("procedure"))
    if procedures:
        notice["procedure"] = "；".join(procedures)[:1024]
    return Draft(notice, first.places)


def _how_far_from_own(told: tuple[str, str]) -> tuple[bool, int]:
    kind, number = told
    known = kind in tables.OWN_NUMBER
    return not known and _is_national_id(number), tables.OWN_NUMBER.index(kind) if known else len(tables.OWN_NUMBER)


def _is_national_id(number: str) -> bool:
    """Of the form of a citizen's number, with its check digit (GB 11643, ISO 7064 MOD 11-2)."""
    if not _NATIONAL_ID.fullmatch(number):
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, number[:17], strict=True))
    return number[17].upper() == "10X98765432"[total % 11]


def _modality(found: tuple[str, str]) -> tuple[str, str]:
    code = found[0].upper()
    return ("" if code == "RAD" else tables.MODALITIES.get(code, code)), found[1]


def _name(group: Group) -> str:
    """As DICOM has it, Latin letters before the equals sign and Han after it, whatever order PID-5 repeats them in."""
    latin = han = ""
    for n in range(1, group.repetitions("PID", 5) + 1):
        parts = [group.text(f"PID-5.{component}", n) for component in (1, 2, 3)]
        if _HAN.search("".join(parts)):
            han = han or "".join(parts)
        else:
            latin = latin or "^".join(parts).rstrip("^")
    return f"{latin}={han}" if latin and han else latin or han


def _birth_date(text: str, place: str) -> tuple[str, str]:
    """A year alone, or a year and a month, are no birth date to compare by."""
    found = re.match(r"(\d{4})(\d{2})(\d{2})", text) or re.match(r"(\d{4})-(\d{2})-(\d{2})", text)
    return ("".join(found.groups()) if found else ""), place


def _offset(text: str) -> timezone | None:
    found = re.search(r"([+-])(\d{2}):?(\d{2})$", text)
    if found is None or (int(found[2]), int(found[3])) > (14, 0) or int(found[3]) > 59:
        return None
    hours = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(hours if found[1] == "+" else -hours)


def _short(places: Sequence[str]) -> str:
    """Such as OBR-8 / OBR-7, for people."""
    return " / ".join(dict.fromkeys(place.removesuffix(".1") for place in places)) or "-"
