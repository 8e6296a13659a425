"""The rehearsal's steps after the story: who must be refused, what runs by the clock, where a poisoned message ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from infra.local.client import expect, fetch, until
from infra.local.issuer import Issuer
from infra.local.personas import LAKE, RIVER
from infra.local.story import Stage, Step
from infra.local.story_doctor import manifest_path, open_study
from infra.local.story_images import key
from infra.rehearse import cloud, deploy
from infra.rehearse.hands import acting_as, arn, refused, role, standing, uploads
from infra.rehearse.steps_beside import STEPS as BESIDE
from infra.rehearse.steps_disposal import STEPS as DISPOSAL
from infra.rehearse.steps_joining import STEPS as JOINING
from infra.rehearse.steps_standards import STEPS as STANDARDS
from infra.rehearse.upgrade import upgrade

POISON_SECONDS = 1  # between two tries, in place of four or six minutes
POISON_TRIES = 2


def _signed_url(stage: Stage) -> str:
    """The first signed URL of the patient's own CT."""
    answer = open_study(stage, "patient-zhang", "river_ct").of(200)
    return str(answer["series"][0]["instances"][0]["url"])


def unsigned(stage: Stage) -> dict[str, Any]:
    url = _signed_url(stage)
    expect(fetch(url).status == 200, "the signed URL opens")
    bare = url.partition("?")[0]
    endpoint = stage.client.told["s3_endpoint"]
    answers = [fetch(bare), fetch(f"{endpoint}/{uploads(stage)}"), fetch(bare, method="PUT", data=b"x")]
    expect([one.status for one in answers] == [403] * 3, f"403 for all, not {[one.status for one in answers]}")
    return {"tries": len(answers)}


def tampered(stage: Stage) -> dict[str, Any]:
    url = _signed_url(stage)
    last = url[-1]
    other = "0" if last != "0" else "1"
    spoiled = {
        "signature": url[:-1] + other,
        "expiry": url.replace("X-Amz-Expires=", "X-Amz-Expires=9", 1),
        "object": url.replace(".dcm?", ".dcm.other?", 1),
        "type": url.replace("response-content-type=application", "response-content-type=text", 1),
        "method": url,
    }
    for what, one in spoiled.items():
        status = fetch(one, method="DELETE" if what == "method" else "").status
        expect(one != url or what == "method", f"{what} is in the URL")
        expect(status in (400, 403), f"{what} changed: refused, not {status}")
    return {"tries": len(spoiled)}


def expired(stage: Stage) -> dict[str, Any]:
    """Signed by the account's root, so that nothing but the clock can refuse it."""
    s3 = standing(stage).here.client("s3")
    name = urlsplit(_signed_url(stage)).path.removeprefix(f"/{uploads(stage)}/")
    url = s3.generate_presigned_url("get_object", {"Bucket": uploads(stage), "Key": name}, ExpiresIn=2)
    expect(fetch(url).status == 200, "it opens at first")
    time.sleep(3.1)
    expect(fetch(url).status == 403, "and not after its end")
    return {}


def cross_prefix(stage: Stage) -> dict[str, Any]:
    s3, bucket = stage.client.s3(RIVER.hospital_id), uploads(stage)
    others = [key(kind, LAKE.hospital_id, "x") for kind in ("instances", "archives", "notices")]
    ours = [f"{kind}/{RIVER.hospital_id}/x" for kind in ("unpacked", "receipts", "amendments", "registrations")]
    for name in (*others, *ours):
        refused(s3.put_object, Bucket=bucket, Key=name, Body=b"x")
    own = key("instances", RIVER.hospital_id, "ct/0000.dcm")
    refused(s3.get_object, Bucket=bucket, Key=own)
    refused(s3.delete_object, Bucket=bucket, Key=own)
    refused(s3.list_objects_v2, Bucket=bucket)
    return {"tries": len(others) + len(ours) + 3}


def plain_http(stage: Stage) -> dict[str, Any]:
    """The same credentials and the same key, without TLS."""
    emulator = standing(stage).here.emulator
    given = dict(stage.client.vended[RIVER.hospital_id])
    asked = {"Bucket": uploads(stage), "Key": key("instances", RIVER.hospital_id, "plain"), "Body": b"x"}
    refused(deploy.clients(emulator.plain_endpoint, str(emulator.certificate), given)("s3").put_object, **asked)
    return {}


