"""The bases, one by one. Each opens what was closed a moment before, and is taken back by whom it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.break_glass import CONFIRMATION
from infra.local import bases_cast as first
from infra.local.bases_cast import PATIENTS, Actor, look
from infra.local.client import Answer, expect, to_the_minute, until
from infra.local.personas import CHILD, ELDER, PATIENT
from infra.local.story import Stage, Step

BASES = ("self", "sms_code", "health_app", "dynamic_qr", "guardian", "assisted", "break_glass")
OWN_WORDS = "突发昏迷，无家属在场，须立即了解颅内既往情况"


def _ask(stage: Stage, name: str) -> str:
    body = {"encounter_id": stage.kept[f"visit of {name}"], "purpose": "treatment"}
    return str(stage.kept["doctor"].ask("POST", "/consent-requests", body).of(202)["request_id"])


def _opens(stage: Stage, name: str, consent: Mapping[str, Any]) -> str:
    """The doctor sees the study now; the end of the consent, to the minute."""
    opened = look(stage.kept["doctor"], stage.kept[f"study of {name}"]).of(200)
    expect(opened["series"][0]["instances"][0]["url"], "the image has a URL")
    stage.kept.setdefault("given", []).append(consent["consent_id"])
    return to_the_minute(consent["expires_at"])


def _closed(stage: Stage, name: str, taken_back: Answer) -> str:
    """It was taken back: the very next try is refused, and says why."""
    taken_back.of(200)
    answer = look(stage.kept["doctor"], stage.kept[f"study of {name}"])
    expect((answer.status, answer.json["error"]) == (403, "consent_revoked"), f"closed at once, not {answer.status}")
    return str(answer.json["error"])


def _revoke(stage: Stage, consent: Mapping[str, Any]) -> Answer:
    revoked: Answer = stage.kept["zhang"].ask("POST", "/me/consents/revoke", {"consent_id": consent["consent_id"]})
    return revoked


def self_(stage: Stage) -> dict[str, Any]:
    zhang: Actor = stage.kept["zhang"]
    look(zhang, stage.kept["study of zhang"]).of(200)
    foreign = look(zhang, stage.kept["study of elder"])
    expect((foreign.status, foreign.json) == (403, {"error": "no_grant"}), "nobody else's")
    return {}


def sms_code(stage: Stage) -> dict[str, Any]:
    before = len(stage.client.codes())
    request_id = _ask(stage, "zhang")
    until(lambda: len(stage.client.codes()) > before, "an SMS arrives", 10)
    message: Mapping[str, Any] = stage.client.codes()[-1]
    expect(message["phone"].endswith(PATIENT.phone), "at the patient's phone")
    said = {"encounter_id": stage.kept["visit of zhang"], "request_id": request_id, "code": message["values"]["code"]}
    consent = stage.kept["doctor"].ask("POST", "/consent-requests/verify", said).of(200)
    return {"until": _opens(stage, "zhang", consent), "error": _closed(stage, "zhang", _revoke(stage, consent))}


def health_app(stage: Stage) -> dict[str, Any]:
    zhang, doctor = stage.kept["zhang"], stage.kept["doctor"]
    request_id = _ask(stage, "zhang")
    listed = zhang.ask("GET", "/me/requests").of(200)["requests"]
    expect(request_id in [one["request_id"] for one in listed], "the request stands in the patient's list")
    decision = {"request_id": request_id, "decision": "approve", "studies": [stage.kept["study of zhang"]], "days": 7}
    zhang.ask("POST", "/me/requests/decide", decision).of(200)
    asked = {"encounter_id": stage.kept["visit of zhang"], "request_id": request_id}
    outcome = doctor.ask("POST", "/consent-requests/outcome", asked).of(200)
    expect(outcome["state"] == "approved", "the doctor learns of it")
    consent = outcome["consent"]
    return {"until": _opens(stage, "zhang", consent), "error": _closed(stage, "zhang", _revoke(stage, consent))}


def dynamic_qr(stage: Stage) -> dict[str, Any]:
    doctor = stage.kept["doctor"]
    scanned = {
        "encounter_id": stage.kept["visit of zhang"],
        "qr": stage.kept["zhang"].ask("POST", "/me/qr").of(201)["qr"],
    }
    consent = doctor.ask("POST", "/consent-requests/qr", scanned).of(200)
    again = doctor.ask("POST", "/consent-requests/qr", scanned)
    expect((again.status, again.json["error"]) == (403, "qr_refused"), "a QR is good once")
    return {"until": _opens(stage, "zhang", consent), "error": _closed(stage, "zhang", _revoke(stage, consent))}


def guardian(stage: Stage) -> dict[str, Any]:
    father = stage.kept["father"]
    proof = {"ward": _card(CHILD), "guardian": _card(PATIENT), "kind": "minor", "document": "birth_certificate"}
    stage.kept["clerk"].ask("POST", "/desk/guardians", proof).of(201)
    wards = father.ask("GET", "/wards").of(200)["wards"]
    ward = next(one["ward"] for one in wards if one["name"] == CHILD.name and one["is_live"])
    request_id = _ask(stage, "child")
    answer = {"request_id": request_id, "decision": "approve"}
    alone = stage.kept["child"].ask("POST", "/me/requests/decide", answer)
    expect((alone.status, alone.json["error"]) == (403, "guardian_needed"), "under 14 nobody answers alone")
    named = {"X-Ward": ward}
    consent = father.ask("POST", "/wards/requests/decide", answer, named).of(200)["consent"]
    look(father, stage.kept["study of child"]).of(200)
    ends = _opens(stage, "child", consent)
    back = father.ask("POST", "/wards/consents/revoke", {"consent_id": consent["consent_id"]}, named)
    return {"until": ends, "error": _closed(stage, "child", back)}


def assisted(stage: Stage) -> dict[str, Any]:
    doctor, witness = stage.kept["doctor"], stage.kept["witness"]
    read = {"national_id": PATIENT.national_id, "reason": "phone_lost", "encounter_id": stage.kept["visit of zhang"]}
    refused = doctor.ask("POST", "/assisted-requests", read)
    expect(refused.status >= 400, "not where a verified phone exists")
    read = {"national_id": ELDER.national_id, "reason": "no_phone", "encounter_id": stage.kept["visit of elder"]}
    request_id = doctor.ask("POST", "/assisted-requests", read).of(202)["request_id"]
    expect(look(doctor, stage.kept["study of elder"]).status == 403, "nothing before the witness")
    expect(doctor.ask("POST", "/assisted-requests/confirm", {"request_id": request_id}).status == 403, "not the doctor")
    consent = witness.fresh().ask("POST", "/assisted-requests/confirm", {"request_id": request_id}).of(201)
    _opens(stage, "elder", consent)
    paper = {"consent_id": consent["consent_id"]}
    expect(witness.ask("POST", "/desk/hand-overs/print", paper).status >= 400, "not by the witness")
    text = stage.kept["clerk"].ask("POST", "/desk/hand-overs/print", paper).of(200)["text"]
    expect(ELDER.name in text["zh"], "the paper is for the patient")
    stage.kept["clerk"].ask("POST", "/desk/hand-overs/done", {**paper, "how": "handed_over"}).of(200)
    objection = {**_card(ELDER), "consent_id": consent["consent_id"], "text": "我没有同意"}
    back = stage.kept["clerk"].ask("POST", "/desk/accesses/object", objection)
    return {"error": _closed(stage, "elder", back)}


def break_glass(stage: Stage) -> dict[str, Any]:
    doctor = stage.kept["doctor"]
    stated = {"encounter_id": stage.kept["visit of emergency"], "reason": "unconscious", "text": OWN_WORDS}
    careless = doctor.ask("POST", "/break-glass", {**stated, "confirmation": "ok"})
    expect(careless.status >= 400, "a click is not enough")
    consent = doctor.ask("POST", "/break-glass", {**stated, "confirmation": CONFIRMATION.zh}).of(201)
    ends = _opens(stage, "zhang", consent)
    told = stage.kept["zhang"].ask("GET", "/me/notices").of(200)["notices"]
    expect("break_glass" in {one["kind"] for one in told}, "the patient is told")
    back = stage.kept["zhang"].ask("POST", "/me/accesses/object", {"consent_id": consent["consent_id"]})
    error = _closed(stage, "zhang", back)
    waiting = stage.kept["officer"].ask("GET", "/privacy/reviews?state=undecided").of(200)["reviews"]
    expect(consent["consent_id"] in [one["review_id"] for one in waiting], "it waits for the privacy officer")
    verdict = {"review_id": consent["consent_id"], "verdict": "justified", "note": "急诊病历相符"}
    reviewed = stage.kept["officer"].ask("POST", "/privacy/reviews/verdict", verdict).of(200)
    expect(reviewed["state"] == "justified", "the verdict stands")
    return {"until": ends, "error": error, "verdict": "合理" if stage.language == "zh" else "justified"}


def record(stage: Stage) -> dict[str, Any]:
    """What each patient reads of this run, oldest first."""
    for name in PATIENTS:
        reader: Actor = stage.kept[name]
        seen = reader.client.pages(reader.login, "/me/accesses", "accesses")
        mine = [one for one in seen if datetime.fromisoformat(one["at"]) >= stage.kept["since"]]
        stage.kept[f"record of {name}"] = sorted(mine, key=lambda one: str(one["at"]))
    entries = [one for name in PATIENTS for one in stage.kept[f"record of {name}"]]
    views = {one["basis"] for one in entries if one["action"] == "view_study" and one["allowed"]}
    expect(views >= set(BASES), f"an image opened on each basis; missing: {sorted(set(BASES) - views)}")
    consents = {one["consent_id"] for one in entries}
    expect(set(stage.kept["given"]) <= consents, "each consent is on record")
    expect(all(one["sentence"]["zh"] and one["sentence"]["en"] for one in entries), "in words, in both languages")
    allowed = sum(one["allowed"] for one in entries)
    return {"entries": len(entries), "allowed": allowed, "refused": len(entries) - allowed}


def _card(patient: Any) -> dict[str, str]:
    return {"national_id": patient.national_id, "name": patient.name}


STEPS: dict[str, Step] = {
    "cast": first.cast,
    "studies": first.studies,
    "self": self_,
    "sms_code": sms_code,
    "health_app": health_app,
    "dynamic_qr": dynamic_qr,
    "guardian": guardian,
    "assisted": assisted,
    "break_glass": break_glass,
    "record": record,
}
