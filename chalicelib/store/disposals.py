from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.disposal import Act, Disposal, Item, Outcome, Stated, Verdict
from chalicelib.domain.page import Page
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import BENEATH, Listing, after_key, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DISPOSALS = "DISPOSAL#"
NOT_DONE = "DISPOSAL#OPEN"


class DynamoDisposals:
    """`DISPOSAL#{id}` under the hospital, on GSI2 until it is refused or executed; its studies are compressed."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, disposal_id: str) -> Disposal | None:
        item = calls.get(self._client, self._table, _key(hospital_id, disposal_id))
        return _disposal(item) if item else None

    def put(self, disposal: Disposal) -> bool:
        return calls.put_if(self._client, self._table, _item(disposal), **items.at_revision(disposal.revision))

    def of_hospital(self, hospital_id: str, token: str, limit: int) -> Page[Disposal]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=BENEATH,
            ExpressionAttributeValues={":pk": {"S": keys.hospital(hospital_id)}, ":kind": {"S": DISPOSALS}},
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=limit,
            **after_key(keys.hospital(hospital_id), DISPOSALS, token),
        )
        return Page(tuple(map(_disposal, answer["Items"])), page_token(answer.get("LastEvaluatedKey"), DISPOSALS))

    def open(self, token: str, limit: int) -> Page[Disposal]:
        """What has lapsed stays in the index: last."""
        found, following = OPEN.page(self._client, self._table, token, limit)
        return Page(tuple(map(_disposal, found)), following)


def _key(hospital_id: str, disposal_id: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), f"{DISPOSALS}{keys.text(disposal_id)}")


def _item(disposal: Disposal) -> dict[str, Any]:
    body = {
        "acts": {name: _act(getattr(disposal, name)) for name in ("proposed", "officer", "regulator", "refused")},
        "items": [
            {"stated": _days(asdict(one.stated)), "verdict": _days(asdict(one.verdict))} for one in disposal.items
        ],
        "outcomes": [_days(asdict(one)) for one in disposal.outcomes],
    }
    item = _key(disposal.hospital_id, disposal.disposal_id) | items.attributes(
        disposal_id=disposal.disposal_id,
        hospital_id=disposal.hospital_id,
        refusal=disposal.refusal,
        begun_at=disposal.begun_at,
        executed_at=disposal.executed_at,
        certificate=disposal.certificate,
        revision=disposal.revision + 1,
        body=zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()),
    )
    if disposal.refused is None and disposal.executed_at is None:
        order = f"{disposal.disposal_id}#{disposal.hospital_id}"
        item |= items.attributes(GSI2PK=NOT_DONE, GSI2SK=order)
    return item


def _disposal(item: items.Item) -> Disposal:
    body: dict[str, Any] = json.loads(zlib.decompress(item["body"]["B"]))
    acts = {
        name: Act(told[0], datetime.fromisoformat(told[1])) if told else None for name, told in body["acts"].items()
    }
    proposed = acts["proposed"]
    if proposed is None:
        raise ValueError("a proposal that nobody made")
    return Disposal(
        disposal_id=items.text(item, "disposal_id"),
        hospital_id=items.text(item, "hospital_id"),
        proposed=proposed,
        items=tuple(Item(_stated(one["stated"]), _verdict(one["verdict"])) for one in body["items"]),
        officer=acts["officer"],
        regulator=acts["regulator"],
        refused=acts["refused"],
        refusal=items.text(item, "refusal"),
        begun_at=items.instant_or_none(item, "begun_at"),
        outcomes=tuple(Outcome(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in body["outcomes"]),
        executed_at=items.instant_or_none(item, "executed_at"),
        certificate=items.text(item, "certificate"),
        revision=items.number(item, "revision"),
    )


def _act(act: Act | None) -> list[str] | None:
    return [act.by, act.at.isoformat()] if act else None


def _days(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _stated(told: Mapping[str, Any]) -> Stated:
    return Stated(told["study_instance_uid"], date.fromisoformat(told["last_visit"]), _day(told["last_discharge"]))


def _verdict(told: Mapping[str, Any]) -> Verdict:
    days = {name: _day(told[name]) for name in ("keep_through", "exam_day")}
    return Verdict(**{**told, **days, "modalities": tuple(told["modalities"])})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _of_place(disposal_id: str, hospital_id: str) -> dict[str, Any]:
    if not (disposal_id and hospital_id):
        raise ValueError("an item has both")
    return _key(hospital_id, disposal_id)


OPEN = Listing(NOT_DONE, _of_place, newest_first=True)
