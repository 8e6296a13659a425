"""A whole call of an ordering system, from JSON to JSON, with AWS answering at once: five orders, for a patient of ten
studies and of a thousand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib import wiring
from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Doctor
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.http.answers import answer
from chalicelib.http.asked import Fields
from chalicelib.http.cds_cards import cards
from chalicelib.http.cds_hooks import CALL
from chalicelib.http.cds_orders import read_ordering
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from infra.local.personas import LAKE, PATIENT, RIVER
from tests.bench.rows import Row, cpu_ms
from tests.bench.world import all_items, at_once, on_moto
from tests.support.clinic import summary
from tests.support.ordering import SIGN, call, order

NOW = datetime.now(UTC)
KINDS = (("CT", "胸部CT平扫", "CHEST"), ("MR", "左膝关节MR平扫", "KNEE:L"), ("US", "肝胆胰脾彩超", "LIVER"))
ORDERS = ("胸部CT平扫", "左膝关节MR平扫", "肝胆胰脾双肾彩超", "头颅CT平扫", "上腹部MR增强")
FEW, MANY = 10, 1000


def rows():
    few, _ = _measured(FEW)
    many, calls = _measured(MANY)
    beside = ", ".join(f"{number} {call}" for call, number in calls.items())
    return [
        Row(f"reminder for five orders, {MANY:,} studies, CPU", many, "ms", 50, beside),
        Row(f"the same, {MANY:,} studies against {FEW}", many / few, "x", 10, f"{few:.2f} ms; a page holds 50"),
    ]


def _measured(studies):
    """CPU in ms, and the calls of one."""
    stub = at_once(items=_world(studies))
    number = PATIENT.patient_ids[LAKE.hospital_id]
    drafts = [order(text, f"o{place}") for place, text in enumerate(ORDERS)]
    body = json.dumps(call(SIGN, *drafts, patient=number))

    def one():
        ordering = read_ordering(Fields(json.loads(body), CALL), "order-sign", LAKE.hospital_id)
        return answer(cards(wiring.remind_of_similar()(ordering, NOW), "https://yun.example.test"))

    told = json.loads(one().body)["cards"]
    assert len(told) == 4, told  # of the liver by ultrasound, an MR of the upper abdomen is told too
    stub.calls.clear()
    one()
    calls = Counter(stub.calls)
    return cpu_ms(one, repeat=20), calls


def _world(studies):
    with on_moto() as cloud:
        for hospital in (RIVER, LAKE):
            wiring.hospitals().put(Hospital(hospital.hospital_id, hospital.name))
        wiring.doctors().put(Doctor("d1", LAKE.hospital_id, "110", "李医生", "active"))
        for hospital in (RIVER, LAKE):
            _register(hospital.hospital_id)
        patient = PatientDetails(PATIENT.patient_ids[LAKE.hospital_id], PATIENT.name)
        visit = EncounterNotice(LAKE.hospital_id, "E1", "open", patient, "outpatient", NOW, "d1")
        RecordEncounter(wiring.encounters())(visit)
        for number in range(studies):
            assert wiring.studies().flip(_study(number), 0)
        return all_items(cloud)


def _register(hospital_id):
    said = (PATIENT.name, PATIENT.sex, PATIENT.birth_date, PATIENT.national_id, PATIENT.phone)
    details = PatientDetails(PATIENT.patient_ids[hospital_id], *said)
    wiring.register_patient()(Caller("desk_clerk", "c", hospital_id), details, NOW)


def _study(number):
    modality, description, region = KINDS[number % len(KINDS)]
    made = summary(
        StudyRef(RIVER.hospital_id, f"2.25.{10**20 + number}"),
        PATIENT.patient_ids[RIVER.hospital_id],
        study_date=f"{NOW - timedelta(days=1 + number // 3):%Y%m%d}",
        study_description=description,
        modalities=(modality,),
    )
    return replace(made, regions=(region,), contrast="plain" if modality != "US" else "")
