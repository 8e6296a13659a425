"""The FIFO settle queue (DESIGN §4.6)."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from chalicelib.domain.study import StudyRef
    from chalicelib.services.ports import Clock

_BATCH: Final = 10  # SendMessageBatch takes no more
_ATTEMPTS: Final = 4


class SettleQueueBusyError(Exception):
    """The queue refused messages after every attempt."""


class SqsSettleQueue:
    """`window` is B, the same setting that gave the queue its delay of 1.25 B: with a delay from another setting
    messages would be lost. FIFO knows no delay of a single message."""

    def __init__(self, client: SQSClient, queue_url: str, window: timedelta, clock: Clock) -> None:
        self._client = client
        self._queue_url = queue_url
        self._window = window
        self._clock = clock

    def send(self, refs: Collection[StudyRef]) -> None:
        window = math.floor(self._clock().timestamp() / self._window.total_seconds())
        messages = [_message(ref, window) for ref in sorted(set(refs))]
        for start in range(0, len(messages), _BATCH):
            self._send(messages[start : start + _BATCH])

    def _send(self, messages: list[SendMessageBatchRequestEntryTypeDef]) -> None:
        for _ in range(_ATTEMPTS):
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[message | {"Id": str(number)} for number, message in enumerate(messages)],
            )
            messages = [messages[int(failed["Id"])] for failed in answer.get("Failed", ())]
            if not messages:
                return
        raise SettleQueueBusyError


def _message(ref: StudyRef, window: int) -> SendMessageBatchRequestEntryTypeDef:
    """Ids are hashes, because FIFO ids are ASCII of at most 128 characters: the study's, and the study's with the
    window of the clock, so that a study is told once in a window however many batches touch it."""
    group = _hash(ref.hospital_id, ref.study_instance_uid)
    return {
        "Id": "",
        "MessageBody": json.dumps({"hospital_id": ref.hospital_id, "study_instance_uid": ref.study_instance_uid}),
        "MessageGroupId": group,
        "MessageDeduplicationId": _hash(group, str(window)),
    }


def _hash(*parts: str) -> str:
    return hashlib.sha256("#".join(parts).encode()).hexdigest()
