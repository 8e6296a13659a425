"""GET /me/accesses as a patient reads it, over the served app: refused first, then with the patient's code."""

import pytest

from chalicelib import wiring
from chalicelib.domain.seal import HOUR
from tests.support.served_app import REF, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]


@pytest.fixture
def log(served):
    """Refused, asked, allowed, viewed: then the log of it, newest first, as (action, allowed) → line."""
    person_id = served.prepare()
    mine = {"role": "patient", "subject": person_id, "person_id": person_id}
    assert served.manifest().status_code == 403
    served.consent()
    assert served.manifest().status_code == 200
    lines = served.ask("GET", "/me/accesses", **mine).json_body["accesses"]
    return {(one["action"], one["allowed"]): one for one in reversed(lines)}


def test_a_view_is_told_with_names_purpose_basis_and_the_study(log):
    line = log["view_study", True]
    assert (line["name"], line["hospital"]["zh"], line["purpose"]) == ("李医生", "H2医院", "treatment")
    assert (line["basis"], line["encounter_id"]) == ("sms_code", "E1")
    assert line["study"]["study_instance_uid"] == REF.study_instance_uid
    assert line["study"]["hospital"]["zh"] == "H1医院"
    described = entry(1).header
    assert (line["study"]["study_date"], line["study"]["study_description"]) == (
        described.study_date,
        described.study_description,
    )
    assert "H2医院的李医生查看了您" in line["sentence"]["zh"]
    assert "目的：诊疗（就诊号 E1）。依据：您告知的短信验证码。已获允许。" in line["sentence"]["zh"]
    assert "Dr 李 of H2医院 viewed your" in line["sentence"]["en"]


def test_a_refused_attempt_is_in_the_log_too(log):
    line = log["view_study", False]
    assert line["sentence"]["zh"].endswith("未获允许：没有您的授权。")
    assert line["sentence"]["en"].endswith("Refused: you had given no permission.")


def test_why_is_in_the_sealed_record_itself(log):
    """Not only in the consent, which stands elsewhere."""
    now = wiring.now()
    records = wiring.audit_hours().of_hour(now) + wiring.audit_hours().of_hour(now - HOUR)
    (view,) = [one.values for one in records if one.values["action"] == "view_study" and one.values["allowed"]]
    assert (view["purpose"], view["encounter_id"], view["basis"]) == ("treatment", "E1", "sms_code")


def test_asking_and_registering_are_in_the_log(log):
    assert log["request_consent", True]["purpose"] == "treatment"
    assert "申请查看您的影像" in log["request_consent", True]["sentence"]["zh"]
    assert "H2医院的窗口工作人员（c1）为您办理了身份登记" in log["register_patient", True]["sentence"]["zh"]


def test_a_study_that_is_no_longer_theirs_is_not_described_to_them(served, cloud):
    person_id = served.prepare()
    mine = {"role": "patient", "subject": person_id, "person_id": person_id}
    assert served.manifest("patient", person_id=person_id, subject=person_id).status_code == 200
    for link in wiring.people().links(person_id):
        for key in (f"PERSON#{person_id}",):
            cloud.client("dynamodb").delete_item(
                TableName=cloud.settings["MAIN_TABLE"],
                Key={"PK": {"S": key}, "SK": {"S": f"IDENTITY#{link.identity.issuer}#{link.identity.local_id}"}},
            )
    lines = served.ask("GET", "/me/accesses", **mine).json_body["accesses"]
    (view,) = [one for one in lines if one["action"] == "view_study"]
    assert "study_description" not in view["study"]
    assert "查看了H1医院的一项检查" in view["sentence"]["zh"]