def wrong_role(stage: Stage) -> dict[str, Any]:
    told, bucket = stage.client.told, uploads(stage)
    image = {"Bucket": bucket, "Key": key("instances", RIVER.hospital_id, "ct/0000.dcm")}
    ingest, wide = acting_as(stage, role("ingest")), acting_as(stage, cloud.HOSPITALS_ROLE)
    expect(ingest("s3").get_object(**image)["ContentLength"], "who must read it can")
    version = ingest("s3").get_object(**image)["VersionId"]
    archive = told["buckets"]["audit_archive"]
    tries: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (acting_as(stage, role("sweep"))("s3").get_object, image),
        (acting_as(stage, role("report"))("s3").get_object, image),
        (acting_as(stage, role("notices"))("s3").get_object, image),
        (acting_as(stage, role("api-handler"))("s3").get_object, image),
        # Whose own policy allows all of S3: it is the bucket's that refuses.
        (wide("s3").get_object, image),
        (wide("s3").put_object, {"Bucket": bucket, "Key": f"unpacked/{RIVER.hospital_id}/x", "Body": b"x"}),
        (wide("s3").delete_object, {**image, "VersionId": version}),
        (ingest("s3").delete_object, {**image, "VersionId": version}),
        (ingest("s3").put_object, {**image, "Body": b"x"}),
        (ingest("s3").put_object, {"Bucket": archive, "Key": "x", "Body": b"x"}),
        (acting_as(stage, role("seal"))("s3").delete_object, {"Bucket": archive, "Key": "x"}),
        (ingest("sts").assume_role, {"RoleArn": arn(role("signer")), "RoleSessionName": "other"}),
        (ingest("dynamodb").scan, {"TableName": told["audit_table"]}),
        (acting_as(stage, role("settle"))("dynamodb").scan, {"TableName": "imaging-cloud-main"}),
    ]
    for act, asked in tries:
        refused(act, "AccessDenied", "AccessDeniedException", **asked)
    return {"tries": len(tries)}


def wrong_token(stage: Stage) -> dict[str, Any]:
    study = stage.kept["river_ct"]
    manifest = manifest_path(study["hospital_id"], study["study_instance_uid"])
    good = stage.client.token("regulator")
    head, body, signature = good.split(".")
    stranger = Issuer(stage.client.told["issuer_url"]).token("regulator", {})["token"]
    bad = ["", "x", f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.", stranger]
    for token in bad:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status = fetch(stage.client.told["api_url"] + "/compliance/flags", headers).status
        expect(status == 401, f"401, not {status}")
    roles = [
        ("doctor-li", "GET", "/compliance/flags"),
        ("regulator", "GET", manifest),
        ("hospital-hb002", "POST", "/doctors"),
        ("patient-zhang", "POST", "/hospitals"),
        ("clerk-jb001", "GET", "/hospital/quarantine"),
    ]
    for login, method, path in roles:
        status = stage.client.call(login, method, path, {} if method == "POST" else None).status
        expect(status == 403, f"{login} {method} {path}: 403, not {status}")
    return {"tokens": len(bad), "roles": len(roles)}


def schedules(stage: Stage) -> dict[str, Any]:
    rehearsed = standing(stage)
    events = rehearsed.here.client("events")
    states = {}
    for rule in events.list_rules()["Rules"]:
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            states[target["Arn"].rsplit(":", 1)[-1]] = rule["State"]
    wanted = cloud.schedules(rehearsed.app)
    for name in sorted(wanted):
        expect(states.get(rehearsed.functions[name]) == "ENABLED", f"a rule runs {name}")
        cloud.run(rehearsed, name)
    until(lambda: _waiting(rehearsed, "reconcile") == 0, "the night's reconcile is done, piece by piece", 180)
    expect(_waiting(rehearsed, "reconcile-dead") == 0, "no piece of the night's reconcile failed")
    return {"names": ", ".join(sorted(wanted))}


def _waiting(rehearsed: cloud.Rehearsed, name: str) -> int:
    """Messages in a queue, those just being done included."""
    sqs = rehearsed.here.client("sqs")
    url = sqs.get_queue_url(QueueName=f"imaging-cloud-{name}")["QueueUrl"]
    asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"].values()))


def dead_letters(stage: Stage) -> dict[str, Any]:
    """A message that no function can ever do, with the waits between its tries cut short."""
    sqs = standing(stage).here.client("sqs")
    url, dead = (sqs.get_queue_url(QueueName=f"imaging-cloud-settle{one}.fifo")["QueueUrl"] for one in ("", "-dead"))
    asked = ["RedrivePolicy", "VisibilityTimeout"]
    as_deployed = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
    policy = json.loads(as_deployed["RedrivePolicy"]) | {"maxReceiveCount": POISON_TRIES}
    cut = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": str(POISON_SECONDS)}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=cut)
    sent = sqs.send_message(
        QueueUrl=url, MessageBody="no study", MessageGroupId="poison", MessageDeduplicationId=f"{time.time()}"
    )

    def found() -> bool:
        got = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
        return any(one["MessageId"] == sent["MessageId"] or one["Body"] == "no study" for one in got)

    started = time.monotonic()
    until(found, "the poisoned message is among the dead letters", 60)
    sqs.set_queue_attributes(QueueUrl=url, Attributes=as_deployed)
    return {"tries": POISON_TRIES, "seconds": time.monotonic() - started}


STEPS: dict[str, Step] = {
    "unsigned": unsigned,
    "tampered": tampered,
    "expired": expired,
    "cross_prefix": cross_prefix,
    "plain_http": plain_http,
    "wrong_role": wrong_role,
    "wrong_token": wrong_token,
    **STANDARDS,
    **JOINING,
    "schedules": schedules,
    "dead_letters": dead_letters,
    **DISPOSAL,
    **BESIDE,
    "upgrade": upgrade,
}
