"""Every route over a whole cloud: who may, who may not, and that strangers learn nothing."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib import wiring
from chalicelib.domain.flag import Behind, Flag, FlaggedExam
from chalicelib.domain.session import csrf_value
from chalicelib.http.answers import HEADERS
from chalicelib.http.bearer import COOKIE
from chalicelib.http.role_table import ROUTES
from tests.support import tokens
from tests.support.cloud import forget_cached
from tests.support.served_app import (
    BOUND,
    NAME,
    NO_GRANT,
    ORIGIN,
    PHONE,
    REF,
    Jwks,
    error_of,
    jwks_url,
    national_id,
    served,
)

__all__ = ["jwks_url", "served"]

PATHS = {
    "series": "1.2.840.1.1",
    "instance": "1.2.840.1.1.1",
    "frames": "1",
    "study_id": "H1-1",
    "report_id": "H1-1.1",
    "consent_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "hospital_id": "H1",
    "uid": "1.2.840.1",
    "encounter_id": "E1",
    "period": "2026-11-23",
    "disposal_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
}


def filled(path):
    return path.format(**PATHS)


CLOSED = [route for route, allowed in ROUTES.items() if allowed.whose != "open"]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_no_route_answers_without_a_token(served, method, path):
    answer = served.ask(method, filled(path), body={} if method == "POST" else None)
    assert (answer.status_code, error_of(answer)) == (401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_no_route_answers_a_role_it_is_not_for(served, method, path):
    for role in set(BOUND) - ROUTES[method, path].roles:
        answer = served.ask(method, filled(path), role, body={} if method == "POST" else None)
        assert (answer.status_code, error_of(answer)) == (403, "not_allowed"), role


@pytest.mark.parametrize(("method", "path"), [route for route in CLOSED if ROUTES[route].whose == "own_hospital"])
def test_a_hospitals_routes_need_a_token_bound_to_one(served, method, path):
    for role in ROUTES[method, path].roles:
        answer = served.ask(method, filled(path), role, body={} if method == "POST" else None, hospital_id="")
        assert (answer.status_code, answer.json_body["error"]) == (403, "not_allowed")


WITHOUT_FIELDS = {
    "/session",
    "/hospital/notices",
    "/hospital/credentials",
    "/hospitals/{hospital_id}/joining-code",
    "/hospitals/{hospital_id}/keys/revoke",
    "/me/qr",
    "/fhir/ImagingStudy/_search",
    "/fhir/DiagnosticReport/_search",
    "/dicomweb/studies",  # no JSON: tests/integration/test_stow.py
    "/dicomweb/studies/{uid}",
}


@pytest.mark.parametrize(
    ("method", "path"), [route for route in CLOSED if route[0] == "POST" and route[1] not in WITHOUT_FIELDS]
)
def test_every_write_refuses_a_body_that_says_nothing(served, method, path):
    role = next(iter(ROUTES[method, path].roles))
    for body in ({}, [], b"", b"{", b"\xff"):
        answer = served.ask(method, filled(path), role, body=body)
        assert (answer.status_code, answer.json_body["error"]) == (400, "bad_request"), body
        assert answer.json_body["field"]


def test_health_is_open(served):
    assert served.ask("GET", "/health").json_body == {"status": "ok"}


# Tokens, by header and by cookie


def _signed(**changes):
    return tokens.signed(tokens.claims(now=datetime.now(UTC), **{**BOUND["patient"], "role": "patient", **changes}))


def _bad_tokens():
    now = datetime.now(UTC)
    mine = {**BOUND["patient"], "role": "patient", "now": now}
    head, _, rest = _signed().partition(".")
    return {
        "forged": tokens.token(key="forger", kid="k1", **mine),
        "unknown key": tokens.token(key="forger", **mine),
        "expired": tokens.token(**{**mine, "now": now - timedelta(hours=1)}),
        "not yet": tokens.token(**{**mine, "now": now + timedelta(hours=1)}),
        "other audience": _signed(aud="else"),
        "other issuer": _signed(iss="https://else.example.test"),
        "alg none": f"{_none_header()}.{rest.rpartition('.')[0]}.",
        "HS256 with the public key": _hs256_with_the_public_key(),
        "oversized": _signed(pad="x" * 9000),
        "header of another": f"{head[:-3]}AAA.{rest}",
        "nonsense": "nonsense",
    }


def _hs256_with_the_public_key():
    public = tokens.private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=")
    signed = head + b"." + _signed().split(".")[1].encode()
    return (signed + b"." + base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")).decode()


def _none_header():
    return base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1"}').rstrip(b"=").decode()


def test_untrue_tokens_get_one_and_the_same_401_by_header_and_by_cookie(served):
    nothing = served.ask("GET", "/me/consents")
    for kind, token in _bad_tokens().items():
        for way in WAYS.values():
            answer = served.ask("GET", "/me/consents", headers=way(token))
            assert (answer.status_code, answer.body, answer.headers) == (401, nothing.body, nothing.headers), kind


WAYS = {
    "header": lambda token: {"Authorization": f"Bearer {token}"},
    "cookie": lambda token: {"Cookie": f"{COOKIE}={token}"},
}


@pytest.mark.parametrize("way", WAYS)
def test_after_a_rotation_the_old_key_opens_nothing(served, monkeypatch, way):
    old, new = _signed(), tokens.token(key="k2", role="patient", now=datetime.now(UTC), **BOUND["patient"])

    def statuses(*published):
        monkeypatch.setattr(Jwks, "names", published)
        forget_cached()  # as a function that starts now; tests/unit/store/test_tokens.py has one that runs on
        return [served.ask("GET", "/me/consents", headers=WAYS[way](token)).status_code for token in (old, new)]

    assert [statuses("k1"), statuses("k1", "k2"), statuses("k2")] == [[200, 401], [200, 200], [401, 200]]


def test_a_session_cookie_reads_and_with_the_csrf_value_writes(served):
    opened = served.ask("POST", "/session", "patient")
    assert opened.json_body["role"] == "patient"
    cookie = opened.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    mine = {"Cookie": cookie.partition(";")[0]}
    assert served.ask("GET", "/me/consents", headers=mine).status_code == 200
    without = served.ask("POST", "/me/consents/revoke", headers=mine, body={"consent_id": "x"})
    assert without.json_body["error"] == "csrf"
    proof = {**mine, "Origin": ORIGIN, "X-CSRF": opened.json_body["csrf"]}
    assert served.ask("POST", "/me/consents/revoke", headers=proof, body={"consent_id": "x"}).body == NO_GRANT
    closed = served.ask("DELETE", "/session", headers=proof)
    assert "Max-Age=0" in closed.headers["Set-Cookie"]
    assert csrf_value(cookie.partition("=")[2].partition(";")[0]) == opened.json_body["csrf"]


# Hospitals, desks, the commission


def test_a_hospital_sees_its_own_study_and_excludes_an_entry(served):
    served.prepare()
    seen = served.ask("GET", "/hospital/studies/1.2.840.1", "hospital").json_body
    assert (seen["study"]["instances"], seen["statuses"]) == (2, {"served": 2})
    assert "张三" not in json.dumps(seen, ensure_ascii=False)
    version_id = seen["entries"][0]["version_id"]
    body = {"kind": "exclude", "version_id": version_id, "reason": "他人影像"}
    path = "/hospital/studies/1.2.840.1/amendments"
    assert served.ask("POST", path, "hospital", body).status_code == 202
    wiring.settle_study()(REF, datetime.now(UTC))
    seen = served.ask("GET", "/hospital/studies/1.2.840.1", "hospital").json_body
    assert seen["statuses"] == {"served": 1, "excluded": 1}
    missing = served.ask("POST", path, "hospital", {**body, "version_id": "none"})
    assert (missing.status_code, missing.json_body["error"]) == (404, "not_found")


def test_a_hospital_sees_nothing_of_another(served):
    served.prepare()
    for path in ("/hospital/studies/1.2.840.1", "/hospital/studies/1.2.840.404"):
        answer = served.ask("GET", path, "hospital", subject="H2", hospital_id="H2")
        assert (answer.status_code, answer.json_body["error"]) == (404, "not_found")


def test_a_notice_is_stored_under_the_callers_own_prefix(served, cloud):
    body = {"type": "exam", "notice_id": "n1", "hospital_id": "H2"}
    answer = served.ask("POST", "/hospital/notices", "hospital", body)
    key = answer.json_body["notice_key"]
    assert (answer.status_code, key.split("/")[:2]) == (202, ["notices", "H1"])
    stored = cloud.client("s3").get_object(Bucket=cloud.settings["UPLOADS_BUCKET"], Key=key)
    assert json.load(stored["Body"]) == body


def test_a_hospital_lists_its_quarantine_deadlines_and_worklist(served):
    served.prepare()
    assert served.ask("GET", "/hospital/quarantine", "hospital").json_body == {"records": [], "next_token": ""}
    days = "?from=2026-11-23&to=2026-11-24"
    own = served.ask("GET", f"/hospital/compliance{days}", "hospital").json_body["days"]
    assert [one["day"] for one in own] == ["2026-11-23", "2026-11-24"]
    for query in ("", days):
        assert served.ask("GET", f"/hospital/worklist{query}", "hospital").json_body["exams"] == []
    far = served.ask("GET", "/hospital/compliance?from=2020-01-01&to=2026-11-24", "hospital")
    assert (far.status_code, far.json_body["field"]) == (400, "to")


def test_a_registration_that_contradicts_the_card_is_refused_with_its_reason(served):
    body = {"patient_id": "P1", "national_id": national_id(), "name": NAME, "birth_date": "1971-01-01"}
    answer = served.ask("POST", "/desk/registrations", "desk_clerk", body)
    assert (answer.status_code, answer.json_body["reason"]) == (422, "birth_date_differs")


def test_flags_with_many_exams_come_in_shorter_pages_and_none_is_lost(served):
    exams = tuple(FlaggedExam(f"accession-number-{n:06d}", 1, "missing", None, None) for n in range(9000))
    behind = Behind((("missing", 9000),), exams, 9000, "digest")
    days = [f"2026-10-{day:02d}" for day in range(1, 9)]
    for day in days:
        assert wiring.flags().put(Flag("H1", day, "missed_deadline", "raised", behind, datetime.now(UTC)))
    seen, token = [], ""
    while token or not seen:
        path = f"/compliance/flags?token={token}" if token else "/compliance/flags"
        answer = served.ask("GET", path, "regulator")
        assert len(answer.body) < 6_000_000
        seen += [flag["day"] for flag in answer.json_body["flags"]]
        token = answer.json_body["next_token"]
    assert seen == days


def test_the_commission_reads_deadlines_flags_and_reports_and_excuses(served):
    served.prepare()
    days = "?from=2026-11-23&to=2026-11-24"
    assert served.ask("GET", f"/compliance/hospitals/H1{days}", "regulator").status_code == 200
    assert served.ask("GET", "/compliance/flags", "regulator").json_body == {"flags": [], "next_token": ""}
    assert served.ask("GET", "/compliance/flags?token=x", "regulator").json_body["field"] == "token"
    assert served.ask("GET", "/compliance/reports/2026-11-23", "regulator").status_code == 404
    excuse = {"from": "2026-11-23T00:00:00+08:00", "to": "2026-11-23T06:00:00+08:00", "reason": "停电"}
    assert served.ask("POST", "/hospitals/H1/excuses", "regulator", excuse).status_code == 202
    backwards = {**excuse, "to": "2026-11-22T00:00:00+08:00"}
    answer = served.ask("POST", "/hospitals/H1/excuses", "regulator", backwards)
    assert (answer.status_code, answer.json_body["field"]) == (400, "to")


def test_an_administrator_opens_suspends_and_signs_out_and_is_told_whose_a_licence_is(served):
    served.open_hospitals()
    other = {"doctor_id": "d2", "hospital_id": "H1", "licence_number": "1 1-0", "name": "王医生"}
    answer = served.ask("POST", "/doctors", "administrator", other)
    assert (answer.status_code, answer.json_body["error"], answer.json_body["doctor_id"]) == (
        409,
        "licence_taken",
        "d1",
    )
    body = {"doctor_id": "d1", "status": "suspended"}
    told = served.ask("POST", "/doctors/status", "administrator", body).json_body
    assert told == {"doctor_id": "d1", "hospital_id": "H2", "status": "suspended", "session_epoch": 1}
    visit = {"encounter_id": "E1", "purpose": "treatment"}
    assert served.ask("POST", "/consent-requests", "doctor", visit).json_body["error"] == "doctor_inactive"
    served.ask("POST", "/doctors/status", "administrator", {**body, "status": "active"})
    told = served.ask("POST", "/doctors/sessions/end", "administrator", {"doctor_id": "d1"}).json_body
    assert told["session_epoch"] == 3
    ended = served.ask("POST", "/consent-requests", "doctor", visit)
    assert (ended.status_code, ended.json_body["error"]) == (401, "session_ended")
    served.register("H2", "Q1")
    served.open_encounter()
    assert served.ask("POST", "/consent-requests", "doctor", visit, session_epoch=3).status_code == 202
    for path, more in (("/doctors/status", {"status": "left"}), ("/doctors/sessions/end", {})):
        assert served.ask("POST", path, "administrator", {"doctor_id": "nobody", **more}).status_code == 404


def test_no_account_gets_an_id_that_no_token_may_carry(served):
    served.open_hospitals()
    account = {"hospital_id": "H1", "licence_number": "111", "name": "王医生"}
    for doctor_id, status in (("医" * 43, 400), ("医" * 42, 201)):  # 129 and 126 bytes
        answer = served.ask("POST", "/doctors", "administrator", {**account, "doctor_id": doctor_id})
        assert (answer.status_code, answer.json_body.get("field", "doctor_id")) == (status, "doctor_id")


def test_a_person_and_a_desk_end_every_session_of_the_person(served):
    person_id = served.prepare()
    mine = {"person_id": person_id}
    assert served.ask("POST", "/me/sessions/end", "patient", {"confirm": "yes"}, **mine).json_body == {
        "session_epoch": 1
    }
    ended = served.ask("GET", "/me/studies", "patient", **mine)
    assert (ended.status_code, ended.json_body["error"]) == (401, "session_ended")
    assert served.ask("GET", "/me/studies", "patient", **mine, session_epoch=1).status_code == 200
    card = {"national_id": national_id(), "name": NAME}
    told = served.ask("POST", "/desk/persons/sessions/end", "desk_clerk", card).json_body
    assert told == {"person_id": person_id, "session_epoch": 2}
    assert served.ask("GET", "/me/studies", "patient", **mine, session_epoch=1).json_body["error"] == "session_ended"
    wrong = served.ask("POST", "/desk/persons/sessions/end", "desk_clerk", {**card, "name": "王五"})
    assert (wrong.status_code, wrong.json_body["reason"]) == (422, "name_differs")


# Silence


def test_nothing_told_in_confidence_reaches_a_log(served, caplog):
    caplog.set_level("DEBUG", logger="imaging_cloud")
    person_id = served.prepare()
    served.manifest()
    served.consent()
    url = served.manifest().json_body["series"][0]["instances"][0]["url"]
    served.ask("GET", "/me/studies", "patient", person_id=person_id)
    served.ask("GET", "/me/consents", headers={"Authorization": f"Bearer {_bad_tokens()['forged']}"})
    ours = [record for record in caplog.records if not record.name.startswith(("boto", "urllib3", "moto"))]
    text = "\n".join(record.getMessage() + str(record.exc_info or "") for record in ours)
    signature = parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]
    for secret in (NAME, "张三", PHONE, national_id(), served.code(), signature, served.token("patient")[-40:], "P1"):
        assert secret not in text, secret


def test_a_failure_of_ours_is_answered_and_logged_without_a_value(served, monkeypatch, caplog):
    served.prepare()
    monkeypatch.setenv("MAIN_TABLE", f"gone-{PHONE}")
    forget_cached()
    answer = served.manifest()
    assert (answer.status_code, answer.json_body["error"]) == (500, "internal")
    assert PHONE not in answer.body.decode() + caplog.text
    assert "unexpected_error" in caplog.text


def test_what_cannot_be_recorded_is_not_allowed(served, monkeypatch):
    served.prepare()
    served.consent()
    assert served.manifest().status_code == 200
    monkeypatch.setenv("AUDIT_TABLE", "gone")
    forget_cached()
    answer = served.manifest()
    assert (answer.status_code, answer.json_body["error"]) == (503, "try_again")
    assert b"X-Amz-Signature" not in answer.body


def test_every_answer_of_all_these_carries_the_protecting_headers(served):
    served.prepare()
    served.manifest()
    served.ask("GET", "/me/studies", "patient")
    served.ask("GET", "/me/studies")
    for answer in served.said:
        assert HEADERS.items() <= answer.headers.items()
