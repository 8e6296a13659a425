"""QIDO-RS over the API: what a doctor finds before and after a consent, what a person finds, what nobody finds."""

import json
from urllib.parse import quote

from chalicelib.domain.study import StudyRef
from tests.support.audit_watch import Watch
from tests.support.served_app import NO_GRANT, ORIGIN, REF, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]

UID = REF.study_instance_uid


def find(served, path, role="doctor", **claims):
    return served.ask("GET", f"/dicomweb/{path}", role, **claims)


def uids(answer, tag="0020000D"):
    assert answer.status_code == 200, answer.body
    return [one[tag]["Value"][0] for one in answer.json_body]


def test_a_doctor_finds_nothing_then_what_the_patient_allowed_and_nothing_else(served):
    served.prepare()
    served.receive(entry(1, ref=StudyRef("H1", "1.2.840.77"), patient_id="SOMEONE"), ref=StudyRef("H1", "1.2.840.77"))
    for path in ("studies", "series", "instances", f"studies?00100020={'P1'}", f"studies?StudyInstanceUID={UID}"):
        nothing = find(served, path)
        assert (nothing.status_code, nothing.body) == (204, b"")
    consent = served.consent()
    (study,) = find(served, "studies").json_body
    assert study["0020000D"]["Value"] == [UID]
    assert study["00081190"]["Value"] == [f"{ORIGIN}/dicomweb/studies/{UID}"]
    assert study["00201208"]["Value"] == [2]
    assert uids(find(served, "series"), "0020000E") == ["1.2.840.1.1"]
    assert len(uids(find(served, "instances"))) == 2
    assert find(served, "studies?00100020=SOMEONE").status_code == 204
    given = consent["consent_id"]
    person = study["00100020"]["Value"][0]
    assert uids(find(served, f"studies?PatientID={person}")) == [UID]
    served.ask("POST", "/me/consents/revoke", "patient", {"consent_id": given}, person_id=served.register())
    assert find(served, "studies").status_code == 204


def test_a_person_finds_their_own_and_a_stranger_nothing(served):
    person_id = served.prepare()
    assert uids(find(served, "studies", "patient", person_id=person_id)) == [UID]
    assert find(served, "studies", "patient", person_id="NOBODYATALL").status_code == 204


def test_what_is_within_an_unknown_study_and_a_forbidden_one_is_one_answer(served):
    served.prepare()
    for beneath in ("series", "instances", "series/1.2.840.1.1/instances"):
        forbidden, unknown = find(served, f"studies/{UID}/{beneath}"), find(served, f"studies/1.2.404/{beneath}")
        assert (forbidden.status_code, forbidden.body) == (403, NO_GRANT) == (unknown.status_code, unknown.body)
        assert forbidden.headers == unknown.headers


def test_pages_join_to_the_whole_and_tell_what_is_left(served):
    person_id = served.prepare()
    served.receive(*(entry(number) for number in range(1, 8)))
    whole = uids(find(served, f"studies/{UID}/instances", "patient", person_id=person_id), "00080018")
    pages = []
    for offset in range(0, 9, 3):
        answer = find(served, f"studies/{UID}/instances?limit=3&offset={offset}", "patient", person_id=person_id)
        pages += uids(answer, "00080018") if answer.status_code == 200 else []
        left = max(0, 7 - offset - 3)
        assert ("Warning" in answer.headers) is bool(left)
        if left:
            told = f'299 {ORIGIN}/dicomweb "There are {left} additional results that can be requested"'
            assert answer.headers["Warning"] == told
    assert pages == whole
    assert len(whole) == 7


def test_queries_are_filtered_and_content_types_are_as_the_standard_says(served):
    person_id = served.prepare()
    ask = {"role": "patient", "person_id": person_id}
    assert uids(find(served, f"studies?PatientName={quote('张*')}&limit=1", **ask)) == [UID]
    assert find(served, "studies?StudyDate=19000101-19000102", **ask).status_code == 204
    assert find(served, "studies?limit=0", **ask).json_body["field"] == "limit"
    unsupported = find(served, "studies?ReferringPhysicianName=x&fuzzymatching=true", **ask)
    assert unsupported.headers["Warning"].count("299 ") == 2
    assert unsupported.headers["Content-Type"] == "application/dicom+json"
    for accept, status in (("application/json", 200), ("application/*", 200), ("*/*", 200), ("text/html", 406)):
        answer = served.ask("GET", "/dicomweb/studies", headers={"Accept": accept}, **ask)
        assert answer.status_code == status


def test_each_search_is_on_record_and_names_whose_studies_were_shown(served):
    person_id = served.prepare()
    watch = Watch()
    find(served, "studies")
    (nothing,) = watch.added()
    assert ("nothing_found" in nothing, person_id in nothing) == (True, False)
    served.consent()
    watch.added()
    find(served, "studies")
    (shown,) = watch.added()
    assert person_id in shown
    assert "search_studies" in shown
    assert "sms_code" in json.dumps(json.loads(shown))
