"""What the page of an archive shows of each section, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from chalicelib.domain.access_words import BASES, MODALITIES, PURPOSES, Said, said
from chalicelib.domain.record_words import STANDINGS, WORDS

CHINA = timezone(timedelta(hours=8))
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, and what a row shows in it, as HTML."""

    title: Said
    cell: Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Table:
    """One part of the page: which section, under which heading, with which columns."""

    section: str
    title: Said
    empty: Said
    columns: Sequence[Column]


def both(words: Said) -> str:
    if words.zh == words.en:
        return f"<span>{escape(words.zh)}</span>"
    return f"<span lang=zh>{escape(words.zh)}</span> <span lang=en class=en>{escape(words.en)}</span>"


def word(word: str) -> str:
    return both(said(WORDS, word)) if word else "—"


def _text(name: str) -> Callable[[Row], str]:
    return lambda row: escape(str(row[name] or ""))


def _worded(name: str, table: Mapping[str, Said] = WORDS) -> Callable[[Row], str]:
    return lambda row: both(said(table, row[name])) if row[name] else ""


def _when(name: str) -> Callable[[Row], str]:
    return lambda row: instant(row[name])


def instant(text: str | None) -> str:
    """Beijing time, as the person lives by it."""
    if not text:
        return ""
    at = datetime.fromisoformat(text).astimezone(CHINA)
    return f'<time datetime="{escape(text)}">{at:%Y-%m-%d %H:%M}</time>'


def day(digits: str) -> str:
    is_day = len(digits) == 8 and digits.isdigit()
    return f"<time>{digits[:4]}-{digits[4:6]}-{digits[6:]}</time>" if is_day else escape(digits) or "—"


def _spoken(name: str) -> Callable[[Row], str]:
    return lambda row: both(Said(row[name]["zh"], row[name]["en"]))


def _study_cell(row: Row) -> str:
    what = escape(row["study_description"] or "、".join(row["series_descriptions"]))
    hidden = f" <mark>{both(Said('已隐藏', 'hidden'))}</mark>" if row["hidden"] else ""
    return f"{what}{hidden}<br><code>{escape(row['study_instance_uid'])}</code>"


def _modalities(row: Row) -> str:
    return "".join(both(said(MODALITIES, one)) for one in row["modalities"])


def _modality(row: Row) -> str:
    return both(said(MODALITIES, row["modality"])) if row["modality"] else ""


def _consent_state(row: Row) -> str:
    if row["revoked_at"]:
        return f"{both(Said('已撤回', 'taken back'))}{instant(row['revoked_at'])}"
    return both(Said("有效", "live")) if row["live"] else both(Said("已到期", "ended"))


def _exam_cell(row: Row) -> str:
    return f"{escape(row['procedure']) or '—'}<br><code>{escape(row['accession_number'])}</code>"


def _images(row: Row) -> str:
    declared = "" if row["images_declared"] is None else f" / {row['images_declared']}"
    return f"{row['images_received']}{declared}"


def _handed(row: Row) -> str:
    return (
        f"{both(said(WORDS, row['how']))}{instant(row['done_at'])}" if row["how"] else both(Said("未交付", "not yet"))
    )


def _live(row: Row) -> str:
    return both(Said("有效", "live")) if row["live"] else both(Said("未生效或已终止", "not live"))


def _outcome(row: Row) -> str:
    return both(Said("允许", "allowed")) if row["allowed"] else both(Said("拒绝", "refused"))


