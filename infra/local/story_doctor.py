"""The story's second half: what the doctor may see, what the patient decides, and what the regulator is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.client import Answer, expect, fetch, to_the_minute, until
from infra.local.personas import LAKE, PATIENT
from infra.local.provision import clients
from infra.local.story import Stage
from infra.local.story_hospital import ENCOUNTER, MISSED_ACCESSION
from infra.local.story_images import each
from infra.local.story_text import FRAME

SWEEP, REPORT, REINDEX = "sweep", "report", "reindex"  # app.py's functions
NEIGHBOURS = 25
COUNTED = {"date", "x-amzn-requestid", "x-amz-request-id", "x-amz-apigw-id", "x-amzn-trace-id"}
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
    """The headers, but for the clock's and the gateway's, which number every answer."""
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in COUNTED}


def code(stage: Stage) -> dict[str, Any]:
    before = len(stage.client.codes())
    asked = {"encounter_id": ENCOUNTER, "purpose": "treatment"}
    given = stage.client.call("doctor-li", "POST", "/consent-requests", asked).of(202)
    until(lambda: len(stage.client.codes()) > before, "an SMS arrives", 10)
    message = stage.client.codes()[-1]
    expect(message["phone"].endswith(PATIENT.phone), "it goes to the phone that the desk verified")
    right = message["values"]["code"]
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
    return {"studies": len(given["studies"]), "expires_at": to_the_minute(given["expires_at"])}


def manifest(stage: Stage) -> dict[str, Any]:
    started = time.monotonic()
    answer = open_study(stage, "doctor-li", "river_ct").of(200)
    milliseconds = (time.monotonic() - started) * 1000
    shown = _shown(stage, "river_ct", answer)
    seconds = _compare(stage, "river_ct", [[one] for one in shown])
    return {"manifest": milliseconds, "instances": len(shown), "seconds": seconds}


def from_pack(stage: Stage) -> dict[str, Any]:
    """Neighbours in one request, as a viewer does; some also each by its own range."""
    answer = open_study(stage, "doctor-li", "lake_ct").of(200)
    shown = _shown(stage, "lake_ct", answer)
    expect(all(one.get("range", "").startswith("bytes=") for one in shown), "each has its range")
    expect(len({one["url"] for one in shown}) == 1, "one pack, one URL")
    requests = [shown[start : start + NEIGHBOURS] for start in range(0, len(shown), NEIGHBOURS)]
    requests += [[one] for one in shown[:: NEIGHBOURS * 2]]
    if _gives_wholes(stage):
        stage.say(f"    {FRAME[stage.language]['whole']}")
        requests = [shown]
    seconds = _compare(stage, "lake_ct", requests)
    return {"instances": len(shown), "urls": 1, "requests": len(requests), "seconds": seconds}


def _shown(stage: Stage, name: str, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The manifest's instances: exactly those that were uploaded, each once."""
    shown = [one for series in answer["series"] for one in series["instances"]]
    expect(sorted(one["sop_instance_uid"] for one in shown) == sorted(stage.kept[name]["files"]), "what was uploaded")
    return shown


def _compare(stage: Stage, name: str, requests: Sequence[Sequence[Mapping[str, Any]]]) -> float:
    """Fetch, one request for each group of neighbours, and compare byte for byte; the seconds it took."""
    files: Mapping[str, bytes] = stage.kept[name]["files"]

    def same(group: Sequence[Mapping[str, Any]]) -> bool:
        spans = [_span(one) for one in group]
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        ranged = "range" in group[0]
        got = fetch(group[0]["url"], {"Range": f"bytes={first}-{last}"} if ranged else {})
        begins = 0 if _gives_wholes(stage) else first
        cut = [got.body[start - begins : end + 1 - begins] if ranged else got.body for start, end in spans]
        wanted = [files[one["sop_instance_uid"]] for one in group]
        return got.status == (206 if ranged and not _gives_wholes(stage) else 200) and cut == wanted

    started = time.monotonic()
    with stage.progress("fetch", len(requests)) as progress:
        held = each(same, requests, progress)
    expect(held == len(requests), f"{len(requests) - held} answers differ from what was uploaded")
    return time.monotonic() - started


def _gives_wholes(stage: Stage) -> bool:
    """Whether this cloud's S3 takes no notice of a range (the rehearsal's, where a version is named)."""
    return "ranges" in stage.client.told["lacks"]


def _span(one: Mapping[str, Any]) -> tuple[int, int]:
    """First and last byte in its object."""
    first, _, last = one.get("range", f"bytes=0-{one['length'] - 1}").removeprefix("bytes=").partition("-")
    return int(first), int(last)


def timeline(stage: Stage) -> dict[str, Any]:
    doctors = stage.client.pages("doctor-li", f"/encounters/{ENCOUNTER}/timeline", "studies")
    own = stage.client.pages("patient-zhang", "/me/studies", "studies")
    wanted = {(stage.kept[name]["hospital_id"], stage.kept[name]["study_instance_uid"]) for name in _BOTH}
    for listed in (doctors, own):
        expect({(one["hospital_id"], one["study_instance_uid"]) for one in listed} >= wanted, "both hospitals' studies")
    expect(all(PATIENT.name in one["patient_name"] for one in own), "names are readable Chinese")
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
    """The test files that pydicom ships were made years ago and no notice names them: Jiangbei has imported them, which
    is counted and is no breach."""

    def flags() -> list[Any] | None:
        if SWEEP in stage.client.told["on_demand"]:
            stage.client.run(SWEEP)
        found = stage.client.pages("regulator", "/compliance/flags", "flags")
        return found if any(one["hospital_id"] == LAKE.hospital_id for one in found) else None

    found = until(flags, "the sweep raises a flag")
    expect(len(found) == 1, f"one flag, not {len(found)}")
    expect(found[0]["hospital_id"] == LAKE.hospital_id, "the hospital that did not upload")
    expect([one["accession"] for one in found[0]["exams"]] == [MISSED_ACCESSION], "it names the exam")
    stage.kept["flag"], stage.kept["flags"] = found[0], found
    today = datetime.now(UTC).date()
    path = f"/hospital/compliance?from={today - timedelta(days=1)}&to={today + timedelta(days=1)}"
    days = stage.client.call("hospital-jb001", "GET", path).of(200)["days"]
    imported = sum(day["imported"] for day in days)
    expect(imported > 0, "old exams are counted as imported")
    return {"hospital": LAKE.name, "rule": found[0]["rule"], "imported": imported}


