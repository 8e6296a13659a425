"""The words of an archive's page, in Chinese and English. What is not here is shown as the word itself."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.access_words import Said
from chalicelib.domain.assisted import ASSISTED_REASONS
from chalicelib.domain.break_glass import BREAK_GLASS_REASONS

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
    "outpatient": Said("门诊", "outpatient"),
    "inpatient": Said("住院", "inpatient"),
    "emergency": Said("急诊", "emergency"),
    "open": Said("就诊中", "open"),
    "closed": Said("已结束", "closed"),
    "scheduled": Said("已预约", "scheduled"),
    "performed": Said("已检查", "performed"),
    "cancelled": Said("已取消", "cancelled"),
    "handed_over": Said("当面交付", "handed over"),
    "posted": Said("已邮寄", "posted"),
    **ASSISTED_REASONS,
    **BREAK_GLASS_REASONS,
}

# How an exam stands against the 12 hours in which its pictures are due.
STANDINGS: Mapping[str, Said] = {
    "scheduled": Said("已预约", "scheduled"),
    "cancelled": Said("已取消", "cancelled"),
    "pending": Said("等待上传", "waits for its pictures"),
    "on_time": Said("已按时上传", "uploaded in time"),
    "late": Said("迟于12小时上传", "uploaded after the 12 hours"),
    "partial": Said("12小时内未传齐", "incomplete after 12 hours"),
    "missing": Said("12小时后仍未上传", "not uploaded in 12 hours"),
    "excused": Said("因故障获准延迟", "delayed by an accepted outage"),
    "imported": Said("历史检查", "an old exam, imported"),
}
