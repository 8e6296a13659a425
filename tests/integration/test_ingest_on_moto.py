"""The handlers of ingest over real stores: what they leave behind and how many AWS calls they make (DESIGN §9)."""

from __future__ import annotations

import gzip
import json
from urllib.parse import quote_plus

import pytest

from chalicelib import wiring
from chalicelib.domain.study import StudyRef
from chalicelib.events import ingest
from chalicelib.store import clients
from infra.local.samples import make_pack
from tests.support.ingest_samples import DAY, H1, H2, archive, instance


class Context:
    """Lambda's, with time enough unless told otherwise."""

    def __init__(self, left_ms=30_000):
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self):
        return self.left_ms


@pytest.fixture
def calls(cloud_settings):
    """The AWS calls of our clients, by name, from now on; hospitals are registered and their profiles cached."""
    made = []
    for hospital in (H1, H2):
        wiring.hospitals().put(hospital)
    for client in (clients.s3(), clients.dynamodb(), clients.sqs()):
        client.meta.events.register(
            "before-send", lambda request, **_: made.append(request.headers.get("X-Amz-Target") or request.method)
        )
    return made


def put(cloud, key, body):
    """Upload as a hospital does; the event as S3 makes it."""
    s3 = cloud.client("s3")
    answer = s3.put_object(Bucket=cloud.settings["UPLOADS_BUCKET"], Key=key, Body=body)
    told = {"key": quote_plus(key), "size": len(body), "versionId": answer["VersionId"]}
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": told}}]})


def batch(*bodies):
    return {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}


@pytest.mark.parametrize("studies", [1, 60])
def test_a_batch_of_100_costs_at_most_115_calls(cloud_settings, calls, studies):
    bodies = [
        put(cloud_settings, f"instances/H{number % 2 + 1}/{DAY}/{number}.dcm", instance(number % studies, number))
        for number in range(100)
    ]
    del calls[:]
    assert ingest.instances(batch(*bodies), Context()) == {"batchItemFailures": []}
    assert len(calls) <= 115
    refs = {StudyRef(f"H{number % 2 + 1}", f"1.2.3.{number % studies}") for number in range(100)}
    assert sum(len(wiring.journal().read(ref)) for ref in refs) == 100


def test_a_pack_of_100_costs_at_most_5_calls(cloud_settings, calls):
    pack = make_pack([instance(1, number) for number in range(100)])
    event = put(cloud_settings, f"archives/H1/{DAY}/pack.zip", pack)
    del calls[:]
    assert ingest.archives(batch(event), Context(900_000)) == {"batchItemFailures": []}
    assert len(calls) <= 5
    assert len(wiring.journal().read(StudyRef("H1", "1.2.3.1"))) == 100


def test_good_and_bad_each_end_where_they_belong(cloud_settings, calls):
    event = batch(
        put(cloud_settings, f"instances/H1/{DAY}/胸 部+1.dcm", instance()),
        put(cloud_settings, f"instances/H1/{DAY}/text.dcm", b"not dicom"),
        put(cloud_settings, f"instances/H1/{DAY}/empty.dcm", b""),
        put(cloud_settings, f"instances/H8/{DAY}/stranger.dcm", instance()),
        "no event",
    )
    assert ingest.instances(event, Context()) == {"batchItemFailures": [{"itemIdentifier": "4"}]}
    (entry,) = wiring.journal().read(StudyRef("H1", "1.2.3.1"))
    assert entry.place.key == f"instances/H1/{DAY}/胸 部+1.dcm"
    assert {record.reason for record in wiring.quarantine().list("H1", "", 10).items} == {"not_dicom", "empty"}
    assert [record.reason for record in wiring.quarantine().list("H8", "", 10).items] == ["unknown_hospital"]
    (receipt,) = wiring.uploads().versions("receipts/")
    body = clients.s3().get_object(Bucket=cloud_settings.settings["UPLOADS_BUCKET"], Key=receipt.key)["Body"].read()
    told = json.loads(gzip.decompress(body))["outcomes"]
    assert sorted(one["outcome"] for one in told) == ["empty", "indexed", "not_dicom", "unknown_hospital"]


def test_an_archive_comes_back_through_the_queue_of_instances(cloud_settings, calls):
    event = put(cloud_settings, f"archives/H1/{DAY}/cd.zip", archive([("1", instance(1, 1)), ("2", instance(1, 2))]))
    assert ingest.archives(batch(event), Context(900_000)) == {"batchItemFailures": []}
    messages = cloud_settings.client("sqs").receive_message(
        QueueUrl=cloud_settings.queue_url("instances"), MaxNumberOfMessages=10
    )["Messages"]
    assert len(messages) == 2
    assert ingest.instances(batch(*(one["Body"] for one in messages)), Context()) == {"batchItemFailures": []}
    (version,) = wiring.uploads().versions("archives/")
    entries = wiring.journal().read(StudyRef("H1", "1.2.3.1"))
    assert {entry.received_at for entry in entries} == {version.last_modified}
    assert len(entries) == 2


def test_without_time_nothing_is_taken_up(cloud_settings, calls):
    event = batch(put(cloud_settings, f"instances/H1/{DAY}/1.dcm", instance()))
    del calls[:]
    assert ingest.instances(event, Context(4_000)) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert calls == []
