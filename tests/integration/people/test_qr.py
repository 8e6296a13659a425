"""The QR as use cases, the same against fakes and against moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.linking import LinkChange
from chalicelib.services.scan_qr import IdentityUnlinked, QrRefused
from tests.support.clinic import CLERK, NOW, national_id, zhang
from tests.support.clinic_acts import DAY, SECOND, denied, events, freeze


@pytest.fixture
def shown(clinic):
    doctor, patient = clinic.doctor(), clinic.patient()
    clinic.visit()
    return doctor, patient, clinic.study()


def test_a_scanned_qr_opens_all_for_a_day(clinic, shown):
    doctor, patient, ref = shown
    qr = clinic.show_qr(patient, NOW)
    assert qr.expires_at == NOW + timedelta(seconds=60)
    assert patient.person_id not in qr.text
    consent = clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW + timedelta(seconds=59))
    assert (consent.basis, consent.studies, consent.scope) == ("dynamic_qr", {ref}, "person")
    assert consent.expires_at == consent.granted_at + DAY
    assert clinic.authorize(doctor, ref, consent.granted_at).basis == "dynamic_qr"
    (event,) = events(clinic, patient.person_id, "scan_qr")
    assert (event.allowed, event.basis, event.consent_id) == (True, "dynamic_qr", consent.consent_id)


def test_expired_replayed_foreign_and_made_up_qrs_get_one_answer(clinic, shown):
    doctor, patient, _ = shown
    stranger = clinic.patient("H2", zhang("B2", national_id=national_id(order="033"), phone="13700137000"))
    late, used = clinic.show_qr(patient, NOW), clinic.show_qr(patient, NOW)
    clinic.scan_qr(doctor, "E1", used.text, "treatment", NOW)
    foreign = clinic.show_qr(stranger, NOW)
    refused = [(late.text, NOW + timedelta(seconds=60)), (used.text, NOW), (foreign.text, NOW), ("IC1.x", NOW)]
    for text, at in refused:
        with pytest.raises(QrRefused) as caught:
            clinic.scan_qr(doctor, "E1", text, "treatment", at)
        assert (str(caught.value), vars(caught.value)) == ("", {})
    reasons = {event.reason for event in events(clinic, patient.person_id, "scan_qr") if not event.allowed}
    assert reasons == {"qr_unknown", "qr_foreign"}
    assert len(clinic.read_consents(patient, NOW)) == 1
    assert clinic.read_consents(stranger, NOW) == ()


def test_a_foreign_visit_spends_the_qr_too(clinic, shown):
    doctor, patient, _ = shown
    stranger = zhang("B2", national_id=national_id(order="033"), phone="13700137000")
    clinic.register(CLERK, stranger, NOW)
    clinic.visit("E2", patient=stranger)
    qr = clinic.show_qr(patient, NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E2", qr.text, "treatment", NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW)


@pytest.mark.parametrize("linked", ["never", "unconfirmed", "contested"])
def test_presence_does_not_link_the_desk_does_and_the_doctor_is_told_so(clinic, shown, linked):
    doctor, patient, _ = shown
    if linked != "never":
        clinic.link_from_notice("H1", zhang("A9", name="李四"), NOW)
        link = clinic.people.link(IdentityKey("H1", "A9"))
        if linked == "contested":
            assert clinic.people.save(LinkChange(replace(link, status="contested"), link))
    clinic.visit("E9", patient=zhang("A9"))
    with pytest.raises(IdentityUnlinked):
        clinic.scan_qr(doctor, "E9", clinic.show_qr(patient, NOW).text, "treatment", NOW)
    with pytest.raises(QrRefused):  # no good QR, no word about the link
        clinic.scan_qr(doctor, "E9", "IC1.x", "treatment", NOW)
    assert clinic.read_consents(patient, NOW) == ()


def test_ten_wrong_scans_close_a_doctors_hour_even_for_a_good_one(clinic, shown):
    doctor, patient, _ = shown
    for number in range(3):
        clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, NOW).text, "treatment", NOW + number * SECOND)
    for _ in range(10):
        with pytest.raises(QrRefused):
            clinic.scan_qr(doctor, "E1", "IC1.x", "treatment", NOW)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, NOW).text, "treatment", NOW)
    later = NOW + timedelta(hours=1)
    assert clinic.scan_qr(doctor, "E1", clinic.show_qr(patient, later).text, "treatment", later)


def test_a_freeze_within_the_minute_withdraws_the_qr(clinic, shown):
    doctor, patient, _ = shown
    qr = clinic.show_qr(patient, NOW)
    freeze(clinic, patient.person_id)
    with pytest.raises(QrRefused):
        clinic.scan_qr(doctor, "E1", qr.text, "treatment", NOW)


def test_a_scan_needs_an_active_doctor_and_an_open_visit(clinic, shown):
    doctor, patient, _ = shown
    qr = clinic.show_qr(patient, NOW)
    assert denied(clinic.scan_qr, doctor, "E7", qr.text, "treatment", NOW) == "no_encounter"
    clinic.doctor(status="suspended")
    assert denied(clinic.scan_qr, doctor, "E1", qr.text, "treatment", NOW) == "doctor_inactive"
