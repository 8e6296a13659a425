"""Why an exam may be repeated though another hospital's could be recognised: the six cases of the recognition rules
国卫医发〔2022〕6号 (in force 2022-03-01). "Images could not be had" is none of them: it is no refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SYSTEM: Final = "urn:imaging-cloud:repeat-reason"


@dataclass(frozen=True, slots=True)
class RepeatReason:
    code: str
    zh: str
    en: str


REPEAT_REASONS: Final = (
    RepeatReason(
        "1",
        "病情变化，或已有结果与临床表现、诊断不符",
        "The condition has changed, or the result contradicts the findings",
    ),
    RepeatReason("2", "检查结果随疾病发展变化较快", "The result changes fast with the disease"),
    RepeatReason(
        "3",
        "对诊疗决策意义重大（如手术、输血等重大医疗措施前）",
        "A weighty decision hangs on it, as before surgery or transfusion",
    ),
    RepeatReason("4", "急诊、急救等紧急情况", "An emergency"),
    RepeatReason(
        "5",
        "涉及司法、伤残及病退等鉴定",
        "A forensic, disability or early-retirement appraisal",
    ),
    RepeatReason("6", "其他确需复查的情形", "Another need"),
)
CODES: Final = frozenset(reason.code for reason in REPEAT_REASONS)
