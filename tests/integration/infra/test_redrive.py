"""Dead letters go back to where they died, once each, and none is lost when a run is cut off."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from infra import redrive


@pytest.fixture
def sqs(cloud_settings):
    return cloud_settings.client("sqs")


def kill(sqs, name, count, **more):
    url = sqs.get_queue_url(QueueName=f"imaging-cloud-{name}")["QueueUrl"]
    for number in range(count):
        fifo = {"MessageGroupId": "g", "MessageDeduplicationId": f"d{number}"} if name.endswith(".fifo") else {}
        sqs.send_message(QueueUrl=url, MessageBody=f"letter {number}", **fifo, **more)
    return url


def dead(sqs, name):
    return next(one for one in redrive.dead_queues(sqs) if one.name == name)


def bodies(sqs, name):
    url = sqs.get_queue_url(QueueName=f"imaging-cloud-{name}")["QueueUrl"]
    found = []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages"):
        found += got
        for one in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return sorted(one["Body"] for one in found)


def test_every_queue_of_the_template_has_its_letters_put_back_where_they_came_from(sqs):
    names = [one.name for one in redrive.dead_queues(sqs) if one.name != redrive.NOT_REDRIVEN]
    sources = {name: redrive.source_of(sqs, dead(sqs, name)).rsplit("/", 1)[-1] for name in names}
    assert sources == {
        name: "imaging-cloud-"
        + {"instances-dead": "instances-single", "notices-dead": "notices-single"}.get(name, name.replace("-dead", ""))
        for name in names
    }
    assert {
        "archives-dead",
        "exports-dead",
        "instances-dead",
        "notices-dead",
        "reconcile-dead",
        "settle-dead.fifo",
    } <= set(names)


def test_all_letters_go_back_and_leave_the_dead_queue_empty(sqs):
    kill(sqs, "instances-dead", 23)
    assert list(redrive.redrive(sqs, dead(sqs, "instances-dead"), 1000))[-1] == 23
    assert bodies(sqs, "instances-single") == sorted(f"letter {number}" for number in range(23))
    assert bodies(sqs, "instances-dead") == []


def test_no_more_than_asked_for(sqs):
    kill(sqs, "archives-dead", 5)
    assert list(redrive.redrive(sqs, dead(sqs, "archives-dead"), 2)) == [1, 2]
    assert len(bodies(sqs, "archives")) == 2


def test_a_fifo_letter_keeps_its_group(sqs):
    kill(sqs, "settle-dead.fifo", 1)
    assert list(redrive.redrive(sqs, dead(sqs, "settle-dead.fifo"), 10)) == [1]
    url = sqs.get_queue_url(QueueName="imaging-cloud-settle.fifo")["QueueUrl"]
    waiting = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=waiting)["Attributes"]
    assert sum(map(int, told.values())) == 1


class CutOff:
    """SQS that refuses one operation from its n-th call on."""

    def __init__(self, sqs, operation, after):
        self._sqs, self._operation, self._left = sqs, operation, after

    def __getattr__(self, name):
        if name == self._operation:
            self._left -= 1
            if self._left < 0:
                raise ClientError({"Error": {"Code": "InternalError"}}, name)
        return getattr(self._sqs, name)


@pytest.mark.parametrize("operation", ["send_message", "delete_message"])
def test_a_run_that_is_cut_off_loses_no_letter(sqs, operation):
    kill(sqs, "archives-dead", 4)
    letters = redrive.redrive(CutOff(sqs, operation, 2), dead(sqs, "archives-dead"), 10)
    with pytest.raises(ClientError):
        list(letters)
    url = sqs.get_queue_url(QueueName="imaging-cloud-archives-dead")["QueueUrl"]
    told = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    assert sum(map(int, told.values())) == 2
    assert set(bodies(sqs, "archives")) >= {"letter 0", "letter 1"}


def test_the_command_lists_puts_back_and_says_what_it_does_not_know(sqs, capsys):
    assert redrive.main(["--lang", "en"]) == 0
    assert "no dead letters" in capsys.readouterr().out
    kill(sqs, "notices-dead", 3)
    assert redrive.main(["--lang", "en"]) == 0
    listed = capsys.readouterr().out
    assert "notices-dead: 3 letters" in listed
    assert "in all: 3 letters in 1 queues" in listed
    assert redrive.main(["notices-dead", "--lang", "zh"]) == 0
    told = capsys.readouterr().out
    assert "已将 3 条死信放回 imaging-cloud-notices-single" in told
    assert "notices-dead：仍有 0 条；imaging-cloud-notices-single：等待 3 条，正在处理 0 条" in told
    for wrong in ("nothing", redrive.NOT_REDRIVEN):
        assert redrive.main([wrong, "--lang", "en"]) == 2
        told = capsys.readouterr().err
        assert "notices-dead" in told
        assert "letter 0" not in told
