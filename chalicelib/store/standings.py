from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

from chalicelib.domain.page import Page
from chalicelib.domain.release import Standing, State
from chalicelib.store import batch, calls, items, keys
from chalicelib.store.pages import Listing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OWN = frozenset({"revision", "asked_at", "decided_at", "closed_at", "size", "offset", "state"})
_TEXTS = tuple(field.name for field in fields(Standing) if field.name not in _OWN)


class DynamoStandings:
    """Under their hospital, in GSI2 while they wait for a decision. What became of an upload names no person."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, entry_id: str) -> Standing:
        item = calls.get(self._client, self._table, _key(hospital_id, entry_id))
        return _standing(item) if item else Standing(hospital_id, entry_id)

    def of(self, hospital_id: str, entry_ids: Collection[str]) -> Mapping[str, Standing]:
        wanted = [_key(hospital_id, entry_id) for entry_id in sorted(set(entry_ids))]
        found = (_standing(item) for item in batch.get(self._client, self._table, wanted))
        return {standing.entry_id: standing for standing in found}

    def put(self, standing: Standing) -> bool:
        condition = items.at_revision(standing.revision)
        return calls.put_if(self._client, self._table, _item(standing), **condition)

    def restore(self, standing: Standing, *, settled: bool) -> None:
        earlier = "revision <= :kept" if settled else "revision < :kept"
        condition = {
            "ConditionExpression": f"attribute_not_exists(PK) OR {earlier}",
            "ExpressionAttributeValues": {":kept": items.attribute(standing.revision)},
        }
        calls.put_if(self._client, self._table, _item(replace(standing, revision=standing.revision - 1)), **condition)

    def asked(self, token: str, limit: int) -> Page[Standing]:
        found, following = ASKED.page(self._client, self._table, token, limit)
        return Page(tuple(map(_standing, found)), following)


def _key(hospital_id: str, entry_id: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), keys.quarantined(entry_id))


def _item(standing: Standing) -> dict[str, Any]:
    item = {
        **_key(standing.hospital_id, standing.entry_id),
        **items.attributes(
            **{name: getattr(standing, name) for name in _TEXTS},
            state=standing.state,
            size=standing.size,
            offset=standing.offset,
            asked_at=standing.asked_at,
            decided_at=standing.decided_at,
            closed_at=standing.closed_at,
            revision=standing.revision + 1,
        ),
    }
    if standing.state == "asked" and standing.asked_at:
        order = f"{keys.instant(standing.asked_at)}#{standing.hospital_id}#{standing.entry_id}"
        item |= {"GSI2PK": {"S": keys.ASKED_RELEASES}, "GSI2SK": {"S": order}}
    return item


def _standing(item: items.Item) -> Standing:
    return Standing(
        **{name: items.text(item, name) for name in _TEXTS},
        state=cast(State, items.text(item, "state")),
        size=items.number(item, "size"),
        offset=items.number(item, "offset"),
        asked_at=items.instant_or_none(item, "asked_at"),
        decided_at=items.instant_or_none(item, "decided_at"),
        closed_at=items.instant_or_none(item, "closed_at"),
        revision=items.number(item, "revision"),
    )


def _of_place(_asked_at: str, hospital_id: str, entry_id: str) -> dict[str, Any]:
    if not (hospital_id and entry_id):
        raise ValueError("an item has both")
    return _key(hospital_id, entry_id)


ASKED = Listing(keys.ASKED_RELEASES, _of_place)
