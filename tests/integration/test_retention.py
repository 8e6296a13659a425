"""How long a study must be kept, as its hospital is told: over the real stores and the routes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.exam import NoticeFact
from chalicelib.domain.identity import PatientDetails
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from tests.support.served_app import NAME, PATIENT_ID, REF, jwks_url, served

__all__ = ["jwks_url", "served"]

PATH = f"/hospital/studies/{REF.study_instance_uid}/retention"


def told(served):
    answer = served.ask("GET", PATH, "hospital")
    assert answer.status_code == 200, answer.body
    return answer.json_body


def visit(hospital_id, patient_id, day, patient_class="outpatient", status="open"):
    at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    notice = EncounterNotice(hospital_id, "V1", status, PatientDetails(patient_id, NAME), patient_class, at)
    RecordEncounter(wiring.encounters())(notice)


@pytest.fixture
def study(served):
    served.prepare()
    summary = wiring.studies().summary(REF)
    assert wiring.judge_retention()(REF, wiring.now()) is not None
    return summary


def classed(summary, patient_class):
    at = summary.exam_ended_at or summary.last_received_at
    notice = NoticeFact(
        notice_id="N1",
        status="performed",
        sent_at=at,
        received_at=at,
        accession_number=summary.accession_number,
        patient_id=summary.patient_id,
        study_instance_uid=REF.study_instance_uid,
        patient_class=patient_class,
        performed_at=at,
    )
    wiring.derive_exams().notice_recorded(REF.hospital_id, notice)


def test_without_a_notice_the_longer_period_is_told(served, study):
    found = told(served)
    assert (found["rule"], found["is_over"], found["identity_settled"]) == ("unknown", False, True)
    assert "Art. 29" in found["clause"]


def test_a_visit_to_another_hospital_of_the_same_person_extends_an_outpatients(served, study):
    classed(study, "outpatient")
    before = told(served)
    assert before["rule"] == "outpatient"
    visit("H2", "Q1", date(2029, 5, 6))
    assert told(served)["keep_through"] == "2044-05-06"
    over = datetime(2044, 5, 6, 16, tzinfo=UTC)
    judge = wiring.judge_retention()
    assert not judge(REF, over - timedelta(seconds=1)).is_over(over - timedelta(seconds=1))
    assert judge(REF, over).is_over(over)


def test_an_inpatients_period_begins_with_the_discharge(served, study):
    classed(study, "inpatient")
    assert told(served)["waits"] == "discharge_unknown"
    visit(REF.hospital_id, PATIENT_ID, date(2029, 5, 6), "inpatient", "closed")
    found = told(served)
    assert (found["rule"], found["waits"], found["keep_through"]) == ("inpatient", "", "2059-05-06")


def test_an_exam_whose_class_nobody_told_is_as_its_hospital_is_registered(served, study):
    assert told(served)["rule"] == "unknown"
    body = {"hospital_id": REF.hospital_id, "name": "H1医院"}
    for given, rule in (("outpatient", "outpatient"), ("inpatient", "inpatient"), (None, "unknown")):
        assert served.ask("POST", "/hospitals", "regulator", {**body, "default_class": given}).status_code == 201
        assert told(served)["rule"] == rule
    served.ask("POST", "/hospitals", "regulator", {**body, "default_class": "outpatient"})
    classed(study, "inpatient")
    assert told(served)["rule"] == "inpatient"


def test_while_the_number_is_contested_nothing_elsewhere_is_told_and_the_period_is_not_over(served, study):
    classed(study, "outpatient")
    visit("H2", "Q1", date(2029, 5, 6))
    body = {"patient_id": PATIENT_ID}
    assert served.ask("POST", "/desk/identities/contest", "desk_clerk", body).status_code == 200
    found = told(served)
    assert not found["identity_settled"]
    assert found["keep_through"] < "2044-05-06"
    later = datetime(2150, 1, 1, tzinfo=UTC)
    assert not wiring.judge_retention()(REF, later).is_over(later)


def test_a_study_that_is_not_known_has_no_period(served, study):
    assert served.ask("GET", PATH.replace(REF.study_instance_uid, "1.9"), "hospital").status_code == 404
    assert wiring.judge_retention()(replace(REF, hospital_id="H2"), wiring.now()) is None
