"""Lambda's part: hands messages of the queues and ticks of the schedules to app.py's own triggers.

Which queue goes to which trigger, in batches of what size, is read from app.py (Chalice keeps its event sources), so
nothing about triggers is written down here but how often a schedule runs locally.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from types import ModuleType
from typing import Any

from chalice.app import Chalice, ScheduledEventConfig, SQSEventConfig

log = logging.getLogger("infra.local.poller")

RECEIVE = 10  # as many as SQS gives at once
# Between two looks at an empty queue. Waiting inside moto instead (WaitTimeSeconds) costs ten times the CPU: it
# walks all messages, delayed ones too, a hundred times a second. A queue that stays empty is looked at less and less
# often: ten queues at the first pace take a fifth of a core from whatever else runs.
STOP_SECONDS = 10
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 0.8
RETRY_SECONDS = 2  # a failed record is seen again after this, not after minutes as in AWS
DEFAULT_TIMEOUT = 900  # Lambda's longest, where Chalice's configuration names none
CONFIG = Path(".chalice/config.json")

# Locally in seconds, by words of a trigger's name; what is not named here runs only on demand (POST /run/{function}).
SCHEDULE_SECONDS = {"sweep": 3.0}


@dataclass(frozen=True)
class Context:
    """What our triggers use of Lambda's context object."""

    function_name: str
    deadline: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def timeouts(path: Path = CONFIG) -> dict[str, int]:
    """Timeout in seconds by function, from Chalice's configuration; "" is the default."""
    config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    functions = dict(config.get("lambda_functions", {}))
    for stage in config.get("stages", {}).values():
        functions |= stage.get("lambda_functions", {})
    default = config.get("lambda_timeout", DEFAULT_TIMEOUT)
    return {"": default} | {name: one.get("lambda_timeout", default) for name, one in functions.items()}


class Functions:
    """app.py's triggers by name, called as Lambda would call them."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.app: Chalice = module.app
        self._timeouts = timeouts()

    def __call__(self, name: str, event: Any) -> Any:
        timeout = self._timeouts.get(name, self._timeouts[""])
        return getattr(self._module, name)(event, Context(name, time.monotonic() + timeout))

    def queues(self) -> dict[str, SQSEventConfig]:
        """Queue triggers by queue name."""
        sources = [one for one in self.app.event_sources if isinstance(one, SQSEventConfig)]
        return {one.queue or str(one.queue_arn).rsplit(":", 1)[-1]: one for one in sources}

    def schedules(self) -> list[str]:
        return [one.name for one in self.app.event_sources if isinstance(one, ScheduledEventConfig)]

    def on_demand(self) -> list[str]:
        """Everything without a queue: schedules and functions that an operator invokes."""
        pure = [one.name for one in self.app.pure_lambda_functions]
        return [*self.schedules(), *pure]


class QueuePoller:
    """One queue's event source mapping: batches up to the trigger's size, deletes what succeeded, lets the rest
    come back. FIFO order holds because a batch is finished before the next is asked for."""

    def __init__(self, sqs: Any, queue: str, source: SQSEventConfig, functions: Functions) -> None:
        self._sqs = sqs
        self._url: str = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        self._queue = queue
        self._source = source
        self._functions = functions

    def poll(self) -> int:
        """Take and handle one batch; the number of messages in it."""
        messages = self._receive()
        if messages:
            failed = self._handle(messages)
            self._finish([one for one in messages if one["MessageId"] not in failed])
            self._return([one for one in messages if one["MessageId"] in failed])
        return len(messages)

    def _receive(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while len(messages) < self._source.batch_size:
            wanted = min(RECEIVE, self._source.batch_size - len(messages))
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=wanted,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            got = answer.get("Messages", [])
            messages += got
            if len(got) < wanted:
                break
        return messages

    def _handle(self, messages: list[dict[str, Any]]) -> set[str]:
        """Message ids to be retried: those the trigger names, or all of them when it raised."""
        event = {"Records": [as_record(one, self._queue) for one in messages]}
        try:
            answer = self._functions(self._source.name, event)
        except Exception:
            log.exception("%s failed with %d messages", self._source.name, len(messages))
            return {one["MessageId"] for one in messages}
        named = (answer or {}).get("batchItemFailures", []) if isinstance(answer, Mapping) or not answer else []
        return {one["itemIdentifier"] for one in named}

    def _finish(self, messages: list[dict[str, Any]]) -> None:
        for start in range(0, len(messages), RECEIVE):
            chunk = messages[start : start + RECEIVE]
            entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(chunk)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _return(self, messages: list[dict[str, Any]]) -> None:
        for one in messages:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=RETRY_SECONDS
            )


def as_record(message: Mapping[str, Any], queue: str) -> dict[str, Any]:
    """A received message in the form in which Lambda gives it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": dict(message.get("MessageAttributes", {})),
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws-cn:sqs:cn-north-1:123456789012:{queue}",
        "awsRegion": "cn-north-1",
    }


def scheduled_event(name: str) -> dict[str, Any]:
    """What EventBridge sends on a schedule."""
    return {
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "cn-north-1",
        "resources": [f"arn:aws-cn:events:cn-north-1:123456789012:rule/{name}"],
        "version": "0",
        "detail": {},
    }


class Poller:
    """All queues and schedules, one thread each."""

    def __init__(self, sqs: Any, functions: Functions) -> None:
        self._stop = Event()
        self._threads = [
            Thread(target=self._run, args=(QueuePoller(sqs, queue, source, functions).poll,), name=queue, daemon=True)
            for queue, source in functions.queues().items()
        ]
        for name in functions.schedules():
            for word, seconds in SCHEDULE_SECONDS.items():
                if word in name:
                    arguments = (functions, name, seconds)
                    self._threads.append(Thread(target=self._tick, args=arguments, name=name, daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is in the middle of something has STOP_SECONDS in all: whoever ends us waits no longer than for one."""
        self._stop.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(until - time.monotonic(), 0))

    def _run(self, poll: Callable[[], int]) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                taken = poll()
            except Exception:
                log.exception("polling failed")
                taken = 0
            if taken:
                pause = FIRST_PAUSE_SECONDS
            else:
                self._stop.wait(pause)
                pause = min(pause * 1.5, LAST_PAUSE_SECONDS)

    def _tick(self, functions: Functions, name: str, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                functions(name, scheduled_event(name))
            except Exception:
                log.exception("%s failed", name)
