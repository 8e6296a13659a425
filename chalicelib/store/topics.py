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
        """One JSON message. The subject is ASCII by its callers; `event` is an attribute to filter subscriptions by."""
        self._client.publish(
            TopicArn=self._arn,
            Subject=subject[:SUBJECT_LENGTH],
            Message=json.dumps(body, ensure_ascii=False, sort_keys=True),
            MessageAttributes={"event": {"DataType": "String", "StringValue": str(body.get("event", ""))}},
        )
