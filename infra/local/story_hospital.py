"""The story's first half: who is who, and what the hospitals send."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local import newcomer, samples
from infra.local.client import Client, expect, to_the_minute, until
from infra.local.personas import HOSPITALS, LAKE, PATIENT, RIVER, DemoPatient
from infra.local.story import Stage
from infra.local.story_images import key, pydicom_files, study_uids, upload

ACCESSION = "JB20260001"
LAKE_ACCESSION = "HB20260077"
MISSED_ACCESSION = "HB20260078"
ENCOUNTER = "HB-ENC-1"
SLICES = 300


def health(stage: Stage) -> dict[str, Any]:
    stage.client.call("", "GET", "/health").of(200)
    expect(stage.client.call("", "GET", "/me/studies").status == 401, "no token, no entry")
    return {}


def hospitals(stage: Stage) -> dict[str, Any]:
    for hospital in HOSPITALS:
        stage.client.call("regulator", "POST", "/hospitals", vars(hospital) | {"utc_offset_minutes": 480}).of(200, 201)
    refused = stage.client.call("doctor-li", "POST", "/hospitals", vars(RIVER))
    expect(refused.status == 403, "a doctor registers no hospital")
    return {"names": "、".join(f"{one.hospital_id} {one.name} {one.name_en}" for one in HOSPITALS)}


def joining(stage: Stage) -> dict[str, Any]:
    """From the commission's letter to credentials; what a hospital uploads from here on is put with them."""
    for hospital in HOSPITALS:
        path = f"/hospitals/{hospital.hospital_id}/joining-code"
        letter = stage.client.call("regulator", "POST", path, {}).of(201)
        joined = newcomer.join(stage.client, hospital.hospital_id, letter)
        again = newcomer.body_of(joined.private, hospital.hospital_id, letter)
        expect(stage.client.call("", "POST", "/joining", again).status == 403, "a code is good once")
        token = joined.token()
        vended = joined.ask("POST", "/hospital/credentials", {}, token).of(201)
        expect(joined.ask("GET", "/hospital/keys", token=token).status == 401, "and so is a token")
        stage.client.vended[hospital.hospital_id] = vended["credentials"]
        stage.kept[f"joined {hospital.hospital_id}"] = joined
    return {"until": to_the_minute(vended["credentials"]["expires_at"]), "bucket": vended["bucket"]}


def doctor(stage: Stage) -> dict[str, Any]:
    account = {
        "doctor_id": "doctor-li",
        "hospital_id": LAKE.hospital_id,
        "name": "李医生",
        "licence_number": "110320000000001",
        "status": "active",
    }
    stage.client.call("administrator", "POST", "/doctors", account).of(200, 201)
    return {}


def patient(stage: Stage) -> dict[str, Any]:
    persons = []
    for clerk, hospital in (("clerk-jb001", RIVER), ("clerk-hb002", LAKE)):
        details = details_at(hospital.hospital_id) | {"national_id": PATIENT.national_id, "phone": PATIENT.phone}
        answer = stage.client.call(clerk, "POST", "/desk/registrations", details)
        persons.append(answer.of(200, 201)["person_id"])
        expect(PATIENT.national_id.encode() not in answer.body, "the national id is never shown")
    expect(persons[0] == persons[1], "both desks find the same person")
    stage.client.claim("patient-zhang", person_id=persons[0])
    return {}


def details_at(hospital_id: str, patient: DemoPatient = PATIENT) -> dict[str, Any]:
    """A patient as that hospital knows them."""
    known = {"name": patient.name, "sex": patient.sex, "birth_date": patient.birth_date}
    return known | {"patient_id": patient.patient_ids[hospital_id]}


def exam_notice(hospital_id: str, accession: str, performed_at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "type": "exam",
        "notice_id": f"N-{accession}",
        "status": "performed",
        "accession_number": accession,
        "patient": details_at(hospital_id),
        "patient_class": "outpatient",
        "modality": "CT",
        "procedure": "胸部CT平扫",
        "performed_at": performed_at.isoformat(),
        **more,
    }


def notices(stage: Stage) -> dict[str, Any]:
    now = datetime.now(UTC)
    taken = exam_notice(RIVER.hospital_id, ACCESSION, now - timedelta(minutes=20), declared_instances=SLICES)
    stage.client.call("hospital-jb001", "POST", "/hospital/notices", taken).of(202)
    missed = exam_notice(LAKE.hospital_id, MISSED_ACCESSION, now - timedelta(hours=13), declared_instances=120)
    stage.kept[f"joined {LAKE.hospital_id}"].ask("POST", "/hospital/notices", missed).of(202)
    return {}


