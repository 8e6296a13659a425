"""What a person agrees to, word for word; a consent names the version (PIPL 17, 23, 29: who, what for, what, how long,
how to stop; 16: care does not depend on it; 31: for a child the guardian)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.access import Basis


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What the patient was told, word for word; a consent names its version."""

    version: str
    zh: str
    en: str


SMS_NOTICE = NoticeText(
    "sms-2026-11",
    "您把短信验证码告诉医生，即同意该医生在24小时内为本次就诊查看您已在影像云中的影像和报告。您可随时撤回同意；撤回后，已打开的链接最多5分钟内失效。不同意不影响就诊。",
    "By telling the doctor the code you agree that this doctor may see, for this visit and for 24 hours, the images "
    "and reports of yours that are in the imaging cloud now. You can take it back at any time; links already open end "
    "within 5 minutes. Your care does not depend on it.",
)
APP_NOTICE = NoticeText(
    "app-2026-11",
    "您在健康应用中确认，即同意该医生为本次就诊在您选定的期限（最长30天）内查看您选定的、已在影像云中的影像和报告。您可随时撤回同意；撤回后，已打开的链接最多5分钟内失效。不同意不影响就诊。",
    "By approving in the health app you agree that this doctor may see, for this visit and for the time you choose "
    "(30 days at most), the images and reports you choose of those that are in the imaging cloud now. You can take it "
    "back at any time; links already open end within 5 minutes. Your care does not depend on it.",
)
QR_NOTICE = NoticeText(
    "qr-2026-11",
    "您向医生出示动态二维码，即同意扫码的医生在24小时内为本次就诊查看您已在影像云中的影像和报告。您可随时撤回同意；撤回后，已打开的链接最多5分钟内失效。不同意不影响就诊。",
    "By showing the doctor your code you agree that the doctor who scans it may see, for this visit and for 24 hours, "
    "the images and reports of yours that are in the imaging cloud now. You can take it back at any time; links "
    "already open end within 5 minutes. Your care does not depend on it.",
)
GUARDIAN_NOTICE = NoticeText(
    "guardian-2026-11",
    "您作为监护人代被监护人同意：该医生为本次就诊在您选定的期限（最长30天）内查看您选定的、已在影像云中的影像和报告。您或年满14周岁的被监护人可随时撤回同意；撤回后，已打开的链接最多5分钟内失效。"
    "年满14周岁的被监护人会收到通知。不同意不影响就诊。",
    "As guardian you agree for your ward that this doctor may see, for this visit and for the time you choose (30 days "
    "at most), the images and reports you choose of those that are in the imaging cloud now. You, or the ward, can "
    "take it back at any time; links already open end within 5 minutes. A ward of 14 or older is told. The ward's "
    "care does not depend on it.",
)
ASSISTED_NOTICE = NoticeText(
    "assisted-2026-11",
    "（请医生当面读给患者）您没有可用的手机。您交出身份证读卡、并由另一名工作人员见证，即同意该医生在24小时内为本次就诊查看您已在影像云中的影像和报告。医院会以纸质告知书通知您，并由隐私保护负责人复核。"
    "您可随时在任一窗口撤回同意；撤回后，已打开的链接最多5分钟内失效。不同意不影响就诊。",
    "(To be read to the patient.) You have no phone that could answer. By letting your card be read before a second "
    "member of staff you agree that this doctor may see, for this visit and for 24 hours, the images and reports of "
    "yours that are in the imaging cloud now. The hospital tells you on paper, and its privacy officer reviews it. You "
    "can take it back at any desk at any time; links already open end within 5 minutes. Your care does not depend on "
    "it.",
)
EMERGENCY_NOTICE = NoticeText(
    "emergency-2026-11",
    "情况紧急，该医生未经您同意，依《个人信息保护法》第十三条、第十八条查看了您的影像和报告，期限2小时，范围包括您冻结或隐藏的内容。医院隐私保护负责人将在24小时内复核。您可随时提出异议，该访问随即停止。",
    "In an emergency this doctor may see your images and reports for 2 hours without your consent, those you froze or "
    "hid too (PIPL Art. 13 and 18). The hospital's privacy officer reviews it within 24 hours. You can object at any "
    "time, which ends it.",
)
NOTICES: Mapping[Basis, NoticeText] = {
    "sms_code": SMS_NOTICE,
    "health_app": APP_NOTICE,
    "dynamic_qr": QR_NOTICE,
    "guardian": GUARDIAN_NOTICE,
    "assisted": ASSISTED_NOTICE,
    "break_glass": EMERGENCY_NOTICE,
}
