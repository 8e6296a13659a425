from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.exam import read, written
from chalicelib.domain.flag import Behind, Flag, FlaggedExam, Step
from chalicelib.domain.page import Page
from chalicelib.store import calls, day_keys, items, keys
from chalicelib.store.pages import BENEATH, Listing, after_key, every, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FROM_TO = "PK = :pk AND SK BETWEEN :first AND :last"
AFTER = "~"  # follows every character of a key


class DynamoFlags:
    """Flags beside their hospital, in GSI2 while open; each step of their history an item of its own, written with
    them. The exams that a flag names are compressed."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, day: str, rule: str) -> Flag | None:
        item = calls.get(self._client, self._table, _key(hospital_id, day, rule))
        return _flag(item) if item else None

    def put(self, flag: Flag, step: Step | None = None) -> bool:
        condition = items.at_revision(flag.revision)
        if step is None:
            return calls.put_if(self._client, self._table, _item(flag), **condition)
        writes = [
            {"Put": {"TableName": self._table, "Item": _item(flag), **condition}},
            {"Put": {"TableName": self._table, "Item": _step_item(flag, step)}},
        ]
        return calls.together(self._client, writes)

    def history(self, place: tuple[str, str, str], token: str, limit: int) -> Page[Step]:
        hospital_id, day, rule = place
        owner, kind = keys.hospital(hospital_id), day_keys.flag_steps(day, rule)
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=BENEATH,
            ExpressionAttributeValues=items.expression_values({":pk": owner, ":kind": kind}),
            ConsistentRead=True,
            Limit=limit,
            **after_key(owner, kind, token),
        )
        steps = tuple(_step(json.loads(item["step"]["S"])) for item in answer["Items"])
        return Page(steps, page_token(answer.get("LastEvaluatedKey"), kind))

    def of_hospital(self, hospital_id: str, first_day: str, last_day: str) -> tuple[Flag, ...]:
        first, last = keys.flag(first_day, ""), keys.flag(last_day, AFTER)
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=FROM_TO,
            ExpressionAttributeValues=items.expression_values(
                {":pk": keys.hospital(hospital_id), ":first": first, ":last": last}
            ),
            ConsistentRead=True,
        )
        return tuple(map(_flag, found))

    def open(self, token: str, limit: int) -> Page[Flag]:
        found, following = OPEN.page(self._client, self._table, token, limit)
        return Page(tuple(map(_flag, found)), following)


def _key(hospital_id: str, day: str, rule: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), keys.flag(day, rule))


def _item(flag: Flag) -> dict[str, Any]:
    """As it stands after this write."""
    behind = flag.behind
    exams = [[e.accession, e.use, e.standing, written(e.due_at), written(e.completed_at)] for e in behind.exams]
    body = {"exams": exams, "figures": behind.figures, "steps": [_step_values(step) for step in flag.steps]}
    item = _key(*flag.place) | items.attributes(
        hospital_id=flag.hospital_id,
        day=flag.day,
        rule=flag.rule,
        state=flag.state,
        total=behind.total,
        digest=behind.digest,
        raised_at=flag.raised_at,
        raises=flag.raises,
        published=flag.published,
        revision=flag.revision + 1,
        body=zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()),
    )
    if flag.is_open:
        item["GSI2PK"] = {"S": keys.OPEN_FLAGS}
        item["GSI2SK"] = {"S": f"{flag.day}#{flag.hospital_id}#{flag.rule}"}
    return item


def _flag(item: Mapping[str, Any]) -> Flag:
    body = json.loads(zlib.decompress(item["body"]["B"]))
    exams = (
        FlaggedExam(accession, use, standing, read(due_at), read(completed_at))
        for accession, use, standing, due_at, completed_at in body["exams"]
    )
    figures = tuple((name, count) for name, count in body["figures"])
    behind = Behind(figures, tuple(exams), items.number(item, "total"), items.text(item, "digest"))
    return Flag(
        hospital_id=item["hospital_id"]["S"],
        day=item["day"]["S"],
        rule=item["rule"]["S"],
        state=item["state"]["S"],
        behind=behind,
        raised_at=items.instant(item, "raised_at"),
        steps=tuple(map(_step, body["steps"])),
        raises=items.number(item, "raises"),
        published=items.number(item, "published"),
        revision=items.number(item, "revision"),
    )


def _step_item(flag: Flag, step: Step) -> dict[str, Any]:
    """Under the revision that the flag gets with it."""
    place = items.key(keys.hospital(flag.hospital_id), day_keys.flag_step(flag.day, flag.rule, flag.revision + 1))
    return place | {"step": {"S": json.dumps(_step_values(step), ensure_ascii=False)}}


def _step_values(step: Step) -> list[str]:
    return [step.at.isoformat(), step.state, step.by, step.role, step.text, step.verdict]


def _step(values: Any) -> Step:
    at, state, by, role, text, verdict = values
    return Step(datetime.fromisoformat(at), state, by, role, text, verdict)


def _of_place(day: str, hospital_id: str, rule: str) -> dict[str, Any]:
    return _key(hospital_id, day, rule)


OPEN = Listing(keys.OPEN_FLAGS, _of_place)
