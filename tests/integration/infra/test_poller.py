from __future__ import annotations

import time
from types import ModuleType

import pytest
from chalice import Chalice

from infra.local.poller import Functions, QueuePoller, scheduled_event
from tests.support.cloud import TestCloud


@pytest.fixture
def module() -> ModuleType:
    """An app.py with the triggers that a poller has to serve; `calls` keeps what they were given."""
    made = ModuleType("app")
    app = Chalice("sample")
    made.calls = []
    made.answer = lambda event: {"batchItemFailures": []}

    @app.on_sqs_message(queue="imaging-cloud-notices", batch_size=25)
    def notices(event):
        made.calls.append((event.to_dict(), event.context))
        return made.answer(event.to_dict())

    @app.on_sqs_message(queue="imaging-cloud-settle.fifo", batch_size=1)
    def settle(event):
        made.calls.append((event.to_dict(), event.context))
        return made.answer(event.to_dict())

    @app.schedule("rate(15 minutes)")
    def sweep(event):
        made.calls.append((event.to_dict(), event.context))
        return "swept"

    made.app, made.notices, made.settle, made.sweep = app, notices, settle, sweep
    return made


def poller(cloud: TestCloud, module: ModuleType, queue: str) -> QueuePoller:
    functions = Functions(module)
    return QueuePoller(cloud.client("sqs"), queue, functions.queues()[queue], functions)


def send(cloud: TestCloud, count: int) -> None:
    for number in range(count):
        cloud.client("sqs").send_message(QueueUrl=cloud.queue_url("notices"), MessageBody=f"body {number}")


def bodies(module: ModuleType) -> list[list[str]]:
    return [[record["body"] for record in event["Records"]] for event, _ in module.calls]


def test_the_triggers_are_those_of_app(module: ModuleType) -> None:
    functions = Functions(module)
    assert set(functions.queues()) == {"imaging-cloud-notices", "imaging-cloud-settle.fifo"}
    assert functions.schedules() == ["sweep"]
    assert functions("sweep", scheduled_event("sweep")) == "swept"


def test_messages_come_in_batches_of_the_triggers_size(cloud: TestCloud, module: ModuleType) -> None:
    send(cloud, 30)
    notices = poller(cloud, module, "imaging-cloud-notices")
    assert [notices.poll(), notices.poll(), notices.poll()] == [25, 5, 0]
    handled = [body for batch in bodies(module) for body in batch]
    assert sorted(handled) == sorted(f"body {number}" for number in range(30))


def test_a_record_has_the_form_that_lambda_gives_it(cloud: TestCloud, module: ModuleType) -> None:
    send(cloud, 1)
    poller(cloud, module, "imaging-cloud-notices").poll()
    record = module.calls[0][0]["Records"][0]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":imaging-cloud-notices")
    assert {"messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody"} <= set(record)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_trigger_can_ask_how_much_time_is_left(cloud: TestCloud, module: ModuleType) -> None:
    send(cloud, 1)
    poller(cloud, module, "imaging-cloud-notices").poll()
    assert module.calls[0][1].get_remaining_time_in_millis() > 0


def test_only_what_failed_comes_back(cloud: TestCloud, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.poller.RETRY_SECONDS", 0)
    send(cloud, 3)

    def second_fails(event):
        failed = [one["messageId"] for one in event["Records"] if one["body"] == "body 1"]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    module.answer = second_fails
    notices = poller(cloud, module, "imaging-cloud-notices")
    notices.poll()
    notices.poll()
    assert bodies(module)[1] == ["body 1"]
    module.answer = lambda event: None
    notices.poll()
    assert notices.poll() == 0


def test_when_a_trigger_raises_the_whole_batch_comes_back(
    cloud: TestCloud, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.poller.RETRY_SECONDS", 0)
    send(cloud, 2)

    def fails(event):
        raise SystemError("no answer")

    module.answer = fails
    notices = poller(cloud, module, "imaging-cloud-notices")
    assert (notices.poll(), notices.poll()) == (2, 2)


def test_messages_of_a_group_keep_their_order(cloud: TestCloud, module: ModuleType) -> None:
    for number in range(3):
        cloud.client("sqs").send_message(
            QueueUrl=cloud.queue_url("settle.fifo"),
            MessageBody=f"body {number}",
            MessageGroupId="g",
            MessageDeduplicationId=str(number),
        )
    settle = poller(cloud, module, "imaging-cloud-settle.fifo")
    give_up = time.monotonic() + 10
    while len(module.calls) < 3 and time.monotonic() < give_up:
        if not settle.poll():
            time.sleep(0.05)
    assert bodies(module) == [["body 0"], ["body 1"], ["body 2"]]


def test_a_message_that_fails_for_ever_ends_among_the_single_ones(cloud: TestCloud) -> None:
    """The redrive of data.yaml is what the poller relies on for records that never succeed."""
    send(cloud, 1)
    sqs, url = cloud.client("sqs"), cloud.queue_url("notices")
    for _ in range(11):
        for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=cloud.queue_url("notices-single"))["Messages"]) == 1
