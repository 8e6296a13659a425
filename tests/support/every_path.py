"""Every path by which app.py's functions reach AWS, driven once: what their policies must allow, and no more.

Each act has an emptied cloud. The functions are called as Lambda calls them, with the messages that S3 and SQS would
send, so nothing waits. Whoever adds a call to AWS adds the path to it here.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from chalice.test import Client

import app
from chalicelib import wiring
from chalicelib.domain.hospital_day import DayMark
from chalicelib.domain.seal import HOUR, hour_of
from chalicelib.domain.study import StudyRef
from chalicelib.http.role_table import ROUTES
from chalicelib.wiring import compliance, dicomweb, storing
from infra.local.poller import scheduled_event
from infra.local.samples import make_pack
from tests.support import cloud as clouds
from tests.support import newcomer, old_studies, tokens
from tests.support.access_log_lines import line
from tests.support.ingest_samples import archive, instance
from tests.support.moto_reader import moto_puts, moto_reads
from tests.support.ordering import reminder
from tests.support.served_app import ORIGIN, Served, national_id
from tests.support.settle_samples import entry
from tests.support.stage import FIRST, NoTime, Stage, gateway, told

DAY = timedelta(days=1)
PDF = {"content_type": "application/pdf", "content_base64": base64.b64encode(b"%PDF-1.7 made up").decode()}


def uploads(stage, instances="ingest", notices="notices"):
    """Good and bad, with a version and without, there and gone, single and packed; settled, corrected, taken apart."""
    stage.served.prepare()
    _take_up(stage, instances)
    stage.send("unpack", told(stage.key("archives")), told(stage.key("archives"), version=""))
    stage.upload("unpack", stage.key("archives"), b"no archive")
    stage.upload("unpack", stage.key("archives"), archive([("a", instance(2, 1)), ("b", instance(2, 2))]))
    for version in stage.cloud.client("s3").list_object_versions(
        Bucket=stage.cloud.settings["UPLOADS_BUCKET"], Prefix="unpacked/"
    )["Versions"]:
        stage.send(instances, told(version["Key"], version["Size"], version["VersionId"]))
        stage.send(instances, told(version["Key"], version["Size"], ""))
    pack = stage.upload("unpack", stage.key("archives"), make_pack([instance(1, number) for number in (1, 2)]))
    stage.upload(instances, stage.key("instances"), instance(2, 1))
    _lose(stage)
    for number in (1, 2):
        stage.settle(StudyRef("H1", f"1.2.3.{number}"))
    _close_days()
    _tell(stage, notices)
    _look(stage)
    _correct(stage, pack)
    stage.settle()
    _look(stage)


def _take_up(stage, function):
    stage.upload(function, stage.key("instances"), instance(1, 1))
    stage.upload(function, stage.key("instances"), b"not an image" * 100)
    stage.send(function, told(stage.key("instances")), told(stage.key("instances"), version=""))


def _lose(stage):
    """The journal names an object of the same instance and size that is not there any more."""
    gone = entry(1, "gone", ref=FIRST, length=len(instance(1, 1)), checksum=None, key=stage.key("instances"))
    wiring.journal().write({FIRST: [gone]}, datetime.now(UTC))


def _correct(stage, pack):
    """An image of the pack is another patient's: the pack is withheld until it is unpacked."""
    offset = next(one.place.offset for one in wiring.journal().read(FIRST) if one.place.version_id == pack)
    wrong = {"kind": "exclude", "version_id": pack, "offset": offset, "reason": "核对"}
    answer = stage.served.ask("POST", f"/hospital/studies/{FIRST.study_instance_uid}/amendments", "hospital", wrong)
    assert answer.status_code < 300, answer.body


def _close_days():
    """Those of which the notices tell: which of two in one second counts is not for us to say."""
    for day in ("2026-11-20", (datetime.now(UTC) + timedelta(hours=6)).date().isoformat()):
        compliance.days().put(DayMark("H1", day, closed=True))


def _tell(stage, function):
    for notice in [*_notices("P7", "32010219800101002"), {"type": "nothing of ours"}]:
        stage.upload(function, stage.key("notices"), json.dumps(notice, ensure_ascii=False).encode())
    key = stage.key("notices")
    stage.put(key, b"{}")
    stage.send(function, told(key, 2, ""), told(stage.key("notices")), told(stage.key("notices"), version=""))


def _look(stage):
    """At all that the patient of these studies may open: single, unpacked, packed, and the report."""
    person_id = stage.served.register()
    for study in ("1.2.3.1", "1.2.3.2"):
        answer = stage.served.manifest("patient", StudyRef("H1", study), person_id=person_id)
        assert answer.status_code == 200, answer.body


