"""STOW-RS and signed uploads, asked as API Gateway asks, over moto; what arrives is taken up by ingest itself."""

import base64
import json
import logging
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import boto3
import pytest
import requests
from pydicom.data import get_testdata_file

import app
from chalicelib import wiring
from chalicelib.domain import related
from chalicelib.domain.study import StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.store.connections import Told
from chalicelib.store.signed_puts import SignedUrlPuts
from chalicelib.wiring import storing
from tests.support.audit_watch import audit_down
from tests.support.ingest_samples import instance
from tests.support.moto_reader import MotoConnections
from tests.support.served_app import error_of, jwks_url, served

__all__ = ["jwks_url", "served"]

DICOM, JSON = "application/dicom", "application/dicom+json"
BOUNDARY = "a-boundary"
TYPE = related.told(DICOM, BOUNDARY)
CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture
def opened(served):
    served.open_hospitals()
    return served


def body(*instances):
    return related.body(DICOM, BOUNDARY, [related.Part(DICOM, "1.2.840.10008.1.2.1", one) for one in instances])


def store(served, *instances, study="", kind=TYPE, raw=None, role="hospital", **headers):
    path = f"/dicomweb/studies/{study}" if study else "/dicomweb/studies"
    sent = body(*instances) if raw is None else raw
    return served.ask("POST", path, role, sent, {"Content-Type": kind, "Accept": JSON, **headers})


def bucket(cloud_settings):
    """Every version of every object of a hospital's, by key."""
    listed = boto3.client("s3").list_object_versions(Bucket=wiring.settings().uploads_bucket, Prefix="instances/")
    found = {}
    for one in listed.get("Versions", []):
        found.setdefault(one["Key"], []).append(one)
    return found


def place(data, hospital_id="H1"):
    return f"instances/{hospital_id}/{datetime.now(UTC).date()}/{sha256(data).hexdigest()}.dcm"


def items(answer, tag):
    return answer.json_body.get(tag, {}).get("Value", [])


def one(item, tag):
    return item[tag]["Value"][0]


def events(served, action="store_instances"):
    items = boto3.client("dynamodb").scan(TableName=wiring.settings().audit_table)["Items"]
    return [item for item in items if item["action"]["S"] == action]


# What is stored


def test_instances_of_several_studies_lie_where_the_hospitals_client_would_put_them(opened, cloud_settings):
    sent = [instance(1, 1), instance(1, 2), instance(2, 1)]
    answer = store(opened, *sent)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON), answer.body
    assert set(answer.json_body) == {"00081190", "00081199"}
    assert answer.json_body["00081190"] == {"vr": "UR"}  # no one study
    base = "https://yun.example.test/dicomweb"
    assert [one(item, "00081155") for item in items(answer, "00081199")] == [
        "1.2.3.1.1.1",
        "1.2.3.1.1.2",
        "1.2.3.2.1.1",
    ]
    first = items(answer, "00081199")[0]
    assert one(first, "00081150") == CT
    assert one(first, "00081190") == f"{base}/studies/1.2.3.1/series/1.2.3.1.1/instances/1.2.3.1.1.1"
    assert set(bucket(cloud_settings)) == {place(data) for data in sent}
    kept = boto3.client("s3").get_object(
        Bucket=wiring.settings().uploads_bucket, Key=place(sent[0]), ChecksumMode="ENABLED"
    )
    assert kept["Body"].read() == sent[0]
    assert kept["Metadata"] == {"sha256": sha256(sent[0]).hexdigest()}
    assert kept["ChecksumSHA256"] == base64.b64encode(sha256(sent[0]).digest()).decode()


def test_what_is_stored_is_what_ingest_indexes(opened, cloud_settings):
    sent = [instance(1, 1), instance(1, 2)]
    answer = store(opened, *sent, study="1.2.3.1")
    assert one(answer.json_body, "00081190") == "https://yun.example.test/dicomweb/studies/1.2.3.1"
    arrived = [Uploaded(key, versions[0]["VersionId"]) for key, versions in bucket(cloud_settings).items()]
    assert not wiring.ingest_batch()(arrived, lambda: True)
    entries = wiring.journal().read(StudyRef("H1", "1.2.3.1"))
    assert {entry.header.sop_instance_uid for entry in entries} == {"1.2.3.1.1.1", "1.2.3.1.1.2"}
    assert {(entry.checksum.algorithm, entry.declared_sha256) for entry in entries} == {
        ("SHA256", sha256(data).hexdigest()) for data in sent
    }


