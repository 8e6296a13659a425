"""The journal table (DESIGN §4.4): one item per instance, compressed PACK parts for a pack. Only blind puts."""

from __future__ import annotations

import json
import time
import zlib
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chalicelib.domain.entry_codec import entry_from_json, entry_to_json
from chalicelib.store import batch, keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.domain.study import Entry, StudyRef

KEPT: Final = timedelta(days=45)
# What entries commonly say, for zlib to begin with: an instance's item takes one write unit instead of two. Items are
# read with the words they were written with, so these stay as they are while anything written with them lives.
_WORDS: Final = Path(__file__).with_name("journal_words.txt").read_bytes()
_PART: Final = 300_000  # bytes of one compressed part; an item may hold 400 KB


class DynamoJournal:
    def __init__(self, client: DynamoDBClient, table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep

    def write(self, received: Mapping[StudyRef, Sequence[Entry]], now: datetime) -> None:
        expires = {"N": str(int((now + KEPT).timestamp()))}
        # A batch with the same key twice is refused whole: the key decides what is one item.
        items = {
            (partition, order): {"PK": {"S": partition}, "SK": {"S": order}, "body": {"B": body}, "expires_at": expires}
            for ref, entries in received.items()
            for partition, order, body in _items(ref, entries)
        }
        batch.put(self._client, self._table, list(items.values()), self._sleep)

    def read(self, ref: StudyRef) -> tuple[Entry, ...]:
        return tuple(entry for body in self._bodies(ref) for entry in _unpack(body))

    def _bodies(self, ref: StudyRef) -> Iterator[bytes]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :study",
            ExpressionAttributeValues={":study": {"S": keys.journal(ref)}},
            ProjectionExpression="body",
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield item["body"]["B"]


def _items(ref: StudyRef, entries: Sequence[Entry]) -> Iterator[tuple[str, str, bytes]]:
    """(PK, SK, body) of every item: the same entries give the same items, whatever their order."""
    versions: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        versions[entry.place.version_id].append(entry)
    partition = keys.journal(ref)
    for version_id, of_version in versions.items():
        if len(of_version) == 1:
            entry = of_version[0]
            order = keys.journal_instance(entry.header.sop_instance_uid, version_id, entry.place.offset)
            yield partition, order, _pack(of_version)
        else:
            for number, body in enumerate(_parts(sorted(of_version, key=lambda entry: entry.order))):
                yield partition, keys.journal_pack(version_id, number), body


def _parts(entries: Sequence[Entry]) -> Iterable[bytes]:
    """Halved until each part fits: the cut depends on the pack alone, so a repetition writes the same parts."""
    body = _pack(entries)
    if len(body) <= _PART or len(entries) == 1:
        return [body]
    half = len(entries) // 2
    return [*_parts(entries[:half]), *_parts(entries[half:])]


def _pack(entries: Sequence[Entry]) -> bytes:
    told = json.dumps([entry_to_json(entry) for entry in entries], ensure_ascii=False, separators=(",", ":"))
    squeeze = zlib.compressobj(6, zdict=_WORDS)
    return squeeze.compress(told.encode()) + squeeze.flush()


def _unpack(body: bytes) -> Iterator[Entry]:
    return (entry_from_json(told) for told in json.loads(zlib.decompressobj(zdict=_WORDS).decompress(body)))
