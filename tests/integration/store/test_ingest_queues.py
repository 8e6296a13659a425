"""What ingest sends: settle messages, and uploads fed again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.study import StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.events.ingest import uploads_of
from chalicelib.store.refeed import RefeedBusyError, SqsRefeed
from chalicelib.store.settle_queue import SettleQueueBusyError, SqsSettleQueue
from tests.support.answers import Answers

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KEY = "instances/H1/2026-11-24/a b+c/胸部.dcm"
STUDY = StudyRef("H1", "1.2.3")


def test_a_study_is_told_once_in_a_window(cloud):
    url = cloud.queue_url("settle.fifo")
    client = Answers(send_message_batch=[{}] * 4)
    instants = iter([NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)])
    queue = SqsSettleQueue(client, url, timedelta(seconds=60), lambda: next(instants))
    for _ in range(3):
        queue.send([STUDY])
    first, second, third = (call["Entries"][0] for call in client.calls)
    assert first["MessageDeduplicationId"] == second["MessageDeduplicationId"] != third["MessageDeduplicationId"]
    assert first["MessageGroupId"] == third["MessageGroupId"]
    assert json.loads(first["MessageBody"]) == {"hospital_id": "H1", "study_instance_uid": "1.2.3"}


def test_fifo_ids_are_short_ascii_and_no_message_has_a_delay_of_its_own():
    client = Answers(send_message_batch=[{}])
    SqsSettleQueue(client, "url", timedelta(seconds=60), lambda: NOW).send([StudyRef("H1", "不是 UID" * 50)])
    (message,) = client.calls[0]["Entries"]
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        assert message[name].isascii()
        assert len(message[name]) == 64
    assert "DelaySeconds" not in message


def test_studies_go_ten_to_a_call_and_refused_ones_again():
    refused = {"Failed": [{"Id": "3", "Code": "InternalError", "SenderFault": False}]}
    client = Answers(send_message_batch=[{}, refused, {}, {}])
    refs = [StudyRef("H1", f"1.2.{number}") for number in range(25)]
    SqsSettleQueue(client, "url", timedelta(seconds=60), lambda: NOW).send(refs)
    assert [len(call["Entries"]) for call in client.calls] == [10, 10, 1, 5]
    assert client.calls[2]["Entries"][0]["MessageBody"] == client.calls[1]["Entries"][3]["MessageBody"]


def test_a_settle_queue_that_keeps_refusing_is_our_fault():
    refused = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    client = Answers(send_message_batch=[refused] * 4)
    with pytest.raises(SettleQueueBusyError):
        SqsSettleQueue(client, "url", timedelta(seconds=60), lambda: NOW).send([STUDY])


def test_the_real_queue_takes_its_messages(cloud):
    queue = SqsSettleQueue(cloud.client("sqs"), cloud.queue_url("settle.fifo"), timedelta(seconds=1), lambda: NOW)
    queue.send([StudyRef("H1", f"1.2.{number}") for number in range(12)])
    told = cloud.client("sqs").get_queue_attributes(
        QueueUrl=cloud.queue_url("settle.fifo"),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
    )["Attributes"]
    assert sum(map(int, told.values())) == 12


def test_what_is_fed_again_reads_like_s3s_own_events(cloud):
    fed = [
        Uploaded(KEY, "v1", 7),
        Uploaded("unpacked/H1/2026-11-24/v/000001", "v2", 8),
        Uploaded("archives/H1/2026-11-24/x.zip", "v3", 9),
        Uploaded("notices/H1/2026-11-24/n.json", "v4", 10),
    ]
    SqsRefeed(cloud.client("sqs")).feed([*fed, Uploaded("receipts/2026-11-24/x", "v5", 1)])
    queues = {"instances": fed[:2], "archives": fed[2:3], "notices": fed[3:]}
    for name, expected in queues.items():
        messages = cloud.client("sqs").receive_message(QueueUrl=cloud.queue_url(name), MaxNumberOfMessages=10)[
            "Messages"
        ]
        assert frozenset().union(*(uploads_of(one["Body"]) for one in messages)) == frozenset(expected)


def test_a_queue_that_keeps_refusing_is_our_fault():
    refused = {"Failed": [{"Id": "0"}]}
    client = Answers(get_queue_url=[{"QueueUrl": "url"}], send_message_batch=[refused] * 4)
    with pytest.raises(RefeedBusyError):
        SqsRefeed(client).feed([Uploaded(KEY, "v1", 7)])
