"""What a patient without a phone is told on paper: handed over or posted by a desk, never by the doctor who asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.access_words import Said
from chalicelib.domain.assisted import ASSISTED_REASONS, AssistedReason

HandedHow = Literal["handed_over", "posted"]
PROVINCE = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class HandOver:
    """A paper to be handed over or posted for one assisted consent. `patient_id` is the hospital's own number: it
    knows the address. Done by a clerk who is not the witness."""

    consent_id: str
    hospital_id: str
    patient_id: str
    encounter_id: str
    doctor_id: str
    witness: str
    reason: AssistedReason
    at: datetime
    how: HandedHow | None = None
    done_by: str = ""
    done_at: datetime | None = None
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Named:
    """The names that stand on the paper."""

    patient: str = field(repr=False)
    hospital_zh: str
    hospital_en: str
    doctor: str


def printed(paper: HandOver, named: Named) -> Said:
    """The paper in both languages: who, when, why, for how long, and what can be done about it."""
    reason = ASSISTED_REASONS[paper.reason]
    at, doctor = paper.at + PROVINCE, named.doctor.removesuffix("医生")
    zh = (
        f"影像云告知书\n\n{named.patient}（院内号 {paper.patient_id}）：\n\n"
        f"{at.year}年{at.month}月{at.day}日{at:%H:%M}，{named.hospital_zh}的{doctor}医生在您没有可用手机的情况下"
        f"（{reason.zh}），读取您的身份证并经另一名工作人员见证，获准在24小时内查看您在影像云中的影像和报告。"
        f"该次授权须经医院隐私保护负责人复核。\n\n"
        "如您不知情或不同意：请告知本院任一窗口或隐私保护负责人，或在健康应用“谁看过”中提出异议；授权立即撤回，"
        "已打开的链接最多5分钟内失效。不同意不影响就诊。\n\n"
        f"编号：{paper.consent_id}"
    )
    en = (
        f"Imaging Cloud: notice of access\n\n{named.patient} (patient number {paper.patient_id}),\n\n"
        f"on {at:%Y-%m-%d} at {at:%H:%M}, Dr {doctor} of {named.hospital_en} was permitted to see your images "
        f"and reports in the imaging cloud for 24 hours. No phone of yours could answer ({reason.en}), so your "
        "identity card was read and another member of staff was the witness. The hospital's privacy officer reviews "
        "each such case.\n\n"
        "If you did not know of it or do not agree, tell any desk of this hospital or its privacy officer, or object "
        "under “who looked” in the health app. The permission is then withdrawn at once; links already open end within "
        "5 minutes. Your care does not depend on it.\n\n"
        f"Reference: {paper.consent_id}"
    )
    return Said(zh, en)