def test_one_instance_may_come_by_itself(opened, cloud_settings):
    assert store(opened, raw=instance(1, 1), kind=DICOM).status_code == 200
    assert set(bucket(cloud_settings)) == {place(instance(1, 1))}


def test_the_same_again_is_a_success_and_lies_there_once(opened, cloud_settings):
    for _ in range(2):
        answer = store(opened, instance(1, 1), instance(1, 1))
        assert (answer.status_code, len(items(answer, "00081199"))) == (200, 2)
    assert [len(versions) for versions in bucket(cloud_settings).values()] == [1]


def test_other_bytes_under_one_uid_are_both_kept_for_settle_to_tell(opened, cloud_settings):
    assert store(opened, instance(1, 1), instance(1, 1, pixels=128)).status_code == 200
    assert len(bucket(cloud_settings)) == 2


# What is not


def test_of_another_study_than_the_path_names_nothing_is_stored(opened, cloud_settings):
    answer = store(opened, instance(1, 1), study="1.2.3.2")
    assert answer.status_code == 409
    assert set(answer.json_body) == {"00081190", "00081198"}
    (failed,) = items(answer, "00081198")
    assert (one(failed, "00081150"), one(failed, "00081155"), one(failed, "00081197")) == (CT, "1.2.3.1.1.1", 0xA901)
    assert not bucket(cloud_settings)


BROKEN = {
    b"": (0xC000, ""),
    b"no DICOM" * 100: (0xC000, ""),
    instance(1, 1)[:-10]: (0xC000, "1.2.3.1.1.1"),
    instance(1, 1, StudyInstanceUID=None): (0xA900, "1.2.3.1.1.1"),
    instance(1, 1, SeriesInstanceUID="not a UID"): (0xA900, "1.2.3.1.1.1"),
}


def test_what_ingest_could_not_index_fails_by_itself_and_is_not_kept(opened, cloud_settings):
    for broken, told in BROKEN.items():
        answer = store(opened, broken, instance(1, 2))
        assert answer.status_code == 202, answer.body
        assert [one(item, "00081155") for item in items(answer, "00081199")] == ["1.2.3.1.1.2"]
        (failed,) = [*items(answer, "00081198"), *items(answer, "0008119A")]
        assert (one(failed, "00081197"), one(failed, "00081155") if "00081155" in failed else "") == told
    assert set(bucket(cloud_settings)) == {place(instance(1, 2))}


def test_a_dicomdir_is_no_instance(opened):
    answer = store(opened, Path(get_testdata_file("DICOMDIR")).read_bytes())
    assert (answer.status_code, one(items(answer, "00081198")[0], "00081197")) == (409, 0x0122)


class Failing(MotoConnections):
    """S3 refuses what holds these bytes, as often as it is asked."""

    def __init__(self, data):
        super().__init__()
        self.data, self.tries = data, 0

    def ask(self, method, url, headers, body=None):
        if body != self.data:
            return super().ask(method, url, headers, body)
        self.tries += 1
        if self.tries % 2:
            return Told(503, b"SlowDown")
        raise ConnectionResetError


def failing(monkeypatch, data):
    connections = Failing(data)
    monkeypatch.setattr(storing, "signed_puts", lambda: SignedUrlPuts(connections))
    storing.store_instances.cache_clear()
    return connections


def test_what_s3_does_not_take_fails_as_ours_and_the_rest_is_stored(opened, monkeypatch, caplog):
    connections = failing(monkeypatch, instance(1, 1))
    answer = store(opened, instance(1, 1), instance(1, 2))
    assert answer.status_code == 202
    (failed,) = items(answer, "00081198")
    assert (one(failed, "00081155"), one(failed, "00081197"), connections.tries) == ("1.2.3.1.1.1", 0x0110, 3)
    assert json.loads(caplog.messages[-1]) == {"event": "not_stored", "status": 503}
    nothing = store(opened, instance(1, 1))
    assert (nothing.status_code, error_of(nothing)) == (503, "try_again")


# What is refused whole