def _notices(patient_id, seventeen):
    """A stranger's visit, who they are, an exam with its report, and that it was on another day; a report of P1's."""
    at = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    known = {"patient_id": patient_id, "name": "赵新来", "sex": "F", "birth_date": f"{seventeen[6:10]}-01-01"}
    known |= {"national_id": national_id(seventeen), "phone": "13900000007"}
    visit = {"type": "encounter", "encounter_id": f"V{patient_id}", "status": "open", "at": at, "doctor_id": "d1"}
    exam = {"type": "exam", "status": "performed", "accession_number": f"A{patient_id}", "patient": known}
    exam |= {"modality": "CT", "procedure": "胸部CT平扫", "performed_at": at, "report": PDF}
    sent = [
        {**visit, "patient": {**known, "national_id": ""}},
        {**visit, "patient": known},
        {**exam, "notice_id": f"{patient_id}-1"},
        {**exam, "notice_id": f"{patient_id}-2", "performed_at": "2026-11-20T08:00:00+08:00"},
        {**exam, "notice_id": f"{patient_id}-3", "accession_number": "A1", "patient": {"patient_id": "P1"}},
    ]
    return [{**one, "patient_class": "outpatient"} for one in sent]


def routes(stage):
    """Every route by every role that may, about what is its own."""
    from tests.integration.test_route_matrix import ask
    from tests.support.matrix_world import World

    world = World(stage.served)
    stage.upload("ingest", stage.key("instances"), b"not an image" * 100)
    for route, allowed in ROUTES.items():
        for role in allowed.roles or ("",):
            ask(world, route, role or "patient", "own")
            world.rewind()
    stage.served.ask("GET", "/compliance/reports/1999-01-01", "regulator")
    stage.served.ask("GET", "/hospital/reports/2026-11", "hospital")
    for kind in ("archives", "notices"):
        _release(stage, kind)


def _release(stage, kind):
    """What came while the hospital was closed is looked at again, by the queue of its kind."""
    from tests.support.matrix_world import quarantined

    record = replace(quarantined("H1", "1"), key=stage.key(kind))
    wiring.quarantine().put(record)
    asked = {"entry_id": record.entry_id, "ground": "registered_since"}
    assert stage.served.ask("POST", "/hospital/quarantine/release", "hospital", asked).status_code == 202
    decision = {"entry_id": record.entry_id, "decision": "grant", "note": "已恢复登记"}
    path = "/compliance/quarantine/H1/decisions"
    assert stage.served.ask("POST", path, "regulator", decision).status_code == 200


def copies(stage):
    """A person's copy of their record, by the API and the function that builds it."""
    person_id = stage.served.prepare()
    stage.served.consent()
    stage.served.manifest()
    asked = partial(stage.served.ask, role="patient", person_id=person_id)
    assert asked("POST", "/me/export", body={"confirm": "yes"}).status_code == 202
    queue = {"QueueUrl": stage.cloud.settings["EXPORTS_QUEUE_URL"]}
    (message,) = stage.cloud.client("sqs").receive_message(**queue)["Messages"]
    stage.send("export", json.loads(message["Body"]))
    assert asked("GET", "/me/export").json_body["url"]


def messages(stage):
    """By a gateway that wants a secret, and by SNS: from the queue, and where the API must know that it went."""
    stage.served.prepare()
    secret = {"Name": "imaging-cloud/sms", "SecretString": json.dumps({"bearer": "made up"})}
    stage.cloud.client("secretsmanager").create_secret(**secret)
    stage.patch.setenv("SMS_SECRET_ID", secret["Name"])
    with gateway() as url:
        for phone, way in (("13800000001", f"http:{url}"), ("13800000002", "sns")):
            stage.patch.setenv("SMS_GATEWAY", way)
            body = {"message_id": "m", "phone": phone, "template": "consent_code", "values": {"code": "123456"}}
            stage.send("send", {**body, "useless_at": ""})
            clouds.forget_cached()
            stage.served.register(phone=phone)


def sweeps(stage):
    """A warning, missed deadlines, an outage, an emergency that nobody reviewed, a queue that is not empty; a study
    that a doctor opened, and a reminder that is old."""
    from tests.support.matrix_world import World

    world = World(stage.served)
    kit = world.kit("doctor", "own")
    ref = StudyRef(kit.hospital_id, kit.uid)
    world.ask("GET", f"/hospitals/{ref.hospital_id}/studies/{ref.study_instance_uid}/manifest", "doctor")
    wiring.alerts().keep(reminder(ref, ("H1", "d1", kit.encounter_id), kit.patient_id, datetime.now(UTC) - 9 * DAY))
    _tell(stage, "notices")
    soon = {**_notices("P7", "32010219800101002")[2], "notice_id": "soon", "accession_number": "SOON"}
    stage.upload("notices", stage.key("notices"), json.dumps(soon, ensure_ascii=False).encode())
    _take_up(stage, "ingest")
    stage.settle()
    stage.later(hours=8.5)
    assert stage.run("sweep")["held"], "S3's own messages wait in the queues"
    for name in json.loads(stage.cloud.settings["BACKLOG_QUEUES"]):
        stage.cloud.client("sqs").purge_queue(QueueUrl=stage.cloud.queue_url(name.removeprefix("imaging-cloud-")))
    assert stage.run("sweep")["warned"]
    stage.later(hours=40)
    assert stage.run("sweep")["judged"]
    outage = {"scope": "all", "from": "2026-11-20T06:00:00+08:00", "to": "2026-11-20T09:00:00+08:00", "reason": "停电"}
    assert stage.served.ask("POST", "/compliance/excuses", "regulator", outage).status_code == 202
    assert stage.run("sweep")["excuses"]


