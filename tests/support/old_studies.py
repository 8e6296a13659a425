"""Studies whose time is over, uploaded, proposed and approved over the routes and functions of a stage."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

from chalicelib import wiring
from chalicelib.domain.destruction import certificate
from chalicelib.domain.disposal import Act, Disposal, Hold, Item, Outcome, Stated, Verdict
from chalicelib.domain.study import StudyRef
from infra.local.samples import make_pack
from tests.support.ingest_samples import archive, instance

LONG_AGO = {"StudyDate": "19900203", "AcquisitionDate": "19900203"}
old = partial(instance, **LONG_AGO)
SINGLE, PACKED, ZIPPED, RECENT = (StudyRef("H1", f"1.2.3.{number}") for number in (11, 12, 13, 14))
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
REPORT = b"%PDF-1.7 made up"
STATED = {"last_visit": "1990-02-03"}
NAMES = ("disposal", "executed", "hold")
OFFICER, COMMISSION = "privacy_officer", "regulator"


def number(ref):
    return int(ref.study_instance_uid.rsplit(".", 1)[1])


def upload_all(stage):
    """SINGLE as objects, PACKED as a pack, ZIPPED in an archive of its own and in one that RECENT lies in too. All are
    P1's, whom a desk has registered; RECENT is a stranger's, of this year and under ZIPPED's accession number. SINGLE
    and ZIPPED have notices with reports."""
    stage.served.open_hospitals()
    person_id = stage.served.register()
    stage.upload("ingest", stage.key("instances"), old(number(SINGLE), 1))
    stage.upload("ingest", stage.key("instances"), old(number(SINGLE), 2))
    stage.upload("unpack", stage.key("archives"), make_pack([old(number(PACKED), one) for one in (1, 2)]))
    stage.upload("unpack", stage.key("archives", "own.zip"), archive([("a", old(number(ZIPPED), 1))]))
    recent = instance(number(RECENT), 1, PatientID="P2", AccessionNumber=f"A{number(ZIPPED)}")
    both = [("a", old(number(ZIPPED), 2)), ("b", recent)]
    stage.upload("unpack", stage.key("archives", "shared.zip"), archive(both))
    for version in versions(stage, "unpacked/"):
        stage.send("ingest", _told(version))
    for ref in (SINGLE, ZIPPED):
        stage.upload("notices", stage.key("notices"), json.dumps(_notice(ref), ensure_ascii=False).encode())
    stage.upload("notices", stage.key("notices"), b"not a notice")
    for ref in (SINGLE, PACKED, ZIPPED, RECENT):
        stage.settle(ref)
        assert wiring.studies().summary(ref).state == "served"
    return person_id


def versions(stage, prefix=""):
    named = {"Bucket": stage.cloud.settings["UPLOADS_BUCKET"], "Prefix": prefix}
    return stage.cloud.client("s3").list_object_versions(**named).get("Versions", [])


def look(served, ref, person_id):
    """Its patient asks for its headers, which are kept then."""
    path = f"/dicomweb/studies/{ref.study_instance_uid}/metadata"
    return served.ask("GET", path, "patient", headers={"Accept": "*/*"}, person_id=person_id)


def propose(served, *refs, **stated):
    studies = [{"study_instance_uid": ref.study_instance_uid, **STATED, **stated} for ref in refs]
    return served.ask("POST", "/hospital/disposals", "hospital", {"studies": studies})


def decide(served, disposal_id, role, decision="approve", **claims):
    path = "/privacy/disposals/decide" if role == OFFICER else "/hospitals/H1/disposals/decide"
    body = {"disposal_id": disposal_id, "decision": decision, "reason": "核对"}
    return served.ask("POST", path, role, body, **claims)


def approved(served, *refs):
    """The id of a proposal that both have approved."""
    made = propose(served, *refs)
    assert made.status_code == 201, made.body
    for role in (OFFICER, COMMISSION):
        answer = decide(served, made.json_body["disposal_id"], role)
        assert answer.status_code == 200, answer.body
    return made.json_body["disposal_id"]


def dispose(stage, disposal_id):
    return stage.functions("dispose", {"hospital_id": "H1", "disposal_id": disposal_id})


def _notice(ref):
    """Of an outpatient's exam, with its report."""
    return {
        "type": "exam",
        "notice_id": f"n{number(ref)}",
        "status": "performed",
        "accession_number": f"A{number(ref)}",
        "patient": {"patient_id": "P1", "name": "欧阳慧敏"},
        "patient_class": "outpatient",
        "modality": "CT",
        "performed_at": "1990-02-03T09:30:00+08:00",
        "report": {"content_type": "application/pdf", "content_base64": base64.b64encode(REPORT).decode()},
    }


def _told(version):
    from tests.support.stage import told

    return told(version["Key"], version["Size"], version["VersionId"])


def put_disposals(hospital_id, uid, number):
    """A hold over another study, a proposal that waits and one that was carried out: their ids."""
    now = datetime.now(UTC)
    ids = {name: f"01ARZ3NDEKTSV4RRFFQ69G5F{letter}{number}" for name, letter in zip(NAMES, "ABC", strict=True)}
    item = Item(Stated(uid, date(1990, 2, 3)), Verdict(uid, "", date(2020, 2, 3), exam_day=date(1990, 2, 3)))
    made = Disposal(ids["disposal"], hospital_id, Act("pacs", now), (item,))
    carried_out = {"begun_at": now, "executed_at": now, "certificate": "f" * 64, "outcomes": (Outcome(uid, now),)}
    done = replace(made, disposal_id=ids["executed"], **carried_out)
    assert wiring.disposals().put(made)
    assert wiring.disposals().put(done)
    wiring.compliance_reports().put(
        f"disposals/{hospital_id}/{done.disposal_id}.json", certificate(done, None), "application/json"
    )
    wiring.holds().put(Hold(ids["hold"], hospital_id, "1.9", "", "纠纷", "o9", "privacy_officer", now))
    return ids


def every_path(stage):
    """A study of each way to come, looked at, proposed, held, approved, destroyed, and told to who asks."""
    person_id = upload_all(stage)
    assert look(stage.served, SINGLE, person_id).status_code == 307
    made = approved(stage.served, SINGLE, PACKED, ZIPPED)
    held = {"study_instance_uid": PACKED.study_instance_uid, "reason": "纠纷"}
    assert stage.served.ask("POST", "/privacy/holds", "privacy_officer", held).status_code == 201
    stage.later(minutes=1)
    assert stage.functions("dispose", {})["waiting"]
    assert dispose(stage, made)["destroyed"] == 2
    for path in (f"/hospital/disposals/{made}/certificate", f"/hospital/disposals/{UNKNOWN}/certificate"):
        stage.served.ask("GET", path, "hospital")
    stage.served.manifest("patient", SINGLE, person_id=person_id)
    stage.upload("ingest", stage.key("instances"), old(number(SINGLE), 3))
    stage.settle(SINGLE)
