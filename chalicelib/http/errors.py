"""Facts to HTTP: one table, one decorator. Every request ends in an answer (DESIGN §3, §6)."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from chalicelib.domain.access import AccessDenied
from chalicelib.http.answers import answer
from chalicelib.http.asked import BadRequest

if TYPE_CHECKING:
    from chalice.app import Response

log = logging.getLogger("imaging_cloud")


@dataclass(frozen=True, slots=True)
class Fact:
    """How a fact is told: status, and a sentence in both languages."""

    status: int
    en: str
    zh: str


FACTS: Mapping[str, Fact] = {
    # the door
    "unauthenticated": Fact(401, "Please sign in again.", "请重新登录。"),
    "not_allowed": Fact(403, "This is not open to your role.", "您的身份无权进行此操作。"),
    "csrf": Fact(403, "The request did not come from this site's own page.", "请求并非来自本站页面。"),
    # the request
    "bad_request": Fact(400, "A field is missing or not as it must be.", "缺少字段或字段格式不正确。"),
    "not_found": Fact(404, "There is no such thing.", "未找到。"),
    "too_large": Fact(
        413,
        "It does not fit one answer; ask for less at a time, or by the signed URLs of the study's manifest.",
        "内容超出单次应答的上限，请分次获取，或使用检查清单中的签名链接。",
    ),
    "not_acceptable": Fact(406, "It cannot be given in any media type that was asked for.", "无法以所要求的格式提供。"),
    "not_drawable": Fact(
        406,
        "No thumbnail is drawn of this image: only of uncompressed grey or RGB images and small baseline JPEGs.",
        "无法生成该图像的缩略图：仅支持未压缩的灰度或 RGB 图像及较小的基线 JPEG。",
    ),
    "unsupported_media_type": Fact(
        415, "The body's Content-Type is none that this address takes.", "该接口不支持此 Content-Type 的请求体。"
    ),
    "too_large_to_store": Fact(
        413,
        "It does not fit one request: at most 4.3 MB and 200 instances. Send fewer at a time, or ask"
        " POST /hospital/uploads for signed URLs to S3.",
        "内容超出单次请求的上限（4.3 MB、200 个实例），请分次发送，或通过 POST /hospital/uploads 获取签名链接上传。",
    ),
    "too_large_for_one_put": Fact(
        413,
        "S3 takes at most 5 GiB in one PUT: send it in parts, with the keys of POST /hospital/credentials.",
        "单次 PUT 上限为 5 GiB，请使用 POST /hospital/credentials 的临时密钥分段上传。",
    ),
    # access
    "consent_expired": Fact(403, "The patient's consent has ended.", "患者的授权已到期。"),
    "consent_revoked": Fact(403, "The patient has withdrawn the consent.", "患者已撤回授权。"),
    "frozen": Fact(
        403,
        "The patient has closed the record, until they show their card at a desk.",
        "患者已冻结个人影像档案，须本人持身份证到窗口解冻。",
    ),
    "doctor_inactive": Fact(403, "This account is not active at this hospital.", "该医生账号在本院未启用。"),
    "session_ended": Fact(401, "The session was ended; please sign in again.", "会话已结束，请重新登录。"),
    "code_refused": Fact(403, "The code was not accepted.", "验证码不正确。"),
    "code_locked": Fact(403, "No more tries with this code.", "验证码已锁定，请重新申请。"),
    "licence_taken": Fact(
        409,
        "Another account stands for this licence number; close that one first.",
        "该执业证书编号已由另一账号使用，请先停用该账号。",
    ),
    "export_limit": Fact(429, "Enough copies for today; come back tomorrow.", "今日导出次数已用完，请明天再试。"),
    "unlink_refused": Fact(422, "This link cannot be changed so.", "无法这样变更该院内号的归属。"),
    "phone_not_vouched": Fact(
        422,
        "Only a number that the real-name app has checked can be set here. Else go to a desk with your card.",
        "只能设置实名健康应用已核验的手机号；否则请持身份证到窗口办理。",
    ),
    "registration_refused": Fact(422, "The registration contradicts itself or the card.", "登记信息有误或与证件不符。"),
    "guardian_needed": Fact(
        403,
        "Under 14 a guardian must allow this (PIPL Art. 31).",
        "未满14周岁须由监护人同意（《个人信息保护法》第三十一条）。",
    ),
    "guardianship_ended": Fact(403, "You are no longer this person's guardian here.", "您对该人的监护代理权限已终止。"),
    "guardian_refused": Fact(422, "This guardianship cannot be recorded.", "无法登记或变更该监护关系。"),
    "request_closed": Fact(409, "This request takes no answer any more.", "该申请已不能再答复。"),
    "qr_refused": Fact(403, "The patient's code was not accepted; ask for a new one.", "二维码无效，请患者重新出示。"),
    "identity_unlinked": Fact(
        409,
        "The desk must first link this patient's number to the person, with the card. Then ask for a new code.",
        "该就诊号尚未与患者本人关联，请先到窗口刷身份证办理，再请患者重新出示二维码。",
    ),
    # without the patient's own answer
    "card_refused": Fact(403, "The card is not this patient's, or could not be read.", "证件与就诊人不符或无法读取。"),
    "phone_exists": Fact(
        409,
        "The patient has a verified phone: ask by code or in the app.",
        "患者有已核验的手机号，请通过验证码或健康应用申请。",
    ),
    "assisted_closed": Fact(
        409, "This request takes no confirmation any more; the doctor asks anew.", "该申请已不能确认，请医生重新发起。"
    ),
    "witness_role": Fact(403, "Only another role of this hospital may be the witness.", "见证人须为本院其他岗位人员。"),
    "witness_is_doctor": Fact(403, "The doctor cannot be the witness.", "见证人不能是申请的医生本人。"),
    "witness_not_fresh": Fact(
        403, "A witness signs in afresh, at most two minutes before.", "见证人须重新登录，并在登录后两分钟内确认。"
    ),
    "witness_hands_over": Fact(
        403,
        "Somebody other than doctor and witness hands this over.",
        "告知书须由医生和见证人以外的窗口人员交付。",
    ),
    "unknown_hand_over": Fact(404, "There is no such paper here.", "本院没有这份告知书。"),
    "not_an_emergency": Fact(
        403, "Neither the visit nor your account is for emergencies.", "本次就诊不是急诊，您的账号也非急诊岗位。"
    ),
    "not_confirmed": Fact(
        422,
        "Type the sentence exactly, and at least ten characters of your own words.",
        "请逐字输入确认语，并用不少于10个字说明情况。",
    ),
    "unknown_person": Fact(
        409,
        "It is not known who stands behind this visit's number, so there is no record to open.",
        "无法确定该就诊号对应的本人，没有可供打开的档案。",
    ),
    "break_glass_quota": Fact(
        403,
        "No more emergency access of yours today or this month; a colleague may have some.",
        "您今日或本月的紧急访问次数已用完，可请同事操作。",
    ),
    "break_glass_suspended": Fact(
        403,
        "Your emergency access is suspended until the privacy officer has reviewed.",
        "您的紧急访问权已暂停，待隐私保护负责人复核。",
    ),
    "unknown_review": Fact(404, "There is no such review here.", "本院没有这项复核。"),
    "unknown_suspension": Fact(404, "Nothing of this hospital stands against the doctor.", "本院没有对该医生的暂停。"),
    "own_part": Fact(403, "Who had a part in it does not judge it.", "当事医生和见证人不能自行复核。"),
    # studies
    "manifest_changed": Fact(409, "New images have arrived; start again.", "影像已更新，请重新读取。"),
    "study_conflicted": Fact(
        409,
        "The study holds images of more than one patient and is withheld until the hospital resolves it.",
        "该检查含有多名患者的影像，在医院核实之前暂不提供。",
    ),
    # joining
    "hospital_closed": Fact(
        403,
        "The hospital's registration has ended; ask the health commission.",
        "该医院的登记已停用，请联系卫生健康主管部门。",
    ),
    "outage_withdrawn": Fact(
        409,
        "This outage was withdrawn, and stays so. Tell it in other words if it is to count after all.",
        "该停机已被撤回且不再恢复；如仍需认可，请更改原因重新提交。",
    ),
    "flag_not_so": Fact(
        409,
        "The flag has changed since, or takes this no more; look at it again.",
        "该标记已有变化或已不能这样处理，请重新查看。",
    ),
    "joining_refused": Fact(
        403,
        "The joining code was not accepted; ask the health commission for a new one.",
        "接入码不正确或已失效，请向卫生健康主管部门申请新的接入码。",
    ),
    "key_refused": Fact(422, "The key or its proof is not as it must be.", "公钥或其持有证明不符合要求。"),
    "too_many_keys": Fact(409, "There are two keys already; retire one first.", "已有两个有效公钥，请先停用其中一个。"),
    "no_live_key": Fact(
        409,
        "No key of this hospital is in use; ask the health commission for a joining code.",
        "本院没有有效公钥，请向卫生健康主管部门申请接入码。",
    ),
    "last_key": Fact(
        409, "The last key cannot be retired; add another first.", "不能停用最后一个公钥，请先添加新公钥。"
    ),
    "quarantine_refused": Fact(
        409, "The entry does not stand so that this can be done.", "该隔离条目目前的状态不允许此操作。"
    ),
    # disposal
    "disposal_closed": Fact(409, "This proposal takes no decision any more.", "该销毁申请已不能再审批。"),
    "nothing_to_dispose": Fact(
        422,
        "Every study of the list must still be kept; it says why and until when.",
        "清单中的检查均须继续保存，原因和期限见清单。",
    ),
    "placed_above": Fact(
        403, "The health commission placed this hold and lifts it.", "该保全由卫生健康主管部门作出，须由其解除。"
    ),
    # statistics
    "figure_closed": Fact(
        403,
        "This figure is of fewer than ten, or lets such a one be told.",
        "该数字少于10，或可据以推知少于10的数字，不予公开。",
    ),
    # us
    "try_again": Fact(503, "Busy; please try again.", "系统繁忙，请重试。"),
    "internal": Fact(500, "Something failed on our side.", "系统内部错误。"),
}

# The denials that are told: to whom once held the consent, to whom may read otherwise, or about the caller's own
# account. `domain.consent` sees to that; a stranger's reason is none of these.
TOLD_DENIALS = frozenset(
    {
        "assisted_closed",
        "break_glass_quota",
        "break_glass_suspended",
        "card_refused",
        "consent_expired",
        "consent_revoked",
        "doctor_inactive",
        "frozen",
        "guardian_needed",
        "guardianship_ended",
        "hospital_closed",
        "identity_unlinked",
        "not_an_emergency",
        "not_confirmed",
        "own_part",
        "phone_exists",
        "placed_above",
        "session_ended",
        "study_conflicted",
        "unknown_hand_over",
        "unknown_person",
        "unknown_review",
        "unknown_suspension",
        "witness_hands_over",
        "witness_is_doctor",
        "witness_not_fresh",
        "witness_role",
    }
)


@dataclass(frozen=True, slots=True)
class Raised:
    """What an exception is told as, and which of its attributes with it."""

    code: str
    tells: tuple[str, ...] = ()
    field: str = ""


# Exceptions by the name of their class: naming them so spares a cold start the import of every service.
RAISED: Mapping[str, Raised] = {
    "AuditFailed": Raised("try_again"),
    "BadExcuse": Raised("bad_request", ("field",)),
    "BadQuery": Raised("bad_request", ("field",)),
    "CodeLocked": Raised("code_locked"),
    "CodeRefused": Raised("code_refused", ("attempts_left",)),
    "Contended": Raised("try_again"),
    "DayContended": Raised("try_again"),
    "FigureClosed": Raised("figure_closed"),
    "OutageWithdrawn": Raised("outage_withdrawn"),
    "FlagNotSo": Raised("flag_not_so", ("state",)),
    "DisposalClosed": Raised("disposal_closed", ("state",)),
    "GuardianRefused": Raised("guardian_refused", ("reason",)),
    "JoiningRefused": Raised("joining_refused"),
    "KeyRefused": Raised("key_refused", ("reason", "tries_left")),
    "LastKey": Raised("last_key"),
    "NoLiveKey": Raised("no_live_key"),
    "TooManyKeys": Raised("too_many_keys"),
    "UnknownHospital": Raised("not_found"),
    "UnknownKey": Raised("not_found"),
    "IdentityUnlinked": Raised("identity_unlinked"),
    "LedgerContended": Raised("try_again"),
    "LicenceTaken": Raised("licence_taken", ("doctor_id",)),
    "NotAcceptable": Raised("not_acceptable"),
    "NotDrawable": Raised("not_drawable"),
    "NotInstances": Raised("unsupported_media_type"),
    "NotMultipart": Raised("bad_request", field="body"),
    "NothingThere": Raised("not_found"),
    "TooLarge": Raised("too_large"),
    "TooLargeForIngest": Raised("bad_request", field="bytes"),
    "TooLargeForOnePut": Raised("too_large_for_one_put"),
    "TooLargeToStore": Raised("too_large_to_store"),
    "ManifestChanged": Raised("manifest_changed"),
    "PhoneNotVouched": Raised("phone_not_vouched"),
    "QrRefused": Raised("qr_refused"),
    "RecognitionContended": Raised("try_again"),
    "RegistrationRefused": Raised("registration_refused", ("reason",)),
    "QuarantineRefused": Raised("quarantine_refused", ("reason",)),
    "RequestClosed": Raised("request_closed", ("state",)),
    "StandingContended": Raised("try_again"),
    "TokenNotOurs": Raised("bad_request", field="token"),
    "TooManyDays": Raised("bad_request", field="to"),
    "UnknownDisposal": Raised("not_found"),
    "UnknownDoctor": Raised("not_found"),
    "UnknownHold": Raised("not_found"),
    "TooManyExports": Raised("export_limit"),
    "UnknownEntry": Raised("not_found"),
    "UnknownFlag": Raised("not_found"),
    "UnlinkRefused": Raised("unlink_refused", ("reason",)),
}


def tell(code: str, **more: Any) -> Response:
    """The answer for a fact."""
    fact = FACTS[code]
    return answer({"error": code, **more, "message": {"en": fact.en, "zh": fact.zh}}, fact.status)


def no_grant() -> Response:
    """Never granted and unknown are one answer, byte for byte."""
    return answer({"error": "no_grant"}, 403)


def internal(error: Exception, route: str) -> Response:
    """500, and a log line that names the kind of the error and the line of code, but no value of the request."""
    line = {"event": "unexpected_error", "route": route, "error": type(error).__name__, "at": _where(error)}
    log.error(json.dumps(line))
    fact = FACTS["internal"]
    return answer({"error": "internal", "message": {"en": fact.en, "zh": fact.zh}}, fact.status)


def _where(error: Exception) -> str:
    """The last line of ours that the error passed, else the last one."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "chalicelib" in frame.filename] or frames
    return f"{ours[-1].filename.rsplit('chalicelib/')[-1]}:{ours[-1].lineno}" if ours else ""


def answered(work: Callable[..., Response], route: str) -> Callable[..., Response]:
    """`work`, but whatever it raises becomes an answer."""

    @wraps(work)
    def wrapped(*args: Any, **kwargs: Any) -> Response:
        try:
            return work(*args, **kwargs)
        except AccessDenied as denied:
            return tell(denied.reason) if denied.reason in TOLD_DENIALS else no_grant()
        except BadRequest as bad:
            return tell("bad_request", field=bad.field)
        except Exception as error:  # noqa: BLE001 - the edge: every request ends in an answer
            return _raised(error, route)

    return wrapped


def _raised(error: Exception, route: str) -> Response:
    raised = RAISED.get(type(error).__name__)
    if raised is None:
        return internal(error, route)
    more = {name: getattr(error, name) for name in raised.tells}
    return tell(raised.code, **({"field": raised.field} if raised.field else {}), **more)
