"""Feeds object versions again: messages like S3's own events, to the queue that S3 would have told."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from chalicelib.domain import upload_key
from chalicelib.domain.upload_key import REFEED, UNPACK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mypy_boto3_sqs import SQSClient

    from chalicelib.domain.upload_key import Kind, Uploaded

QUEUES: Final[Mapping[Kind, str]] = {
    "instances": "imaging-cloud-instances",
    "unpacked": "imaging-cloud-instances",
    "archives": "imaging-cloud-archives",
    "notices": "imaging-cloud-notices",
}
_BATCH: Final = 10  # SendMessageBatch takes no more
_ATTEMPTS: Final = 4


class RefeedBusyError(Exception):
    """A queue refused messages after every attempt. The next reconcile finds the same versions missing."""


class SqsRefeed:
    """`queues` gives the queue's name for each kind of key (infra/data.yaml)."""

    def __init__(self, client: SQSClient, queues: Mapping[Kind, str] = QUEUES) -> None:
        self._client = client
        self._queues = queues
        self._urls: dict[str, str] = {}

    def feed(self, objects: Collection[Uploaded]) -> None:
        bodies: dict[str, list[str]] = defaultdict(list)
        for uploaded in sorted(objects, key=lambda one: (one.key, one.version_id or "")):
            key = upload_key.parse(uploaded.key)
            if key is not None:
                bodies[self._queues[key.kind]].append(_event(uploaded))
        for queue, of_queue in bodies.items():
            for start in range(0, len(of_queue), _BATCH):
                self._send(self._url(queue), of_queue[start : start + _BATCH])

    def _send(self, url: str, bodies: list[str]) -> None:
        for _ in range(_ATTEMPTS):
            answer = self._client.send_message_batch(
                QueueUrl=url, Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            )
            bodies = [bodies[int(failed["Id"])] for failed in answer.get("Failed", ())]
            if not bodies:
                return
        raise RefeedBusyError

    def _url(self, queue: str) -> str:
        if queue not in self._urls:
            self._urls[queue] = self._client.get_queue_url(QueueName=queue)["QueueUrl"]
        return self._urls[queue]


def _event(uploaded: Uploaded) -> str:
    name = UNPACK if uploaded.unpack else REFEED
    told = {"key": quote_plus(uploaded.key), "size": uploaded.size, "versionId": uploaded.version_id}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": {"object": told}}]})
