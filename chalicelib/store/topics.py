from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SUBJECT_LENGTH = 99  # SNS: fewer than 100 ASCII characters


class SnsTopic:
    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, subject: str, body: Mapping[str, Any]) -> None:
        """One JSON message. The subject is ASCII by its callers; `event` and, where it is of one, `hospital_id` are
        attributes to filter subscriptions by."""
        told = {name: str(body[name]) for name in ("event", "hospital_id") if name in body}
        self._client.publish(
            TopicArn=self._arn,
            Subject=subject[:SUBJECT_LENGTH],
            Message=json.dumps(body, ensure_ascii=False, sort_keys=True),
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in told.items()},
        )