HOSPITAL = Column(Said("医院", "Hospital"), _spoken("hospital"))
TABLES: Sequence[Table] = (
    Table(
        "identities",
        Said("您在各医院的院内号", "Your numbers at hospitals"),
        Said("没有已知的院内号", "No number is known"),
        (
            HOSPITAL,
            Column(Said("院内号", "Number"), _text("patient_id")),
            Column(Said("登记姓名", "Name there"), lambda row: escape("、".join(row["names"]))),
            Column(Said("状态", "State"), _worded("status")),
            Column(Said("确认方式", "Confirmed by"), _worded("confirmed_by")),
            Column(Said("医院登记的手机", "Phone told by it"), _text("phone")),
            Column(Said("关联时间", "Linked"), _when("linked_at")),
        ),
    ),
    Table(
        "former_links",
        Said("曾关联、现已解除的院内号", "Numbers once taken for yours"),
        Said("没有", "None"),
        (
            HOSPITAL,
            Column(Said("关联时间", "Linked"), _when("linked_at")),
            Column(Said("解除时间", "Until"), _when("until")),
        ),
    ),
    Table(
        "studies",
        Said("检查", "Studies"),
        Said("没有检查", "No studies"),
        (
            Column(Said("日期", "Date"), lambda row: day(row["study_date"])),
            HOSPITAL,
            Column(Said("类别", "Kind"), _modalities),
            Column(Said("检查", "Study"), _study_cell),
            Column(Said("影像数", "Images"), _text("images")),
        ),
    ),
    Table(
        "exams",
        Said("医院通知的检查及上传情况", "Exams as hospitals told them, and their upload"),
        Said("没有", "None"),
        (
            Column(Said("日期", "Date"), lambda row: f"<time>{escape(row['day'])}</time>"),
            HOSPITAL,
            Column(Said("类别", "Kind"), _modality),
            Column(Said("检查", "Exam"), _exam_cell),
            Column(Said("已收影像 / 应有", "Images here / told"), _images),
            Column(Said("上传情况", "Upload"), _worded("standing", STANDINGS)),
        ),
    ),
    Table(
        "exam_notices",
        Said("医院发来的检查通知", "Notices of exams that hospitals sent"),
        Said("没有通知", "None"),
        (
            Column(Said("发送时间", "Sent"), _when("sent_at")),
            HOSPITAL,
            Column(Said("类别", "Kind"), _modality),
            Column(Said("检查", "Exam"), _exam_cell),
            Column(Said("内容", "What it tells"), _worded("status")),
        ),
    ),
    Table(
        "visits",
        Said("您的就诊", "Your visits"),
        Said("没有就诊记录", "No visit is known"),
        (
            Column(Said("时间", "When"), _when("at")),
            HOSPITAL,
            Column(Said("就诊号", "Visit"), _text("encounter_id")),
            Column(Said("类别", "Kind"), _worded("patient_class")),
            Column(Said("状态", "State"), _worded("status")),
        ),
    ),
    Table(
        "consents",
        Said("您给出的授权", "What you allowed"),
        Said("没有授权", "Nothing was allowed"),
        (
            Column(Said("时间", "When"), _when("granted_at")),
            HOSPITAL,
            Column(Said("医生", "Doctor"), _text("doctor_id")),
            Column(Said("方式", "By"), _worded("basis", BASES)),
            Column(Said("目的", "For"), _worded("purpose", PURPOSES)),
            Column(Said("检查数", "Studies"), lambda row: str(len(row["studies"]))),
            Column(Said("状态", "State"), _consent_state),
            Column(Said("截止", "Ends"), _when("ends_at")),
        ),
    ),
    Table(
        "requests",
        Said("最近的申请", "Recent requests"),
        Said("最近没有申请", "No recent request"),
        (
            Column(Said("时间", "When"), _when("asked_at")),
            HOSPITAL,
            Column(Said("医生", "Doctor"), _text("doctor_id")),
            Column(Said("目的", "For"), _worded("purpose", PURPOSES)),
            Column(Said("结果", "Outcome"), _worded("outcome")),
        ),
    ),
    Table(
        "accesses",
        Said("谁看过、谁做过什么", "Who looked, and who did what"),
        Said("没有记录", "Nothing is on record"),
        (
            Column(Said("时间", "When"), _when("at")),
            Column(Said("经过", "What happened"), _spoken("sentence")),
            Column(Said("结果", "Outcome"), _outcome),
        ),
    ),
    *(
        Table(
            section,
            title,
            Said("没有", "None"),
            (
                Column(Said("类别", "Kind"), _worded("kind")),
                Column(Said("证明", "Proof"), _worded("document")),
                Column(Said("登记医院", "Desk of"), _text("proven_at_hospital")),
                Column(Said("开始", "From"), _when("starts_at")),
                Column(Said("截止", "Until"), _when("ends_at")),
                Column(Said("状态", "State"), _live),
            ),
        )
        for section, title in (
            ("guardians", Said("您的监护人", "Your guardians")),
            ("wards", Said("您监护的人", "Those you guard")),
        )
    ),
    Table(
        "reviews",
        Said("未经您本人答复的访问及其复核", "Access without your own answer, and its review"),
        Said("没有", "None"),
        (
            Column(Said("时间", "When"), _when("opened_at")),
            HOSPITAL,
            Column(Said("医生", "Doctor"), _text("doctor_id")),
            Column(Said("方式", "By"), _worded("kind", BASES)),
            Column(Said("理由", "Reason"), _worded("reason")),
            Column(Said("医生的说明", "In the doctor's words"), _text("text")),
            Column(Said("复核", "Review"), _worded("state")),
            Column(Said("您的异议", "Your objection"), _text("objection")),
        ),
    ),
    Table(
        "hand_overs",
        Said("给您的纸质告知书", "Papers that tell you of access"),
        Said("没有", "None"),
        (
            Column(Said("访问时间", "Of access at"), _when("at")),
            HOSPITAL,
            Column(Said("医生", "Doctor"), _text("doctor_id")),
            Column(Said("见证人", "Witness"), _text("witness")),
            Column(Said("理由", "Reason"), _worded("reason")),
            Column(Said("交付", "Given to you"), _handed),
            Column(Said("经办人", "By"), _text("done_by")),
        ),
    ),
    Table(
        "notices",
        Said("给您的通知", "What you were told"),
        Said("没有通知", "Nothing"),
        (
            Column(Said("时间", "When"), _when("at")),
            Column(Said("内容", "What"), _spoken("message")),
        ),
    ),
)
