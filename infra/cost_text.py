"""What `python -m infra.cost` says, in both languages."""

from __future__ import annotations

from typing import Final

LINES: Final = {
    "uploads": {"en": "hospitals' PUTs", "zh": "医院的 PUT"},
    "singles": {"en": "images one by one: ingest, settle", "zh": "逐幅影像：入库与归整"},
    "packs": {"en": "images in packs: unpack, settle", "zh": "打包影像：登记与归整"},
    "notices": {"en": "notices of exams and visits", "zh": "检查与就诊通知"},
    "views": {"en": "timeline, consent and view", "zh": "时间线、授权与阅片"},
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
        "beside": "a day, beside the PUTs",
        "month": "a month, storage apart",
        "dominant": "{name}: most of it is {parts} a day",
        "storage": "One day's images cost {standard} {currency} a month in Standard; {instant} in Glacier Instant "
        "Retrieval from their 90th day on, after {move} once for the move of single images over 128 KiB.",
        "levers": "Packs save {packs} a day; the bucket key saves {key} a day in KMS requests.",
        "source": "Prices: {source}. Waits, CPU and what a day brings are assumptions (ASSUMED in infra/cost.py).",
    },
    "zh": {
        "title": "每天 {images} 幅影像的费用，{region}，{currency}",
        "line": "项目",
        "naive": "朴素做法",
        "singles": "全部逐幅",
        "packed": "全部打包",
        "day": "每天合计",
        "beside": "每天（不含 PUT）",
        "month": "每月（不含存储）",
        "dominant": "{name}：主要是 {parts}（每天）",
        "storage": "一天的影像在 Standard 中每月 {standard} {currency}；"
        "第 90 天起在 Glacier Instant Retrieval 中每月 {instant}，大于 128 KiB 的逐幅影像转移一次为 {move}。",
        "levers": "打包每天节省 {packs}；桶密钥每天节省 KMS 请求费 {key}。",
        "source": "价格：{source}。等待时间、CPU 与每日数量为假设（infra/cost.py 的 ASSUMED）。",
    },
}
