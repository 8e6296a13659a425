"""The audit's words as its reader says them, in Chinese and English. What is not here is shown as the word itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.recognition import NO_REFUSALS
from chalicelib.domain.repeat_reason import REPEAT_REASONS, RepeatReason


@dataclass(frozen=True, slots=True)
class Said:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, and the same where it was refused. `{study}` stands for the study."""

    done: Said
    tried: Said


def _deed(zh: str, en: str, tried_zh: str, tried_en: str) -> Deed:
    return Deed(Said(zh, en), Said(tried_zh, tried_en))


def _judged(zh: str, en: str, reason: RepeatReason) -> Deed:
    """With the reason: the patient is told why an exam is to be made again."""
    return _deed(
        f"{zh}{{study}}，理由：{reason.zh}",
        f"{en} {{study}}: {reason.en}",
        "试图评价{study}能否互认",
        "tried to judge {study}",
    )


DEEDS: Mapping[str, Deed] = {
    "recognise_study": _deed(
        "认可了{study}的检查结果（不含诊断结论），无须重复检查",
        "recognised the images of {study} (not its conclusion), so that it need not be repeated",
        "试图评价{study}能否互认",
        "tried to judge {study}",
    ),
    **{f"refuse_study_{reason.code}": _judged("未认可", "did not recognise", reason) for reason in REPEAT_REASONS},
    **{f"pass_over_study_{reason.code}": _judged("未能采用", "could not use", reason) for reason in NO_REFUSALS},
    "view_study": _deed("查看了{study}", "viewed {study}", "试图查看{study}", "tried to view {study}"),
    "remind_of_similar": _deed(
        "开具检查时查询了您近期的相似检查（提醒）",
        "ordered an exam for you and asked for a reminder of similar ones",
        "开具检查时查询相似检查提醒，未予提供",
        "ordered an exam for you and was not told of similar ones",
    ),
    "search_studies": _deed(
        "检索并列出了您的检查", "searched and listed your studies", "试图检索您的检查", "tried to search your studies"
    ),
    "view_images": _deed(
        "读取了{study}的图像", "read images of {study}", "试图读取{study}的图像", "tried to read images of {study}"
    ),
    "read_timeline": _deed(
        "查看了您的检查列表", "listed your studies", "试图查看您的检查列表", "tried to list your studies"
    ),
    "request_consent": _deed(
        "申请查看您的影像", "asked for your permission", "试图申请查看您的影像", "tried to ask for your permission"
    ),
    "read_outcome": _deed(
        "查询了申请的结果",
        "asked what became of a request",
        "试图查询申请的结果",
        "tried to ask what became of a request",
    ),
    "verify_code": _deed(
        "输入了您收到的验证码",
        "entered the code you were sent",
        "输入的验证码未被接受",
        "entered a code that was not accepted",
    ),
    "decide_request": _deed(
        "答复了医生的申请", "answered a doctor's request", "试图答复申请", "tried to answer a request"
    ),
    "show_qr": _deed(
        "出示了动态二维码", "showed the dynamic QR code", "试图出示动态二维码", "tried to show the dynamic QR code"
    ),
    "scan_qr": _deed(
        "扫描了您出示的动态二维码",
        "scanned your QR code",
        "扫描的二维码未被接受",
        "scanned a QR code that was not accepted",
    ),
    "end_sessions": _deed(
        "退出了您的全部登录", "signed you out everywhere", "试图退出您的全部登录", "tried to sign you out everywhere"
    ),
    "revoke_consent": _deed(
        "撤回了一项授权", "withdrew a permission", "试图撤回授权", "tried to withdraw a permission"
    ),
    "register_patient": _deed(
        "为您办理了身份登记", "registered you at a desk", "试图以您的身份办理登记", "tried to register somebody as you"
    ),
    "link_from_notice": _deed(
        "上报了一条归属于您的就诊记录",
        "reported a visit or exam as yours",
        "试图上报就诊记录",
        "tried to report a visit as yours",
    ),
    "contest_identity": _deed(
        "对一个院内号的归属提出异议",
        "contested whose a hospital's number is",
        "试图对院内号提出异议",
        "tried to contest a hospital's number",
    ),
    "unlink_identity": _deed(
        "把一个院内号移出您的名下",
        "took a hospital's number from you",
        "试图移出院内号",
        "tried to take a hospital's number from you",
    ),
    "relink_identity": _deed(
        "把一个院内号归还到您名下",
        "gave a hospital's number back to you",
        "试图归还院内号",
        "tried to give a hospital's number back",
    ),
    "read_link_history": _deed(
        "查看了院内号的归属历史",
        "read whose a hospital's number was",
        "试图查看归属历史",
        "tried to read whose a number was",
    ),
    "freeze": _deed("冻结了档案", "closed the record", "试图冻结档案", "tried to close the record"),
    "unfreeze": _deed(
        "凭身份证解冻了档案", "opened the record again, by the card", "试图解冻", "tried to open the record"
    ),
    "change_phone": _deed(
        "更换了手机号", "changed the phone number", "试图更换手机号", "tried to change the phone number"
    ),
    "void_phone": _deed("作废了手机号", "voided the phone number", "试图作废手机号", "tried to void the phone number"),
    "hide_study": _deed("隐藏了{study}", "hid {study}", "试图隐藏检查", "tried to hide a study"),
    "show_study": _deed("恢复显示{study}", "showed {study} again", "试图恢复显示检查", "tried to show a study again"),
    "export_record": _deed("导出了个人档案", "exported the record", "试图导出个人档案", "tried to export the record"),
    "prove_guardian": _deed("登记了一位监护人", "recorded a guardian", "试图登记监护人", "tried to record a guardian"),
    "end_guardian": _deed(
        "终止了一位监护人的权限", "ended a guardian's rights", "试图终止监护", "tried to end a guardian's rights"
    ),
    "object_to_guardian": _deed(
        "对监护人提出异议", "objected to a guardian", "试图对监护人提出异议", "tried to object to a guardian"
    ),
    "read_accesses": _deed("查看了访问记录", "read who looked", "试图查看访问记录", "tried to read who looked"),
    "read_consents": _deed("查看了授权列表", "listed permissions", "试图查看授权列表", "tried to list permissions"),
    "read_requests": _deed("查看了待答复的申请", "listed requests", "试图查看待答复的申请", "tried to list requests"),
    "read_identities": _deed(
        "查看了关联的就诊卡", "listed hospital identities", "试图查看关联的就诊卡", "tried to list identities"
    ),
    "read_guardians": _deed("查看了监护人", "listed guardians", "试图查看监护人", "tried to list guardians"),
    "read_wards": _deed("查看了被监护人", "listed wards", "试图查看被监护人", "tried to list wards"),
    "read_notices": _deed("查看了通知", "read notices", "试图查看通知", "tried to read notices"),
    "read_phone": _deed(
        "查看了登记的手机号", "looked at the phone number", "试图查看手机号", "tried to look at the phone number"
    ),
    "read_hidden": _deed(
        "查看了隐藏的检查", "listed hidden studies", "试图查看隐藏的检查", "tried to list hidden studies"
    ),
    "read_export": _deed(
        "查询了导出的进度", "asked how far the copy is", "试图查询导出的进度", "tried to ask how far the copy is"
    ),
    "open_session": _deed("登录", "signed in", "试图登录", "tried to sign in"),
    "close_session": _deed("退出登录", "signed out", "试图退出登录", "tried to sign out"),
    "request_assisted": _deed(
        "读取了您的身份证，申请在见证下查看您的影像",
        "read your card and asked to see your images before a witness",
        "试图以读卡方式申请查看您的影像",
        "tried to ask for your images by a card",
    ),
    "witness_assisted": _deed(
        "作为见证人确认了医生的读卡申请",
        "confirmed a doctor's request as the witness",
        "试图作为见证人确认申请",
        "tried to confirm a request as the witness",
    ),
    "break_glass": _deed(
        "因紧急情况获准查看您的影像，未经您同意",
        "was permitted to see your images in an emergency, without your consent",
        "试图以紧急情况为由查看您的影像",
        "tried to see your images as an emergency",
    ),
    "object_to_access": _deed(
        "对一次访问提出了异议", "objected to an access", "试图对访问提出异议", "tried to object to an access"
    ),
    "review_access": _deed("复核了一次访问", "reviewed an access", "试图复核访问", "tried to review an access"),
    "suspend_break_glass": _deed(
        "因未按时复核，暂停了该医生的紧急访问权",
        "suspended the doctor's right to emergency access, for it was not reviewed in time",
        "试图暂停紧急访问权",
        "tried to suspend the right to emergency access",
    ),
    "lift_suspension": _deed(
        "恢复了该医生的紧急访问权",
        "gave the doctor's right to emergency access back",
        "试图恢复紧急访问权",
        "tried to give the right to emergency access back",
    ),
    "assisted_outcome": _deed(
        "查询了读卡申请的结果",
        "asked what became of a request by card",
        "试图查询读卡申请的结果",
        "tried to ask what became of a request by card",
    ),
    "print_hand_over": _deed(
        "打印了给您的告知书", "printed the notice meant for you", "试图打印告知书", "tried to print a notice"
    ),
    "destroy_study": _deed(
        "依法销毁了超过保存期限的{study}",
        "destroyed {study}, whose time of keeping was over",
        "试图销毁{study}",
        "tried to destroy {study}",
    ),
    "finish_hand_over": _deed(
        "登记告知书已交付或寄出",
        "recorded that the notice was handed over or posted",
        "试图登记告知书的交付",
        "tried to record a notice as delivered",
    ),
}