def operator(stage: Stage, service: str) -> Any:
    """An AWS client with the cloud's own credentials, for what has no route."""
    told = stage.client.told
    return clients(told["s3_endpoint"], told["region"], told["operator"])(service)


def sns(stage: Stage) -> dict[str, Any]:
    sqs, url = operator(stage, "sqs"), stage.client.told["flags_queue_url"]
    told: list[Any] = []

    def all_heard() -> bool:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        told.extend(json.loads(json.loads(one["Body"])["Message"]) for one in got)
        return len(told) >= len(stage.kept["flags"])

    until(all_heard, "a message for every flag", 15)
    expect(len(told) == len(stage.kept["flags"]), "one message per newly raised flag")
    ours = [one for one in told if one["hospital_id"] == LAKE.hospital_id]
    expect([one["day"] for one in ours] == [stage.kept["flag"]["day"]], "it names hospital and day")
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
    """With the index thrown away first: what stands afterwards can come from the bucket only."""
    _ask_release(stage)
    before, shown = _index(stage), [_lasting(open_study(stage, "patient-zhang", name).of(200)) for name in _BOTH]
    dropped = _drop_index(stage)
    expect(open_study(stage, "patient-zhang", "river_ct").status == 403, "without an index there is no study")
    started, after = time.monotonic(), ""
    with stage.busy("rebuild"):
        while not (answer := stage.client.run(REINDEX, {"after": after}))["done"]:
            after = answer["after"]
        until(lambda: as_it_was(before, _judged(stage)), "every item of the index is the same again", 15)
    again = [_lasting(open_study(stage, "patient-zhang", name).of(200)) for name in _BOTH]
    expect(shown == again, "the same manifests")
    return {"dropped": dropped, "same": len(_index(stage)), "seconds": time.monotonic() - started}


def _ask_release(stage: Stage) -> None:
    """What a hospital asks of its quarantine is no upload, and must come back all the same."""
    refused = stage.client.pages("hospital-jb001", "/hospital/quarantine", "records")
    one = next(one for one in refused if one["release_grounds"])
    asked = {"entry_id": one["entry_id"], "ground": next(iter(one["release_grounds"]))}
    stage.client.call("hospital-jb001", "POST", "/hospital/quarantine/release", asked).of(202)


INDEX = ("STUDY#", "UID#", "ACC#", "NOTICEID#", "LEDGER#")
STANDINGS = "QUARANTINE#"  # beside their hospital, which the drill leaves
# How often a study was settled, and what it was before the last time, is history and not in the bucket.
HISTORY = {"revision", "read_revision", "fact_count", "expires_at"}
SUPERSEDED = ("MANIFEST#", "STUDY#")


def _index(stage: Stage) -> dict[tuple[str, str], Any]:
    """What uploads, notices and steps after a quarantine led to in the main table, by key, without history."""
    pages = operator(stage, "dynamodb").get_paginator("scan").paginate(TableName="imaging-cloud-main")
    return lasting_items(item for page in pages for item in page["Items"])


def lasting_items(items: Iterable[Any]) -> dict[tuple[str, str], Any]:
    named = (((item["PK"]["S"], item["SK"]["S"]), item) for item in items)
    return {
        (owner, what): {name: value for name, value in item.items() if name not in HISTORY}
        for (owner, what), item in named
        if owner.startswith(INDEX) or what.startswith(STANDINGS)
    }


def as_it_was(before: dict[tuple[str, str], Any], now: dict[tuple[str, str], Any]) -> bool:
    """Nothing new, nothing changed, and nothing lacks but manifests and facts that later ones had superseded."""
    unchanged = all(before.get(key) == item for key, item in now.items())
    return unchanged and all(key in now for key in before if not key[1].startswith(SUPERSEDED))


def _judged(stage: Stage) -> dict[tuple[str, str], Any]:
    """The index once a sweep has judged anew what fell due: no upload tells that."""
    stage.client.run(SWEEP)
    return _index(stage)


def _drop_index(stage: Stage) -> int:
    """Delete all that, and the journal. How many items."""
    dynamodb = operator(stage, "dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName="imaging-cloud-journal", ProjectionExpression="PK, SK")
    keys = [("imaging-cloud-journal", item["PK"]["S"], item["SK"]["S"]) for page in pages for item in page["Items"]]
    keys += [("imaging-cloud-main", *key) for key in _index(stage)]
    for table, pk, sk in keys:
        dynamodb.delete_item(TableName=table, Key={"PK": {"S": pk}, "SK": {"S": sk}})
    return len(keys)


def _lasting(answer: Any) -> Any:
    """A manifest without what is made anew for each answer: URLs and expiry."""
    if isinstance(answer, dict):
        return {name: _lasting(value) for name, value in answer.items() if name not in {"url", "expires_at"}}
    return [_lasting(one) for one in answer] if isinstance(answer, list) else answer
