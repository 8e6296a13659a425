import json
import logging

import pytest

from chalicelib.domain.study import StudyRef
from chalicelib.events.settle import answer


def message(number, hospital_id="H1", uid="1.2.3"):
    body = json.dumps({"hospital_id": hospital_id, "study_instance_uid": uid})
    return {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs", "attributes": {"MessageGroupId": "g"}}


def test_a_message_settles_the_study_it_names():
    settled = []
    assert answer({"Records": [message(1)]}, settled.append) == {"batchItemFailures": []}
    assert settled == [StudyRef("H1", "1.2.3")]


def test_from_the_first_failure_on_everything_is_left_to_be_delivered_again():
    settled = []

    def settle(ref):
        if ref.hospital_id == "H2":
            raise RuntimeError("a fault of ours")
        settled.append(ref.hospital_id)

    event = {"Records": [message(1), message(2, "H2"), message(3, "H3")]}
    assert answer(event, settle) == {"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]}
    assert settled == ["H1"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"hospital_id": "H1"}', "\x00"])
def test_a_message_that_names_no_study_is_not_dropped(body):
    event = {"Records": [{"messageId": "m1", "body": body}]}
    assert answer(event, lambda ref: None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_a_failure_is_logged_without_the_text_of_its_exception(caplog):
    def settle(ref):
        raise ValueError("张三")

    with caplog.at_level(logging.DEBUG):
        answer({"Records": [message(1)]}, settle)
    assert "ValueError" in caplog.text
    assert "张三" not in caplog.text