HOSTILE = {
    "no boundary": ("multipart/related; type=application/dicom", None, 400),
    "long boundary": (f"multipart/related; boundary={'a' * 71}", None, 400),
    "another boundary": ("multipart/related; boundary=b", None, 400),
    "no media type": ("multipart", None, 415),
    "two boundaries": (f"{TYPE}; boundary=b", None, 400),
    "nothing": (TYPE, b"", 400),
    "LF only": (TYPE, body(b"x").replace(b"\r\n", b"\n"), 400),
    "cut off": (TYPE, body(b"x" * 100)[:-30], 400),
    "header bomb": (TYPE, b"--a-boundary\r\n" + b"X: y\r\n" * 9000, 400),
    "base64": (TYPE, b"--a-boundary\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--a-boundary--", 400),
    "many parts": (TYPE, b"--a-boundary\r\n" + b"\r\n\r\n--a-boundary\r\n" * 50_000, 413),
    "large": (TYPE, body(b"\0" * 4_300_000), 413),
    "large alone": (DICOM, b"\0" * 4_300_001, 413),
    "metadata": ('multipart/related; type="application/dicom+json"; boundary=a-boundary', None, 415),
    "metadata alone": ("application/dicom+json", b"[]", 415),
    "XML": ('multipart/related; type="application/dicom+xml"; boundary=a-boundary', None, 415),
    "bulk data": (TYPE, b"--a-boundary\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--a-boundary--", 415),
    "a form": ("multipart/form-data; boundary=a-boundary", None, 415),
    "JSON": ("application/json", b"{}", 415),
}


def test_a_request_that_is_none_is_refused_whole_and_is_on_record(opened, cloud_settings):
    for what, (kind, raw, status) in HOSTILE.items():
        before = len(events(opened)) + len(events(opened, "turned_away"))
        answer = store(opened, instance(1, 1), kind=kind, raw=raw)
        assert answer.status_code == status, (what, answer.body)
        assert 1 <= len(events(opened)) + len(events(opened, "turned_away")) - before <= 2, what
        assert status != 413 or "/hospital/uploads" in answer.json_body["message"]["en"]
    assert not bucket(cloud_settings)


