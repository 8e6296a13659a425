"""What the page of an archive shows of each section, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from chalicelib.domain.access_words import BASES, MODALITIES, PURPOSES, Said, said
from chalicelib.domain.assisted import ASSISTED_REASONS
from chalicelib.domain.break_glass import BREAK_GLASS_REASONS

CHINA = timezone(timedelta(hours=8))
Row = Mapping[str, Any]

WORDS: Mapping[str, Said] = {
    "M": Said("男", "male"),
    "F": Said("女", "female"),
    "O": Said("其他", "other"),
    "confirmed": Said("已确认", "confirmed"),
    "unconfirmed": Said("待确认", "not confirmed yet"),
    "contested": Said("有异议，已停用", "contested, closed"),
    "desk": Said("窗口刷证", "a desk, by the card"),
    "app": Said("健康应用", "the health app"),
    "rule": Said("系统比对", "by rule"),
    "waiting": Said("待答复", "waiting"),
    "approved": Said("已同意", "approved"),
    "denied": Said("已拒绝", "denied"),
    "expired": Said("已过期", "expired"),
    "minor": Said("未成年人监护", "of a minor"),
    "incapacity": Said("成年人监护", "of an adult"),
    "guardian": Said("我的监护人", "my guardian"),
    "ward": Said("我的被监护人", "my ward"),
    "birth_certificate": Said("出生医学证明", "birth certificate"),
    "household_register": Said("户口簿", "household register"),
    "adoption_certificate": Said("收养登记证", "adoption certificate"),
    "court_decision": Said("法院判决", "court decision"),
    "pending": Said("待复核", "waits for review"),
    "overdue": Said("逾期未复核", "not reviewed in time"),
    "justified": Said("认定合理", "justified"),
    "not_justified": Said("认定不合理", "not justified"),
    "void": Said("未曾打开", "nothing was opened"),
    "appointment_certificate": Said("指定监护证明", "certificate of appointment"),
    **ASSISTED_REASONS,
    **BREAK_GLASS_REASONS,
}


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
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if is_day else escape(digits) or "—"


def _spoken(name: str) -> Callable[[Row], str]:
    return lambda row: both(Said(row[name]["zh"], row[name]["en"]))


def _study_cell(row: Row) -> str:
    what = escape(row["study_description"] or "、".join(row["series_descriptions"]))
    hidden = f" <mark>{both(Said('已隐藏', 'hidden'))}</mark>" if row["hidden"] else ""
    return f"{what}{hidden}<br><code>{escape(row['study_instance_uid'])}</code>"


def _modalities(row: Row) -> str:
    return "".join(both(said(MODALITIES, one)) for one in row["modalities"])


def _consent_state(row: Row) -> str:
    if row["revoked_at"]:
        return f"{both(Said('已撤回', 'taken back'))}{instant(row['revoked_at'])}"
    return both(Said("有效", "live")) if row["live"] else both(Said("已到期", "ended"))


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
        "notices",
        Said("给您的通知", "What you were told"),
        Said("没有通知", "Nothing"),
        (
            Column(Said("时间", "When"), _when("at")),
            Column(Said("内容", "What"), _spoken("message")),
        ),
    ),
)