def real_files(stage: Stage) -> dict[str, Any]:
    """Uploaded = indexed + quarantined, counted by what the hospital itself can see."""
    files = pydicom_files()
    objects = {key("instances", RIVER.hospital_id, f"pydicom/{name}"): body for name, body in files.items()}
    with stage.progress("upload", len(objects)) as progress:
        upload(stage.client.s3(RIVER.hospital_id), _bucket(stage), objects, progress)
    studies = study_uids(files.values())
    with stage.progress("index", len(objects)) as progress:

        def settled() -> tuple[int, list[Any]] | None:
            indexed = sum(entries(stage.client, "hospital-jb001", uid) for uid in studies)
            refused = stage.client.pages("hospital-jb001", "/hospital/quarantine", "records")
            progress(indexed + len(refused))
            return (indexed, refused) if indexed + len(refused) >= len(objects) else None

        indexed, refused = until(settled, "uploaded = indexed + quarantined")
    expect(indexed + len(refused) == len(objects), f"{len(objects)} != {indexed} + {len(refused)}")
    reasons = Counter(one["reason"] for one in refused)
    told = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return {"uploaded": len(objects), "indexed": indexed, "quarantined": len(refused), "reasons": told}


def entries(client: Client, login: str, uid: str) -> int:
    """Everything ever received of a study, as its hospital sees it; 0 while unknown."""
    answer = client.call(login, "GET", f"/hospital/studies/{uid}")
    return sum(answer.json["statuses"].values()) if answer.status == 200 else 0


def singles(stage: Stage) -> dict[str, Any]:
    with stage.busy("make"):
        files = samples.chest_ct(hospital=RIVER.hospital_id, accession_number=ACCESSION, slices=SLICES)
    objects = {key("instances", RIVER.hospital_id, f"ct/{n:04d}.dcm"): body for n, body in enumerate(files)}
    with stage.progress("upload", len(objects)) as progress:
        upload(stage.client.s3(RIVER.hospital_id), _bucket(stage), objects, progress)
    seconds = _served(stage, "hospital-jb001", "river_ct", RIVER.hospital_id, files)
    return {"megabytes": sum(map(len, files)) // 10**6, "settled": seconds}


def pack(stage: Stage) -> dict[str, Any]:
    with stage.busy("make"):
        files = samples.chest_ct(hospital=LAKE.hospital_id, accession_number=LAKE_ACCESSION, slices=SLICES)
        body = {key("archives", LAKE.hospital_id, "ct.zip"): samples.make_pack(files)}
    upload(stage.client.s3(LAKE.hospital_id), _bucket(stage), body, lambda _done: None)
    _served(stage, "hospital-hb002", "lake_ct", LAKE.hospital_id, files)
    return {"instances": len(files)}


def _served(stage: Stage, login: str, name: str, hospital_id: str, files: list[bytes]) -> float:
    """Wait until all are served, and keep the study for later steps; seconds it took."""
    (uid,) = study_uids(files)
    started = time.monotonic()
    with stage.progress("index", len(files)) as progress:

        def all_served() -> bool:
            answer = stage.client.call(login, "GET", f"/hospital/studies/{uid}")
            served = answer.json["study"]["instances"] if answer.status == 200 else 0
            progress(served)
            return bool(served == len(files))

        until(all_served, f"{len(files)} instances served")
    stage.kept[name] = {"hospital_id": hospital_id, "study_instance_uid": uid, "files": samples.by_uid(files)}
    return time.monotonic() - started


def encounter(stage: Stage) -> dict[str, Any]:
    opened = {
        "type": "encounter",
        "encounter_id": ENCOUNTER,
        "status": "open",
        "doctor_id": "doctor-li",
        "patient": details_at(LAKE.hospital_id),
        "patient_class": "outpatient",
        "at": datetime.now(UTC).isoformat(),
    }
    stage.client.call("hospital-hb002", "POST", "/hospital/notices", opened).of(202)
    path = f"/encounters/{ENCOUNTER}/timeline"
    until(lambda: stage.client.call("doctor-li", "GET", path).status == 200, "the encounter is known")
    expect(stage.client.call("doctor-li", "GET", path).json["studies"] == [], "nothing before consent")
    return {}


def _bucket(stage: Stage) -> str:
    return str(stage.client.told["buckets"]["uploads"])
