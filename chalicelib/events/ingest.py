"""S3's events, as SQS brings them, → the ingest use cases → partial batch failures.

A message succeeds only if all its records are done. What cannot be understood is not dropped: it fails, and ends in
the dead letters. Logs say counts, never keys or bodies.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger

from chalicelib import wiring
from chalicelib.domain.upload_key import UNPACK, Uploaded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from chalicelib.events.context import Context

    Work = Callable[[Collection[Uploaded], Callable[[], bool]], frozenset[Uploaded]]

SPARE_MS: Final = 5_000  # no record is taken up with less time left (DESIGN §4.2)
SPARE_ARCHIVE_MS: Final = 60_000  # one entry of an archive may take a while to inflate and put

log = Logger(service="ingest")


def instances(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The queues `instances` and `instances-single`: the same work, the latter one message at a time."""
    return answer(event, wiring.ingest_batch(), _while_left(context, SPARE_MS))


def archives(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The queue `archives`."""
    return answer(event, wiring.unpack_archive(), _while_left(context, SPARE_ARCHIVE_MS))


def answer(event: Mapping[str, Any], work: Work, keep_going: Callable[[], bool]) -> dict[str, Any]:
    """Do a batch of SQS messages; the partial batch failures as Lambda wants them."""
    messages: dict[str, frozenset[Uploaded]] = {}
    failed = []
    for record in event["Records"]:
        try:
            messages[record["messageId"]] = uploads_of(record["body"])
        except MalformedEventError:
            failed.append(record["messageId"])
    malformed = len(failed)
    undone = work(frozenset().union(*messages.values()), keep_going) if messages else frozenset()
    failed += [message for message, objects in messages.items() if objects & undone]
    log.info("batch", extra={"messages": len(event["Records"]), "undone": len(undone), "malformed": malformed})
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


class MalformedEventError(Exception):
    """A message that is no S3 event. Its text is not repeated here: it may hold anything."""


def uploads_of(body: str) -> frozenset[Uploaded]:
    """The object versions that one message names. Keys come URL-encoded, blanks as `+`; S3's test event names none,
    events of other kinds than ObjectCreated neither."""
    try:
        event = json.loads(body)
        if event.get("Event") == "s3:TestEvent":
            return frozenset()
        return frozenset(
            _uploaded(record["s3"]["object"], record["eventName"])
            for record in event["Records"]
            if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:")
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise MalformedEventError from None


def _uploaded(told: Mapping[str, Any], event: str) -> Uploaded:
    """An event without `versionId` (moto's) names the current version: the GET's answer tells which."""
    size, version_id = told.get("size"), told.get("versionId")
    if not isinstance(size, int | None) or not isinstance(version_id, str | None):
        raise TypeError
    return Uploaded(unquote_plus(told["key"], errors="strict"), version_id, size, event == UNPACK)


def _while_left(context: Context, spare_ms: int) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() > spare_ms