def test_bytes_that_came_as_text_are_refused_for_they_were_changed_on_the_way(opened, cloud_settings, caplog):
    """As API Gateway hands on what is not of its binary media types."""
    event = {
        "requestContext": {"httpMethod": "POST", "resourcePath": "/dicomweb/studies", "path": "/api/dicomweb/studies"},
        "headers": {"content-type": TYPE, "authorization": f"Bearer {opened.token('hospital')}"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": body(instance(1, 1, PatientName="é")).decode("utf-8", "replace"),
        "isBase64Encoded": False,
    }
    assert app.app(event, None)["statusCode"] == 500
    assert "BodyAsText" in caplog.text
    intact = {**event, "body": base64.b64encode(body(instance(1, 1))).decode(), "isBase64Encoded": True}
    assert app.app(intact, None)["statusCode"] == 200
    assert set(bucket(cloud_settings)) == {place(instance(1, 1))}


def test_an_answer_in_another_form_is_not_acceptable_and_nothing_is_stored(opened, cloud_settings):
    assert store(opened, instance(1, 1), Accept="application/dicom+xml").status_code == 406
    assert not bucket(cloud_settings)


# Whose it is


def test_only_a_hospitals_system_stores(opened, cloud_settings):
    for role in ("doctor", "patient", "guardian", "desk_clerk", "privacy_officer", "regulator", "administrator"):
        answer = store(opened, instance(1, 1), role=role)
        assert (answer.status_code, error_of(answer)) == (403, "not_allowed")
    assert not bucket(cloud_settings)


def test_whose_it_is_says_the_token_and_nothing_else(opened, cloud_settings):
    """H2 stores a study that H1 has: it is H2's own from there on."""
    assert store(opened, instance(1, 1)).status_code == 200
    sent = {"Content-Type": TYPE}
    answer = opened.ask(
        "POST", "/dicomweb/studies", "hospital", body(instance(1, 1)), sent, subject="H2", hospital_id="H2"
    )
    assert answer.status_code == 200
    assert set(bucket(cloud_settings)) == {place(instance(1, 1)), place(instance(1, 1), "H2")}


def test_a_closed_and_an_unknown_hospital_store_and_sign_nothing(opened, cloud_settings):
    closed = {"hospital_id": "H2", "name": "H2", "active": False}
    assert opened.ask("POST", "/hospitals", "regulator", closed).status_code in (200, 201)
    for hospital_id in ("H2", "H7"):
        claims = {"subject": hospital_id, "hospital_id": hospital_id}
        answers = [
            opened.ask("POST", "/dicomweb/studies", "hospital", body(instance(1, 1)), {"Content-Type": TYPE}, **claims),
            opened.ask("POST", "/hospital/uploads", "hospital", offered(b"x"), **claims),
        ]
        assert [(one.status_code, error_of(one)) for one in answers] == [(403, "hospital_closed")] * 2
    assert not bucket(cloud_settings)


def test_each_request_is_an_event_before_anything_is_put(opened, cloud_settings):
    store(opened, instance(1, 1), study="1.2.3.1")
    (event,) = events(opened)
    assert (event["allowed"]["BOOL"], event["reason"]["S"]) == (True, "own_hospital")
    with audit_down(set()):
        assert store(opened, instance(1, 2)).status_code == 503
        assert opened.ask("POST", "/hospital/uploads", "hospital", offered(b"x")).status_code == 503
    assert set(bucket(cloud_settings)) == {place(instance(1, 1))}


# Signed uploads


def offered(*contents, kind="instances"):
    return {"objects": [{"kind": kind, "bytes": len(one), "sha256": sha256(one).hexdigest()} for one in contents]}


def test_a_signed_put_is_sent_by_any_http_client(opened, cloud_settings):
    contents = [instance(1, 1), b"a pack"]
    asked = {"objects": [*offered(contents[0])["objects"], *offered(contents[1], kind="archives")["objects"]]}
    told = opened.ask("POST", "/hospital/uploads", "hospital", asked)
    assert told.status_code == 200, told.body
    puts = told.json_body["uploads"]
    assert puts[0]["key"] == place(contents[0])
    assert puts[1]["key"] == f"archives/H1/{datetime.now(UTC).date()}/{sha256(contents[1]).hexdigest()}.zip"
    for put, content in zip(puts, contents, strict=True):
        left = datetime.fromisoformat(put["expires_at"]) - datetime.now(UTC)
        assert 290 < left.total_seconds() <= 300
        answers = [requests.put(put["url"], content, headers=put["headers"], timeout=10) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 412]
        kept = boto3.client("s3").get_object(Bucket=wiring.settings().uploads_bucket, Key=put["key"])
        assert (kept["Body"].read(), kept["Metadata"]["sha256"]) == (content, sha256(content).hexdigest())
    assert len(events(opened, "sign_uploads")) == 1


LARGE = {"kind": "archives", "bytes": 5 * 1024**3 + 1, "sha256": "0" * 64}


REFUSED = [
    (LARGE, 413, "too_large_for_one_put"),
    ({**LARGE, "kind": "instances"}, 400, "bad_request"),
    ({**LARGE, "bytes": 64 * 1024**3 + 1}, 400, "bad_request"),
    ({**LARGE, "bytes": 0}, 400, "bad_request"),
    ({**LARGE, "kind": "notices"}, 400, "bad_request"),
    ({**LARGE, "sha256": "A" * 64}, 400, "bad_request"),
    ({**LARGE, "sha256": "0" * 63}, 400, "bad_request"),
    ({"kind": "instances", "bytes": 1, "sha256": "../" * 21 + "0"}, 400, "bad_request"),
]


def test_an_object_that_s3_or_ingest_would_not_take_is_not_signed(opened):
    for change, status, error in REFUSED:
        answer = opened.ask("POST", "/hospital/uploads", "hospital", {"objects": [*offered(b"x")["objects"], change]})
        assert (answer.status_code, error_of(answer)) == (status, error)
        assert b"X-Amz-Signature" not in answer.body


def test_from_one_to_a_hundred_objects_are_signed_at_once(opened):
    asked = {
        count: opened.ask("POST", "/hospital/uploads", "hospital", offered(*[b"x"] * count)) for count in (0, 100, 101)
    }
    assert [answer.status_code for answer in asked.values()] == [400, 200, 400]
    assert len(asked[100].json_body["uploads"]) == 100


def test_no_url_uid_or_name_is_logged(opened, caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    failing(monkeypatch, instance(1, 2))
    store(opened, instance(1, 1), instance(1, 2), b"broken")
    put = opened.ask("POST", "/hospital/uploads", "hospital", offered(b"x")).json_body["uploads"][0]
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("imaging_cloud")]
    logged = "".join(ours) + "".join(capsys.readouterr())
    words = [put["url"], put["key"], "X-Amz", "1.2.3.1", "小明", "instances/"]
    assert not [word for word in words if word in logged]
