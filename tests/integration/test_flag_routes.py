"""What hospital and commission say to a flag, over the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib import wiring
from chalicelib.domain.flag import Behind, Flag, FlaggedExam, Step, assess
from chalicelib.domain.study import StudyRef
from tests.support.ledger_world import HOUR, NOON, notice, study
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]

DAY = "2026-11-20"
AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
EXAMS = tuple(FlaggedExam(f"A{number}", 1, "missing", AT, None) for number in range(3))
FLAG = Flag("H1", DAY, "missed_deadline", "raised", Behind((("missing", 3),), EXAMS, 3, "d"), AT)
NAMED = {"day": DAY, "rule": "missed_deadline"}


@pytest.fixture
def flagged(served):
    served.prepare()
    for hospital_id in ("H1", "H2"):
        assert wiring.flags().put(replace(FLAG, hospital_id=hospital_id), Step(AT, "raised"))
    return served


def own(served):
    """The flag as its hospital reads it."""
    (day,) = served.ask("GET", f"/hospital/compliance?from={DAY}&to={DAY}", "hospital").json_body["days"]
    (flag,) = day["flags"]
    return flag


def hospital(served, act, **more):
    return served.ask(
        "POST", f"/hospital/flags/{act}", "hospital", {**NAMED, "version": own(served)["version"], **more}
    )


def regulator(served, act, **more):
    body = {**NAMED, "hospital_id": "H1", "version": own(served)["version"], **more}
    return served.ask("POST", f"/compliance/flags/{act}", "regulator", body)


def history(served, role="hospital", of=""):
    path = "/hospital/flags/history" if role == "hospital" else "/compliance/flags/history"
    answer = served.ask("GET", f"{path}?day={DAY}&rule=missed_deadline{of}", role)
    assert answer.status_code == 200, answer.body
    return answer.json_body["steps"]


def test_a_flag_goes_from_raised_to_closed_and_both_read_how(flagged):
    flag = own(flagged)
    assert (flag["state"], flag["exams_total"], len(flag["exams"])) == ("raised", 3, 3)
    assert set(flag["meaning"]) == {"zh", "en"}
    assert hospital(flagged, "acknowledge").json_body["state"] == "acknowledged"
    assert hospital(flagged, "explain", text="光缆被挖断").json_body["state"] == "explained"
    assert hospital(flagged, "explain", text="光缆被挖断，已于次日修复").status_code == 200
    closed = regulator(flagged, "close", verdict="accepted", text="属实").json_body
    assert (closed["state"], closed["steps"][-1]["verdict"]) == ("closed", "accepted")
    assert closed["steps"][-1]["meaning"] == {"zh": "说明成立，不计违规", "en": "the explanation is accepted"}
    told = history(flagged)
    assert [step["state"] for step in told] == ["raised", "acknowledged", "explained", "explained", "closed"]
    assert [step["role"] for step in told] == ["", "hospital", "hospital", "hospital", "regulator"]
    assert history(flagged, "regulator", "&hospital_id=H1") == told
    assert len(history(flagged, "regulator", "&hospital_id=H2")) == 1
    open_ones = flagged.ask("GET", "/compliance/flags", "regulator").json_body["flags"]
    assert [one["hospital_id"] for one in open_ones] == ["H2"]


def test_an_answer_to_what_has_changed_is_refused_and_says_how_it_stands(flagged):
    seen = own(flagged)["version"]
    assert regulator(flagged, "acknowledge").status_code == 200
    answer = flagged.ask("POST", "/hospital/flags/acknowledge", "hospital", {**NAMED, "version": seen})
    assert (answer.status_code, answer.json_body["error"], answer.json_body["state"]) == (
        409,
        "flag_not_so",
        "acknowledged",
    )
    assert set(answer.json_body["message"]) == {"en", "zh"}
    assert len(history(flagged)) == 2


def test_a_hospital_answers_for_itself_alone(flagged):
    body = {**NAMED, "version": FLAG.version, "text": "不是我院", "hospital_id": "H2"}
    assert flagged.ask("POST", "/hospital/flags/explain", "hospital", body).status_code == 200
    assert [step["state"] for step in history(flagged)] == ["raised", "explained"]
    assert len(history(flagged, "regulator", "&hospital_id=H2")) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": "whatever"}, "verdict"),
        ({"verdict": None}, "verdict"),
        ({"rule": "no_rule"}, "rule"),
        ({"day": "yesterday"}, "day"),
        ({"version": ""}, "version"),
        ({"text": "\x00"}, "text"),
        ({"hospital_id": "../H1"}, "hospital_id"),
    ],
)
def test_a_closing_that_says_nothing_sensible_is_refused(flagged, changes, field):
    answer = regulator(flagged, "close", **{"verdict": "upheld", **changes})
    assert (answer.status_code, answer.json_body["field"]) == (400, field)
    assert own(flagged)["state"] == "raised"


def test_what_is_not_flagged_is_not_found(flagged):
    unknown = {**NAMED, "day": "2026-11-19", "version": FLAG.version}
    assert flagged.ask("POST", "/hospital/flags/acknowledge", "hospital", unknown).status_code == 404
    assert flagged.ask("GET", "/hospital/flags/history?day=2026-11-19&rule=silent", "hospital").status_code == 404
    assert flagged.ask("GET", f"/hospital/flags/exams?day={DAY}&rule=nothing", "hospital").json_body["field"] == "rule"
    path = f"/compliance/flags/exams?day={DAY}&rule=silent&hospital_id="
    assert [flagged.ask("GET", path + one, "regulator").status_code for one in ("H1", "H9", "h1")] == [200, 404, 400]


def test_a_closed_flag_that_is_raised_again_keeps_its_history(flagged):
    assert regulator(flagged, "close", verdict="upheld").status_code == 200
    held = wiring.flags().get(*FLAG.place)
    assert held is not None
    again = replace(assess(FLAG.place, None, held, AT), state="raised", raises=2, steps=())
    assert wiring.flags().put(again, Step(AT, "raised"))
    assert own(flagged)["steps"] == []
    assert [step["state"] for step in history(flagged)] == ["raised", "closed", "raised"]


def test_an_outage_of_a_region_is_accepted_and_listed(flagged):
    outage = {"from": "2026-11-20T00:00:00+08:00", "to": "2026-11-20T06:00:00+08:00", "reason": "光缆中断"}
    answer = flagged.ask("POST", "/compliance/excuses", "regulator", {**outage, "scope": "region", "region": "无此地"})
    assert (answer.status_code, answer.json_body["field"]) == (400, "region")
    for scope in ("hospital", None):
        answer = flagged.ask("POST", "/compliance/excuses", "regulator", {**outage, "scope": scope})
        assert (answer.status_code, answer.json_body["field"]) == (400, "scope")
    assert (
        flagged.ask("POST", "/compliance/excuses", "regulator", {**outage, "scope": "all"}).json_body["hospitals"] == 2
    )
    assert flagged.ask("POST", "/hospitals/H1/excuses", "regulator", outage).status_code == 202
    told = flagged.ask("GET", "/compliance/excuses", "regulator").json_body["outages"]
    assert {(one["scope"], one["of"], one["hospitals"]) for one in told} == {("all", "", 0), ("hospital", "H1", 1)}


def test_an_accepted_outage_is_shortened_and_withdrawn_and_the_list_says_so(flagged):
    outage = {"from": "2026-11-20T00:00:00+08:00", "to": "2026-11-20T06:00:00+08:00", "reason": "光缆中断"}
    whole = flagged.ask("POST", "/hospitals/H1/excuses", "regulator", outage).json_body["outage_id"]

    def withdraw(outage_id, **more):
        told = {"outage_id": outage_id, "reason": "误报", **more}
        return flagged.ask("POST", "/compliance/excuses/withdraw", "regulator", told)

    assert withdraw("0" * 32).status_code == 404
    for more, field in (
        ({"reason": " "}, "reason"),
        ({"to": "2026-11-20T07:00:00+08:00"}, "to"),
        ({"to": "never"}, "to"),
        ({"from": "2026-11-19T07:00:00+08:00"}, "from"),
    ):
        answer = withdraw(whole, **more)
        assert (answer.status_code, answer.json_body["field"]) == (400, field)
    answer = withdraw(whole, to="2026-11-20T04:00:00+08:00")
    assert answer.status_code == 202
    left = answer.json_body["left"]
    assert withdraw(left).json_body == {"outage_id": left, "left": None}
    told = {
        one["outage_id"]: one for one in flagged.ask("GET", "/compliance/excuses", "regulator").json_body["outages"]
    }
    assert [told[one]["withdrawn"]["reason"] for one in (whole, left)] == ["误报", "误报"]
    assert told[left]["to"] == "2026-11-19T20:00:00+00:00"
    again = flagged.ask("POST", "/hospitals/H1/excuses", "regulator", outage)
    assert (again.status_code, again.json_body["error"]) == (409, "outage_withdrawn")


def test_many_days_of_large_flags_are_told_without_their_exams_rather_than_not_at_all(flagged):
    exams = tuple(FlaggedExam(f"accession-number-{number:046d}", 1, "missing", AT, None) for number in range(500))
    for month in (8, 9):
        for day in range(1, 31):
            behind = Behind((("missing", 900),), exams, 900, "d")
            wiring.flags().put(replace(FLAG, day=f"2026-{month:02d}-{day:02d}", behind=behind))
    answer = flagged.ask("GET", "/hospital/compliance?from=2026-08-01&to=2026-09-30", "hospital")
    assert len(answer.body) < 4_000_000
    flags = [flag for day in answer.json_body["days"] for flag in day["flags"]]
    assert {(flag["exams_total"], len(flag["exams"])) for flag in flags} == {(900, 0)}


def test_a_hospital_reads_every_exam_of_a_day_and_how_it_stands(served):
    served.prepare()
    for number in range(3):
        fact = notice(accession_number=f"E{number}", patient_id=f"P{number}", declared_instances=2)
        wiring.derive_exams().notice_recorded("H1", fact)
    wiring.derive_exams().notice_recorded("H2", notice(accession_number="other"))
    wiring.derive_exams().study_settled(StudyRef("H1", "1.1"), images(), NOON)
    told = served.ask("GET", f"/hospital/exams?day={DAY}", "hospital").json_body
    assert told["next_token"] == ""
    own = [one for one in told["exams"] if one["accession_number"].startswith("E")]
    assert [(one["accession_number"], one["state"], one["received"]) for one in own] == [
        ("E0", "expected", 0),
        ("E1", "partial", 1),
        ("E2", "expected", 0),
    ]
    assert served.ask("GET", "/hospital/exams", "hospital").json_body["field"] == "day"
    assert served.ask("GET", f"/hospital/exams?day={DAY}&token=x", "hospital").json_body["field"] == "token"


def images():
    return study(NOON + HOUR, accession_number="E1", patient_id="P1", study_instance_uid="1.1")
