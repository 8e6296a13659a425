"""What `python -m infra.cost` says, in both languages."""

from __future__ import annotations

from typing import Final

LINES: Final = {
    "uploads": {"en": "hospitals' PUTs", "zh": "医院的 PUT"},
    "singles": {"en": "images one by one: ingest, settle", "zh": "逐幅影像：入库与归整"},
    "packs": {"en": "images in packs: unpack, settle", "zh": "打包影像：登记与归整"},
    "notices": {"en": "notices of exams and visits", "zh": "检查与就诊通知"},
    "reminders": {"en": "reminders while exams are ordered", "zh": "开单时的相似检查提醒"},
    "views": {"en": "timeline, consent and view", "zh": "时间线、授权与阅片"},
    "transfer": {"en": "images to viewers over the internet", "zh": "影像经互联网送达阅片端"},
    "logs": {"en": "the functions' logs", "zh": "函数日志"},
}
TEXTS: Final = {
    "en": {
        "title": "A day of {images} images, {region}, {currency}",
        "line": "what",
        "naive": "naive",
        "singles": "all singles",
        "packed": "all packed",
        "day": "a day",
        "beside": "a day, beside PUTs and transfer",
        "month": "a month, storage apart",
        "dominant": "{name}: most of it is {parts} a day",
        "budget": "The design's budget: ingest and settle of singles {singles} (at most $65), packed {packs} (at most "
        "$20); the peer {naive}, where the design reckons $335.",
        "years": "after {years} y {all} and {moved}",
        "between": "; ",
        "stored": "Storage a month in {currency}, all in Standard, and with the rule that moves what is over 128 KiB "
        "to Glacier Instant Retrieval after 90 days: {parts}. A day's move costs {move}.",
        "levers": "Levers, a day: packs save {packs}; the bucket key saves {key} in KMS requests; what ingest does "
        "once a batch costs, by images in a batch, {batches}.",
        "source": "Prices: {source}. Not looked up: {unknown}. Waits, CPU and what a day brings are assumptions "
        "(ASSUMED in infra/cost.py).",
    },
    "zh": {
        "title": "每天 {images} 幅影像的费用，{region}，{currency}",
        "line": "项目",
        "naive": "朴素做法",
        "singles": "全部逐幅",
        "packed": "全部打包",
        "day": "每天合计",
        "beside": "每天（不含 PUT 与传输）",
        "month": "每月（不含存储）",
        "dominant": "{name}：主要是 {parts}（每天）",
        "budget": "设计预算：逐幅入库与归整 {singles}（上限 65 美元），打包 {packs}（上限 20 美元），"
        "朴素做法 {naive}（设计估为 335 美元）。",
        "years": "{years} 年后 {all}，按规则 {moved}",
        "between": "；",
        "stored": "每月存储费（{currency}），全部 Standard，以及按规则（大于 128 KiB 的对象 90 天后转入 "
        "Glacier Instant Retrieval）：{parts}。每天的转移费为 {move}。",
        "levers": "每天的杠杆：打包节省 {packs}；桶密钥节省 KMS 请求费 {key}；"
        "入库每批一次的费用（按每批影像数）{batches}。",
        "source": "价格：{source}。未核对：{unknown}。等待时间、CPU 与每日数量为假设（infra/cost.py 的 ASSUMED）。",
    },
}
