"""How hospitals join and upload, asked over HTTP on moto."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.provision import clients
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]


@pytest.fixture
def opened(served):
    served.open_hospitals()
    return served


def test_a_hospitals_credentials_put_an_object_where_the_answer_says(opened, cloud_settings):
    answer = opened.ask("POST", "/hospital/credentials", "hospital", {})
    told = answer.json_body
    assert answer.status_code == 201, answer.body
    assert told["bucket"] == cloud_settings.settings["UPLOADS_BUCKET"]
    assert datetime.fromisoformat(told["credentials"]["expires_at"]) <= datetime.now(UTC) + timedelta(hours=1)
    day, here = next(iter(told["prefixes"].items()))
    assert here == {kind: f"{kind}/H1/{day}/" for kind in ("instances", "archives")}
    kept = clients(keys=told["credentials"])("s3").put_object(
        Bucket=told["bucket"],
        Key=here["instances"] + "a.dcm",
        Body=b"x",
        ChecksumAlgorithm="CRC32",
        ServerSideEncryption=told["headers"]["x-amz-server-side-encryption"],
        SSEKMSKeyId=told["headers"]["x-amz-server-side-encryption-aws-kms-key-id"],
    )
    assert kept["VersionId"]


@pytest.mark.parametrize("hospital_id", ["H2", "H3"])
def test_a_closed_or_unknown_hospital_gets_none(opened, hospital_id):
    closed = {"hospital_id": "H2", "name": "H2医院", "active": False}
    assert opened.ask("POST", "/hospitals", "regulator", closed).status_code == 201
    answer = opened.ask("POST", "/hospital/credentials", "hospital", {}, hospital_id=hospital_id)
    assert (answer.status_code, answer.json_body["error"]) == (403, "hospital_closed")
