"""FHIR over a whole cloud: every answer is valid R4B, and tells what the grants cover and nothing else."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from chalicelib.domain.fhir_id import report_id, study_id
from tests.support.fhir_clinic import (
    DIGEST,
    FORM,
    OF_H2,
    OTHERS,
    UNKNOWN,
    clinic,
    found,
    get,
    next_of,
    post,
    uids,
    valid,
)
from tests.support.served_app import NAME, PATIENT_ID, REF, jwks_url, national_id, served

__all__ = ["clinic", "jwks_url", "served"]


def test_the_capability_statement_is_open_and_names_every_route(served):
    body = valid(served.ask("GET", "/fhir/metadata"))
    assert [one["type"] for one in body["rest"][0]["resource"]] == [
        "ImagingStudy",
        "DiagnosticReport",
        "Consent",
        "AuditEvent",
    ]
    assert body["fhirVersion"] == "4.0.1"


def test_a_search_shows_what_is_covered_newest_first(clinic):
    for role in ("doctor", "patient"):
        assert uids(get(clinic, "ImagingStudy", role)) == ["1.2.840.3", "1.2.840.1", "1.2.840.2"]


def test_a_study_in_a_list_has_counts_and_the_study_itself_has_its_series(clinic):
    listed = next(one for one in found(get(clinic, "ImagingStudy?identifier=A1")))
    assert (listed["numberOfInstances"], listed["started"]) == (2, "2026-11-24T08:00:00+08:00")
    assert "series" not in listed
    assert listed["meta"]["tag"][0]["code"] == "SUBSETTED"
    read = valid(get(clinic, f"ImagingStudy/{listed['id']}"))
    assert read["id"] == study_id(REF) == listed["id"]
    (series,) = read["series"]
    assert [one["uid"] for one in series["instance"]] == ["1.2.840.1.1.1", "1.2.840.1.1.2"]
    assert series["bodySite"]["code"] == "CHEST"
    assert read["contained"][0]["birthDate"] == "1970-01-01"
    assert read["subject"]["identifier"]["value"] == PATIENT_ID


FILTERS = [
    ("modality=MR", ["1.2.840.2"]),
    ("modality=CT,MR&started=lt2026", ["1.2.840.2"]),
    ("started=ge2026-11-24", ["1.2.840.3", "1.2.840.1"]),
    ("started=2025-03", ["1.2.840.2"]),
    ("started=gt2025-03&started=le2026-11-23", []),
    ("identifier=urn:dicom:uid%7Curn:oid:1.2.840.1", ["1.2.840.1"]),
    ("identifier=urn:imaging-cloud:hospital:H1:accession%7CA3", []),
    ("identifier=A3", ["1.2.840.3"]),
    (f"_id={study_id(REF)},{study_id(OTHERS)},nothing", ["1.2.840.1"]),
]


def test_a_search_filters_by_what_it_names(clinic):
    for query, expected in FILTERS:
        assert uids(get(clinic, f"ImagingStudy?{query}")) == expected, query


def test_a_patients_number_finds_all_that_is_covered_of_the_person(clinic):
    assert len(uids(post(clinic, "ImagingStudy", OF_H2))) == 3
    assert len(uids(post(clinic, "ImagingStudy", {"patient.identifier": "Q1"}))) == 3
    assert (
        len(uids(post(clinic, "ImagingStudy", {"patient:identifier": "urn:imaging-cloud:hospital:H1:patient|P1"}))) == 2
    )
    assert uids(post(clinic, "ImagingStudy", {"patient:identifier": "urn:imaging-cloud:hospital:H1:patient|P77"})) == []


def test_pages_lose_and_repeat_nothing_and_their_links_name_no_patient(clinic):
    seen, answer = [], post(clinic, "ImagingStudy", {**OF_H2, "_count": "1", "started": "ge2025"})
    while True:
        seen += uids(answer)
        assert b"Q1" not in b"".join(link["url"].encode() for link in answer.json_body["link"])
        if not (following := next_of(answer)):
            break
        assert "started=ge2025" in following
        answer = get(clinic, following)
    assert seen == ["1.2.840.3", "1.2.840.1", "1.2.840.2"]


def test_a_patients_number_in_an_address_and_what_nobody_knows_are_refused(clinic):
    for query in (
        urlencode(OF_H2),
        "colour=red",
        "_sort=started",
        "started=yesterday",
        "started=2026-02-30",
        "modality=CT&modality=MR",
        "_count=0",
        "token=%21",
        "token=YQ",
        "_summary=count",
    ):
        outcome = valid(get(clinic, f"ImagingStudy?{query}"), 400)
        assert outcome["issue"][0]["details"]["coding"][0]["code"] == "bad_request", query
        assert outcome["issue"][0]["expression"], query
    assert post(clinic, "ImagingStudy", {**OF_H2, "patient.identifier": "Q1"}).status_code == 400
    assert clinic.ask("POST", "/fhir/ImagingStudy/_search?modality=CT", "doctor", b"", FORM).status_code == 400
    assert clinic.ask("POST", "/fhir/ImagingStudy/_search", "doctor", {}).status_code == 415


def test_what_is_unknown_and_what_is_forbidden_are_one_answer(clinic):
    for role in ("doctor", "patient"):
        _one_answer(clinic, role)


def _one_answer(clinic, role):
    for kind, of in (("ImagingStudy", study_id), ("DiagnosticReport", lambda ref: report_id(ref, DIGEST))):
        forbidden, unknown = (get(clinic, f"{kind}/{of(ref)}", role) for ref in (OTHERS, UNKNOWN))
        none = get(clinic, f"{kind}/nothing-of-ours", role)
        assert valid(forbidden, 404)["issue"][0]["code"] == "not-found"
        assert forbidden.body == unknown.body == none.body
        lists = [get(clinic, f"{kind}?_id={of(ref)}", role) for ref in (OTHERS, UNKNOWN)]
        assert found(lists[0]) == []
        assert lists[0].body == lists[1].body


def test_a_doctor_without_a_grant_sees_nothing(clinic):
    clinic.ask(
        "POST",
        "/doctors",
        "administrator",
        {"doctor_id": "d9", "hospital_id": "H2", "licence_number": "119", "name": "王"},
    )
    assert found(get(clinic, "ImagingStudy", subject="d9")) == []
    assert found(get(clinic, "DiagnosticReport", subject="d9")) == []
    asked = [post(clinic, "ImagingStudy", {"patient:identifier": number}, subject="d9") for number in ("Q1", "Q404")]
    assert asked[0].body == asked[1].body
    assert get(clinic, f"ImagingStudy/{study_id(REF)}", subject="d9").status_code == 404


def test_a_report_is_listed_without_a_link_and_opened_with_one(clinic):
    (listed,) = found(get(clinic, f"DiagnosticReport?study=ImagingStudy/{study_id(REF)}"))
    assert listed == found(get(clinic, "DiagnosticReport"))[0]
    assert "url" not in listed["presentedForm"][0]
    read = valid(get(clinic, f"DiagnosticReport/{listed['id']}"))
    (form,) = read["presentedForm"]
    assert (form["contentType"], form["size"]) == ("application/pdf", 1234)
    assert "X-Amz-Signature" in form["url"]
    assert urlsplit(form["url"]).path.endswith("/reports/H1/2026-11-24/r.pdf")
    assert read["code"]["text"] == "胸部CT平扫"
    assert read["imagingStudy"][0]["reference"] == f"ImagingStudy/{study_id(REF)}"
    assert found(get(clinic, f"DiagnosticReport?study={study_id(OTHERS)}")) == []
    assert found(get(clinic, f"DiagnosticReport?_id={listed['id']}")) == [listed]


def test_a_revoked_consent_closes_all_of_it_and_shows_as_inactive(clinic):
    (before,) = found(get(clinic, "Consent?status=active", "patient"))
    assert {one["reference"]["reference"] for one in before["provision"]["data"]} >= {f"ImagingStudy/{study_id(REF)}"}
    body = {"consent_id": before["id"]}
    clinic.ask("POST", "/me/consents/revoke", "patient", body, person_id=clinic.person_id)
    assert found(get(clinic, "Consent?status=active", "patient")) == []
    assert valid(get(clinic, f"Consent/{before['id']}", "patient"))["status"] == "inactive"
    assert found(get(clinic, "ImagingStudy")) == []
    told = valid(get(clinic, f"ImagingStudy/{study_id(REF)}"), 403)
    assert told["issue"][0]["details"]["coding"][0]["code"] == "consent_revoked"


def test_another_persons_consent_is_as_unknown(clinic):
    other = clinic.register(
        patient_id="P77",
        national_id=national_id("32010219750505002"),
        name="王五福",
        phone="13900000001",
        sex="F",
        birth_date="1975-05-05",
    )
    (own,) = found(get(clinic, "Consent", "patient"))
    theirs, none = (get(clinic, f"Consent/{one}", "patient", person_id=other) for one in (own["id"], "0" * 26))
    assert theirs.body == none.body
    assert valid(theirs, 404)


def test_who_looked_is_told_in_both_languages_page_by_page(clinic):
    get(clinic, f"ImagingStudy/{study_id(REF)}")
    seen, path = [], "AuditEvent?_count=3"
    while path:
        answer = get(clinic, path, "patient")
        assert len(found(answer)) <= 3
        seen += found(answer)
        path = next_of(answer)
    looked = next(one for one in seen if one["type"]["code"] == "110103")
    assert looked["entity"][0]["what"]["reference"] == f"ImagingStudy/{study_id(REF)}"
    assert 'lang="zh-CN"' in looked["text"]["div"]
    assert 'lang="en"' in looked["text"]["div"]
    assert looked["agent"][0]["who"]["display"] == "李医生"
    assert len({one["id"] for one in seen}) == len(seen) > 3


def test_a_persons_records_are_no_doctors(served):
    for path in ("Consent", "AuditEvent"):
        assert valid(get(served, path), 403)["issue"][0]["code"] == "forbidden"
        assert valid(served.ask("GET", f"/fhir/{path}"), 401)["issue"][0]["code"] == "login"


def test_no_name_and_no_number_of_a_patient_stands_in_an_id(clinic):
    for kind in ("ImagingStudy", "DiagnosticReport", "Consent", "AuditEvent"):
        for one in found(get(clinic, kind, "patient")):
            assert not {NAME, PATIENT_ID, "1.2.840"} & {one["id"]}
            assert "1.2.840" not in one["id"]


def test_clients_may_name_fhirs_own_type_though_they_send_nothing(clinic):
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    assert found(clinic.ask("GET", "/fhir/ImagingStudy", "doctor", headers=headers))
