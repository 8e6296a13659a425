"""A whole manifest answer, from caller to JSON, with AWS answering at once; and 3,000 instances on the wire."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from chalicelib import wiring
from chalicelib.dicom.header import read_header
from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Consent, Doctor
from chalicelib.domain.identity import IdentityKey, PatientDetails
from chalicelib.domain.study import Entry, Hospital, Place, StudyRef
from chalicelib.http.answers import answer
from infra.local import samples
from infra.local.personas import LAKE, PATIENT, RIVER
from tests.bench.rows import Row, cpu_ms
from tests.bench.signing import signer
from tests.bench.world import all_items, at_once, on_moto

NOW = datetime.now(UTC)
DOCTOR = Caller("doctor", "doctor-li", LAKE.hospital_id)
ZONE = timezone(timedelta(hours=8))


def rows():
    small, small_items = _study(300)
    large, large_items = _study(3000)
    stub, view = _view(small_items)
    view(DOCTOR, small, "", NOW)
    stub.calls.clear()
    answer(view(DOCTOR, small, "", NOW))
    calls = Counter(stub.calls)
    reads = calls.total() - calls["PutItem"]

    def one():
        return answer(view(DOCTOR, small, "", NOW)).body.encode()

    cpu = cpu_ms(one, repeat=20)
    plain, packed, pages = _all_pages(large, large_items)
    return [
        Row("manifest answer of 300 instances, CPU", cpu, "ms", 8),
        Row("DynamoDB calls beside the audit put", reads, "", 5, ", ".join(f"{n} {c}" for n, c in calls.items())),
        Row(
            "3,000 instances on the wire, gzip", packed / 1000, "KB", 1000, f"{pages} pages, {plain / 1e6:.1f} MB JSON"
        ),
    ]


def _view(items):
    stub = at_once(items=items)
    view = wiring.view_manifest()
    return stub, replace(view, signer=signer())  # the role's credentials are at hand, as between two renewals


def _all_pages(ref, items):
    _, view = _view(items)
    token, plain, packed, pages = "", 0, 0, 0
    while pages == 0 or token:
        page = view(DOCTOR, ref, token, NOW)
        body = answer(page).body.encode()
        plain, packed, pages = plain + len(body), packed + len(gzip.compress(body, 6)), pages + 1
        token = page["next_token"]
    return plain, packed, pages


def _study(count):
    """A settled CT of that many slices that the doctor holds a consent for: its ref, and all items of the table."""
    (slice_,) = samples.chest_ct(slices=1)
    header = read_header(slice_, len(slice_), ZONE)
    ref = StudyRef(RIVER.hospital_id, header.study_instance_uid)
    with on_moto() as cloud:
        for hospital in (RIVER, LAKE):
            wiring.hospitals().put(Hospital(hospital.hospital_id, hospital.name))
        wiring.doctors().put(Doctor("doctor-li", LAKE.hospital_id, "110", "李医生", "active"))
        person = _register()
        wiring.journal().write({ref: [_entry(header, number) for number in range(1, count + 1)]}, NOW)
        wiring.settle_study()(ref, NOW)
        wiring.consents().put(_consent(person, ref))
        return ref, all_items(cloud)


def _register():
    details = PatientDetails(
        PATIENT.patient_ids[RIVER.hospital_id],
        PATIENT.name,
        PATIENT.sex,
        PATIENT.birth_date,
        PATIENT.national_id,
        PATIENT.phone,
    )
    return wiring.register_patient()(Caller("desk_clerk", "c", RIVER.hospital_id), details, NOW).person_id


def _entry(header, number):
    position = {"ImagePositionPatient": ["-175.0", "-175.0", f"-{number}.0"], "SliceLocation": f"-{number}.0"}
    uid = f"2.25.{10**36 + number * 7919}"
    own = replace(header, sop_instance_uid=uid, instance_number=number, viewer={**header.viewer, **position})
    key = f"instances/{RIVER.hospital_id}/2026-11-24/{number:032x}.dcm"
    return Entry(own, Place(key, f"{number * 104729:032x}", 0, 526_000 + number % 7), NOW - timedelta(minutes=5))


def _consent(person, ref):
    return Consent(
        consent_id=wiring.new_id(NOW),
        person_id=person,
        doctor_id="doctor-li",
        hospital_id=LAKE.hospital_id,
        encounter_id="e",
        basis="sms_code",
        scope="person",
        identity=IdentityKey(LAKE.hospital_id, PATIENT.patient_ids[LAKE.hospital_id]),
        purpose="treatment",
        notice_version="1",
        studies=frozenset({ref}),
        granted_at=NOW - timedelta(minutes=1),
        expires_at=NOW + timedelta(hours=1),
    )
