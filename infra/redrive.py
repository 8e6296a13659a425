"""Puts dead letters back into the queue they came from, once the fault that killed them is mended.

    python -m infra.redrive                    what lies in each dead-letter queue
    python -m infra.redrive instances-dead     puts them back, one by one  [--limit N] [--lang zh|en]

SQS has a redrive of its own, but not in China's partition; receiving, sending and deleting exist everywhere. Each
letter is deleted only after it was sent, so a run that is cut off loses nothing: what it sent twice is done twice,
harmlessly, as everything that comes by a queue. Only the number of messages is printed, never what is in them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress

from infra.local.__main__ import language

PREFIX = "imaging-cloud-"
DEAD = "-dead"
# What Lambda gives up of a schedule is no message for a queue: run the function again (infra/README.md).
NOT_REDRIVEN = "schedules-dead"
SEEN_SECONDS = 60  # a letter that was received but not deleted comes back after this
TEXTS = {
    "en": {
        "none": "no dead letters",
        "letters": "{name}: {count} letters",
        "schedules": "{name}: {count} events of schedules; run their functions again, then purge the queue",
        "unknown": "no dead-letter queue {name}; there are: {known}",
        "back": "{count} letters put back into {source}",
        "summary": "{name}: {left} still here; {source}: {waiting} waiting, {taken} just being done",
        "all": "in all: {count} letters in {queues} queues",
        "failed": "stopped after {count} letters: {error}. What was not put back lies where it lay; run it again.",
    },
    "zh": {
        "none": "没有死信",
        "letters": "{name}：{count} 条死信",
        "schedules": "{name}：{count} 个定时事件；请重新运行其函数，然后清空该队列",
        "unknown": "没有死信队列 {name}；现有：{known}",
        "back": "已将 {count} 条死信放回 {source}",
        "summary": "{name}：仍有 {left} 条；{source}：等待 {waiting} 条，正在处理 {taken} 条",
        "all": "共 {queues} 个队列，{count} 条死信",
        "failed": "放回 {count} 条后停止：{error}。未放回的仍在原处，请再运行一次。",
    },
}


@dataclass(frozen=True)
class DeadQueue:
    """A queue: `name` without the prefix; `count` waits there, `taken` is with somebody; both are SQS's estimates."""

    name: str
    url: str
    count: int
    taken: int = 0


def dead_queues(sqs: Any) -> list[DeadQueue]:
    found = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=PREFIX)
    urls = [url for page in found for url in page.get("QueueUrls", []) if DEAD in url]
    return sorted((_look(sqs, url) for url in urls), key=lambda one: one.name)


def _look(sqs: Any, url: str) -> DeadQueue:
    here, delayed, taken = (f"ApproximateNumberOfMessages{one}" for one in ("", "Delayed", "NotVisible"))
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[here, delayed, taken])["Attributes"]
    name = url.rsplit("/", 1)[-1].removeprefix(PREFIX)
    return DeadQueue(name, url, int(told[here]) + int(told[delayed]), int(told[taken]))


def source_of(sqs: Any, dead: DeadQueue) -> str:
    """URL of the one queue whose letters these are."""
    (url,) = sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"]
    return str(url)


def redrive(sqs: Any, dead: DeadQueue, limit: int) -> Iterator[int]:
    """Put back at most `limit` letters; yields how many so far. Ends when the queue gives no more."""
    source, done = source_of(sqs, dead), 0
    while done < limit:
        letters = sqs.receive_message(
            QueueUrl=dead.url,
            MaxNumberOfMessages=min(10, limit - done),
            VisibilityTimeout=SEEN_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not letters:
            return
        for letter in letters:
            sqs.send_message(QueueUrl=source, MessageBody=letter["Body"], **_kept(letter))
            sqs.delete_message(QueueUrl=dead.url, ReceiptHandle=letter["ReceiptHandle"])
            done += 1
            yield done


def _kept(letter: dict[str, Any]) -> dict[str, Any]:
    """What goes along: attributes, and in a FIFO queue the group. The deduplication id is new, or SQS would take the
    letter for the message it already had; it follows from the letter, so that putting it back twice is once."""
    kept: dict[str, Any] = {}
    if attributes := letter.get("MessageAttributes"):
        kept["MessageAttributes"] = attributes
    if group := letter.get("Attributes", {}).get("MessageGroupId"):
        kept |= {
            "MessageGroupId": group,
            "MessageDeduplicationId": hashlib.sha256(f"redriven:{letter['MessageId']}".encode()).hexdigest(),
        }
    return kept


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.redrive", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("queue", nargs="?", help="as the list names it")
    parser.add_argument("--limit", type=int, default=sys.maxsize, help="put back at most so many")
    parser.add_argument("--lang", choices=["zh", "en"], default=language(os.environ))
    asked = parser.parse_args(arguments)
    say, console, sqs = TEXTS[asked.lang], Console(highlight=False), boto3.client("sqs")
    try:
        found = {one.name: one for one in dead_queues(sqs)}
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    if asked.queue is None:
        _list(list(found.values()), say, console)
        return 0
    if asked.queue not in found or asked.queue == NOT_REDRIVEN:
        known = ", ".join(name for name in found if name != NOT_REDRIVEN)
        print(say["unknown"].format(name=asked.queue, known=known), file=sys.stderr)
        return 2
    return _put_back(sqs, found[asked.queue], asked.limit, say, console)


def _list(found: list[DeadQueue], say: dict[str, str], console: Console) -> None:
    full = [one for one in found if one.count]
    for one in full:
        console.print(
            say["schedules" if one.name == NOT_REDRIVEN else "letters"].format(name=one.name, count=one.count)
        )
    if full:
        console.print(say["all"].format(count=sum(one.count for one in full), queues=len(full)))
    else:
        console.print(say["none"])


def _put_back(sqs: Any, dead: DeadQueue, limit: int, say: dict[str, str], console: Console) -> int:
    done = 0
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(dead.name, total=min(limit, dead.count) or None)
            for done in redrive(sqs, dead, limit):
                progress.update(task, completed=done)
        here, there = _look(sqs, dead.url), _look(sqs, source_of(sqs, dead))
    except (BotoCoreError, ClientError) as error:
        console.print(say["failed"].format(count=done, error=error))
        return 1
    source = PREFIX + there.name
    console.print(say["back"].format(count=done, source=source))
    left = here.count + here.taken
    console.print(
        say["summary"].format(name=dead.name, left=left, source=source, waiting=there.count, taken=there.taken)
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
