"""The main paths of people and access, then everything they left behind, searched for what must never be there."""

from __future__ import annotations

import logging

import pytest

from chalicelib.domain.linking import RegistrationRefused
from chalicelib.services.verify_code import CodeRefused
from tests.support.clinic import CLERK, NOW, ZHANG_PHONE, clinic_on, national_id, zhang

LOCAL_ID = "住院-4711"


def everything(cloud, table):
    """Every attribute of every item, as text."""
    items = cloud.client("dynamodb").scan(TableName=cloud.settings[table])["Items"]
    assert items
    return "\n".join(str(item) for item in items)


def test_no_national_id_or_code_is_kept_and_no_phone_or_name_reaches_audit_or_logs(cloud, caplog):
    for noisy in ("botocore", "moto", "urllib3"):  # wire logs are a debugger's, never switched on in Lambda
        caplog.set_level(logging.WARNING, logger=noisy)
    caplog.set_level(logging.DEBUG)  # last, for it sets the level of what is captured too
    clinic = clinic_on(cloud)
    zhang_here = zhang(LOCAL_ID)
    doctor, patient = clinic.doctor(), clinic.patient(patient=zhang_here)
    clinic.link_from_notice("H1", zhang_here, NOW)
    clinic.visit(patient=zhang_here)
    ref = clinic.study(patient_id=LOCAL_ID)
    asked = clinic.request(doctor, "E1", "treatment", NOW)
    raised = []
    with pytest.raises(CodeRefused) as refused:
        clinic.verify(doctor, "E1", asked.request_id, clinic.wrong_code(), NOW)
    raised.append(refused.value)
    consent = clinic.verify(doctor, "E1", asked.request_id, clinic.code(), NOW)
    clinic.authorize(doctor, ref, NOW)
    with pytest.raises(RegistrationRefused) as bad:
        clinic.register(CLERK, zhang(national_id=national_id()[:-1] + "A"), NOW)
    raised.append(bad.value)
    clinic.revoke(patient, consent.consent_id, NOW)
    clinic.read_timeline(patient, NOW)

    main, audit = everything(cloud, "MAIN_TABLE"), everything(cloud, "AUDIT_TABLE")
    said = caplog.text + "".join(f"{error!r}{error}" for error in raised)
    number, code = national_id(), clinic.code()
    for where in (main, audit, said):
        assert number not in where
        assert number[:17] not in where
        assert f"'{code}'" not in where
    for where in (audit, said):
        assert ZHANG_PHONE not in where
        assert "张三" not in where
        assert LOCAL_ID not in where
