from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.notice import BadNotice, parse

PATIENT = {
    "patient_id": "P1",
    "name": "张三",
    "sex": "男",
    "birth_date": "1970-01-02",
    "national_id": "x",
    "phone": "y",
}
EXAM = {
    "type": "exam",
    "notice_id": "N1",
    "status": "performed",
    "accession_number": "A1",
    "patient": PATIENT,
    "patient_class": "outpatient",
    "modality": "CT",
    "procedure": "胸部CT平扫",
    "performed_at": "2026-11-20T12:00:00+08:00",
    "declared_instances": 300,
}
VISIT = {
    "type": "encounter",
    "encounter_id": "E1",
    "status": "open",
    "doctor_id": "d1",
    "patient": PATIENT,
    "patient_class": "inpatient",
    "at": "2026-11-20T04:00:00Z",
}
PDF = {"content_type": "application/pdf", "content_base64": base64.b64encode(b"%PDF-1.7 x").decode()}


def read(told, **changes):
    return parse(json.dumps(told | changes, ensure_ascii=False).encode())


def refused(body):
    with pytest.raises(BadNotice) as bad:
        parse(body)
    assert str(bad.value) == bad.value.field
    return bad.value.field


def test_an_exam_notice_is_read_in_full():
    said = read(EXAM, sent_at="2026-11-20T12:05:00+08:00", unknown={"field": [1]})
    assert (said.notice_id, said.status, said.accession_number, said.declared_instances) == (
        "N1",
        "performed",
        "A1",
        300,
    )
    assert said.performed_at == datetime(2026, 11, 20, 4, tzinfo=UTC)
    assert said.sent_at == datetime(2026, 11, 20, 4, 5, tzinfo=UTC)
    assert (said.patient.name, said.patient.sex, said.patient.birth_date) == ("张三", "M", "19700102")
    assert "张三" not in repr(said)


def test_a_visit_is_read_in_full():
    said = read(VISIT)
    assert (said.encounter_id, said.status, said.doctor_id, said.patient_class) == ("E1", "open", "d1", "inpatient")
    assert said.at == datetime(2026, 11, 20, 4, tzinfo=UTC)


def test_a_cancellation_need_not_describe_what_was_not_done():
    said = parse(
        json.dumps(
            {
                "type": "exam",
                "notice_id": "N1",
                "status": "cancelled",
                "accession_number": "A1",
                "patient": {"patient_id": "P1"},
            }
        ).encode()
    )
    assert (said.status, said.modality, said.patient_class) == ("cancelled", "", "")


def test_a_study_uid_may_stand_for_a_missing_accession_number():
    assert read(EXAM, accession_number=None, study_instance_uid="1.2.3").study_instance_uid == "1.2.3"


def test_reports_come_as_pdf_or_fhir():
    assert read(EXAM, report=PDF).report.body == b"%PDF-1.7 x"
    resource = {"resourceType": "DiagnosticReport", "conclusion": "未见异常"}
    report = read(EXAM, report={"content_type": "application/fhir+json", "resource": resource}).report
    assert json.loads(report.body) == resource


def test_a_byte_order_mark_is_no_fault():
    assert parse(b"\xef\xbb\xbf" + json.dumps(VISIT).encode()).encounter_id == "E1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"x"',
        b"null",
        b"\xff\xfe{}",
        '{"a":"医院影像"}'.encode("gb18030"),
        b"[" * 100_000,
        b'{"a": NaN}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body):
    assert refused(body) == "json"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("type", {"type": "order"}),
        ("type", {"type": None}),
        ("status", {"status": "done"}),
        ("status", {"status": 1}),
        ("notice_id", {"notice_id": " "}),
        ("notice_id", {"notice_id": "x" * 129}),
        ("accession_number", {"accession_number": ""}),
        ("accession_number", {"accession_number": "0000"}),
        ("accession_number", {"accession_number": 7}),
        ("accession_number", {"accession_number": "A\n1"}),
        ("accession_number", {"accession_number": "A\ud800"}),
        ("study_instance_uid", {"study_instance_uid": "1.2.x"}),
        ("study_instance_uid", {"study_instance_uid": "1" * 65}),
        ("patient", {"patient": None}),
        ("patient", {"patient": "P1"}),
        ("patient.patient_id", {"patient": PATIENT | {"patient_id": ""}}),
        ("patient.sex", {"patient": PATIENT | {"sex": "X"}}),
        ("patient.birth_date", {"patient": PATIENT | {"birth_date": "70-1-2"}}),
        ("patient.national_id", {"patient": PATIENT | {"national_id": 320102197001020011}}),
        ("patient_class", {"patient_class": "day case"}),
        ("patient_class", {"patient_class": None}),
        ("modality", {"modality": None}),
        ("performed_at", {"performed_at": None}),
        ("performed_at", {"performed_at": "2026-11-20T12:00:00"}),
        ("performed_at", {"performed_at": "yesterday"}),
        ("performed_at", {"performed_at": "1900-01-01T00:00:00Z"}),
        ("performed_at", {"performed_at": "0001-01-01T00:00:00+14:00"}),
        ("performed_at", {"performed_at": 1763611200}),
        ("performed_at", {"performed_at": "9999-12-31T20:00:00Z"}),  # it is 10000 in the province
        ("scheduled_at", {"status": "scheduled"}),
        ("declared_instances", {"declared_instances": 0}),
        ("declared_instances", {"declared_instances": True}),
        ("declared_instances", {"declared_instances": "300"}),
        ("declared_instances", {"declared_instances": 3.0}),
        ("declared_instances", {"declared_instances": 10**9}),
        ("report", {"report": []}),
        ("report.content_type", {"report": {"content_type": "text/html"}}),
        ("report.content_base64", {"report": {"content_type": "application/pdf"}}),
        ("report.content_base64", {"report": PDF | {"content_base64": "****"}}),
        ("report.content_base64", {"report": PDF | {"content_base64": "äöü"}}),
        ("report.content_base64", {"report": PDF | {"content_base64": "aGVsbG8="}}),
        ("report.resource", {"report": {"content_type": "application/fhir+json"}}),
        (
            "report.resource.resourceType",
            {"report": {"content_type": "application/fhir+json", "resource": {"resourceType": "Patient"}}},
        ),
        (
            "report.resource",
            {
                "report": {
                    "content_type": "application/fhir+json",
                    "resource": {"resourceType": "DiagnosticReport", "x": "\ud800"},
                }
            },
        ),
    ],
)
def test_a_known_field_that_holds_what_it_may_not_is_named(field, changes):
    assert refused(json.dumps(EXAM | changes).encode()) == field


@pytest.mark.parametrize(
    ("field", "changes"), [("at", {"at": None}), ("encounter_id", {"encounter_id": []}), ("status", {"status": "x"})]
)
def test_a_visit_is_checked_as_strictly(field, changes):
    assert refused(json.dumps(VISIT | changes).encode()) == field


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted({*EXAM, *PATIENT})), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({*EXAM, *VISIT, "report"})), json_values), st.sampled_from([EXAM, VISIT]))
def test_whatever_stands_in_a_notice_it_is_read_or_refused(changes, told):
    with contextlib.suppress(BadNotice):
        read(told, **changes)
