"""Keys of reminders, and of what mutual recognition is counted from (domain.gains)."""

from __future__ import annotations

import hashlib

from chalicelib.domain.study import StudyRef
from chalicelib.store.keys import text

ALERT_KIND, DAY_KIND = "alert", "gain"  # of what is due
VIEWED = "VIEWED#"
RECOGNITIONS = "RECOGNITION#"
NAMED = "NAMED#"
HOURS = "GAINS#HOURS"
LAST = "LAST"


def alerts_of(hospital_id: str, day: str) -> str:
    return f"ALERTS#{hospital_id}#{day}"


def alert(alert_id: str) -> str:
    """Beside its ANSWER#s, under `alerts_of`, or alone under the visit."""
    return f"ALERT#{alert_id}"


def alert_of(sk: str) -> str:
    """The id again."""
    return sk.removeprefix(alert(""))


def alert_answers(alert_id: str) -> str:
    return f"ANSWER#{alert_id}#"


def alert_answer(alert_id: str, outcome: str, reason: str) -> str:
    return f"{alert_answers(alert_id)}{outcome}#{reason}"


def named(pk: str, sk: str) -> str:
    """Under a study: that the item of this key names it. A digest, for a key has no room for another."""
    return f"{NAMED}{hashlib.sha256(f'{pk}#{sk}'.encode()).hexdigest()[:32]}"


def happenings(hospital_id: str, day: str) -> str:
    """All facts of a receiving hospital's day."""
    return f"GAIN#{hospital_id}#{day}"


def happening(kind: str, key: str, revision: int) -> str:
    return f"{kind}#{key}#{revision:06d}"


def sourced(hospital_id: str, day: str) -> str:
    """In GSI1: the same facts, of whatever receiving hospital, by where the earlier exam was made."""
    return f"GAINED#{hospital_id}#{day}"


def figures(day: str) -> str:
    """One item for each hospital, which its facts of that day were brought to."""
    return f"GAINS#{day}"


def viewed(study: StudyRef) -> str:
    """Under the encounter, as the one below."""
    return f"{VIEWED}{study.hospital_id}#{study.study_instance_uid}"


def recognitions(study: StudyRef, doctor_id: str) -> str:
    return f"{RECOGNITIONS}{study.hospital_id}#{study.study_instance_uid}#{text(doctor_id)}#"


def recognition(study: StudyRef, doctor_id: str, revision: int) -> str:
    return f"{recognitions(study, doctor_id)}{revision:06d}"
