"""The queue of SMS: whoever asks for one waits for the queue alone, and as long for nobody as for somebody."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Final

from chalicelib.domain.code import CODE_LIFE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from mypy_boto3_sqs import SQSClient

    from chalicelib.services.ports import Clock

# What is worth nothing after a while. Counted from the sending, milliseconds after the code was made.
LIVES: Final[Mapping[str, timedelta]] = {"consent_code": CODE_LIFE}


class QueuedSms:
    """The `Sms` port by one SendMessage. `events.messages` takes it from there."""

    def __init__(self, client: SQSClient, queue_url: str, clock: Clock) -> None:
        self._client = client
        self._queue_url = queue_url
        self._clock = clock

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> None:
        life = LIVES.get(template)
        body = {
            "message_id": uuid.uuid4().hex,
            "phone": phone,
            "template": template,
            "values": dict(values),
            "useless_at": (self._clock() + life).isoformat() if life else "",
        }
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body, ensure_ascii=False))
