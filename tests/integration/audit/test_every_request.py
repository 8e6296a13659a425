"""What every request leaves: nothing of a stranger's words, one's own where it buries nobody else's, and all sealed."""

from __future__ import annotations

import json

import pytest

from chalicelib import wiring
from chalicelib.domain.reads import allowed_events
from chalicelib.domain.seal import HOUR
from infra import verify_audit
from tests.support.audit_watch import audit_down
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]

LISTS = ("accesses", "consents", "export", "guardians", "identities", "notices", "phone", "requests", "studies/hidden")


@pytest.fixture
def person(served):
    """A patient with a study, an open visit elsewhere and a doctor who was refused, asked and was told."""
    person_id = served.prepare()
    assert served.manifest().status_code == 403
    asked = served.ask("POST", "/consent-requests", "doctor", {"encounter_id": "E1", "purpose": "treatment"})
    poll = {"encounter_id": "E1", "request_id": asked.json_body["request_id"]}
    for _ in range(3):
        assert served.ask("POST", "/consent-requests/outcome", "doctor", poll).json_body["state"] == "waiting"
    return {"role": "patient", "subject": person_id, "person_id": person_id}


def log(served, person, kind=""):
    """Every page of the log, as (role, action) newest first; no page but the last may be short."""
    found, token = [], ""
    while True:
        query = "&".join([*([f"kind={kind}"] if kind else []), *([f"token={token}"] if token else [])])
        page = served.ask("GET", f"/me/accesses?{query}", **person).json_body
        found += [(one["role"], one["action"]) for one in page["accesses"]]
        token = page["next_token"]
        assert not token or len(page["accesses"]) == 50
        if not token:
            return found


def test_ones_own_lists_and_a_doctors_polling_bury_nobody(served, person):
    before = log(served, person)
    for _ in range(12):
        for name in LISTS:
            assert served.ask("GET", f"/me/{name}", **person).status_code == 200
        assert served.ask("POST", "/session", body={}, **person).status_code == 200
    assert log(served, person) == before
    assert {("doctor", "view_study"), ("doctor", "request_consent"), ("desk_clerk", "register_patient")} <= set(before)
    assert not {action for role, action in before if role == "patient"}


def test_what_is_routine_is_there_for_who_asks_in_pages_that_are_full(served, person):
    for _ in range(7):
        for name in LISTS:
            served.ask("GET", f"/me/{name}", **person)
    found = log(served, person, "routine")
    assert len([one for one in found if one == ("patient", "read_consents")]) == 7
    assert [one for one in found if one[0] != "patient"] == [("doctor", "read_outcome")] * 3
    assert not {("doctor", "view_study"), ("desk_clerk", "register_patient")} & set(found)


def test_what_one_decides_oneself_is_always_shown(served, person):
    served.ask("POST", "/me/freeze", body={"confirm": "yes"}, **person)
    assert log(served, person)[0] == ("patient", "freeze")


def test_another_kind_than_routine_is_refused(served, person):
    assert served.ask("GET", "/me/accesses?kind=all", **person).json_body["field"] == "kind"


def test_what_a_doctor_is_told_of_an_approval_is_not_routine(served, person):
    (request, *_) = served.ask("GET", "/me/requests", **person).json_body["requests"]
    approve = {"request_id": request["request_id"], "decision": "approve"}
    assert served.ask("POST", "/me/requests/decide", body=approve, **person).status_code == 200
    poll = {"encounter_id": "E1", "request_id": request["request_id"]}
    assert served.ask("POST", "/consent-requests/outcome", "doctor", poll).json_body["state"] == "approved"
    assert log(served, person)[0] == ("doctor", "read_outcome")


# Refusals at the door


def events():
    now = wiring.now()
    return [*wiring.audit_hours().of_hour(now - HOUR), *wiring.audit_hours().of_hour(now)]


