"""DICOMweb and FHIR asked with ill will: a doctor who holds one patient's consent probes for what they may not see."""

from __future__ import annotations

import json
import re
from urllib.parse import quote, urlencode

import app
from chalicelib.domain.fhir_id import report_id, study_id
from chalicelib.domain.study import StudyRef
from tests.support import recorder
from tests.support.fhir_clinic import DIGEST, OTHERS, UNKNOWN, clinic
from tests.support.served_app import ORIGIN, PATIENT_ID, REF, jwks_url, national_id, served
from tests.support.settle_samples import entry

__all__ = ["clinic", "jwks_url", "served"]

EVIL = "evil.example.test"
SERIES = "/dicomweb/studies/{uid}/series/{uid}.1"
IMAGE = f"{SERIES}/instances/{{uid}}.1.1"
# Whatever names a study, by its UID or by its id in FHIR.
NAMING = [
    "/dicomweb/studies?StudyInstanceUID={uid}&includefield=all",
    "/dicomweb/studies?0020000D={uid}&limit=1&offset=0",
    "/dicomweb/series?StudyInstanceUID={uid}&includefield=all",
    "/dicomweb/instances?StudyInstanceUID={uid}&fuzzymatching=true",
    "/dicomweb/studies/{uid}/series?includefield=all&limit=1000",
    "/dicomweb/studies/{uid}/instances?offset=9999999",
    f"{SERIES}/instances",
    "/dicomweb/studies/{uid}",
    "/dicomweb/studies/{uid}/metadata",
    "/dicomweb/studies/{uid}/thumbnail",
    "/dicomweb/studies/{uid}/dicomjson",
    SERIES,
    f"{SERIES}/metadata",
    f"{SERIES}/thumbnail",
    IMAGE,
    f"{IMAGE}/metadata",
    f"{IMAGE}/frames/1",
    f"{IMAGE}/frames/999999",
    "/dicomweb/wado?requestType=WADO&studyUID={uid}&seriesUID={uid}.1&objectUID={uid}.1.1",
    "/fhir/ImagingStudy/{id}",
    "/fhir/ImagingStudy?_id={id}",
    "/fhir/ImagingStudy?identifier=urn:dicom:uid%7Curn:oid:{uid}",
    "/fhir/DiagnosticReport?study=ImagingStudy/{id}",
    "/fhir/DiagnosticReport/{report}",
    "/fhir/DiagnosticReport?_id={report}",
]
# What a client may say beside it, in the hope of another answer.
SAYING = {
    "nothing": {},
    "what it has": {"If-None-Match": "*", "If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT", "Range": "bytes=0-0"},
    "what it takes": {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
    "what nobody has": {"Accept": "application/vnd.nobody+xml; q=0.001, ;;,=", "Accept-Encoding": "br"},
    "who else asks": {"X-Ward": "A" * 26, "X-Forwarded-Host": EVIL, "X-HTTP-Method-Override": "HEAD"},
    "how to be read": {"Prefer": "handling=lenient, return=minimal"},
}


def named(path, ref):
    return path.format(uid=ref.study_instance_uid, id=study_id(ref), report=report_id(ref, DIGEST))


def ask(clinic, path, method="GET", role="doctor", **headers):
    return clinic.ask(method, path, role, headers=headers)


def test_whatever_is_asked_and_said_an_unknown_study_and_a_forbidden_one_are_one_answer(clinic):
    for saying, headers in SAYING.items():
        for path in NAMING:
            forbidden, unknown = (
                clinic.ask("GET", named(path, ref), "doctor", headers=headers) for ref in (OTHERS, UNKNOWN)
            )
            told = (forbidden.status_code, forbidden.body, forbidden.headers)
            assert told == (unknown.status_code, unknown.body, unknown.headers), (saying, path)
            assert forbidden.status_code in (200, 204, 403, 404, 406), (saying, path)
            assert b"P77" not in forbidden.body
            assert b'"entry"' not in forbidden.body


def test_it_asks_the_same_of_aws_whether_a_study_is_unknown_or_nobodys_or_somebody_elses(clinic):
    nobodys, somebodys = OTHERS, StudyRef("H2", "1.2.840.78")
    clinic.receive(entry(1, "s", ref=somebodys, patient_id="S1", accession_number="A78"), ref=somebodys)
    known = {"name": "王五福", "phone": "13900000001", "sex": "F", "birth_date": "1975-05-05"}
    clinic.register("H2", "S1", national_id=national_id("32010219750505002"), **known)
    for role in ("doctor", "patient"):
        for path in NAMING:
            asked = [_asked_of_aws(clinic, named(path, ref), role) for ref in (UNKNOWN, nobodys, somebodys)]
            assert asked == [asked[0]] * 3, (role, path)


def _asked_of_aws(clinic, path, role):
    with recorder.watch() as calls:
        clinic.ask("GET", path, role, **({"person_id": clinic.person_id} if role == "patient" else {}))
    return [(one.service, one.operation) for one in calls]


PROBES = {
    "PatientID": ["P77", "P7?", "*7", "?77", "P1\\P77", "*", "?*", "[P]77", "P%", "", "**"],
    "00100020": ["P77", "*"],
    "PatientName": ["*", "?*", "王*", "张三", "*三", "*=*"],
    "AccessionNumber": ["A77", "*", "A7*"],
    "StudyInstanceUID": [OTHERS.study_instance_uid, f"{REF.study_instance_uid},{OTHERS.study_instance_uid}", "*"],
    "StudyDate": ["-", "19000101-99991231", "20261124"],
    "ModalitiesInStudy": ["CT", "CT,MR", "CT\\MR", "*"],
    "SeriesInstanceUID": [f"{OTHERS.study_instance_uid}.1"],
    "SOPInstanceUID": [f"{OTHERS.study_instance_uid}.1.1"],
}


def test_no_wildcard_list_or_field_finds_what_no_consent_covers(clinic):
    mine = {"1.2.840.1", "1.2.840.2", "1.2.840.3"}
    for number, level in enumerate(("studies", "series", "instances")):
        for key, values in PROBES.items():
            for value in values[:2] if number else values:
                query = urlencode({key: value, "includefield": "all", "limit": 9_999_999})
                said = ask(clinic, f"/dicomweb/{level}?{query}")
                assert said.status_code in (200, 204, 400), query
                shown = said.json_body if said.status_code == 200 else []
                assert {one["0020000D"]["Value"][0] for one in shown} <= mine, query
                assert OTHERS.study_instance_uid.encode() not in said.body
                assert b"P77" not in said.body


def test_neither_pages_nor_their_warnings_count_what_is_not_covered(clinic):
    for offset, left in ((0, 2), (1, 1), (2, None), (3, None), (9_999_999, None)):
        said = ask(clinic, f"/dicomweb/studies?limit=1&offset={offset}")
        assert (said.status_code == 200) is (offset < 3)
        assert f"{left} additional" in said.headers["Warning"] if left else "Warning" not in said.headers
    for query in ("offset=-1", "limit=-1", "limit=0", "limit=1e3", "offset=00000000", "limit=١", "limit=1&limit=x"):
        assert ask(clinic, f"/dicomweb/studies?{quote(query, safe='=&')}").status_code == 400, query
    for query in ("_count=-1", "_count=0", "_count=1e3", "_count=9999999999", "token=MQ", "token=" + "A" * 600):
        assert ask(clinic, f"/fhir/ImagingStudy?{query}").status_code == 400, query


CLAIMS = {"Host": EVIL, "X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": f"//{EVIL}"}
CLAIMS |= {"Forwarded": f"host={EVIL};proto=http", "X-Original-URL": f"//{EVIL}/fhir", "Origin": f"https://{EVIL}"}
TELLING = [
    "/dicomweb/studies?includefield=all",
    "/dicomweb/instances?includefield=all&limit=1",
    "/dicomweb/studies/{uid}/series",
    "/dicomweb/studies/{uid}/dicomjson",
    "/fhir/metadata",
    "/fhir/ImagingStudy?_count=1",
    "/fhir/ImagingStudy/{id}",
    "/fhir/DiagnosticReport",
]


def test_no_header_of_a_request_has_a_say_in_the_addresses_of_its_answer(clinic):
    for path in TELLING:
        plain = ask(clinic, named(path, REF))
        claimed = clinic.ask("GET", named(path, REF), "doctor", headers=CLAIMS)
        assert (claimed.status_code, _unsigned(claimed)) == (200, _unsigned(plain)), path
        addresses = re.findall(rb'(?<=["/:])https?://[^"/]*', claimed.body)
        ours = [one for one in addresses if not re.search(rb"hl7\.org|nema\.org|w3\.org", one)]
        assert set(ours) == {ORIGIN.encode()}, path
        assert EVIL not in str(claimed.headers)


def _unsigned(answer):
    return re.sub(rb"X-Amz-[^\"]*", b"", answer.body)


def test_no_other_method_opens_or_tells_anything(clinic):
    """API Gateway answers a method that no route declares before the function is asked."""
    declared = {method for methods in app.app.routes.values() for method in methods}
    assert declared <= {"GET", "POST", "DELETE"}
    for path in ("/dicomweb/studies/{uid}/metadata", IMAGE, "/fhir/ImagingStudy/{id}"):
        told = {
            _refused(clinic, method, named(path, ref))
            for method in ("POST", "DELETE")
            for ref in (REF, OTHERS, UNKNOWN)
        }
        assert len(told) == 1, path
        assert told.pop()[0] in (403, 405)


def _refused(clinic, method, path):
    said = clinic.http.request(method, path, headers={"Authorization": f"Bearer {clinic.token('doctor')}"}, body=b"")
    return said.status_code, said.body


def test_an_enormous_query_is_refused_and_never_fails(clinic):
    length = 100_000
    for name in ("PatientName", "StudyDate", "includefield", "nobody's", "x" * length):
        assert ask(clinic, f"/dicomweb/studies?{quote(name)}={'1' * length}").status_code == 400, name[:20]
    for name in ("identifier", "started", "_elements", "modality", "x" * length):
        assert ask(clinic, f"/fhir/ImagingStudy?{name}={'a' * length}").status_code == 400, name[:20]
    many = "&".join(["includefield=PatientName"] * (length // 25))
    assert ask(clinic, f"/dicomweb/studies?{many}").status_code == 200
    stars = quote("*a" * 500)
    assert ask(clinic, f"/dicomweb/studies?PatientName={stars}").status_code == 204


def test_a_uid_is_read_once_and_only_as_a_uid(clinic):
    for uid in (
        "1.2.840.1%2F..%2F1.2.840.77",
        "%2e%2e",
        "1.2.840.1%00",
        "1.2.840.1%0d%0aX:%20y",
        "１.2",
        "*",
        "1" * 65,
    ):
        for path in ("/dicomweb/studies/{}/metadata", "/dicomweb/studies/{}/series", "/dicomweb/studies/{}/dicomjson"):
            assert ask(clinic, path.format(quote(uid, safe="%*."))).status_code == 400, uid
    assert (
        ask(clinic, "/dicomweb/studies/%31.2.840.1/series").body
        == ask(clinic, "/dicomweb/studies/1.2.840.1/series").body
    )
    assert ask(clinic, "/dicomweb/studies/%2531.2.840.1/series").status_code == 400
    nothing = ask(clinic, "/fhir/ImagingStudy/nothing-of-ours").body
    for resource in (study_id(REF).lower(), f"{study_id(REF)}%00", "..%2FConsent", f"{study_id(REF)}%20", "H1-0", "-"):
        said = ask(clinic, f"/fhir/ImagingStudy/{resource}")
        assert (said.status_code, said.body) == (404, nothing), resource


def test_a_patients_number_finds_their_covered_studies_and_not_those_of_others(clinic):
    """As OHIF asks for what else there is of the patient on the screen."""
    theirs = StudyRef("H2", "1.2.840.90")
    clinic.receive(entry(1, "z", ref=theirs, patient_id=PATIENT_ID, accession_number="A90"), ref=theirs)
    found = ask(clinic, f"/dicomweb/studies?00100020={PATIENT_ID}").json_body
    assert sorted(one["0020000D"]["Value"][0] for one in found) == ["1.2.840.1", "1.2.840.2"]
    told = [ask(clinic, f"/dicomweb/studies?00100020={number}") for number in ("P77", "P404")]
    assert [(one.status_code, one.body) for one in told] == [(204, b"")] * 2
    assert json.dumps(dict(told[0].headers)) == json.dumps(dict(told[1].headers))
