"""What a doctor's answers to one reminder count for: the refusal for which they last gave a reason.

An answer without one of the six reasons says nothing of recognition; `accepted` takes an earlier reason back. Whatever
the same doctor says in the same visit of an exam that the reminder named (domain.recognition) wins over every answer
to the reminder, whichever came first: it names the exam. So one refusal given both ways counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from chalicelib.domain.alert import Alert, Answer, day_of, exam_to_texts
from chalicelib.domain.gains import ANSWERED, Happening
from chalicelib.domain.study import StudyRef

JUDGED: Final = 10**18  # the revision that no later answer overtakes
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def answered(alert: Alert, answers: Iterable[Answer], judged: Collection[StudyRef]) -> Happening | None:
    """The fact that stands for all answers, None where they say nothing. `judged`: the exams that this doctor
    recognised, refused or passed over in this visit. Its revision follows from what was said, so whoever knows of more
    puts a later one, in whatever order it came."""
    telling = [one for one in answers if one[0] == "accepted" or one[1]]
    if not telling:
        return None
    last = max(telling, key=_rank)
    _, reason, at = last
    wins = not any(prior.study in judged for prior in alert.priors)
    return Happening(
        measure=f"overridden_{reason}" if wins and reason else ANSWERED,
        key=alert.alert_id,
        day=day_of(alert.alert_id),
        at=max(at, alert.shown_at) if wins else alert.shown_at,  # whatever the ordering system's clock says
        receiving=alert.hospital_id,
        source=alert.priors[0].study.hospital_id,
        encounter_id=alert.encounter_id,
        group=alert.exam.group,
        parts=exam_to_texts(alert.exam),
        revision=_rank(last) if wins else JUDGED,
    )


def _rank(answer: Answer) -> int:
    """The last; of the same instant the one with the higher reason."""
    _, reason, at = answer
    return (at - _EPOCH) // timedelta(microseconds=1) * 10 + int(reason or 0)
