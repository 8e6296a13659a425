"""All main paths of the product, walked with planted values by routes and triggers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import requests

from chalicelib import wiring
from chalicelib.domain.break_glass import CONFIRMATION
from chalicelib.http.role_table import ROUTES
from infra.local.personas import LAKE, PATIENT, RIVER, national_id
from infra.local.samples import chest_ct, make_pack
from tests.support import tokens
from tests.support.cloud import forget_cached
from tests.support.country import PATIENT_BODY
from tests.support.hospital_keys import registered
from tests.support.ordering import SIGN, call, client_token, order
from tests.support.served_app import ORIGIN

NEW_PHONE, TOLD_PHONE, CHILD_PHONE = "19900000077", "19900000088", "19900000099"
CHILD_NAME, CHILD_ID = "张小苗苗", national_id("329999", "2018-06-01", "022")
OTHER_NAME, OTHER_ID = "李思源源", national_id("329999", "1990-05-05", "044")
CHILD_NUMBER, OTHER_NUMBER = "KID-5501", "OTH-7701"
PLANTED = {
    "name": PATIENT.name,
    "pinyin": "XiaoMing",
    "national id": PATIENT.national_id,
    "national id without check digit": PATIENT.national_id[:17],
    "phone": PATIENT.phone,
    "new phone": NEW_PHONE,
    "told phone": TOLD_PHONE,
    "number at one hospital": PATIENT.patient_ids[RIVER.hospital_id],
    "number at the other": PATIENT.patient_ids[LAKE.hospital_id],
    "child's name": CHILD_NAME,
    "child's id": CHILD_ID,
    "child's phone": CHILD_PHONE,
    "child's number": CHILD_NUMBER,
    "another's name": OTHER_NAME,
    "another's id": OTHER_ID,
    "another's number": OTHER_NUMBER,
}


class Heard:
    """What was said where outsiders of the care could read it, and the secrets that came up on the way."""

    def __init__(self, country, emitted):
        self.country, self.served, self.emitted = country, country.served, emitted
        self.secrets = {}
        self.asked_urls = []
        self.routes = set()
        asks = self.served.ask

        def listening(method, path, *args, **more):
            self.asked_urls.append(path)
            self.routes |= {route for route in ROUTES if route[0] == method and _is(route[1], path)}
            return asks(method, path, *args, **more)

        self.served.ask = listening

    def ask(self, method, path, role="", body=None, **more):
        if role and "headers" not in more:
            claims = {name: value for name, value in more.items() if name != "headers"}
            token = self.served.token(role, **claims)
            self.keep("token", token.rpartition(".")[2])
            return self.served.ask(method, path, headers={"Authorization": f"Bearer {token}"}, body=body)
        return self.served.ask(method, path, role, body, **more)

    def me(self, method, path, body=None, **claims):
        return self.ask(method, path, "patient", body, person_id=self.country.person_id, **claims)

    def doctor(self, path, body):
        return self.ask("POST", path, "doctor", body, hospital_id=LAKE.hospital_id)

    def cds(self, path, body):
        """As the ordering system of the lake's hospital."""
        token = client_token(LAKE.hospital_id, "h2", ORIGIN + path)
        self.keep("token", token.rpartition(".")[2])
        answer = self.ask("POST", path, body=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.body
        return answer.json_body

    def desk(self, path, body, hospital=RIVER, role="desk_clerk", subject="c1"):
        return self.ask("POST", path, role, body, hospital_id=hospital.hospital_id, subject=subject)

    def keep(self, kind, secret):
        assert secret
        self.secrets[f"{kind} {len(self.secrets)}"] = secret

    def code(self):
        code = self.served.code()
        self.keep("code", code)
        return code

    def signed(self):
        """Every signed URL that any answer held."""
        found = [url for answer in self.served.said for url in re.findall(r'https?://[^"\\\s]+', answer.body.decode())]
        return [url for url in found if "X-Amz-Signature" in url]


def patient_at(hospital, **changes):
    details = {**PATIENT_BODY, "patient_id": PATIENT.patient_ids[hospital.hospital_id], **changes}
    return {name: value for name, value in details.items() if value}


def hospitals_send(heard):
    """Notices and images, good and bad, by API and bucket."""
    country, now = heard.country, datetime.now(UTC).replace(microsecond=0)
    visit = {"type": "encounter", "encounter_id": "E-1", "status": "open", "patient_class": "outpatient"}
    visit |= {"patient": patient_at(LAKE, phone=TOLD_PHONE), "at": now.isoformat(), "doctor_id": "d1"}
    country.tell(visit, LAKE.hospital_id)
    exam = {"type": "exam", "notice_id": "n1", "status": "performed", "accession_number": "SYN2503100001"}
    exam |= {"patient": patient_at(RIVER), "patient_class": "outpatient", "modality": "CT", "procedure": "胸部CT"}
    country.tell({**exam, "performed_at": (now - timedelta(hours=1)).isoformat()}, RIVER.hospital_id)
    country.tell({**exam, "status": f"{PATIENT.name} {PATIENT.national_id}"}, RIVER.hospital_id)
    country.put("notices", "broken.json", json.dumps({"patient": patient_at(RIVER)}).encode()[:-1])
    files = chest_ct(slices=2)
    for number, file in enumerate(files):
        country.put("instances", f"{number}.dcm", file)
    country.put("instances", "cut.dcm", files[0][:3000])
    country.put("instances", "text.dcm", f"{PATIENT.name} {PATIENT.phone}".encode() * 50)
    country.put("archives", "pack.zip", make_pack(chest_ct(slices=2, accession_number="A2", seed=2)))
    country.put("archives", "broken.zip", b"PK\x03\x04" + PATIENT.name.encode() * 20)
    country.drain("notices", "instances", "archives", "settle.fifo")


def desks_refuse(heard):
    for changes in (
        {"national_id": PATIENT.national_id[:-1] + ("A" if PATIENT.national_id[-1] != "A" else "B")},
        {"name": OTHER_NAME},
        {"birth_date": "1999-09-09"},
        {"phone": "110"},
        {"national_id": OTHER_ID, "name": OTHER_NAME, "sex": "", "birth_date": ""},
    ):
        refused = heard.desk("/desk/registrations", {**patient_at(RIVER), **changes})
        assert refused.status_code in (400, 422), refused.body


def a_doctor_asks(heard, study):
    path = f"/hospitals/{study['hospital_id']}/studies/{study['study_instance_uid']}/manifest"
    as_doctor = {"hospital_id": LAKE.hospital_id}
    assert heard.ask("GET", path, "doctor", **as_doctor).status_code == 403
    wanted = {"encounter_id": "E-1", "purpose": "treatment"}
    asked = heard.doctor("/consent-requests", wanted).json_body
    code = heard.code()
    answer = {"encounter_id": "E-1", "request_id": asked["request_id"]}
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert heard.doctor("/consent-requests/verify", {**answer, "code": wrong}).status_code == 403
    consent = heard.doctor("/consent-requests/verify", {**answer, "code": code})
    assert consent.status_code == 200, consent.body
    assert heard.ask("GET", path, "doctor", **as_doctor).status_code == 200
    heard.ask("GET", "/encounters/E-1/timeline", "doctor", **as_doctor)
    an_order_is_made(heard)
    listed = heard.doctor("/consent-requests", wanted).json_body["request_id"]
    heard.me("POST", "/me/requests/decide", {"request_id": listed, "decision": "approve"})
    heard.doctor("/consent-requests/outcome", {"encounter_id": "E-1", "request_id": listed})
    qr = heard.me("POST", "/me/qr", {}).json_body["qr"]
    heard.keep("qr", qr)
    scanned = heard.doctor("/consent-requests/qr", {"encounter_id": "E-1", "qr": qr, "purpose": "treatment"})
    assert scanned.status_code == 200, scanned.body
    assert (
        heard.doctor("/consent-requests/qr", {"encounter_id": "E-1", "qr": qr, "purpose": "treatment"}).status_code
        == 403
    )
    heard.me("POST", "/me/consents/revoke", {"consent_id": consent.json_body["consent_id"]})


def an_order_is_made(heard):
    """An ordering system is reminded, with whatever its users type into orders and comments."""
    assert wiring.hospital_keys().add(registered(LAKE.hospital_id, "h2"))
    number = PATIENT.patient_ids[LAKE.hospital_id]
    wanted = order("胸部CT平扫", note=[{"text": f"{PATIENT.name} {PATIENT.national_id}"}])
    asked = call(SIGN, wanted, patient=number, encounter="E-1")
    path = f"/cds-services/{SIGN}"
    told = heard.cds(path, asked)
    comment = {"userComment": f"{PATIENT.name} {PATIENT.phone}"}
    for card in told["cards"]:
        given = {"card": card["uuid"], "outcome": "overridden", "overrideReason": comment}
        heard.cds(f"{path}/feedback", {"feedback": [given]})
    assert told["cards"]


def a_guardian_acts(heard):
    child = {"patient_id": CHILD_NUMBER, "name": CHILD_NAME, "national_id": CHILD_ID, "phone": CHILD_PHONE}
    assert heard.desk("/desk/registrations", child).status_code == 201
    cards = {
        "ward": {"national_id": CHILD_ID, "name": CHILD_NAME},
        "guardian": {"national_id": PATIENT.national_id, "name": PATIENT.name},
    }
    proof = {**cards, "kind": "minor", "document": "birth_certificate"}
    assert heard.desk("/desk/guardians", proof).status_code == 201
    assert heard.desk("/desk/guardians", {**proof, "document": "will"}).status_code == 400
    wrong = {**proof, "ward": {"national_id": CHILD_ID, "name": OTHER_NAME}}
    assert heard.desk("/desk/guardians", wrong).status_code == 422
    guardian = {"person_id": heard.country.person_id}
    wards = heard.ask("GET", "/wards", "guardian", **guardian).json_body["wards"]
    headers = {"X-Ward": wards[0]["ward"]}
    for path in ("/wards/studies", "/wards/requests", "/wards/consents", "/wards/accesses"):
        told = heard.served.ask("GET", path, "guardian", headers=headers, **guardian)
        assert told.status_code in (200, 403), told.body
    assert heard.desk("/desk/guardians/end", cards).status_code == 200


def people_act(heard, study):
    for path in (
        "/me/studies",
        "/me/consents",
        "/me/accesses",
        "/me/identities",
        "/me/requests",
        "/me/guardians",
        "/me/notices",
        "/me/studies/hidden",
        "/me/phone",
    ):
        assert heard.me("GET", path).status_code == 200, path
    for path in ("/me/studies/hide", "/me/studies/show"):
        assert heard.me("POST", path, study).status_code == 200
    assert heard.me("POST", "/me/phone", {"phone": NEW_PHONE}).status_code == 422
    assert heard.me("POST", "/me/phone", {"phone": NEW_PHONE}, phone_number=NEW_PHONE).status_code == 200
    assert heard.me("POST", "/me/phone/void", {"confirm": "yes"}).status_code == 200
    heard.desk("/desk/registrations", patient_at(RIVER, phone=NEW_PHONE))
    assert heard.me("POST", "/me/export", {"confirm": "yes"}).status_code == 202
    heard.country.drain("exports")
    link = heard.me("GET", "/me/export").json_body["url"]
    assert requests.get(link, timeout=5).status_code == 200
    own = {"patient_id": PATIENT.patient_ids[RIVER.hospital_id]}
    mine = {**own, "hospital_id": RIVER.hospital_id}
    assert heard.me("POST", "/me/identities/contest", mine).status_code == 200
    assert heard.me("POST", "/me/identities/contest", {**mine, "patient_id": CHILD_NUMBER}).status_code == 403
    officer = {"role": "privacy_officer", "subject": "o1"}
    assert heard.desk("/desk/identities/unlink", own).status_code == 200
    assert heard.desk("/privacy/identities/history", own, **officer).status_code == 200
    back = {**own, "person_id": heard.country.person_id}
    assert heard.desk("/privacy/identities/relink", back, **officer).status_code == 200
    assert heard.desk("/privacy/identities/relink", back, **officer).status_code == 422
    assert heard.ask("GET", "/privacy/pairs", "privacy_officer", hospital_id=RIVER.hospital_id).status_code == 200
    assert heard.me("POST", "/me/freeze", {"confirm": "yes"}).status_code == 200
    card = {"national_id": PATIENT.national_id, "name": OTHER_NAME}
    assert heard.desk("/desk/persons/unfreeze", card).status_code == 422
    assert heard.desk("/desk/persons/unfreeze", {**card, "name": PATIENT.name}).status_code == 200


def exceptions_are_made(heard):
    """For somebody without a phone: a doctor with a witness, and an emergency; papers, reviews, objections."""
    other = {"patient_id": OTHER_NUMBER, "name": OTHER_NAME, "national_id": OTHER_ID}
    assert heard.desk("/desk/registrations", other, LAKE).status_code == 201
    visit = {"type": "encounter", "status": "open", "at": datetime.now(UTC).isoformat(), "doctor_id": "d1"}
    visit["patient"] = {"patient_id": OTHER_NUMBER, "name": OTHER_NAME}
    for encounter_id, kind in (("E-2", "outpatient"), ("E-3", "emergency")):
        heard.country.tell({**visit, "encounter_id": encounter_id, "patient_class": kind}, LAKE.hospital_id)
    heard.country.drain("notices")
    card = {"encounter_id": "E-2", "national_id": OTHER_ID, "reason": "no_phone"}
    assert heard.doctor("/assisted-requests", {**card, "national_id": PATIENT.national_id}).status_code == 403
    asked = heard.doctor("/assisted-requests", card)
    assert asked.status_code == 202, asked.body
    request = {"request_id": asked.json_body["request_id"]}
    opened = heard.desk("/assisted-requests/confirm", request, LAKE)
    assert opened.status_code == 201, opened.body
    assert heard.doctor("/assisted-requests/outcome", {**request, "encounter_id": "E-2"}).status_code == 200
    paper = {"consent_id": opened.json_body["consent_id"]}
    printed = heard.desk("/desk/hand-overs/print", paper, LAKE, subject="c2")
    assert OTHER_NAME in printed.json_body["text"]["zh"]
    assert heard.desk("/desk/hand-overs/done", {**paper, "how": "posted"}, LAKE, subject="c2").status_code == 200
    said = {"reason": "unconscious", "text": f"{OTHER_NAME}昏迷，电话{TOLD_PHONE}", "confirmation": CONFIRMATION.zh}
    glass = heard.doctor("/break-glass", {**said, "encounter_id": "E-3"})
    assert glass.status_code == 201, glass.body
    heard.country.drain("messages")
    officer = {"role": "privacy_officer", "subject": "o2"}
    verdict = {"review_id": glass.json_body["consent_id"], "verdict": "justified", "note": f"{OTHER_NAME}属实"}
    assert heard.desk("/privacy/reviews/verdict", verdict, LAKE, **officer).status_code == 200
    for path, role in (("/privacy/reviews", "privacy_officer"), ("/desk/hand-overs", "desk_clerk")):
        assert heard.ask("GET", path, role, hospital_id=LAKE.hospital_id).status_code == 200, path


def time_passes(heard):
    for name in heard.country.functions.on_demand():
        heard.country.run(name)
    for path in ("/compliance/flags", f"/compliance/hospitals/{RIVER.hospital_id}?from=2026-01-01&to=2026-01-31"):
        heard.ask("GET", path, "regulator")
    for path in ("/hospital/quarantine", "/hospital/worklist"):
        assert heard.ask("GET", path, "hospital", hospital_id=RIVER.hospital_id).status_code == 200


def every_other_route(heard, study):
    """Whatever comes of it: with planted values in all fields that any route reads."""
    names = ("name", "note", "text", "reason", "encounter_id", "ward", "doctor_id", "review_id", "consent_id", "code")
    body = {**patient_at(RIVER), **study, **dict.fromkeys(names, PATIENT.name)}
    filled = {"{hospital_id}": RIVER.hospital_id, "{uid}": study["study_instance_uid"], "{day}": "2026-01-01"}
    for method, template in sorted(set(ROUTES) - heard.routes):
        path = re.sub(r"\{\w+\}", lambda part: filled.get(part[0], "E-1"), template)
        for role in sorted(ROUTES[method, template].roles) or [""]:
            bound = {"hospital_id": RIVER.hospital_id, "person_id": heard.country.person_id} if role else {}
            answer = heard.ask(method, path, role, None if method == "GET" else body, **bound)
            assert answer.status_code != 500, (method, path, answer.body)


def our_own_faults(heard, monkeypatch):
    """The table is gone: every path fails somewhere inside, with values in its hands."""
    monkeypatch.setenv("MAIN_TABLE", "gone")
    forget_cached()
    assert heard.me("GET", "/me/studies").status_code == 500
    assert heard.desk("/desk/registrations", patient_at(RIVER)).status_code == 500
    assert heard.doctor("/consent-requests", {"encounter_id": "E-1", "purpose": "treatment"}).status_code == 500
    own = {"patient_id": PATIENT.patient_ids[RIVER.hospital_id]}
    assert heard.desk("/desk/identities/contest", own).status_code == 500
    country = heard.country
    country.served.ask("POST", "/hospital/notices", "hospital", {"patient": patient_at(RIVER)}, hospital_id="JB001")
    country.put("instances", "again.dcm", chest_ct(slices=1, seed=5)[0])
    for queue_name, name in (("notices", "notices"), ("instances", "ingest")):
        queue = country.cloud.queue_url(queue_name)
        records = country.cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
        event = {"Records": [{"messageId": one["MessageId"], "body": one["Body"]} for one in records]}
        assert country.functions(name, event)["batchItemFailures"]
    heard.ask("GET", "/me/studies", headers={"Authorization": f"Bearer {tokens.token(key='forger', kid='k1')}"})


def _is(template, path):
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path.partition("?")[0]) is not None
