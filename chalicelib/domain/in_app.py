"""What a person is told in the health app of what others did about them, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.study import StudyRef

InAppKind = Literal[
    "guardian_proven", "guardian_objected", "guardian_ended", "guardian_read", "guardian_answered", "guardian_revoked"
]


@dataclass(frozen=True, slots=True)
class Wording:
    zh: str
    en: str


WORDINGS: Mapping[str, Wording] = {
    "guardian_proven": Wording(
        "窗口已登记一位监护人，可代您查看影像、答复医生的申请。如有异议，请在“我的监护人”中提出，其权限立即停止。",
        "A desk has recorded a guardian who may read your images and answer doctors for you. If you object, say so "
        "under “my guardians”: it stops at once.",
    ),
    "guardian_objected": Wording(
        "被监护人对监护提出异议，您的代理权限已停止；如需恢复，请双方携证件到窗口办理。",
        "The ward has objected, and acting for them has stopped. To go on, both must come to a desk with their cards.",
    ),
    "guardian_ended": Wording("窗口已终止该监护关系。", "A desk has ended this guardianship."),
    "guardian_read": Wording("您的监护人查看了您的影像资料。", "Your guardian has looked at your record."),
    "guardian_answered": Wording(
        "您的监护人代您答复了医生的查看申请。您可以撤回授权。",
        "Your guardian has answered a doctor's request for you. You can take a consent back.",
    ),
    "guardian_revoked": Wording("您的监护人代您撤回了一项授权。", "Your guardian has taken a consent back for you."),
}


@dataclass(frozen=True, slots=True)
class InAppNotice:
    """One thing told to `person_id`; `guardian_id` and `subject` say who did it, `consent_id` and `study` to what."""

    notice_id: str
    person_id: str
    at: datetime
    kind: InAppKind
    hospital_id: str = ""
    subject: str = ""
    guardian_id: str = ""
    consent_id: str = ""
    study: StudyRef | None = None