def night(stage):
    """What no receipt names, of each kind, and an amendment; then the day's report, in two runs."""
    stage.served.prepare()
    _take_up(stage, "ingest")
    pack = stage.upload("unpack", stage.key("archives"), make_pack([instance(1, number) for number in (1, 2)]))
    stage.settle()
    _correct(stage, pack)
    for kind in ("instances", "archives", "notices", "unpacked"):
        stage.put(stage.key(kind), b"never told of")
    stage.later(minutes=20)
    reconcile(stage)
    day = "2026-11-23"
    with pytest.raises(TimeoutError):
        app.report({**scheduled_event("report"), "detail": {"day": day}}, NoTime())
    assert day in stage.run("report", day=day)["periods"]


def reconcile(stage):
    """The night's pieces as their queue brings them."""
    assert stage.run("reconcile")["pieces"]
    sqs, url = stage.cloud.client("sqs"), stage.cloud.queue_url("reconcile")
    while letters := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for letter in letters:
            stage.send("reconcile_pieces", json.loads(letter["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])


def audits(stage):
    """An hour left without a seal by a crash, sealed; then a day whose log names a read that nothing allowed."""
    stage.served.prepare()
    stage.served.consent()
    assert stage.served.manifest().status_code == 200
    at = datetime.now(UTC)
    stage.later(hours=4)
    wiring.seal_archive().put_file(hour_of(at) + HOUR, b"")
    stage.run("seal")
    moment = hour_of(at).replace(hour=0) + timedelta(days=1, hours=5)
    stage.patch.setattr(wiring, "now", lambda: moment)
    while stage.run("seal")["left"]:
        pass
    _log_a_read(stage, at)
    assert any(one["unexplained"] for one in stage.run("check_reads")["days"])


def _log_a_read(stage, at):
    (event,) = [
        one
        for hour in (at, at - HOUR)
        for one in wiring.audit_hours().of_hour(hour)
        if one.values["action"] == "view_study" and one.values["allowed"]
    ]
    role = stage.cloud.settings["SIGNER_ROLE_ARN"]
    signer = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/imaging-cloud-signer"
    logs = stage.cloud.settings["ACCESS_LOGS_BUCKET"]
    read = {"uploads": (entry(1).place.key, "instances/H1/x/stolen"), "reports": ("derived/H1/1.2/metadata/0",)}
    for folder, keys in read.items():
        bucket = stage.cloud.settings[f"{folder.upper()}_BUCKET"]
        lines = [line(at, key, event.event_id, requester=signer) for key in keys]
        name = f"{folder}/123456789012/cn-north-1/{bucket}/{at:%Y/%m/%d}/{at:%Y-%m-%d}-00-00-00-1"
        stage.cloud.client("s3").put_object(Bucket=logs, Key=name, Body="\n".join(lines).encode())


def rebuild(stage):
    """Everything from the bucket, with what was corrected and what is gone."""
    uploads(stage)
    registered = {"hospital_id": "H1", "name": "省人民医院", "region": "320102"}
    stage.served.ask("POST", "/hospitals", "regulator", registered)
    _join(stage)
    _lose(stage)
    stage.put(stage.key("archives"), archive([("a", instance(3, 1)), ("b", b"no image")]))
    for notice in _notices("P8", "32010219810101003"):
        stage.put(stage.key("notices"), json.dumps(notice, ensure_ascii=False).encode())
    clouds.forget_cached()
    assert stage.functions("reindex", {"after": ""})["done"]


def _join(stage):
    """A key that came with a code, and ended."""
    code = stage.served.ask("POST", "/hospitals/H1/joining-code", "regulator", {}).json_body["code"]
    assert newcomer.join(stage.served, code, hospital_id="H1").status_code == 201
    assert stage.served.ask("POST", "/hospitals/H1/keys/revoke", "regulator", {}).json_body["revoked"]


def singles(stage):
    """What failed in a batch comes alone."""
    uploads(stage, "ingest_single", "notices_single")


ACTS = (uploads, singles, routes, copies, messages, sweeps, night, audits, rebuild, old_studies.every_path)


def play(directory, jwks_url, acts=ACTS):
    """Every act, and what was said to the callers."""
    said = []
    for act in acts:
        with ExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            made = stack.enter_context(clouds.opened(directory))
            stack.enter_context(clouds.settled_in(made, patch))
            patch.setenv("ISSUERS", tokens.setting(jwks_url=jwks_url))
            patch.setenv("ORIGIN", ORIGIN)
            clouds.forget_cached()
            patch.setattr(dicomweb, "granted_reads", moto_reads)
            patch.setattr(storing, "signed_puts", moto_puts)
            served = Served(Client(app.app).http, made.outbox)
            act(Stage(made, served, patch))
            for answer in served.said:
                said += [answer.body, answer.headers.get("Location", "").encode()]
    return said
