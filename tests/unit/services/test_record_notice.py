"""Notices from the bucket to the ledger, the visit, the link and the report."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.find_reports import FindReports
from chalicelib.services.record_notice import MAX_NOTICE, RecordNotice
from tests.support.fakes_ingest import Crash, CrashAfter, FakeClock, FakeQuarantine, FakeReceipts, FakeUploads
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import HOUR, MINUTE, NOON, World, study

PATIENT = {
    "patient_id": "P1",
    "name": "张三",
    "sex": "M",
    "birth_date": "19700102",
    "national_id": "320102197001021234",
}
EXAM = {
    "type": "exam",
    "notice_id": "N1",
    "status": "performed",
    "accession_number": "A1",
    "patient": PATIENT | {"phone": "13800138000"},
    "patient_class": "outpatient",
    "modality": "CT",
    "performed_at": NOON.isoformat(),
}
VISIT = {
    "type": "encounter",
    "encounter_id": "E1",
    "status": "open",
    "doctor_id": "d1",
    "patient": PATIENT,
    "patient_class": "emergency",
    "at": NOON.isoformat(),
}
PDF = b"%PDF-1.7 \xe6\x8a\xa5\xe5\x91\x8a"


class Desk:
    """Records what the patient part of notices came to."""

    def __init__(self):
        self.links, self.visits = [], []

    def link(self, hospital_id, patient, now):
        self.links.append((hospital_id, patient.patient_id, patient.name))

    def visit(self, notice):
        self.visits.append(notice)


class Office:
    def __init__(self):
        self.uploads, self.quarantine, self.receipts = FakeUploads(), FakeQuarantine(), FakeReceipts()
        self.world, self.desk = World(), Desk()

    def record(self, *objects, gate=lambda port: port, keep_going=lambda: True):
        use_case = RecordNotice(
            gate(self.uploads),
            FakeHospitals(Hospital("H1", "甲"), Hospital("H9", "关", active=False)),
            gate(self.quarantine),
            gate(self.receipts),
            self.world.derive(gate),
            self.desk.link,
            self.desk.visit,
            FakeClock(),
        )
        return use_case(objects, keep_going)

    def send(self, told, name="n.json", at=NOON + MINUTE, hospital="H1"):
        body = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
        key = f"notices/{hospital}/2026-11-20/{name}"
        return Uploaded(key, self.uploads.upload(key, body, at=at), len(body))

    def outcomes(self):
        return sorted(told["outcome"] for written in self.receipts.written.values() for told in written)


@pytest.fixture
def office():
    return Office()


def test_an_exam_notice_becomes_a_fact_a_link_and_a_receipt(office):
    assert office.record(office.send(EXAM)) == frozenset()
    exam = office.world.exam()
    assert (exam.state, exam.patient_id, exam.due_at) == ("expected", "P1", NOON + 12 * HOUR)
    assert office.desk.links == [("H1", "P1", "张三")]
    assert office.outcomes() == ["noted"]


def test_no_name_national_id_or_phone_stands_in_the_ledger(office):
    office.record(office.send(EXAM))
    kept = repr((dict(office.world.ledger.facts), office.world.ledger.standing(), office.receipts.written))
    assert not any(secret in kept for secret in ("张三", "320102197001021234", "13800138000", "19700102"))


def test_a_visit_is_linked_first_and_recorded(office):
    office.record(office.send(VISIT))
    (visit,) = office.desk.visits
    assert (visit.hospital_id, visit.encounter_id, visit.status, visit.at) == ("H1", "E1", "open", NOON)
    assert office.desk.links == [("H1", "P1", "张三")]
    assert office.world.ledger.standing() == {}


def test_a_visit_dated_ahead_counts_from_when_its_notice_arrived(office):
    ahead = (NOON + 9000 * HOUR).isoformat()
    office.record(office.send(VISIT | {"at": ahead}, at=NOON + MINUTE))
    office.record(office.send(VISIT | {"at": ahead, "status": "closed"}, "m.json", at=NOON + HOUR))
    opened, closed = office.desk.visits
    assert (opened.at, closed.at) == (NOON + MINUTE, NOON + HOUR)


def test_a_bad_notice_goes_to_quarantine_with_the_field_and_never_its_value(office):
    assert office.record(office.send(EXAM | {"performed_at": "昨天 320102197001021234"})) == frozenset()
    (record,) = office.quarantine.records.values()
    assert (record.hospital_id, record.reason, record.detail) == ("H1", "bad_notice", "bad_notice:performed_at")
    assert office.outcomes() == ["bad_notice"]
    assert office.desk.links == []


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("empty", {"told": b""}),
        ("bad_notice", {"told": b"\x00\x01"}),
        ("unknown_hospital", {"told": EXAM, "hospital": "H7"}),
        ("hospital_closed", {"told": EXAM, "hospital": "H9"}),
        ("bad_key", {"told": EXAM, "hospital": "h1"}),
    ],
)
def test_what_cannot_be_recorded_is_quarantined_with_its_reason(office, reason, given):
    assert office.record(office.send(**given)) == frozenset()
    assert office.quarantine.reasons() == [reason]


def test_a_notice_too_large_is_refused_by_its_declared_size_and_by_its_real_one(office):
    declared = Uploaded("notices/H1/2026-11-20/big.json", "v1", MAX_NOTICE + 1)
    real = office.send(b" " * (MAX_NOTICE + 1), "real.json")
    office.record(declared, Uploaded(real.key, real.version_id))
    assert office.quarantine.reasons() == ["notice_too_large", "notice_too_large"]


def test_a_deleted_notice_is_quarantined(office):
    sent = office.send(EXAM)
    office.uploads.delete(sent.key)
    office.record(sent)
    assert office.quarantine.reasons() == ["deleted"]


def test_one_fault_of_ours_leaves_only_that_notice_undone(office):
    good, bad = office.send(EXAM, "a.json"), office.send(EXAM | {"accession_number": "A2"}, "b.json")
    record = office.world.ledger.put_notice
    office.world.ledger.put_notice = lambda key, fact: record(key, fact) if key.accession == "A1" else 1 // 0
    assert office.record(good, bad) == {bad}
    assert office.outcomes() == ["noted"]


def test_without_a_receipt_all_is_done_again(office):
    sent = office.send(EXAM)
    office.receipts.write = lambda *told: 1 // 0
    assert office.record(sent) == {sent}


def test_what_time_does_not_allow_is_left(office):
    sent = office.send(EXAM)
    assert office.record(sent, keep_going=lambda: False) == {sent}
    assert office.receipts.written == {}


def test_a_senders_clock_that_runs_ahead_does_not_outrank_later_notices(office):
    ahead = EXAM | {"sent_at": (NOON + timedelta(days=999)).isoformat()}
    office.record(office.send(ahead, "1.json"))
    office.record(office.send(EXAM | {"notice_id": "N2", "status": "cancelled"}, "2.json", at=NOON + HOUR))
    assert office.world.exam().state == "cancelled"


def test_notices_in_any_order_with_crashes_at_every_call_end_the_same(office):
    told = [
        EXAM | {"report": {"content_type": "application/pdf", "content_base64": base64.b64encode(PDF).decode()}},
        EXAM | {"notice_id": "N2", "declared_instances": 5, "sent_at": (NOON + MINUTE).isoformat()},
        EXAM | {"accession_number": "A2", "status": "cancelled"},
        VISIT,
    ]
    sent = [office.send(one, f"{number}.json") for number, one in enumerate(told)]
    office.record(*sent)
    truth = office.world.ledger.standing(), office.world.ledger.dockets
    for number in range(1, 60):
        other = Office()
        other.uploads = office.uploads
        crash = CrashAfter(number)
        order = sent[number % 4 :] + sent[: number % 4]
        for one in order:
            try:
                other.record(one, gate=crash.around)
            except Crash:
                other.record(one)
        assert (other.world.ledger.standing(), other.world.ledger.dockets) == truth


def with_report(content, **changes):
    return EXAM | {"report": content} | changes


def test_a_report_is_kept_by_its_digest_and_found_from_its_study(office):
    pdf = {"content_type": "application/pdf", "content_base64": base64.b64encode(PDF).decode()}
    fhir = {"content_type": "application/fhir+json", "resource": {"resourceType": "DiagnosticReport", "id": "r"}}
    office.record(office.send(with_report(pdf), "1.json"))
    office.record(office.send(with_report(fhir, notice_id="N2"), "2.json", at=NOON + HOUR))
    find = FindReports(office.world.ledger)
    ref = StudyRef("H1", "1.2.3")
    assert find(ref, "A1") == []
    office.world.tell(study(NOON + MINUTE))
    found = find(ref, "A1")
    assert [report.content_type for report in found] == ["application/fhir+json", "application/pdf"]
    place = found[1].place
    assert place.key.startswith("reports/H1/A1/")
    assert office.uploads.read(place.key, place.version_id, place.offset, place.length).data == PDF


def test_a_report_is_never_shown_with_another_patients_study(office):
    pdf = {"content_type": "application/pdf", "content_base64": base64.b64encode(PDF).decode()}
    office.record(office.send(with_report(pdf, study_instance_uid="1.2.3")))
    office.world.tell(study(NOON, patient_id="P2"))
    assert FindReports(office.world.ledger)(StudyRef("H1", "1.2.3"), "A1") == []


def test_a_corrected_notice_takes_its_report_along(office):
    pdf = {"content_type": "application/pdf", "content_base64": base64.b64encode(PDF).decode()}
    office.record(office.send(with_report(pdf), "1.json"))
    office.world.tell(study(NOON))
    office.record(office.send(with_report(pdf, patient=PATIENT | {"patient_id": "P2"}), "2.json", at=NOON + HOUR))
    assert FindReports(office.world.ledger)(StudyRef("H1", "1.2.3"), "A1") == []
