"""The certificate of destruction as a page to print, in Chinese and English. Names no study and nobody."""

from __future__ import annotations

from html import escape
from typing import Final

from chalicelib.domain.destruction import LAW, REST_EN, REST_ZH, figures, last_at, totals
from chalicelib.domain.disposal import Act, Disposal
from chalicelib.domain.retention import PROVINCE
from chalicelib.domain.study import Hospital

STYLE: Final = (
    "body{font:16px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#111}table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{border:1px solid #767676;padding:.35rem "
    ".6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f0f0f0}"
)
RULES: Final = {
    "outpatient": "门（急）诊 outpatient, 15",
    "inpatient": "住院 inpatient, 30",
    "unknown": "类别不明 unknown, 30",
}
HEADS: Final = (
    "检查日期 exam",
    "类型 modality",
    "影像数 images",
    "规则（年） rule (years)",
    "应保存至 kept through",
)


def page(disposal: Disposal, hospital: Hospital | None, digest: str) -> bytes:
    """HTML without script and network. `digest`: of the JSON beside it, which alone names the studies."""
    name = escape(hospital.name if hospital else disposal.hospital_id)
    destroyed = {one.study_instance_uid for one in disposal.outcomes if one.is_destroyed}
    rows = figures([item for item in disposal.items if item.stated.study_instance_uid in destroyed])
    body = [
        f"<h1>影像档案销毁证明<br>Certificate of destruction</h1><p>{name} ({escape(disposal.hospital_id)})</p>",
        _table([], _facts(disposal, digest)),
        _table(
            list(HEADS),
            [
                [
                    row["exam_day"],
                    ", ".join(row["modalities"]),
                    str(row["instances"]),
                    RULES[row["rule"]],
                    row["keep_through"],
                ]
                for row in rows
            ],
        ),
        f"<p>{escape(REST_ZH)}</p><p>{escape(REST_EN)}</p>",
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    title = "<title>影像档案销毁证明 · Certificate of destruction</title>"
    return (
        f'<!doctype html><html lang="zh-CN"><head>{head}{title}<style>{STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>"
    ).encode()


def _facts(disposal: Disposal, digest: str) -> list[list[str]]:
    total = totals(disposal)
    at = last_at(disposal)
    return [
        ["编号 number", disposal.disposal_id],
        ["依据 law", f"{LAW[0]}<br>{LAW[1]}"],
        ["申请 proposed", _act(disposal.proposed)],
        ["医院隐私保护负责人批准 approved by the privacy officer", _act(disposal.officer)],
        ["卫生健康主管部门批准 approved by the health commission", _act(disposal.regulator)],
        ["完成 executed", at.astimezone(PROVINCE).isoformat(" ", "minutes") if at else ""],
        [
            "销毁 destroyed",
            f"{total['studies']} 项检查 studies, {total['versions']} 个对象 objects, {total['bytes']} B",
        ],
        ["保留 spared", f"{total['spared']} 项检查 studies"],
        ["清单摘要 SHA-256 of the list", digest],
    ]


def _act(act: Act | None) -> str:
    return f"{escape(act.by)}, {act.at.astimezone(PROVINCE).isoformat(' ', 'minutes')}" if act else ""


def _table(heads: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML."""
    head = f"<tr>{''.join(f'<th>{one}</th>' for one in heads)}</tr>" if heads else ""
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}{lines}</table>"
