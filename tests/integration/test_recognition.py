"""Recognition and its statistics over HTTP, on moto: from the reminder to the figure and back to its events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import app
from chalicelib import wiring
from chalicelib.domain.gains import Happening
from chalicelib.domain.study import StudyRef
from chalicelib.services.answer_reminder import Answered
from chalicelib.wiring.gains import gains, recognitions
from infra.local.poller import scheduled_event
from tests.support.ordering import reminder
from tests.support.served_app import NAME, REF, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]

NO_GRANT = b'{"error":"no_grant"}'


class Context:
    @staticmethod
    def get_remaining_time_in_millis():
        return 240_000


@pytest.fixture
def clinic(served):
    """A consent of the patient of E1 at H2 over the study at H1."""
    served.person_id = served.prepare()
    served.consent()
    return served


def judge(served, decision="recognise", encounter_id="E1", ref=REF, **more):
    body = {"encounter_id": encounter_id, "hospital_id": ref.hospital_id, "decision": decision, **more}
    return served.ask("POST", "/recognitions", "doctor", {**body, "study_instance_uid": ref.study_instance_uid})


def remind(shown_at):
    alert = reminder(REF, ("H2", "d1", "E1"), "Q1", shown_at)
    assert wiring.alerts().keep(alert)


def later(monkeypatch, at):
    """Sweeps whenever something is due until then."""
    monkeypatch.setattr(wiring, "now", lambda: at)
    answer = app.sweep(scheduled_event("sweep"), Context())["gains"]
    assert (answer["faults"], answer["more"]) == (0, False)
    return answer


def figures(served, at):
    day = f"{at + timedelta(hours=8):%Y-%m-%d}"
    claims = {"subject": "H2", "hospital_id": "H2"}
    told = served.ask("GET", f"/hospital/statistics/recognition/{day}", "hospital", **claims).json_body["total"]
    return {name: count for name, count in told.items() if count}


def test_a_doctor_recognises_and_the_patient_reads_it(clinic):
    answer = judge(clinic, conclusion="own_judgement")
    assert answer.status_code == 201
    assert answer.json_body["conclusion"] == "own_judgement"
    told = clinic.ask("GET", "/me/accesses", "patient", person_id=clinic.person_id).json_body["accesses"]
    assert "认可了" in str(told[0])


def test_the_same_said_again_is_one_and_another_is_the_next(clinic):
    assert [judge(clinic).json_body["revision"] for _ in range(2)] == [1, 1]
    refused = judge(clinic, "refuse", reason="3")
    assert (refused.json_body["revision"], refused.json_body["reason"]["code"]) == (2, "3")
    assert [one.revision for one in recognitions().of_study(("H2", "E1"), REF, "d1")] == [1, 2]
    told = clinic.ask("GET", "/me/accesses", "patient", person_id=clinic.person_id).json_body["accesses"]
    assert "手术" in str(told[0]), "the patient is told the reason"


@pytest.mark.parametrize(
    "more",
    [
        {"decision": "refuse"},
        {"decision": "refuse", "reason": "98"},
        {"decision": "pass_over", "reason": "1"},
        {"decision": "recognise", "reason": "1"},
        {"text": "长" * 101},
        {"conclusion": "recognised"},
    ],
)
def test_what_is_no_judgement_by_the_rules_is_refused(clinic, more):
    assert judge(clinic, **more).status_code == 400


def test_without_consent_for_another_visit_or_an_unknown_study_there_is_one_answer(clinic):
    clinic.open_encounter("H2", "E9", "Q9")
    never = StudyRef("H1", "1.2.840.404")
    answers = [judge(clinic, encounter_id="E9"), judge(clinic, encounter_id="E404"), judge(clinic, ref=never)]
    claims = {"person_id": clinic.person_id}
    consents = clinic.ask("GET", "/me/consents", "patient", **claims).json_body["consents"]
    assert clinic.ask("POST", "/me/consents/revoke", "patient", {"consent_id": consents[0]["consent_id"]}, **claims)
    assert [(one.status_code, one.body) for one in answers] == [(403, NO_GRANT)] * 3
    assert judge(clinic).status_code == 403
    assert not recognitions().of_study(("H2", "E1"), REF, "d1")


def test_a_reminder_that_was_followed_saves_an_exam(clinic, monkeypatch):
    now = datetime.now(UTC)
    remind(now)
    assert clinic.manifest().status_code == 200
    assert judge(clinic).status_code == 201
    later(monkeypatch, now + timedelta(hours=4))
    later(monkeypatch, now + timedelta(hours=6))
    assert figures(clinic, now) == {"alerts": 1, "viewed": 1, "recognised": 1}
    assert later(monkeypatch, now + timedelta(days=7))["judged"] == 0
    assert later(monkeypatch, now + timedelta(days=8, hours=1))["judged"] == 1
    later(monkeypatch, now + timedelta(days=8, hours=3))
    saved = {"avoided": 1, "dose_known": 1, "film_fen": 6400, "fee_fen": 20000, "dose_usv": 7000}
    assert figures(clinic, now) == {"alerts": 1, "viewed": 1, "recognised": 1, **saved}
    again = later(monkeypatch, now + timedelta(days=9))
    assert (again["alerts"], again["judged"], again["days"]) == (0, 0, 0)


def test_an_override_on_the_card_is_a_refusal_until_the_doctor_says_something_of_the_exam(clinic, monkeypatch):
    now = datetime.now(UTC)
    remind(now)
    card = reminder(REF, ("H2", "d1", "E1"), "Q1", now).alert_id
    later(monkeypatch, now + timedelta(minutes=5))
    said = [Answered(card, "overridden", "3", now), Answered(card, "overridden", "", now)]
    for _ in range(2):
        wiring.answer_reminder()("H2", said, now)
    later(monkeypatch, now + timedelta(hours=1))
    later(monkeypatch, now + timedelta(hours=3))
    assert figures(clinic, now) == {"alerts": 1, "overridden_3": 1, "refused": 1}
    assert judge(clinic, "refuse", reason="4").status_code == 201
    later(monkeypatch, now + timedelta(hours=5))
    later(monkeypatch, now + timedelta(hours=7))
    assert figures(clinic, now) == {"alerts": 1, "refused_4": 1, "refused": 1}


def test_a_repeat_is_seen_though_the_reminder_was_followed(clinic, monkeypatch):
    now = datetime.now(UTC)
    remind(now - timedelta(hours=1))
    assert judge(clinic).status_code == 201
    ref = StudyRef("H2", "1.2.840.77")
    made = entry(2, ref=ref, study_description="胸部CT平扫", modality="CT", patient_id="Q1", patient_name=NAME)
    header = made.header
    day = f"{now + timedelta(hours=8):%Y%m%d}"
    times = replace(header.times, acquired_at=None, step_ended_at=None)
    clinic.receive(replace(made, header=replace(header, study_date=day, times=times)), ref=ref)
    later(monkeypatch, now + timedelta(days=8, hours=1))
    later(monkeypatch, now + timedelta(days=8, hours=3))
    assert figures(clinic, now) == {"alerts": 1, "recognised": 1, "repeated": 1}


def test_a_figure_opens_to_its_events_for_the_hospital_and_is_closed_to_a_regulator(clinic, monkeypatch):
    now = datetime.now(UTC)
    assert judge(clinic, "refuse", reason="4").status_code == 201
    later(monkeypatch, now + timedelta(hours=2))
    day = f"{now + timedelta(hours=8):%Y-%m-%d}"
    own = {"subject": "H2", "hospital_id": "H2"}
    path = f"/statistics/recognition/{day}"
    (event,) = clinic.ask("GET", f"/hospital{path}/events?measure=refused", "hospital", **own).json_body["events"]
    assert (event["measure"], event["source"]) == ("refused_4", "H1")
    assert set(event) == {"event", "visit", "measure", "modality", "at", "source"}
    assert not [word for word in ("E1", "Q1", "P1", NAME, clinic.person_id) if word in str(event)]
    table = clinic.ask("GET", path, "regulator")
    assert (table.json_body["total"]["refused"], table.json_body["total"]["avoided"]) == (None, 0)
    closed = clinic.ask("GET", f"{path}/events?measure=refused&hospital_id=H2", "regulator")
    assert (closed.status_code, closed.json_body["error"]) == (403, "figure_closed")


def test_a_figure_opens_on_either_side_and_no_two_lists_can_be_laid_side_by_side(served, monkeypatch):
    served.open_hospitals()
    now = datetime.now(UTC)
    day = f"{now + timedelta(hours=8):%Y-%m-%d}"
    for number in range(12):
        refused = "refused_1" if number else "overridden_3"
        gains().put(Happening(refused, f"k{number}", day, now, "H2", "H1", f"E{number}", "CT", ("CHEST",)), now)
    later(monkeypatch, now + timedelta(hours=1))
    path = f"/statistics/recognition/{day[:7]}"
    asked = {"receiving": "hospital_id=H2&side=receiving", "source": "hospital_id=H1&side=source"}
    lists = {}
    for side, query in asked.items():
        figures = served.ask("GET", f"{path}?{query}", "regulator").json_body["total"]
        assert (figures["refused"], figures["refused_1"]) == (12, None)
        lists[side] = served.ask("GET", f"{path}/events?measure=refused&{query}", "regulator").json_body["events"]
        assert [(set(one), one["measure"]) for one in lists[side]] == [({"event", "visit", "measure"}, "refused")] * 12
        assert served.ask("GET", f"{path}/events?measure=refused_1&{query}", "regulator").status_code == 403
    assert not {one["event"] for one in lists["source"]} & {one["event"] for one in lists["receiving"]}
    assert served.ask("GET", f"{path}?hospital_id=H1&side=source&by=day", "regulator").json_body["rows"][-1]["figures"][
        "refused"
    ] in (None, 0), "where exams were made is told of months"
    other = served.ask("GET", f"{path}/events?measure=refused&hospital_id=H2&side=source", "regulator")
    assert (other.status_code, other.json_body["events"]) == (200, [])


def test_what_is_no_period_no_measure_or_no_token_is_a_bad_request(served):
    served.open_hospitals()
    path = "/statistics/recognition/"
    asked = [f"{path}2026-13", f"{path}2026-11-24/events?measure=x&hospital_id=H1", f"{path}2026-11?side=both"]
    asked.append(f"{path}2026-11/events?measure=viewed&hospital_id=H1&side=both")
    asked.append(f"{path}2026-11-24/events?measure=alerts&hospital_id=H1&token=*")
    assert [served.ask("GET", one, "regulator").status_code for one in asked] == [400] * 5
