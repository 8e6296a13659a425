from __future__ import annotations

import json
import logging

import pytest

from chalicelib.domain.upload_key import Uploaded
from chalicelib.events.ingest import MalformedEventError, answer, uploads_of


def record(key="instances/H1/2026-11-24/1.dcm", name="ObjectCreated:Put", **changes):
    told = {"key": key, "size": 7, "versionId": "v1", "eTag": "e"} | changes
    return {"eventSource": "aws:s3", "eventName": name, "s3": {"bucket": {"name": "b"}, "object": told}}


def body(*records):
    return json.dumps({"Records": list(records)})


def event(*bodies):
    return {"Records": [{"messageId": f"m{number}", "body": told} for number, told in enumerate(bodies)]}


def test_a_message_names_object_versions():
    assert uploads_of(body(record())) == {Uploaded("instances/H1/2026-11-24/1.dcm", "v1", 7)}


def test_keys_are_url_encoded_with_blanks_as_plus():
    encoded = "instances%2FH1/2026-11-24/a+b%2Bc/%E8%83%B8%E9%83%A8.dcm"
    assert uploads_of(body(record(encoded))) == {Uploaded("instances/H1/2026-11-24/a b+c/胸部.dcm", "v1", 7)}


def test_an_event_may_lack_version_and_size():
    told = record()
    del told["s3"]["object"]["versionId"], told["s3"]["object"]["size"]
    assert uploads_of(body(told)) == {Uploaded("instances/H1/2026-11-24/1.dcm")}


def test_one_message_may_hold_many_records():
    assert len(uploads_of(body(*(record(str(number)) for number in range(5))))) == 5


@pytest.mark.parametrize("name", ["s3:ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy"])
def test_every_way_of_creation_counts(name):
    assert len(uploads_of(body(record(name=name)))) == 1


@pytest.mark.parametrize(
    "told",
    [
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        body(record(name="ObjectRemoved:Delete")),
    ],
)
def test_s3s_test_event_and_other_kinds_name_nothing(told):
    assert uploads_of(told) == frozenset()


@pytest.mark.parametrize(
    "told",
    [
        "",
        "not json",
        "[]",
        "{}",
        "null",
        '{"Records": 3}',
        '{"Records": [{}]}',
        body(record(size="7")),
        body(record(versionId=3)),
        body(record(key=None)),
        body(record("%FF%FE")),
        "[" * 100_000,
    ],
)
def test_what_is_no_event_is_malformed(told):
    with pytest.raises(MalformedEventError) as raised:
        uploads_of(told)
    assert str(raised.value) == ""


def test_a_message_succeeds_only_if_all_its_records_are_done():
    undone = Uploaded("k3", "v1", 7)
    told = event(body(record("k1"), record("k2")), body(record("k2"), record("k3")), body(record("k4")))
    answered = answer(told, lambda objects, _: objects & {undone}, lambda: True)
    assert answered == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_all_records_of_a_batch_are_done_in_one_go():
    calls = []
    answer(event(body(record("k1")), body(record("k2"))), lambda objects, _: calls.append(objects) or frozenset(), bool)
    assert calls == [{Uploaded("k1", "v1", 7), Uploaded("k2", "v1", 7)}]


def test_a_malformed_message_fails_alone_and_is_never_logged(caplog):
    caplog.set_level(logging.INFO)
    told = event(body(record("k1")), "王小明 is no JSON", json.dumps({"Event": "s3:TestEvent"}))
    assert answer(told, lambda *_: frozenset(), lambda: True) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    (logged,) = (vars(record) for record in caplog.records)
    assert (logged["messages"], logged["undone"], logged["malformed"]) == (3, 0, 1)
    assert "王" not in str(logged)
    assert "k1" not in str(logged)


def test_a_batch_of_nothing_but_malformed_messages_does_no_work():
    answered = answer(event("x"), lambda *_: pytest.fail("no work"), lambda: True)
    assert answered == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