ROLES: Mapping[str, Said] = {
    "doctor": Said("医生", "a doctor"),
    "patient": Said("您本人", "you yourself"),
    "guardian": Said("您的监护人", "your guardian"),
    "hospital": Said("信息系统", "the system"),
    "desk_clerk": Said("窗口工作人员", "a desk clerk"),
    "privacy_officer": Said("隐私保护负责人", "a privacy officer"),
    "regulator": Said("卫生健康主管部门人员", "an officer of the health commission"),
    "administrator": Said("系统管理员", "an administrator"),
}

PURPOSES: Mapping[str, Said] = {
    "treatment": Said("诊疗", "treatment"),
    "emergency": Said("急诊抢救", "emergency"),
}

BASES: Mapping[str, Said] = {
    "self": Said("本人查看自己的档案", "one's own record"),
    "guardian": Said("经证明的监护关系", "proven guardianship"),
    "sms_code": Said("您告知的短信验证码", "the SMS code that you told"),
    "health_app": Said("您在健康应用中的批准", "your approval in the health app"),
    "dynamic_qr": Said("您出示的动态二维码", "the dynamic QR code that you showed"),
    "assisted": Said("医生协助核验身份，有见证人并经复核", "identity checked by the doctor with a witness, reviewed"),
    "break_glass": Said("紧急访问，事后复核", "emergency access, reviewed afterwards"),
    "consent": Said("您的授权", "your permission"),
}

MODALITIES: Mapping[str, Said] = {
    "CR": Said("X线", "X-ray"),
    "DX": Said("X线", "X-ray"),
    "RG": Said("X线", "X-ray"),
    "CT": Said("CT", "CT"),
    "MR": Said("磁共振", "MR"),
    "US": Said("超声", "ultrasound"),
    "MG": Said("乳腺X线", "mammography"),
    "NM": Said("核医学", "nuclear medicine"),
    "PT": Said("PET", "PET"),
    "XA": Said("血管造影", "angiography"),
    "RF": Said("透视", "fluoroscopy"),
}


def said(table: Mapping[str, Said], word: str) -> Said:
    return table.get(word) or Said(word, word.replace("_", " "))
