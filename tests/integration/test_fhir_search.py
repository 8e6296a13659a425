"""What a FHIR search may say: what the CapabilityStatement names works, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest

from chalicelib.domain.fhir_id import study_id
from chalicelib.domain.study import StudyRef
from tests.support.fhir_clinic import OF_H2, OTHERS, clinic, found, get, next_of, post, valid
from tests.support.served_app import ORIGIN, REF, jwks_url, served

__all__ = ["clinic", "jwks_url", "served"]

# Of each parameter: a search that finds some of what there is, and one that finds none of it.
STUDY = {
    "_id": (study_id(REF), study_id(OTHERS)),
    "identifier": ("A1", "A77"),
    "modality": ("CT", "US"),
    "started": ("ge2026-11-24", "lt2020"),
    "patient:identifier": (*OF_H2.values(), "Q404"),
    "_count": ("3", ""),
}
OFFERED = {
    "ImagingStudy": STUDY,
    "DiagnosticReport": STUDY | {"study": (study_id(REF), study_id(OTHERS)), "_id": ("", study_id(OTHERS))},
    "Consent": {
        "_id": ("", "0" * 26),
        "status": ("active", "inactive"),
        "date": ("ge2026", "lt2020"),
        "category": ("http://terminology.hl7.org/CodeSystem/v3-ActCode|IDSCL", "emrgonly"),
        "data": (f"ImagingStudy/{study_id(REF)}", study_id(OTHERS)),
        "_count": ("1", ""),
    },
    "AuditEvent": {"date": ("ge2026", "lt2020"), "_count": ("1", "")},
}
# What R4 has for these four, of itself and of every resource, and we have not.
R4 = {
    "ImagingStudy": "basedon bodysite dicom-class encounter endpoint instance interpreter patient performer reason "
    "referrer series status subject",
    "DiagnosticReport": "based-on category code conclusion date encounter issued media patient performer result "
    "results-interpreter specimen status subject",
    "Consent": "action actor consentor identifier organization patient period purpose scope security-label "
    "source-reference",
    "AuditEvent": "_id action address agent agent-name agent-role altid entity entity-name entity-role entity-type "
    "outcome patient policy site source subtype type",
}
EVERY = (
    "_content _filter _has _include _lastUpdated _list _profile _query _revinclude _security _sort _tag _text _total"
)
LENIENT = {"Prefer": 'respond-async, handling="lenient"'}


@pytest.mark.parametrize("kind", OFFERED)
def test_each_parameter_that_is_told_of_works_and_no_other(clinic, kind):
    (told,) = (one for one in _statement(clinic) if one["type"] == kind)
    assert sorted(one["name"] for one in told["searchParam"]) == sorted(OFFERED[kind])
    whole = found(get(clinic, kind, "patient"))
    assert whole
    for name, (finds, finds_none) in OFFERED[kind].items():
        some, none = finds or whole[0]["id"], finds_none
        if name == "patient:identifier":
            assert (len(found(post(clinic, kind, {name: some}))) > 0, found(post(clinic, kind, {name: none}))) == (
                True,
                [],
            )
            continue
        assert found(get(clinic, f"{kind}?{name}={quote(some)}", "patient")), name
        assert not none or found(get(clinic, f"{kind}?{name}={quote(none)}", "patient")) == [], name
    for name in (*R4[kind].split(), *EVERY.split(), *(f"{name}:missing" for name in OFFERED[kind]), "subject.name"):
        outcome = valid(get(clinic, f"{kind}?{name}=a", "patient"), 400)
        assert outcome["issue"][0]["expression"] == [name]


def _statement(clinic):
    return valid(clinic.ask("GET", "/fhir/metadata"))["rest"][0]["resource"]


def test_a_lenient_client_is_told_what_was_not_heeded(clinic):
    answer = _as("ImagingStudy?encounter=E1&_sort=started&modality=MR", clinic, LENIENT)
    *studies, outcome = found(answer)
    assert [one["modality"][0]["code"] for one in studies] == ["MR"]
    assert [one["expression"] for one in outcome["issue"]] == [["_sort"], ["encounter"]]
    assert answer.json_body["entry"][-1]["search"] == {"mode": "outcome"}
    assert answer.json_body["link"] == [{"relation": "self", "url": f"{ORIGIN}/fhir/ImagingStudy?modality=MR"}]


def test_no_leniency_passes_over_a_modifier_a_chain_or_a_patients_number_in_an_address(clinic):
    for name in ("modality:not", "subject.name", "patient:identifier", "patient.identifier", "started:missing"):
        assert valid(_as(f"ImagingStudy?{name}=CT", clinic, LENIENT), 400)["issue"][0]["expression"] == [name]
    for prefer in ("handling=strict", "handling=lenientish", "xhandling=lenient", ""):
        valid(_as("ImagingStudy?encounter=E1", clinic, {"Prefer": prefer}), 400)
    valid(_as("ImagingStudy?modality=", clinic, LENIENT), 400)


def _as(path, clinic, headers):
    return clinic.ask("GET", f"/fhir/{path}", "doctor", headers=headers)


def test_a_summary_or_some_elements_may_be_asked_for_and_a_whole_resource_is_no_less(clinic):
    plain = get(clinic, "ImagingStudy")
    for wished in ("_summary=true", "_summary=data", "_elements=started,modality", "_pretty=true", "_format=json"):
        assert get(clinic, f"ImagingStudy?{wished}").body == plain.body
        assert get(clinic, f"ImagingStudy/{study_id(REF)}?{wished}").status_code == 200


def test_who_takes_no_json_is_told_so_before_anything_is_looked_up(clinic):
    ways = [("?_format=xml", "*/*"), ("", "application/fhir+xml"), ("", "text/html, image/*;q=0.5")]
    for query, accept in ways:
        told = {
            _as(f"{path}{query}", clinic, {"Accept": accept}).body
            for path in (
                "ImagingStudy",
                f"ImagingStudy/{study_id(REF)}",
                f"ImagingStudy/{study_id(OTHERS)}",
                "metadata",
            )
        }
        assert len(told) == 1
        assert (
            valid(_as(f"ImagingStudy{query}", clinic, {"Accept": accept}), 406)["issue"][0]["code"] == "not-supported"
        )
    for accept in (
        "application/fhir+json; fhirVersion=4.0",
        "text/html, */*;q=0.1",
        "APPLICATION/JSON",
        "application/*",
    ):
        assert found(_as("ImagingStudy", clinic, {"Accept": accept}))
    assert found(_as("ImagingStudy?_format=json", clinic, {"Accept": "text/html"}))


def test_a_study_says_where_dicomweb_has_it_and_dicomweb_says_the_same(clinic):
    for path in ("ImagingStudy?identifier=A1", f"ImagingStudy/{study_id(REF)}"):
        body = valid(get(clinic, path))
        study = body["entry"][0]["resource"] if "entry" in body else body
        (endpoint,) = (one for one in study["contained"] if one["resourceType"] == "Endpoint")
        assert study["endpoint"][0]["reference"] == f"#{endpoint['id']}"
        assert endpoint["connectionType"]["code"] == "dicom-wado-rs"
        (found_there,) = clinic.ask("GET", "/dicomweb/studies?AccessionNumber=A1", "doctor").json_body
        assert found_there["00081190"]["Value"] == [f"{endpoint['address']}/studies/{REF.study_instance_uid}"]


def test_who_looked_is_found_by_day_and_by_instant_and_pages_stay_within(clinic):
    for _ in range(3):
        get(clinic, f"ImagingStudy/{study_id(REF)}")
    whole = found(get(clinic, "AuditEvent", "patient"))
    times = [one["recorded"] for one in whole]
    assert times == sorted(times, reverse=True)
    middle = quote(times[2])
    after, before = (
        [one["id"] for one in found(get(clinic, f"AuditEvent?date={how}{middle}", "patient"))] for how in ("gt", "le")
    )
    assert after + before == [one["id"] for one in whole]
    now = datetime.now(UTC) + timedelta(hours=8)
    today, tomorrow = (f"{now + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
    seen, path = [], f"AuditEvent?date=ge{today}&date=lt{tomorrow}&_count=2"
    while path:
        answer = get(clinic, path, "patient")
        seen += [one["id"] for one in found(answer)]
        path = next_of(answer)
        assert not path or f"date=ge{today}&date=lt{tomorrow}" in path
    assert seen == [one["id"] for one in whole]
    token = next_of(get(clinic, "AuditEvent?_count=1", "patient")).partition("token=")[2]
    for query in (f"date=lt2020&token={token}", "date=ne2026", "date=ap2026", "date=2026-02-30", "date="):
        valid(get(clinic, f"AuditEvent?{query}", "patient"), 400)


def test_a_consent_is_found_by_the_study_it_names_and_by_several_statuses(clinic):
    named = {"data": f"{study_id(OTHERS)},ImagingStudy/{study_id(StudyRef('H2', '1.2.840.3'))}"}
    assert len(found(get(clinic, f"Consent?{urlencode(named)}&status=active,inactive", "patient"))) == 1
    assert found(get(clinic, "Consent?status=draft", "patient")) == []
    valid(get(clinic, "Consent?status=lively", "patient"), 400)
