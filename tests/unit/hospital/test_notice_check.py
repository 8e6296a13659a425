"""What the client keeps, the cloud takes; what the cloud would refuse, the client refuses with the same field."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.notice import BadNotice, parse
from infra.hospital.imaging_hospital.notice_check import BadFieldError, check
from infra.hospital.imaging_hospital.notice_draft import PassedOver, Reading
from infra.hospital.imaging_hospital.notice_files import Kept, Refused, read
from tests.support.hl7_samples import PERFORMED, message

TIMES = st.sampled_from(
    ["2026-11-20T12:00:00+08:00", "2026-11-20T12:00:00", "1989-12-31T23:00:00+00:00", "9999-12-31T00:00:00Z", "2026", 7]
)
WORDS = st.sampled_from(
    [
        "",
        " ",
        "0",
        "无",
        "none",
        "A1",
        "x" * 17,
        "x" * 65,
        "x" * 129,
        "x" * 1025,
        "a\nb",
        "a\tb",
        "\ud800",
        "1.2.3",
        5,
        None,
    ]
)
CLASSES = st.sampled_from(["outpatient", "inpatient", "emergency", "OUTPATIENT", "", None, 1])
PDF = "JVBERi0xLjc="
REPORTS = st.sampled_from(
    [
        None,
        {},
        "x",
        {"content_type": "application/pdf", "content_base64": PDF},
        {"content_type": "application/pdf", "content_base64": "JVBERi0x.jc="},
        {"content_type": "application/pdf", "content_base64": "JVBERi0xLjc"},
        {"content_type": "application/pdf"},
        {"content_type": "application/fhir+json", "resource": {"resourceType": "DiagnosticReport"}},
        {"content_type": "application/fhir+json", "resource": {"resourceType": "Patient"}},
        {"content_type": "application/fhir+json"},
        {"content_type": "text/plain"},
    ]
)
PATIENTS = (
    st.none()
    | st.just("x")
    | st.fixed_dictionaries(
        {"patient_id": WORDS},
        optional={
            "name": WORDS,
            "sex": st.sampled_from(["M", "f", "男", "Male", "other", "X", "", 1]),
            "birth_date": st.sampled_from(["19800102", "1980-1-2", "1980/01/02", "1980-1/2", "1980", "", 19800102]),
            "national_id": WORDS,
            "phone": WORDS,
        },
    )
)
EXAMS = st.fixed_dictionaries(
    {"type": st.just("exam"), "patient": PATIENTS},
    optional={
        "notice_id": WORDS,
        "status": st.sampled_from(["scheduled", "performed", "cancelled", "done", None]),
        "accession_number": WORDS,
        "study_instance_uid": WORDS,
        "patient_class": CLASSES,
        "modality": WORDS,
        "procedure": WORDS,
        "sent_at": TIMES,
        "scheduled_at": TIMES,
        "performed_at": TIMES,
        "declared_instances": st.sampled_from([1, 0, 300, 1_000_000, 1_000_001, "300", True, 1.5, None]),
        "report": REPORTS,
    },
)
VISITS = st.fixed_dictionaries(
    {"type": st.just("encounter"), "patient": PATIENTS},
    optional={
        "encounter_id": WORDS,
        "status": st.sampled_from(["open", "closed", "x"]),
        "doctor_id": WORDS,
        "patient_class": CLASSES,
        "at": TIMES,
    },
)
GOOD = {
    "type": "exam",
    "notice_id": "N1",
    "status": "performed",
    "accession_number": "CT1",
    "patient": {"patient_id": "P1"},
    "patient_class": "outpatient",
    "modality": "CT",
    "performed_at": "2026-11-20T12:00:00+08:00",
}


def cloud_says(notice):
    try:
        parse(json.dumps(notice).encode())
    except BadNotice as bad:
        return bad.field
    return None


def client_says(notice):
    try:
        check(notice)
    except BadFieldError as bad:
        return bad.path
    return None


@given(EXAMS | VISITS | st.fixed_dictionaries({"type": WORDS}))
@settings(max_examples=300, deadline=None)
def test_client_and_cloud_name_the_same_field_of_any_notice(notice):
    assert client_says(notice) == cloud_says(notice)


@given(EXAMS)
@settings(max_examples=300, deadline=None)
def test_client_and_cloud_agree_on_a_notice_with_few_faults(told):
    notice = {**GOOD, **dict(list(told.items())[2:4])}
    assert client_says(notice) == cloud_says(notice)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_bytes_of_a_feed_make_the_reader_raise(data):
    raw = bytearray(message(PERFORMED, "OBX|1|TX|1^诊断||两肺^纹理~清晰\\X41\\||||||F").encode("gb18030"))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\r", b"|", b"^"])
        )
    assert all(isinstance(outcome, Kept | Refused | PassedOver) for outcome in read(bytes(raw), Reading()))


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=200, deadline=None)
def test_no_file_makes_the_reader_raise(raw):
    assert all(isinstance(outcome, Kept | Refused | PassedOver) for outcome in read(raw, Reading()))
