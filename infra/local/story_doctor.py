"""The story's second half: what the doctor may see, what the patient decides, and what the regulator is told."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from infra.local.client import Answer, expect, fetch, until
from infra.local.personas import LAKE, PATIENT
from infra.local.provision import clients
from infra.local.story import Stage
from infra.local.story_hospital import ENCOUNTER
from infra.local.story_images import each

REPORT, REINDEX = "report", "reindex"  # app.py's functions
UNKNOWN_UID = "1.2.3.4.5.6.7.8.9"


def manifest_path(hospital_id: str, uid: str) -> str:
    return f"/hospitals/{hospital_id}/studies/{uid}/manifest"


def open_study(stage: Stage, login: str, name: str) -> Answer:
    study = stage.kept[name]
    return stage.client.call(login, "GET", manifest_path(study["hospital_id"], study["study_instance_uid"]))


def refused(stage: Stage) -> dict[str, Any]:
    answer = open_study(stage, "doctor-li", "river_ct")
    unknown = stage.client.call("doctor-li", "GET", manifest_path(LAKE.hospital_id, UNKNOWN_UID))
    expect((answer.status, answer.json) == (403, {"error": "no_grant"}), f"403 no_grant, not {answer.status}")
    expect(answer.body == unknown.body and unknown.status == 403, "unknown and forbidden are one answer")
    expect(_told(answer) == _told(unknown), "nor do their headers differ")
    return {"bytes": len(answer.body)}


def _told(answer: Answer) -> dict[str, str]:
    """The headers, but for the clock's."""
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() != "date"}


def code(stage: Stage) -> dict[str, Any]:
    before = len(stage.client.messages())
    asked = {"encounter_id": ENCOUNTER, "purpose": "treatment"}
    given = stage.client.call("doctor-li", "POST", "/consent-requests", asked).of(202)
    until(lambda: len(stage.client.messages()) > before, "an SMS arrives", 10)
    message = stage.client.messages()[-1]
    expect(message["phone"].endswith(PATIENT.phone), "it goes to the phone that the desk verified")
    right = message["values"]["code"]  # type: ignore[index] # a mapping in a mapping
    stage.kept["request_id"], stage.kept["code"] = given["request_id"], right
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    answer = verify(stage, wrong)
    expect((answer.status, answer.json["error"]) == (403, "code_refused"), "a wrong code is refused")
    return {"attempts_left": answer.json["attempts_left"]}


def verify(stage: Stage, code: str) -> Answer:
    said = {"encounter_id": ENCOUNTER, "request_id": stage.kept["request_id"], "code": code}
    return stage.client.call("doctor-li", "POST", "/consent-requests/verify", said)


def consent(stage: Stage) -> dict[str, Any]:
    given = verify(stage, stage.kept["code"]).of(200)
    stage.kept["consent_id"] = given["consent_id"]
    again = verify(stage, stage.kept["code"])
    expect((again.status, again.json["error"]) == (403, "code_locked"), "a code is good once")
    return {"studies": len(given["studies"]), "expires_at": given["expires_at"]}


def manifest(stage: Stage) -> dict[str, Any]:
    started = time.monotonic()
    answer = open_study(stage, "doctor-li", "river_ct").of(200)
    milliseconds = (time.monotonic() - started) * 1000
    count, _urls, seconds = _compare(stage, "river_ct", answer)
    return {"manifest": milliseconds, "instances": count, "seconds": seconds}


def from_pack(stage: Stage) -> dict[str, Any]:
    answer = open_study(stage, "doctor-li", "lake_ct").of(200)
    shown = [one for series in answer["series"] for one in series["instances"]]
    expect(all(one.get("range", "").startswith("bytes=") for one in shown), "each has its range")
    count, urls, seconds = _compare(stage, "lake_ct", answer)
    expect(urls == 1, "one pack, one URL")
    return {"instances": count, "urls": urls, "seconds": seconds}


def _compare(stage: Stage, name: str, answer: Mapping[str, Any]) -> tuple[int, int, float]:
    """Fetch all instances and compare them with what was uploaded: (instances, different URLs, seconds)."""
    files: Mapping[str, bytes] = stage.kept[name]["files"]
    shown = [one for series in answer["series"] for one in series["instances"]]
    expect({one["sop_instance_uid"] for one in shown} == set(files), "exactly the uploaded instances")
    expect(len(shown) == len(files), "each of them once")

    def same(one: Mapping[str, Any]) -> bool:
        got = fetch(one["url"], {"Range": one["range"]} if "range" in one else {})
        return got.status in (200, 206) and got.body == files[one["sop_instance_uid"]]

    started = time.monotonic()
    with stage.progress("fetch", len(shown)) as progress:
        held = each(same, shown, progress)
    expect(held == len(shown), f"{len(shown) - held} instances differ from what was uploaded")
    return len(shown), len({one["url"] for one in shown}), time.monotonic() - started


