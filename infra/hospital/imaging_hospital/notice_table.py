"""A table (CSV) → notices: one row an exam or a visit, the first row names the columns.

Columns are called as the fields in infra/NOTICES.md, `patient.patient_id` and so on, or as Chinese systems export them.
Columns of other names are ignored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timezone
from typing import Any, Final

from .local_time import NotATimeError, moment
from .notice_draft import NOT_A_TIME, BadPlaceError, Draft
from .tongue import Said

COLUMNS: Final = {
    "类型": "type",
    "通知号": "notice_id",
    "通知编号": "notice_id",
    "申请单号": "notice_id",
    "医嘱号": "notice_id",
    "状态": "status",
    "检查状态": "status",
    "检查号": "accession_number",
    "影像号": "accession_number",
    "检查流水号": "accession_number",
    "检查UID": "study_instance_uid",
    "患者类别": "patient_class",
    "患者类型": "patient_class",
    "患者来源": "patient_class",
    "就诊类别": "patient_class",
    "设备类型": "modality",
    "检查类型": "modality",
    "检查项目": "procedure",
    "检查部位": "procedure",
    "项目名称": "procedure",
    "预约时间": "scheduled_at",
    "检查结束时间": "performed_at",
    "检查完成时间": "performed_at",
    "发送时间": "sent_at",
    "图像数": "declared_instances",
    "影像数": "declared_instances",
    "患者号": "patient.patient_id",
    "患者编号": "patient.patient_id",
    "病人编号": "patient.patient_id",
    "姓名": "patient.name",
    "患者姓名": "patient.name",
    "性别": "patient.sex",
    "出生日期": "patient.birth_date",
    "身份证号": "patient.national_id",
    "电话": "patient.phone",
    "联系电话": "patient.phone",
    "手机号": "patient.phone",
    "就诊号": "encounter_id",
    "医生工号": "doctor_id",
    "就诊时间": "at",
}
FIELDS: Final = frozenset(COLUMNS.values())
TIMES: Final = frozenset({"scheduled_at", "performed_at", "sent_at", "at"})
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "type": {"检查": "exam", "就诊": "encounter"},
    "status": {
        "已预约": "scheduled",
        "预约": "scheduled",
        "已登记": "scheduled",
        "已完成": "performed",
        "完成": "performed",
        "已检查": "performed",
        "已取消": "cancelled",
        "取消": "cancelled",
        "作废": "cancelled",
        "就诊中": "open",
        "已结束": "closed",
    },
    "patient_class": {
        "门诊": "outpatient",
        "体检": "outpatient",
        "住院": "inpatient",
        "急诊": "emergency",
    },
}

NO_COLUMNS = Said(
    "the first row names no column of a notice, such as notice_id or 检查号",
    "首行没有通知的列名，如 notice_id 或 检查号",
)
TWICE = Said("two columns mean the same field", "两列对应同一字段")
TOO_FEW = Said("the row has not as many cells as the first row", "该行的单元格数与首行不同")
NOT_A_TABLE = Said("the row cannot be read as CSV", "该行不是有效的 CSV")


@dataclass(frozen=True)
class Row:
    """`line`: its last one in the file. `piece`: a table of this row alone."""

    line: int
    piece: str
    told: Draft | BadPlaceError


def rows(text: str, zone: timezone) -> Iterator[Row]:
    """Raises BadPlaceError where the first row is no header. The separator is what the first row holds: comma, tab or
    semicolon."""
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t;", key=first.count), strict=True)
    header: list[str] = []
    try:
        header = next(reader, [])
        names = _names(header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(reader.line_num, _table(header, cells), _draft(header, names, cells, zone))
    except csv.Error:
        yield Row(reader.line_num, _table(header), BadPlaceError("-", NOT_A_TABLE))


def _table(*cells: list[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(cells)
    return written.getvalue()


def _names(header: list[str]) -> list[str]:
    """The field of each column, "" for a column that is none."""
    stripped = [cell.strip().lstrip("\ufeff") for cell in header]
    names = [COLUMNS.get(cell, cell if cell in FIELDS else "") for cell in stripped]
    known = [name for name in names if name]
    if not known:
        raise BadPlaceError("-", NO_COLUMNS)
    for name, cell in zip(names, stripped, strict=True):
        if name and known.count(name) > 1:
            raise BadPlaceError(cell, TWICE)
    return names


def _draft(header: list[str], names: list[str], cells: list[str], zone: timezone) -> Draft | BadPlaceError:
    if len(cells) != len(header):
        return BadPlaceError("-", TOO_FEW)
    notice: dict[str, Any] = {"type": "exam", "patient": {}}
    places: dict[str, str] = {}
    for column, name, cell in zip(header, names, cells, strict=True):
        text = " ".join(cell.split())
        if not name:
            continue
        places[name] = column.strip()
        if not text:
            continue
        try:
            value: Any = _value(name, text, zone)
        except NotATimeError:
            return BadPlaceError(column.strip(), NOT_A_TIME, name)
        owner = notice["patient"] if name.startswith("patient.") else notice
        owner[name.removeprefix("patient.")] = value
    return Draft(notice, places)


def _value(name: str, text: str, zone: timezone) -> Any:
    if name in TIMES:
        return moment(text, zone, whole_days=name == "scheduled_at").isoformat()
    if name == "declared_instances":
        return int(text) if text.isdecimal() else text
    return WORDS.get(name, {}).get(text, text)
