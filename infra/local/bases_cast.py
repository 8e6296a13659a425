"""Who takes part in the bases, and what must be there before: hospitals, a doctor, patients, studies, visits.

Every run has a doctor of its own, so that limits per doctor (codes sent, emergencies a day) do not meet the last run's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local import samples
from infra.local.client import Answer, Client, expect, until
from infra.local.personas import CHILD, ELDER, HOSPITALS, LAKE, PATIENT, RIVER, DemoPatient
from infra.local.story import Stage
from infra.local.story_hospital import details_at
from infra.local.story_images import key

PATIENTS = {"zhang": PATIENT, "elder": ELDER, "child": CHILD}


@dataclass
class Actor:
    """Somebody with a token of their own. `fresh` forgets it, for whoever must sign in anew."""

    client: Client
    login: str

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.client.call(self.login, method, path, body, headers)

    def fresh(self) -> Actor:
        self.client.claim(self.login, **self.client.claims.get(self.login, {}))
        return self


def actor(stage: Stage, login: str, **claims: Any) -> Actor:
    return Actor(Client(stage.client.told, {login: claims}), login)


def cast(stage: Stage) -> dict[str, Any]:
    """Registering what is registered changes nothing, so a cloud that has played the story will do."""
    kept, run = stage.kept, secrets.token_hex(4)
    kept["since"], kept["run"] = datetime.now(UTC), run
    for hospital in HOSPITALS:
        body = vars(hospital) | {"utc_offset_minutes": 480}
        actor(stage, "regulator").ask("POST", "/hospitals", body).of(200, 201)
    account = {
        "doctor_id": f"li-{run}",
        "hospital_id": LAKE.hospital_id,
        "name": "李医生",
        "licence_number": f"LI{run}",
    }
    actor(stage, "administrator").ask("POST", "/doctors", account).of(201)
    kept["doctor"] = actor(stage, "doctor-li", sub=f"li-{run}")
    kept["clerk"] = actor(stage, "clerk-hb002")
    kept["witness"] = actor(stage, "clerk-hb002", sub=f"witness-{run}")
    kept["officer"] = actor(stage, "officer-hb002")
    for name, patient in PATIENTS.items():
        kept[name] = actor(stage, "patient-zhang", sub=f"patient-{name}", person_id=_register(stage, patient))
    kept["father"] = actor(stage, "guardian-zhang", person_id=_person_id(kept["zhang"]))
    return {}


def _person_id(one: Actor) -> str:
    return str(one.client.claims[one.login]["person_id"])


def _register(stage: Stage, patient: DemoPatient) -> str:
    persons = set()
    for clerk, hospital in (("clerk-jb001", RIVER), ("clerk-hb002", LAKE)):
        details = details_at(hospital.hospital_id, patient) | {
            "national_id": patient.national_id,
            "phone": patient.phone,
        }
        persons.add(actor(stage, clerk).ask("POST", "/desk/registrations", details).of(200, 201)["person_id"])
    expect(len(persons) == 1, "both desks find one person")
    return str(persons.pop())


def studies(stage: Stage) -> dict[str, Any]:
    kept = stage.kept
    for name, patient in PATIENTS.items():
        kept[f"study of {name}"] = _upload(stage, name, patient)
    visits = {"zhang": "outpatient", "elder": "outpatient", "child": "outpatient", "emergency": "emergency"}
    for name, patient_class in visits.items():
        kept[f"visit of {name}"] = _visit(stage, PATIENTS.get(name, PATIENT), f"{name}-{kept['run']}", patient_class)
    for name in PATIENTS:
        expect(look(kept["doctor"], kept[f"study of {name}"]).status == 403, "nothing without a consent")
    return {"studies": len(PATIENTS), "visits": len(visits)}


def _upload(stage: Stage, name: str, patient: DemoPatient) -> dict[str, str]:
    """One image at Jiangbei; the same each time, so that a second run finds it there."""
    body, uid = samples.head_of(patient, RIVER.hospital_id, f"BASES-{name}")
    bucket = stage.client.hospital(RIVER.hospital_id)["bucket"]
    stage.client.s3(RIVER.hospital_id).put_object(
        Bucket=bucket, Key=key("instances", RIVER.hospital_id, f"{uid}.dcm"), Body=body
    )
    path = f"/hospital/studies/{uid}"

    def served() -> bool:
        answer = stage.client.call("hospital-jb001", "GET", path)
        return answer.status == 200 and bool(answer.json["study"]["instances"])

    until(served, f"the study of {name} is served", 30)
    return {"hospital_id": RIVER.hospital_id, "study_instance_uid": uid}


def _visit(stage: Stage, patient: DemoPatient, encounter_id: str, patient_class: str) -> str:
    opened = {
        "type": "encounter",
        "encounter_id": encounter_id,
        "status": "open",
        "patient": details_at(LAKE.hospital_id, patient),
        "patient_class": patient_class,
        "at": datetime.now(UTC).isoformat(),
    }
    stage.client.call("hospital-hb002", "POST", "/hospital/notices", opened).of(202)
    path = f"/encounters/{encounter_id}/timeline"
    until(lambda: stage.kept["doctor"].ask("GET", path).status == 200, "the visit is known", 30)
    return encounter_id


def look(reader: Actor, study: Mapping[str, str]) -> Answer:
    return reader.ask("GET", f"/hospitals/{study['hospital_id']}/studies/{study['study_instance_uid']}/manifest")