def knock(served):
    """One of each kind that the door answers itself."""
    true = served.token("patient")
    asked = [
        served.ask("GET", "/me/phone"),
        served.ask("GET", "/me/phone", headers={"Authorization": f"Bearer {true[:-4]}AAAA"}),
        served.ask("GET", "/me/phone", "doctor"),
        served.ask("POST", "/me/freeze", headers={"Cookie": f"__Host-session={true}"}, body={"confirm": "yes"}),
        served.ask("POST", "/me/freeze", "patient", b"{"),
        served.ask("POST", "/me/freeze", "patient", b"", headers={"Content-Type": "text/plain"}),
    ]
    return [one.status_code for one in asked]


def test_each_refusal_of_the_door_is_one_event_that_names_nobody_it_does_not_know(served):
    known = {one.event_id for one in events()}
    assert knock(served) == [401, 401, 403, 403, 400, 415]
    found = sorted((one for one in events() if one.event_id not in known), key=lambda one: one.event_id)
    told = {(one.values["reason"], one.values.get("role"), one.values.get("subject")) for one in found}
    assert told == {
        ("absent", None, None),
        ("signature", None, None),
        ("not_allowed", "doctor", "d1"),
        ("csrf", "patient", "p1"),
        ("bad_request", "patient", "p1"),
        ("unsupported_media_type", "patient", "p1"),
    }
    assert {one.values["action"] for one in found} == {"turned_away"}
    assert len(found) == 6
    assert "eyJ" not in json.dumps([one.values for one in found])


def test_a_crowd_of_strangers_is_spread_over_the_hours_partitions(served):
    for _ in range(120):
        assert served.ask("GET", "/me/phone").status_code == 401
    crowded = [one.partition for one in events() if one.values["reason"] == "absent"]
    assert len(set(crowded)) >= 12
    assert max(map(crowded.count, crowded)) <= 30


def test_the_doors_refusals_are_sealed_and_verified_like_all_else(served, tmp_path):
    knock(served)
    assert served.ask("POST", "/session", "regulator", body={}).status_code == 200
    sealed = wiring.seal_audit()(wiring.now() + 3 * HOUR, lambda: True)
    assert sealed.events >= 7
    assert verify_audit.main(["--json"]) == 0
    opened = [allowed_events(one.values) for one in events()]
    assert opened == [None] * len(events())


def test_where_nothing_can_be_put_on_record_a_stranger_gets_503_and_health_goes_on(served):
    with audit_down():
        assert set(knock(served)) == {503}
        assert served.ask("GET", "/health").status_code == 200


# The commission

OF_A_DAY = {"hospital_id", "name", "day", "rate", "flags"}
OF_EXAMS = {"due", "on_time", "late", "partial", "missing", "excused", "cancelled", "scheduled", "pending", "imported"}


def test_the_commission_is_told_exact_counts_of_exams_and_no_figure_about_persons(served):
    """DESIGN §8: cells of persons under ten would be hidden. A figure that is new here must decide which it is."""
    served.prepare()
    asked = "/compliance/hospitals/H1?from=2026-11-23&to=2026-11-24"
    for day in served.ask("GET", asked, "regulator").json_body["days"]:
        assert set(day) == OF_A_DAY | OF_EXAMS | {f"delay_p{percent}_minutes" for percent in (50, 90, 99)}


@pytest.mark.parametrize(
    "route", ["GET /compliance/hospitals/H9?from=2026-11-23&to=2026-11-24", "POST /hospitals/H9/excuses"]
)
def test_a_hospital_that_nobody_registered_is_not_found(served, route):
    method, path = route.split(" ")
    outage = {"from": "2026-11-23T00:00:00+08:00", "to": "2026-11-23T06:00:00+08:00", "reason": "断网"}
    answer = served.ask(method, path, "regulator", outage if method == "POST" else None)
    assert (answer.status_code, answer.json_body["error"]) == (404, "not_found")
