"""Whatever stood in a file, a notice or an account, what FHIR tells of it is valid R4B, with nothing empty in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.access_log import Known, explain
from chalicelib.domain.consent import Consent
from chalicelib.domain.exam import Exam, ExamKey, Report
from chalicelib.domain.fhir_id import report_id
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.settle import settle
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.http.fhir_imaging import diagnostic_report, imaging_study, in_list
from chalicelib.http.fhir_outcome import not_heeded
from chalicelib.http.fhir_records import audit_event, consent
from chalicelib.services.find_diagnostics import FoundReport
from chalicelib.services.find_studies import FoundStudy
from tests.support.settle_samples import REF, entry

DICOMWEB = "https://yun.example.test/dicomweb"
ODD = [
    *(
        "",
        " ",
        "\u3000",
        "\t\r\n",
        "^^^^",
        "=",
        "==^",
        "欧阳^慧敏=ou^yang=",
        "𠮷𬬮㐂",
        "\ue5e5\ue863",
        "\x1b$)C\x0e",
        "\x00",
    ),
    *(
        "\u2028",
        "\ufeff",
        "\u200b",
        "\u202eabc",
        "null",
        "<script>&\"'",
        "A" * 1024,
        "胸" * 1024,
        "\U0010ffff",
        "\x85\xa0",
    ),
]
TEXTS = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
WRITTEN = [
    "00010101",
    "99991231",
    "20261124",
    "2026.11.24",
    "20260230",
    "2026",
    "0",
    "20261124-20261125",
    "２０２６１１２４",
]
DATES = st.sampled_from(WRITTEN) | TEXTS
TIMES = st.sampled_from(["080000", "08", "0860", "235960", "240000", "08:00:01", "080000.123456", "٠٨٠٠"]) | TEXTS
CODES = st.sampled_from(["CT", "ct ", "X-RAY", "CT\\MR", "ＣＴ", "TOOLONGAMODALITYOFALL"]) | TEXTS
NUMBERS = st.none() | st.integers(-(2**40), 2**40) | st.sampled_from([0, 2**31 - 1, 2**31])
UIDS = st.from_regex(r"[0-9.]{1,64}", fullmatch=True)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned there
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "sop_class_uid": UIDS,
        "patient_birth_date": DATES,
        "study_date": DATES,
        "study_time": TIMES,
        "modality": CODES,
        "body_part_examined": CODES,
        "series_number": NUMBERS,
        "instance_number": NUMBERS,
        **dict.fromkeys(("patient_id", "patient_name", "patient_sex", "accession_number", "institution_name"), TEXTS),
        **dict.fromkeys(("study_description", "series_description"), TEXTS),
    },
)
HOSPITALS = st.none() | st.builds(Hospital, st.just("H1"), TEXTS, utc_offset_minutes=st.integers(-720, 840))


def held(body):
    """The resource as it goes over the wire, valid, and nowhere empty."""
    told = json.loads(json.dumps(body, ensure_ascii=False, allow_nan=False).encode())
    get_fhir_model_class(told["resourceType"]).model_validate(told)
    _full(told)
    return told


def _full(value):
    assert value not in (None, "", [], {})
    if isinstance(value, str):
        assert value == value.strip(), "FHIR: a string is more than blanks"
        assert not any(character < " " or "\x7f" <= character < "\xa0" for character in value)
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _full(one)


@st.composite
def studies(draw):
    """A study of up to four images in up to two series, as settle makes of them; of none at all too."""
    made = draw(st.lists(st.tuples(HEADERS, st.integers(1, 2)), max_size=4))
    received = [entry(number, series=series, **header) for number, (header, series) in enumerate(made, 1)]
    settled = settle(REF, received, (), {}, "H1")
    return FoundStudy(settled.summary, draw(HOSPITALS)), settled.manifest


@given(studies())
@settings(max_examples=150)
def test_every_study_is_valid_in_a_list_and_by_itself(made):
    found, manifest = made
    assert "series" not in held(in_list(found, DICOMWEB))
    told = held(imaging_study(found, manifest, DICOMWEB))
    assert sum(one["numberOfInstances"] for one in told.get("series", [])) == told["numberOfInstances"]


@given(studies(), TEXTS, st.none() | INSTANTS, NUMBERS, st.booleans())
@settings(max_examples=80)
def test_every_report_is_valid_in_a_list_and_opened(made, procedure, ended_at, length, opened):
    study, _ = made
    report = Report("d" * 32, "application/pdf", "k", "v", length or 0)
    empty = {"use": 1, "day": "", "state": "complete", "standing": "on_time", "patient_id": "", "patient_class": ""}
    nothing = dict.fromkeys(("scheduled_at", "due_at", "declared", "first_received_at", "completed_at"))
    rest = {"modality": "", "study_instance_uids": (), "notified": True, "end_source": "", "received": 0}
    exam = Exam(
        ExamKey("H1", "A1"),
        procedure=procedure,
        ended_at=ended_at,
        amended=False,
        worklist=(),
        **empty,
        **nothing,
        **rest,
    )
    url = "https://s3.example.test/r.pdf?X-Amz-Signature=0" if opened else ""
    told = held(diagnostic_report(FoundReport(report_id(REF, report.digest), study, exam, report, url)))
    assert ("meta" in told) is not opened


@given(
    st.builds(
        Consent,
        consent_id=st.just("0" * 26),
        person_id=st.just("P"),
        doctor_id=TEXTS,
        hospital_id=TEXTS,
        encounter_id=TEXTS,
        basis=st.sampled_from(["sms_code", "break_glass", "guardian", "health_app"]),
        scope=st.just("person"),
        identity=st.builds(IdentityKey, st.just("H1"), TEXTS),
        purpose=st.sampled_from(["treatment", "emergency", "other"]),
        notice_version=TEXTS,
        studies=st.frozensets(st.builds(StudyRef, st.just("H1"), UIDS), max_size=3),
        granted_at=INSTANTS,
        expires_at=INSTANTS,
        revoked_at=st.none() | INSTANTS,
        given_by=TEXTS,
    )
)
@settings(max_examples=80)
def test_every_consent_is_valid(made):
    told = held(consent(made, datetime(2026, 11, 24, tzinfo=UTC)))
    assert told["provision"]["period"]["start"] <= told["provision"]["period"]["end"]


@given(
    st.builds(
        AuditEvent,
        event_id=st.just("0" * 26),
        at=INSTANTS,
        action=st.sampled_from(["view_study", "search_studies", "never_heard_of"]),  # a word of ours, as are
        role=st.sampled_from(["doctor", "patient", "guardian", "hospital", "regulator", ""]),
        subject=TEXTS,
        hospital_id=TEXTS,
        allowed=st.booleans(),
        reason=st.sampled_from(["sms_code", "no_grant", "never_heard_of"]),
        person_id=st.just("P"),
        study=st.none() | st.just(REF),
        encounter_id=TEXTS,
        basis=st.sampled_from(["", "sms_code"]),
        consent_id=st.sampled_from(["", "0" * 26]),
        guardian_id=TEXTS,
        purpose=st.sampled_from(["", "treatment"]),
    ),
    TEXTS,
    studies(),
)
@settings(max_examples=120)
def test_every_event_is_valid_and_says_what_it_was(event, name, made):
    study, _ = made
    names = {("doctor", event.subject): name, ("guardian", event.guardian_id): name}
    hospitals = {event.hospital_id: study.hospital} if study.hospital else {}
    known = Known(hospitals, names, {REF: study.summary}, {})
    assert held(audit_event(explain(event, known)))["text"]["div"].count("<p ") == 2


@pytest.mark.parametrize("names", [("encounter",), ("_sort", "code")])
def test_what_was_not_heeded_is_valid(names):
    assert [one["expression"] for one in held(not_heeded(names))["issue"]] == [[one] for one in names]
