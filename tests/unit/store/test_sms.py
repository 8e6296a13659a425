"""Messages reach the gateway authenticated, a bounded number of times, and leave no trace in logs or errors."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import moto
import pytest

from chalicelib.store.sms import GatewaySecret, GatewaySms, OutboxSms, SmsNotSent, SnsSms, UntoldSms, read_secret

PHONE = "13800138000"
CODE = "482913"


def test_the_outbox_appends_one_json_line_per_message_and_announces_itself(tmp_path, caplog):
    path = tmp_path / "deep" / "outbox.jsonl"
    outbox = OutboxSms(str(path))
    outbox.send(PHONE, "consent_code", {"code": CODE})
    outbox.send(PHONE, "consent_code", {"code": "000001"})
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["values"]["code"] for line in lines] == [CODE, "000001"]
    assert {line["phone"] for line in lines} == {PHONE}
    assert "outbox" in caplog.text
    assert CODE not in caplog.text


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        status = self.server.statuses[min(len(self.server.got), len(self.server.statuses)) - 1]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def gateway():
    served = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    served.got, served.statuses = [], [200]
    served.url = f"http://127.0.0.1:{served.server_port}/sms"
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


def sms(gateway, secret=None, pauses=None):
    kept = secret or GatewaySecret(bearer="s3cret")
    return GatewaySms(gateway.url, lambda: kept, (pauses if pauses is not None else []).append)


def test_a_message_is_posted_with_its_template_and_a_bearer(gateway):
    sms(gateway).send(PHONE, "consent_code", {"code": CODE})
    ((headers, body),) = gateway.got
    message = json.loads(body)
    assert headers["Authorization"] == "Bearer s3cret"
    assert (message["phone"], message["template"], message["values"]) == (PHONE, "consent_code", {"code": CODE})


def test_a_message_can_be_signed_instead(gateway):
    sms(gateway, GatewaySecret(hmac_key_id="k", hmac_key="key")).send(PHONE, "consent_code", {"code": CODE})
    ((headers, body),) = gateway.got
    expected = hmac.digest(b"key", headers["X-Timestamp"].encode() + b"." + body, hashlib.sha256).hex()
    assert (headers["X-Key-Id"], headers["X-Signature"]) == ("k", expected)


@pytest.mark.parametrize("busy", [500, 503, 429])
def test_a_busy_gateway_is_tried_again_with_the_same_message_id(gateway, busy):
    gateway.statuses = [busy, busy, 200]
    pauses = []
    sms(gateway, pauses=pauses).send(PHONE, "consent_code", {"code": CODE})
    assert len({json.loads(body)["message_id"] for _, body in gateway.got}) == 1
    assert (len(gateway.got), len(pauses)) == (3, 2)


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (400, 1), (401, 1), (302, 1)])
def test_a_message_that_is_not_taken_is_told_without_its_content(gateway, status, tries):
    gateway.statuses = [status]
    with pytest.raises(SmsNotSent) as told:
        sms(gateway).send(PHONE, "consent_code", {"code": CODE})
    assert len(gateway.got) == tries
    assert told.value.__cause__ is None
    assert not any(secret in str(told.value) for secret in (PHONE, CODE, "s3cret"))


def test_a_silent_gateway_is_tried_three_times():
    pauses = []
    closed = GatewaySms("http://127.0.0.1:1/", lambda: GatewaySecret(bearer="b"), pauses.append)
    with pytest.raises(SmsNotSent):
        closed.send(PHONE, "consent_code", {"code": CODE})
    assert len(pauses) == 2


def test_a_message_that_is_not_sent_is_told_to_operators_only(gateway, caplog):
    gateway.statuses = [400]
    UntoldSms(sms(gateway)).send(PHONE, "consent_code", {"code": CODE})
    assert "the gateway answered 400" in caplog.text
    assert not any(secret in caplog.text for secret in (PHONE, CODE, "s3cret"))


def test_any_other_failure_to_send_is_told_to_operators_only_too(caplog):
    def no_secret():
        raise LookupError(PHONE)

    UntoldSms(GatewaySms("https://sms.example.test", no_secret)).send(PHONE, "consent_code", {"code": CODE})
    assert "LookupError" in caplog.text
    assert PHONE not in caplog.text


def test_the_gateway_is_reached_over_https():
    with pytest.raises(ValueError, match="https"):
        GatewaySms("http://gateway.example.test/", GatewaySecret)


class FakeSecrets:
    def __init__(self, secret):
        self.secret = secret

    def get_secret_value(self, **asked):
        return {"SecretString": json.dumps(self.secret)}


def test_the_secret_is_a_bearer_or_a_key():
    assert read_secret(FakeSecrets({"bearer": "b"}), "id") == GatewaySecret("b")
    assert read_secret(FakeSecrets({"hmac_key_id": "i", "hmac_key": "k"}), "id") == GatewaySecret("", "i", "k")
    for bad in ({}, {"bearer": "b", "hmac_key": "k"}):
        with pytest.raises(ValueError, match="either"):
            read_secret(FakeSecrets(bad), "id")


def test_sns_sends_the_templates_text_to_the_international_number():
    with moto.mock_aws():
        client = boto3.client(
            "sns", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        SnsSms(client).send(PHONE, "consent_code", {"code": CODE})
        sent = moto.backends.get_backend("sns")["123456789012"]["us-east-1"].sms_messages
    ((number, text),) = [(number, text) for number, text in sent.values()]
    assert number == "+8613800138000"
    assert CODE in text


def test_a_number_that_sns_refuses_stays_out_of_the_error():
    with moto.mock_aws():
        client = boto3.client(
            "sns", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        with pytest.raises(SmsNotSent) as told:
            SnsSms(client).send("+notaphone", "consent_code", {"code": CODE})
    assert "notaphone" not in str(told.value)
