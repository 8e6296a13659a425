"""Reports over the API: what was written, to whom it concerns, in the form that is asked for."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.compliance import figures
from chalicelib.domain.compliance_report import COLUMNS
from chalicelib.domain.study import Hospital
from tests.support.ledger_world import NOON, notice, study
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]

DAY = date(2026, 11, 20)
PERIODS = ("2026-11-20", "2026-W47", "2026-11")


@pytest.fixture
def reported(served):
    for hospital_id, name in (("H1", "江北医院"), ("H2", "</script><b>湖滨医院")):
        wiring.hospitals().put(Hospital(hospital_id, name, region="苏南" if hospital_id == "H1" else "苏北"))
        wiring.derive_exams().notice_recorded(hospital_id, notice(declared_instances=1, accession_number="A1"))
        wiring.derive_exams().notice_recorded(hospital_id, notice(accession_number="A2"))
    fact = study(NOON + timedelta(minutes=90), accession_number="A1")
    wiring.derive_exams().study_settled(_ref("H1"), fact, NOON)
    assert wiring.report_compliance()(DAY, NOON + timedelta(days=3), lambda: True) == PERIODS
    return served


def _ref(hospital_id):
    from chalicelib.domain.study import StudyRef

    return StudyRef(hospital_id, "1.2.3")


@pytest.mark.parametrize("period", PERIODS)
def test_what_is_answered_is_what_lies_in_the_bucket_and_what_the_ledger_says(reported, period):
    def stored(name):
        return wiring.compliance_reports().get(f"compliance/{period}/{name}").decode()

    own = reported.ask("GET", f"/hospital/reports/{period}", "hospital")
    assert own.body.decode() == stored("H1.json")
    of_first, of_second = (list(wiring.exam_ledger().of_day(hospital, "2026-11-20")) for hospital in ("H1", "H2"))
    for query, name, exams in (
        ("", "province", [*of_first, *of_second]),
        ("?hospital_id=H2", "H2", of_second),
        ("?region=%E8%8B%8F%E5%8D%97", "region/%E8%8B%8F%E5%8D%97", of_first),
    ):
        answer = reported.ask("GET", f"/compliance/reports/{period}{query}", "regulator")
        assert answer.body.decode() == stored(f"{name}.json")
        found = figures(exams)
        told = answer.json_body
        assert (told["pending"], told["on_time"], told["delay_p50_minutes"]) == (
            found.pending,
            found.on_time,
            found.delay(50) or "",
        )
        joined = "&" if query else "?"
        csv = reported.ask("GET", f"/compliance/reports/{period}{query}{joined}format=csv", "regulator")
        assert csv.body.decode() == stored(f"{name}.csv")
        assert csv.body.decode().splitlines()[0].lstrip("\ufeff").split(",") == list(COLUMNS)


def test_the_form_is_asked_for_by_query_or_accept(reported):
    path = "/hospital/reports/2026-W47"
    for query, accept, kind in (
        ("", "*/*", "application/json"),
        ("?format=csv", "text/html", "text/csv"),
        ("?format=html", "*/*", "text/html"),
        ("", "text/csv", "text/csv"),
        ("", "text/html,application/json;q=0.9", "text/html"),
    ):
        answer = reported.ask("GET", path + query, "hospital", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, kind)
        kept = answer.headers.get("Content-Disposition", "")
        ending = {"text/csv": "csv", "text/html": "html"}.get(kind)
        assert kept == (f'attachment; filename="imaging-cloud-2026-W47-H1.{ending}"' if ending else "")


def test_the_periods_are_listed_with_links_that_open_and_tags_that_change(reported):
    for path, role, query in (
        ("/hospital/reports", "hospital", ""),
        ("/compliance/reports", "regulator", ""),
        ("/compliance/reports", "regulator", "?hospital_id=H2"),
        ("/compliance/reports", "regulator", "?region=%E8%8B%8F%E5%8D%97"),
    ):
        told = reported.ask("GET", path + query, role).json_body
        assert ([one["period"] for one in told["reports"]], told["next_token"]) == (
            ["2026-11-20", "2026-W47", "2026-11"],
            "",
        )
        assert {one["kind"] for one in told["reports"]} == {"day", "week", "month"}
        for one in told["reports"]:
            assert reported.ask("GET", one["links"]["json"], role).json_body["period"] == one["period"]
            assert reported.ask("GET", one["links"]["csv"], role).status_code == 200
    weeks = reported.ask("GET", "/hospital/reports?kind=week", "hospital").json_body["reports"]
    assert [(one["first_day"], one["last_day"]) for one in weeks] == [("2026-11-16", "2026-11-22")]
    before = {one["period"]: one["etag"] for one in told["reports"]}
    wiring.compliance_reports().put("compliance/2026-11/region/%E8%8B%8F%E5%8D%97.json", b"{}", "application/json")
    after = {one["period"]: one["etag"] for one in reported.ask("GET", path + query, role).json_body["reports"]}
    assert {name for name in after if after[name] != before[name]} == {"2026-11"}


def test_what_is_no_list_of_reports_is_refused_and_who_has_none_gets_an_empty_one(reported):
    for query, field in (("?kind=year", "kind"), ("?token=x", "token"), ("?token=MjAyNi0xMw", "token")):
        answer = reported.ask("GET", f"/compliance/reports{query}", "regulator")
        assert (answer.status_code, answer.json_body["field"]) == (400, field)
    both = reported.ask("GET", "/compliance/reports?hospital_id=H1&region=x", "regulator")
    assert (both.status_code, both.json_body["field"]) == (400, "region")
    assert reported.ask("GET", "/compliance/reports?hospital_id=H77", "regulator").status_code == 404
    assert reported.ask("GET", "/compliance/reports?region=x", "regulator").json_body["reports"] == []


def test_the_page_holds_the_report_and_asks_nothing_of_a_network(reported):
    body = reported.ask("GET", "/compliance/reports/2026-11?format=html", "regulator").body.decode()
    data = re.search(r'<script type="application/json" id="report">(.*?)</script>', body, re.DOTALL)[1]
    assert json.loads(data) == reported.ask("GET", "/compliance/reports/2026-11", "regulator").json_body
    assert "</script><b>" not in body
    assert re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", body) is None
    assert wiring.compliance_reports().get("compliance/2026-11/province.html").decode() == body


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("2026-13", "period"),
        ("..", "period"),
        ("2026-11?format=pdf", "format"),
        ("2026-11?hospital_id=h1", "hospital_id"),
        ("2026-11?hospital_id=H1&region=x", "region"),
        ("2026-11?region=" + "x" * 33, "region"),
    ],
)
def test_what_names_no_report_is_refused(served, path, field):
    answer = served.ask("GET", f"/compliance/reports/{path}", "regulator")
    assert (answer.status_code, answer.json_body["field"]) == (400, field)


def test_a_report_that_was_never_made_is_not_found(reported):
    for path in ("2025-11", "2026-11?hospital_id=H9", "2026-11?region=苏中", "2026-11?region=..%2Fprovince"):
        for form in ("json", "csv", "html"):
            joined = "&" if "?" in path else "?"
            answer = reported.ask("GET", f"/compliance/reports/{path}{joined}format={form}", "regulator")
            assert (answer.status_code, answer.json_body["error"]) == (404, "not_found")


def test_a_hospital_reads_its_own_whatever_it_asks_for(reported):
    answer = reported.ask("GET", "/hospital/reports/2026-11?hospital_id=H2", "hospital")
    assert answer.json_body["hospital_id"] == "H1"
    assert reported.ask("GET", "/compliance/reports/2026-11", "hospital").status_code == 403
