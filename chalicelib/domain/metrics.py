"""Every metric that the functions emit: name, unit, dimensions and meaning. A figure is about the platform, never about
a person: a dimension's values are few fixed words of ours. Alarms, dashboard and guide are held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.access import AuditEvent

NAMESPACE = "ImagingCloud"
SERVICE = "imaging-cloud"  # the dimension `service` of them all, by which each has its total

Unit = Literal["Count", "Seconds", "Milliseconds"]


@dataclass(frozen=True, slots=True)
class Metric:
    """`dimensions`: the sets it can be looked at by, beside its total. `en`, `zh`: what it counts or times."""

    name: str
    unit: Unit
    en: str
    zh: str
    dimensions: tuple[tuple[str, ...], ...] = ()


# uploads
INGEST_LAG = Metric(
    "IngestLag",
    "Seconds",
    "from S3's receipt of an upload to its place in the journal, ledger or quarantine",
    "从 S3 收到上传到写入日志、台账或隔离区的时间",
    (("Kind",),),
)
TAKEN = Metric("Taken", "Count", "uploads indexed, unpacked or noted", "已索引、解包或登记的上传数", (("Kind",),))
QUARANTINED = Metric(
    "Quarantined", "Count", "objects and entries put into quarantine", "进入隔离区的对象与条目数", (("Reason",),)
)
SETTLE_LAG = Metric(
    "SettleLag",
    "Seconds",
    "from the message that a study has something new to its manifest",
    "从检查有新内容的消息到清单生成的时间",
)
FED_AGAIN = Metric(
    "FedAgain", "Count", "uploads that the nightly reconcile fed again", "夜间核对时重新送入处理的上传数"
)
# consents and views
CONSENT_DECISIONS = Metric(
    "ConsentDecisions",
    "Count",
    "answers to requests for access: given, denied by the patient, refused by a rule",
    "对访问请求的答复：同意、患者拒绝、规则拒绝",
    (("Outcome",), ("Basis", "Outcome")),
)
MESSAGES = Metric(
    "Messages",
    "Count",
    "SMS: sent, too late, for nobody, failed",
    "短信：已发、过期、无收件人、失败",
    (("Outcome",),),
)
VIEWS = Metric("Views", "Count", "manifests asked for: opened or refused", "清单请求数：打开或拒绝", (("Outcome",),))
VIEW_TIME = Metric("ViewTime", "Milliseconds", "a whole manifest answer", "一次完整的清单应答")
VIEW_AUTHORIZE = Metric("ViewAuthorize", "Milliseconds", "of it: the decision and its record", "其中：判定及留痕")
VIEW_MANIFEST = Metric("ViewManifest", "Milliseconds", "of it: reading manifest and reports", "其中：读取清单与报告")
VIEW_SIGN = Metric("ViewSign", "Milliseconds", "of it: signing the URLs", "其中：签发下载地址")
VIEW_ANSWER = Metric("ViewAnswer", "Milliseconds", "of it: making the answer", "其中：生成应答")
# the twelve hours, and reviews
SWEEP_DUE = Metric("SweepDue", "Count", "exams that were due in a sweep", "一次巡检中到期的检查数")
SWEEP_DONE = Metric("SweepDone", "Count", "exams that it judged", "其中已判定的检查数")
SWEEP_FAULTS = Metric(
    "SweepFaults",
    "Count",
    "exams, days, outages or warnings that it left for the next by a fault of ours",
    "因故障留待下次的检查、日期、停机或预警数",
)
SWEEP_WARNED = Metric(
    "SweepWarned", "Count", "hospitals warned of what is due within 2 hours", "已预警2小时内到期的医院数"
)
SWEEP_UNFINISHED = Metric("SweepUnfinished", "Count", "1 where time ran out", "时间用尽为 1")
SWEEP_HELD = Metric(
    "SweepHeld",
    "Count",
    "1 where the queues could not be measured, so nothing was judged",
    "无法测量队列、未作判定为 1",
)
CALENDAR_MISSING = Metric(
    "CalendarMissing",
    "Count",
    "1 where the holidays of a month from now are not in the table",
    "一个月后的节假日未录入为 1",
)
SWEEP_BEHIND = Metric(
    "SweepBehind",
    "Seconds",
    "how far back it judged: the age of the oldest event, at least the grace",
    "判定时点落后的时间：最早未处理事件的年龄，至少为宽限期",
)
SUSPENDED = Metric(
    "BreakGlassSuspended",
    "Count",
    "rights to break the glass that were suspended because nobody reviewed",
    "因无人复核而暂停的紧急访问权数",
)
REVIEW_FAULTS = Metric("ReviewFaults", "Count", "reviews that a sweep could not judge", "巡检中未能判定的复核数")
REPORTED = Metric("Reported", "Count", "1 for a day's reports complete", "某日报表完成为 1")
# oversight
SEALED_HOURS = Metric("SealedHours", "Count", "hours of the audit that a run sealed", "一次封存的审计小时数")
SEALED_EVENTS = Metric("SealedEvents", "Count", "events in them", "其中的事件数")
SEALS_LEFT = Metric("SealsLeft", "Count", "hours due and not sealed", "应封存而未封存的小时数")
SEAL_AGE = Metric("SealAge", "Seconds", "since the end of the last sealed hour", "距最近封存小时结束的时间")
READS_CHECKED = Metric(
    "ReadsChecked", "Count", "images that S3 gave, held against the audit", "与审计核对过的影像读取数"
)
READS_UNEXPLAINED = Metric(
    "ReadsUnexplained", "Count", "of them without a fitting decision", "其中没有相应授权的读取数", (("Why",),)
)
READS_HELD = Metric("ReadsHeld", "Count", "1 for a day that could not be checked", "某日未能核对为 1")
EXPORTS_BUILT = Metric("ExportsBuilt", "Count", "people's archives built", "已生成的个人档案数")
EXPORTS_FAILED = Metric("ExportsFailed", "Count", "tries to build one that failed", "生成失败次数")

METRICS: tuple[Metric, ...] = tuple(found for found in list(globals().values()) if isinstance(found, Metric))

# How a consent comes to be, by the audit's action: on what basis where the event itself does not say.
_ASKING: Mapping[str, str] = {
    "break_glass": "break_glass",
    "decide_request": "",
    "scan_qr": "dynamic_qr",
    "verify_code": "sms_code",
    "witness_assisted": "assisted",
}
_VIEWING = "view_study"


def counted(event: AuditEvent) -> tuple[Metric, Mapping[str, str]] | None:
    """What a decision counts as, and its dimensions; None for those that nobody counts."""
    if event.action == _VIEWING:
        return VIEWS, {"Outcome": "opened" if event.allowed else "refused"}
    if event.action not in _ASKING:
        return None
    given = "denied" if event.reason == "denied" else "given"
    basis = event.basis or _ASKING[event.action] or "health_app"
    return CONSENT_DECISIONS, {"Basis": basis, "Outcome": given if event.allowed else "refused"}
