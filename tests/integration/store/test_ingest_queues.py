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
from tests.support.fakes_ingest import FakeSettleQueue

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KEY = "instances/H1/2026-11-24/a b+c/胸部.dcm"
STUDY = StudyRef("H1", "1.2.3")


class Told:
    """A queue with the tests' own clock and count of messages, fake or real."""

    def __init__(self, request):
        self.at = datetime.now(UTC)
        if request.param == "fake":
            fake = FakeSettleQueue(lambda: self.at)
            self.send, self.messages = fake.send, lambda: len(fake.kept)
        else:
            cloud = request.getfixturevalue("cloud")
            sqs, url = cloud.client("sqs"), cloud.queue_url("settle.fifo")
            self.send = SqsSettleQueue(sqs, url, timedelta(seconds=60), lambda: self.at).send
            self.messages = lambda: count(sqs, url)


def count(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


@pytest.fixture(params=["fake", "real"])
def told(request):
    return Told(request)


def test_a_study_touched_twice_in_a_window_is_one_message(told):
    told.at = told.at.replace(second=1)
    told.send([STUDY])
    told.at = told.at.replace(second=59)
    told.send([STUDY])
    assert told.messages() == 1


def test_a_study_touched_in_two_windows_is_two_messages(told):
    told.send([STUDY])
    told.at += timedelta(seconds=60)
    told.send([STUDY])
    assert told.messages() == 2


def test_each_study_has_messages_of_its_own(told):
    told.send([StudyRef("H1", f"1.2.{number}") for number in range(12)])
    told.send([StudyRef("H2", "1.2.0")])
    assert told.messages() == 13


def test_the_window_decides_the_deduplication_and_the_study_the_group():
    url = "url"
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


def test_what_is_fed_again_reads_like_s3s_own_events(cloud):
    fed = [
        Uploaded(KEY, "v1", 7),
        Uploaded("unpacked/H1/2026-11-24/v/000001", "v2", 8),
        Uploaded("archives/H1/2026-11-24/x.zip", "v3", 9),
        Uploaded("archives/H1/2026-11-24/pack.zip", "v6", 9, unpack=True),
        Uploaded("notices/H1/2026-11-24/n.json", "v4", 10),
    ]
    SqsRefeed(cloud.client("sqs")).feed([*fed, Uploaded("receipts/2026-11-24/x", "v5", 1)])
    queues = {"instances": fed[:2], "archives": fed[2:4], "notices": fed[4:]}
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
