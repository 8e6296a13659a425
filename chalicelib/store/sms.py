"""The `Sms` port: a domestic vendor's HTTP gateway, SNS where it exists, a file on a developer's machine.

Nothing here logs a phone, a code or a text, and no error holds one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from chalicelib.services.ports import Sms

_log = logging.getLogger(__name__)

TIMEOUT = 3.0  # seconds; API Gateway ends the request after 29
PAUSES = (0.2, 0.5)  # seconds before the second and the third try
MAX_ANSWER = 4096  # bytes; only the status matters

# Vendors register templates for weeks and let them carry nothing but the code.
TEXTS = {
    "consent_code": "【影像云】授权验证码{code}，5分钟内有效。医生凭此码查看您的影像资料，如非本人就诊请勿告知他人。",
    "guardian_new": "【影像云】有窗口为使用本号码的患者登记了监护人。如有异议，请在健康应用中提出，或持身份证到窗口。"
    "A desk has recorded a guardian for a patient of this number. To object, use the app, or come to a desk.",
    "emergency_access": "【影像云】因情况紧急，{hospital}的医生获准在2小时内查看您的影像。"
    "如有异议，请在健康应用“谁看过”中提出，或持身份证到任一窗口。"
    "In an emergency a doctor of {hospital} may see your images for 2 hours. To object, see “who looked” in the app.",
    "assisted_access": "【影像云】{hospital}的医生读取您的身份证并经见证，获准在24小时内查看您的影像。"
    "如非本人同意，请持身份证到任一窗口或在健康应用中提出异议。"
    "A doctor of {hospital} may see your images for 24 hours: your card was read before a witness. If this is wrong, "
    "come to a desk, or object in the app.",
    "phone_change": "【影像云】{hospital}正将您的手机号换成另一号码。如非本人，请在健康应用点“不是我”或持身份证到窗口。"
    "Your number for the imaging cloud is being changed at {hospital}. If this is not you, press “not me” in the app.",
}


class SmsNotSent(Exception):  # noqa: N818 - named by the fact
    """The gateway did not take the message. Says why in general terms, nothing of the message."""


class UntoldSms:
    """Another one, but what is not sent is told to operators only: what the message tells of is done by then, and
    whoever did it would learn from an error that there is a phone (DESIGN §6)."""

    def __init__(self, inner: Sms) -> None:
        self._inner = inner

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> None:
        try:
            self._inner.send(phone, template, values)
        except SmsNotSent as error:
            _log.error("SMS not sent: %s", error)
        except Exception as error:  # noqa: BLE001 - whatever failed, telling it would tell that there is a phone
            _log.error("SMS not sent: %s", type(error).__name__)


class OutboxSms:
    """Appends each message to a file as one JSON line. For a machine on a desk: it announces itself."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        _log.warning("SMS are not sent: they are written to the outbox file")

    def send(self, phone: str, template: str, values: Mapping[str, str], message_id: str = "") -> None:
        at = datetime.now(UTC).isoformat()
        line = {"at": at, "message_id": message_id, "phone": phone, "template": template, "values": dict(values)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as outbox:
            outbox.write(json.dumps(line, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class GatewaySecret:
    """How the gateway knows us: a bearer token, or a key that signs `{timestamp}.{body}` with HMAC-SHA256."""

    bearer: str = ""
    hmac_key_id: str = ""
    hmac_key: str = ""


def read_secret(secrets: Any, secret_id: str) -> GatewaySecret:
    """From Secrets Manager, a JSON object: {"bearer"} or {"hmac_key_id", "hmac_key"}. Raises ValueError."""
    given = json.loads(secrets.get_secret_value(SecretId=secret_id)["SecretString"])
    secret = GatewaySecret(given.get("bearer", ""), given.get("hmac_key_id", ""), given.get("hmac_key", ""))
    if bool(secret.bearer) == bool(secret.hmac_key):
        raise ValueError("the gateway's secret holds either a bearer or an HMAC key")
    return secret


class GatewaySms:
    """POSTs {"message_id", "phone", "template", "values"} over TLS; the gateway must answer 2xx.

    Tries three times on 5xx, 429 and silence. `message_id` is the same in all tries and redeliveries, so that a gateway
    that took a message without our hearing of it does not send it twice.
    """

    def __init__(self, url: str, secret: Callable[[], GatewaySecret], pause: Callable[[float], None] = sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("the SMS gateway is reached over https")
        self._url = url
        self._secret = secret
        self._pause = pause

    def send(self, phone: str, template: str, values: Mapping[str, str], message_id: str = "") -> None:
        given = message_id or uuid.uuid4().hex
        message = {"message_id": given, "phone": phone, "template": template, "values": dict(values)}
        body = json.dumps(message, ensure_ascii=False).encode()
        for pause in (*PAUSES, None):
            if self._post(body):
                return
            if pause is not None:
                self._pause(pause)
        raise SmsNotSent("the gateway was busy or silent three times")

    def _post(self, body: bytes) -> bool:
        """True when taken, False when another try may help. SmsNotSent when the gateway refuses."""
        headers = {"Content-Type": "application/json; charset=utf-8", **_auth(self._secret(), body)}
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - checked in __init__
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                answer.read(MAX_ANSWER)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 429 or error.code >= 500:
                return False
            raise SmsNotSent(f"the gateway answered {error.code}") from None
        except OSError:
            return False
        return True


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A gateway that moved must not carry our secret along."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _auth(secret: GatewaySecret, body: bytes) -> dict[str, str]:
    if secret.bearer:
        return {"Authorization": f"Bearer {secret.bearer}"}
    stamp = str(int(datetime.now(UTC).timestamp()))
    signature = hmac.digest(secret.hmac_key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hex()
    return {"X-Key-Id": secret.hmac_key_id, "X-Timestamp": stamp, "X-Signature": signature}


class SnsSms:
    """SNS, in partitions that have SMS (not `aws-cn`). It knows no `message_id`: redelivered is sent again."""

    def __init__(self, sns: SNSClient) -> None:
        self._sns = sns

    def send(
        self,
        phone: str,
        template: str,
        values: Mapping[str, str],
        message_id: str = "",  # noqa: ARG002 - the port's; SNS has no place for it
    ) -> None:
        number = phone if phone.startswith("+") else f"+86{phone}"
        try:
            self._sns.publish(
                PhoneNumber=number,
                Message=TEXTS[template].format(**values),
                MessageAttributes={"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}},
            )
        except self._sns.exceptions.ClientError:
            raise SmsNotSent("SNS refused the message") from None  # its text would repeat the number
