"""The rehearsal's step of destruction: the one study of somebody who came once and long ago, from the hospital's list
to the certificate, by the function that stands only while `Disposal` is on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.domain.derived import prefix_of
from chalicelib.domain.study import StudyRef
from infra.local import samples, template
from infra.local.client import expect, until
from infra.local.personas import RIVER, DemoPatient, national_id
from infra.local.samples import BEIJING
from infra.local.story import Stage, Step
from infra.local.story_hospital import details_at, exam_notice
from infra.local.story_images import key
from infra.rehearse import cloud, conditions, deploy
from infra.rehearse.hands import acting_as, refused, role, standing, uploads

CAME_ONCE = DemoPatient(
    name="李建国",
    national_id=national_id("329999", "1931-09-08", "005"),
    sex="M",
    birth_date="1931-09-08",
    phone="",
    patient_ids={RIVER.hospital_id: "P0000005"},
)
LONG_AGO = datetime(1990, 2, 3, 9, 30, tzinfo=BEIJING)
ACCESSION = "JB1990000001"
IMAGE = "disposal/0.dcm"


def disposal(stage: Stage) -> dict[str, Any]:
    uid = _old_study(stage)
    made = _made_of(stage, uid)
    approved = _approved(stage, uid)
    version = {"Bucket": uploads(stage), "Key": key("instances", RIVER.hospital_id, IMAGE)}
    version["VersionId"] = standing(stage).here.client("s3").head_object(**version)["VersionId"]
    name = _switched(standing(stage), "on")["DisposeName"]
    for other in (cloud.HOSPITALS_ROLE, role("settle"), role("api-handler")):
        refused(acting_as(stage, other)("s3").delete_object, **version)
    refused(acting_as(stage, role("dispose"))("s3").get_object, **version)
    waiting = deploy.invoke(standing(stage).here, name, {})["waiting"]
    expect([one["disposal_id"] for one in waiting] == [approved["disposal_id"]], f"what was approved waits: {waiting}")
    done = deploy.invoke(standing(stage).here, name, approved)
    expect((done["destroyed"], done["done"]) == (1, True), f"it is done at once: {done}")
    _gone(stage, uid, approved["disposal_id"], done["certificate"])
    left = standing(stage).here.client("s3").list_object_versions(Bucket=made["Bucket"], Prefix=made["Key"])
    expect(not left.get("Versions"), "nor of what was made of it")
    expect("DisposeName" not in _switched(standing(stage), "off"), "and the function is gone again")
    return {"versions": 2, "certificate": done["certificate"][:12]}


def _old_study(stage: Stage) -> str:
    """One image and its notice, of a patient whom the desk knows; its UID."""
    known = details_at(RIVER.hospital_id, CAME_ONCE)
    card = known | {"national_id": CAME_ONCE.national_id}
    stage.client.call("clerk-jb001", "POST", "/desk/registrations", card).of(200, 201)
    body, uid = samples.head_of(CAME_ONCE, RIVER.hospital_id, ACCESSION, LONG_AGO)
    named = {"Bucket": uploads(stage), "Key": key("instances", RIVER.hospital_id, IMAGE)}
    stage.client.s3(RIVER.hospital_id).put_object(**named, Body=body)
    notice = exam_notice(RIVER.hospital_id, ACCESSION, LONG_AGO, patient=known, modality="MR")
    stage.client.call("hospital-jb001", "POST", "/hospital/notices", notice).of(202)

    def is_over() -> bool:
        answer = stage.client.call("hospital-jb001", "GET", f"/hospital/studies/{uid}/retention")
        return answer.status == 200 and answer.json["rule"] == "outpatient" and bool(answer.json["is_over"])

    until(is_over, "an outpatient's study of 1990 may go")
    return uid


def _made_of(stage: Stage, uid: str) -> dict[str, str]:
    """What the API makes of a study for viewers, written by its role: no other may, and it cannot read that again."""
    beneath = prefix_of(StudyRef(RIVER.hospital_id, uid))
    made = {"Bucket": stage.client.told["buckets"]["reports"], "Key": f"{beneath}metadata/0"}
    for other in (cloud.HOSPITALS_ROLE, role("settle")):
        refused(acting_as(stage, other)("s3").put_object, **made, Body=b"{}", IfNoneMatch="*")
    api = acting_as(stage, role("api-handler"))("s3")
    api.put_object(**made, Body=b"{}", IfNoneMatch="*")
    refused(api.get_object, **made)
    return made


def _approved(stage: Stage, uid: str) -> dict[str, str]:
    """What names the proposal, once both have approved it."""
    stated = {"studies": [{"study_instance_uid": uid, "last_visit": f"{LONG_AGO:%Y-%m-%d}"}]}
    made = stage.client.call("hospital-jb001", "POST", "/hospital/disposals", stated).of(201)
    yes = {"disposal_id": made["disposal_id"], "decision": "approve"}
    for login, path in (
        ("officer-jb001", "/privacy/disposals/decide"),
        ("regulator", f"/hospitals/{RIVER.hospital_id}/disposals/decide"),
    ):
        stage.client.call(login, "POST", path, yes).of(200)
    return {"hospital_id": RIVER.hospital_id, "disposal_id": made["disposal_id"]}


def _switched(rehearsed: cloud.Rehearsed, to: str) -> dict[str, str]:
    """The outputs of the functions' stack. On: the role, then who acts as it; off the other way about, for AWS deletes
    no role that another stack's policy hangs on."""
    chosen = {"Disposal": to}
    data, _ = conditions.rehearsable(template.load(), chosen)
    stacks = [
        (cloud.DATA, data, {"SettleSeconds": cloud.SETTLE_SECONDS, **chosen}),
        (cloud.APP, rehearsed.app, rehearsed.parameters | chosen),
    ]
    outputs = {
        stack: deploy.deploy(rehearsed.here, stack, made, asked)
        for stack, made, asked in (stacks if to == "on" else reversed(stacks))
    }
    return outputs[cloud.APP]


def _gone(stage: Stage, uid: str, disposal_id: str, certificate: str) -> None:
    s3 = standing(stage).here.client("s3")
    left = {
        kind: s3.list_object_versions(Bucket=uploads(stage), Prefix=key(kind, RIVER.hospital_id, name))
        for kind, name in (("instances", IMAGE), ("amendments", ""))
    }
    expect(not left["instances"].get("Versions"), "no version of the image is left")
    expect(left["amendments"].get("Versions"), "its tombstone lies in the bucket")
    told = stage.client.call("hospital-jb001", "GET", f"/hospital/studies/{uid}").of(200)
    expect(told["study"]["state"] == "destroyed", "its hospital is told")
    found = stage.client.call("hospital-jb001", "GET", f"/hospital/disposals/{disposal_id}/certificate").of(200)
    expect(found["sha256"] == certificate, "and has the certificate")
    total = found["certificate"]["total"]
    expect((total["studies"], total["versions"]) == (1, 2), f"of the image and its notice: {total}")


STEPS: dict[str, Step] = {"disposal": disposal}
