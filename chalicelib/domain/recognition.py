"""A doctor's judgement on an earlier exam: what is recognised, and what is not, and why (国卫医发〔2022〕6号).

What is recognised is the result: images and data. A diagnostic conclusion never is (Art. 2); whether the doctor
followed it is noted apart, and counts for nothing. Where the images could not be had, or an illness must be watched all
the time, nothing was refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from chalicelib.domain.repeat_reason import CODES, REPEAT_REASONS, RepeatReason
from chalicelib.domain.study import StudyRef

Decision = Literal["recognise", "refuse", "pass_over"]
Conclusion = Literal["not_stated", "followed", "own_judgement"]

LONGEST_TEXT: Final = 100  # characters: a remark on the images, no place for the patient's story
# As the province's hospitals code them: neither is a refusal (FACTS 1).
NO_REFUSALS: Final = (
    RepeatReason("98", "外院影像无法调阅", "The images could not be had"),
    RepeatReason("99", "需要连续监测", "It must be watched continuously"),
)
REASONS_OF: Final = {
    "recognise": frozenset({""}),
    "refuse": CODES,
    "pass_over": frozenset(reason.code for reason in NO_REFUSALS),
}
ALL_REASONS: Final = (*REPEAT_REASONS, *NO_REFUSALS)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a doctor says of an exam. `reason` is one of `REASONS_OF` the decision."""

    decision: Decision
    reason: str = ""
    conclusion: Conclusion = "not_stated"
    text: str = field(default="", repr=False)

    @property
    def measure(self) -> str:
        """Which figure counts it (domain.gains)."""
        if self.decision == "refuse":
            return f"refused_{self.reason}"
        return "recognised" if self.decision == "recognise" else "passed_over"

    @property
    def action(self) -> str:
        """Its word in the audit, which the patient reads with the reason."""
        return f"{self.decision}_study" + (f"_{self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Recognition:
    """One judgement of a doctor in a visit. Grow-only: who thinks again adds the next `revision`, from 1 on. `day` is
    the hospital's own, on which the first was given."""

    hospital_id: str
    encounter_id: str
    doctor_id: str
    study: StudyRef
    judgement: Judgement
    at: datetime
    day: str
    revision: int = 1
