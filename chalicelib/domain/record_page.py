"""index.html of an archive: plain HTML that any browser opens from a disk, without a script and without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from chalicelib.domain.access_words import Said
from chalicelib.domain.record_style import STYLE
from chalicelib.domain.record_tables import TABLES, Row, Table, both, day, instant, word

MOST_ROWS = 2000  # on the page; the JSON beside it has all
PRIVACY = Said(
    "本档案含有您的健康信息，请妥善保管，勿转发他人。",
    "This archive holds your health data. Keep it safe and do not pass it on.",
)
ABOUT = (
    Said(
        "影像和报告未复制到本档案（一次CT可达数百张、上千兆字节）。请在健康应用中打开对应检查查看或下载，"
        "链接5分钟内有效。",
        "Pictures and reports are not copied here: one CT can be a gigabyte. Open the study in your health app to see "
        "or download them, by links that live five minutes.",
    ),
    Said(
        "身份证号不在任何记录中：系统只用其密钥散列查找本人。手机号只显示首尾。",
        "Your national id is in no record: only a keyed hash of it led to you. Phone numbers are shown in part.",
    ),
    Said(
        "待确认、有异议或已解除关联的院内号可能属于他人：本档案只说明其关联情况，不含该号下的检查和就诊。",
        "A number that is not confirmed, contested or no longer linked may be somebody else's: this archive says how "
        "it is or was linked, and holds no exam or visit of it.",
    ),
    Said(
        "您可以撤回授权、对院内号或手机号提出异议、隐藏检查，或点“不是我”冻结全部；更正内容请联系出具检查的医院。"
        "（《个人信息保护法》第十五、四十四至四十七条）",
        "You may take consents back, contest a hospital's number or a phone, hide a study, or press “not me” and "
        "close everything; to correct what a study says, ask the hospital that made it (PIPL Art. 15, 44–47).",
    ),
    Said(
        "同样内容的机器可读文件在 data/ 目录中（JSON）。",
        "The same for programs is in the folder data/, as JSON.",
    ),
)


def page(told: Mapping[str, Any], now: datetime) -> str:
    parts = "".join(_table(table, told[table.section]) for table in TABLES)
    about = "".join(f"<li>{both(line)}</li>" for line in ABOUT)
    links = "".join(
        f'<li><a href="#{table.section}">{both(table.title)}</a> <b>{len(told[table.section])}</b></li>'
        for table in TABLES
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>影像云个人档案 · Imaging Cloud record</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{both(Said('影像云个人档案', 'Your record in the imaging cloud'))}</h1>"
        f"<p>{both(Said('导出时间', 'Exported'))} {instant(now.isoformat())}</p>"
        f"<p class=warn>{both(PRIVACY)}</p></header>"
        f"<main>{_person(told['person'])}<nav><ul>{links}</ul></nav>{parts}"
        f"<section id=about><h2>{both(Said('说明', 'About this archive'))}</h2><ul>{about}</ul></section>"
        "</main></body></html>"
    )


def _person(person: Row) -> str:
    named = [one["hospital"] for one in person["phone_hospitals"]]
    counts = Said("有效，可打开全部", "counts for everything")
    if not person["phone_counts"]:
        counts = Said("无有效手机号", "no number that counts")
    elif not person["phone_opens_all"]:
        zh, en = "、".join(one["zh"] for one in named), ", ".join(one["en"] for one in named)
        counts = Said(f"只对以下医院有效：{zh}", f"counts for these hospitals only: {en}")
    lines = [
        (Said("姓名", "Name"), escape(person["name"]) or "—"),
        (Said("性别", "Sex"), word(person["sex"])),
        (Said("出生日期", "Born"), day(person["birth_date"])),
        (Said("手机号", "Phone"), f"{escape(person['phone']) or '—'}<br>{both(counts)}"),
        (Said("档案状态", "Record"), _frozen(person)),
        (Said("内部编号", "Internal id"), f"<code>{escape(person['person_id'])}</code>"),
    ]
    rows = "".join(f"<div><dt>{both(title)}</dt><dd>{value}</dd></div>" for title, value in lines)
    return f"<section id=person><h2>{both(Said('您是谁', 'Who you are'))}</h2><dl>{rows}</dl></section>"


def _frozen(person: Row) -> str:
    if person["frozen_at"]:
        return f"{both(Said('已冻结', 'closed since'))} {instant(person['frozen_at'])}"
    return both(Said("正常", "open"))


def _table(table: Table, rows: Sequence[Row]) -> str:
    heading = f'<section id="{table.section}"><h2>{both(table.title)} <small>{len(rows)}</small></h2>'
    if not rows:
        return f"{heading}<p class=empty>{both(table.empty)}</p></section>"
    head = "".join(f"<th scope=col>{both(column.title)}</th>" for column in table.columns)
    body = "".join(_row(table, row) for row in rows[:MOST_ROWS])
    more = "" if len(rows) <= MOST_ROWS else f"<p class=empty>{both(_rest(table.section, len(rows)))}</p>"
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}</section>"


def _rest(section: str, count: int) -> Said:
    file = f"data/{section}.json"
    return Said(
        f"此处列出最近{MOST_ROWS}条，全部{count}条见 {file}。", f"The last {MOST_ROWS} of {count}; all in {file}."
    )


def _row(table: Table, row: Row) -> str:
    cells = "".join(
        f'<td data-zh="{escape(column.title.zh)}" data-en="{escape(column.title.en)}">{column.cell(row) or "—"}</td>'
        for column in table.columns
    )
    return f"<tr>{cells}</tr>"
