"""What a person is told in the health app of what others did about them, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.study import StudyRef

InAppKind = Literal[
    "guardian_proven",
    "guardian_objected",
    "guardian_ended",
    "guardian_read",
    "guardian_answered",
    "guardian_revoked",
    "phone_new",
    "phone_by_app",
    "phone_voided",
    "phone_lapsed",
    "identity_linked",
    "identity_contested",
    "identity_unlinked",
    "identity_relinked",
    "name_differs",
    "frozen",
    "unfrozen",
    "sessions_ended",
    "break_glass",
    "assisted",
    "ward_accessed",
    "objection_taken",
    "reviewed_justified",
    "reviewed_not_justified",
    "studies_destroyed",
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
    "phone_new": Wording(
        "有窗口为您登记了新的手机号。目前它只对见过该号码的医院有效；如无人提出异议，72小时后可能对全部影像生效。"
        "如非本人办理，请点“不是我的号码”或“不是我”，该号码立即作废。",
        "A desk has set a new phone number for you. For now it counts only for the hospitals that saw it; without an "
        "objection it may count for everything after 72 hours. If this was not you, press “not my number” or “not me”: "
        "it is void at once.",
    ),
    "phone_by_app": Wording(
        "您已通过实名健康应用更换手机号，立即生效。",
        "Your phone number was changed by the real-name health app and counts from now on.",
    ),
    "phone_voided": Wording(
        "新登记的手机号已作废，原号码（如有）已恢复。",
        "The number set last is void; the one before it, if any, counts again.",
    ),
    "phone_lapsed": Wording(
        "您登记的手机号已由他人在窗口或应用中核验，对您不再有效。如号码仍归您使用，请持身份证到窗口重新核验。",
        "Your number was verified for somebody else and no longer counts for you. If it is still yours, have it "
        "verified again at a desk, with your card.",
    ),
    "identity_linked": Wording(
        "一个院内号已归到您名下。如不是您的，请在“我的院内号”中提出异议，它立即停止生效。",
        "A hospital's patient number was linked to you. If it is not yours, contest it under “my identities”: it gives "
        "nothing from then on.",
    ),
    "identity_contested": Wording(
        "您的一个院内号已提出异议，其中的影像暂不对任何人开放；请持身份证到该医院窗口核实。",
        "A patient number of yours is contested, and its images are closed to everybody. Show your card at a desk of "
        "that hospital to settle it.",
    ),
    "identity_unlinked": Wording(
        "一个院内号已不再归您名下；如有误，请持身份证到该医院窗口办理。",
        "A hospital's patient number is no longer yours. If that is wrong, show your card at a desk of that hospital.",
    ),
    "name_differs": Wording(
        "有窗口以您的身份证号登记了另一个姓名，您原来的姓名未被更改。如非本人办理，请对该院内号提出异议；如您已改名，请携身份证"
        "到您就诊的其他医院窗口登记。",
        "A desk has registered another name with your national id; your name was not changed. If this was not you, "
        "contest that hospital's number. If your name has changed, have your card read at your other hospitals too.",
    ),
    "identity_relinked": Wording(
        "一个院内号已重新归到您名下，请持身份证到该医院窗口核实后生效。",
        "A hospital's patient number was given back to you. It counts after you show your card at a desk there.",
    ),
    "frozen": Wording(
        "您已冻结影像档案：任何人（包括您本人和医生）都不能查看影像，也不能发起新的申请。"
        "您仍可查看谁看过、撤回授权。解冻须本人持身份证到任一医院窗口办理。",
        "You have frozen your record: nobody, you and doctors included, can see images, and nobody can ask. You can "
        "still see who looked, and take consents back. To open it again, come to any hospital's desk with your card.",
    ),
    "unfrozen": Wording(
        "窗口已核对身份证并解冻您的影像档案；冻结前的授权均已撤回，医生须重新申请。如非本人办理，请再次点“不是我”。",
        "A desk has read your card and opened your record again. What was allowed before is withdrawn; doctors ask "
        "anew. If this was not you, press “not me” again.",
    ),
    "sessions_ended": Wording(
        "您在所有设备上的登录均已退出，请重新登录。如非本人操作，请点“不是我”或持身份证到窗口办理。",
        "You were signed out on every device; please sign in again. If this was not you, press “not me”, or come to a "
        "desk with your card.",
    ),
    "break_glass": Wording(
        "有医生因紧急情况、未经您同意获准查看您的影像，期限2小时，您冻结或隐藏的内容也在内。医院隐私保护负责人将在24小时内复核。"
        "如有异议，请在“谁看过”中提出，该访问随即停止。",
        "In an emergency a doctor was permitted to see your images for 2 hours without your consent, those you froze "
        "or hid too. The hospital's privacy officer reviews it within 24 hours. If you object, say so under “who "
        "looked”: it ends at once.",
    ),
    "assisted": Wording(
        "有医生读取您的身份证并经一名见证人确认，获准在24小时内查看您的影像。如您当时不在场或不同意，请在“谁看过”中提出异议，授权立即撤回。",
        "A doctor was permitted to see your images for 24 hours: your card was read and a witness confirmed it. If you "
        "were not there or do not agree, object under “who looked”: the permission is withdrawn at once.",
    ),
    "ward_accessed": Wording(
        "有医生未经被监护人或您的答复（紧急情况，或读卡并有见证人），获准查看其影像。如不同意，请在被监护人的授权中撤回。",
        "A doctor was permitted to see your ward's images without an answer of the ward's or yours: in an emergency, "
        "or by card and witness. If you do not agree, take it back among the ward's consents.",
    ),
    "objection_taken": Wording(
        "您的异议已交医院隐私保护负责人处理，相应授权已撤回。",
        "Your objection is with the hospital's privacy officer, and the permission was withdrawn.",
    ),
    "reviewed_justified": Wording(
        "医院隐私保护负责人已复核一次未经您手机确认的访问，认定合理。",
        "The hospital's privacy officer has reviewed an access that no phone of yours confirmed: it was justified.",
    ),
    "reviewed_not_justified": Wording(
        "医院隐私保护负责人已复核一次未经您手机确认的访问，认定不合理，相应授权已撤回。您可向医院投诉或依法维权。",
        "The hospital's privacy officer has reviewed an access that no phone of yours confirmed, and found it not "
        "justified. It was withdrawn; you may complain to the hospital or take legal steps.",
    ),
    "studies_destroyed": Wording(
        "您的部分检查影像已超过法定保存期限，经医院和卫生健康主管部门批准后销毁，不能恢复。",
        "Images of yours were past the time for which the law has them kept. They were destroyed after the hospital "
        "and the health commission had approved it, and cannot be brought back.",
    ),
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