def timeline(stage: Stage) -> dict[str, Any]:
    doctors = stage.client.pages("doctor-li", f"/encounters/{ENCOUNTER}/timeline", "studies")
    own = stage.client.pages("patient-zhang", "/me/studies", "studies")
    wanted = {(stage.kept[name]["hospital_id"], stage.kept[name]["study_instance_uid"]) for name in _BOTH}
    for listed in (doctors, own):
        expect({(one["hospital_id"], one["study_instance_uid"]) for one in listed} >= wanted, "both hospitals' studies")
    expect(all(one["patient_name"].startswith(PATIENT.name) for one in own), "names are readable Chinese")
    return {"doctor": len(doctors), "patient": len(own)}


_BOTH = ("river_ct", "lake_ct")


def accesses(stage: Stage) -> dict[str, Any]:
    seen = stage.client.pages("patient-zhang", "/me/accesses", "accesses")
    doctors = [one for one in seen if one["role"] == "doctor"]
    allowed = [one for one in doctors if one["allowed"]]
    expect(any(one["study"] for one in allowed), "the opening of the study is on record")
    expect(len(doctors) > len(allowed), "so is what was refused")
    return {"allowed": len(allowed), "refused": len(doctors) - len(allowed)}


def revoke(stage: Stage) -> dict[str, Any]:
    body = {"consent_id": stage.kept["consent_id"]}
    stage.client.call("patient-zhang", "POST", "/me/consents/revoke", body).of(200)
    answers = [open_study(stage, "doctor-li", name) for name in _BOTH]
    expect(all(one.status == 403 for one in answers), "revoked is refused at once")
    return {"error": answers[0].json["error"]}


def sweep(stage: Stage) -> dict[str, Any]:
    def flags() -> list[Any] | None:
        found = stage.client.pages("regulator", "/compliance/flags", "flags")
        return found if any(one["hospital_id"] == LAKE.hospital_id for one in found) else None

    found = until(flags, "the sweep raises a flag")
    ours = [one for one in found if one["hospital_id"] == LAKE.hospital_id]
    expect([one["accession"] for one in ours[0]["exams"]] == ["HB20260078"], "it names the exam that is missing")
    expect(len(found) == 1, f"nobody else is flagged: {[one['hospital_id'] for one in found]}")
    stage.kept["flag"] = ours[0]
    return {"hospital": LAKE.name, "rule": ours[0]["rule"]}


def operator(stage: Stage, service: str) -> Any:
    """An AWS client with the local cloud's own credentials, for what has no route."""
    return clients(stage.client.told["s3_endpoint"], stage.client.told["region"])(service)


def sns(stage: Stage) -> dict[str, Any]:
    sqs, url = operator(stage, "sqs"), stage.client.told["flags_queue_url"]
    got = until(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"), "an SNS message", 15)
    told = [json.loads(json.loads(one["Body"])["Message"]) for one in got]
    expect(len(told) == 1, "one message per newly raised flag")
    expect(told[0]["hospital_id"] == LAKE.hospital_id, "it names the hospital")
    return {"messages": len(told)}


def report(stage: Stage) -> dict[str, Any]:
    day = stage.kept["flag"]["day"]
    stage.client.run(REPORT, {"day": day})
    shown = stage.client.call("regulator", "GET", f"/compliance/reports/{day}").of(200)
    lake = next(one for one in shown["hospitals"] if one["hospital_id"] == LAKE.hospital_id)
    expect(lake["missing"] == 1, "the missing exam is counted")
    s3, bucket = operator(stage, "s3"), stage.client.told["buckets"]["reports"]
    body = s3.get_object(Bucket=bucket, Key=f"compliance/{day}/province.csv")["Body"].read()
    lines = body.decode("utf-8-sig").splitlines()
    for line in lines:
        stage.console.print(f"      {line}", markup=False, highlight=False, soft_wrap=True)
    expect(any(line.startswith(LAKE.hospital_id) and LAKE.name in line for line in lines), "the hospital by its name")
    return {"lines": len(lines)}


def reindex(stage: Stage) -> dict[str, Any]:
    before = [_lasting(open_study(stage, "patient-zhang", name).of(200)) for name in _BOTH]
    started = time.monotonic()
    stage.client.run(REINDEX, {})
    after = [_lasting(open_study(stage, "patient-zhang", name).of(200)) for name in _BOTH]
    expect(before == after, "the same manifests")
    return {"seconds": time.monotonic() - started}


def _lasting(answer: Any) -> Any:
    """A manifest without what is made anew for each answer: URLs and expiry."""
    if isinstance(answer, dict):
        return {name: _lasting(value) for name, value in answer.items() if name not in {"url", "expires_at"}}
    return [_lasting(one) for one in answer] if isinstance(answer, list) else answer
