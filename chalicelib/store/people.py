from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.store import items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LINKS_OF_PERSON = "PK = :pk AND begins_with(SK, :identities)"


class DynamoPeople:
    """Persons, links and phone holders in the main table. A link stands twice, written in one transaction: under its
    identity, and under its person."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def person(self, person_id: str) -> Person | None:
        item = self._get(keys.person(person_id), keys.PROFILE)
        return person_of_item(item) if item else None

    def link(self, identity: IdentityKey) -> Link | None:
        item = self._get(keys.identity(identity.issuer, identity.local_id), keys.IDENTITY_PERSON)
        return link_of_item(item) if item else None

    def links(self, person_id: str) -> tuple[Link, ...]:
        found: list[Link] = []
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": LINKS_OF_PERSON,
            "ExpressionAttributeValues": {":pk": {"S": keys.person(person_id)}, ":identities": {"S": "IDENTITY#"}},
            "ConsistentRead": True,
        }
        while True:
            answer = self._client.query(**query)
            found += [link_of_item(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return tuple(found)
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def save(self, change: LinkChange) -> bool:
        try:
            self._client.transact_write_items(TransactItems=self._writes(change))
        except self._client.exceptions.TransactionCanceledException as cancelled:
            if items.lost_race(cancelled.response):
                return False
            raise
        return True

    def phone_holder(self, phone_key: str) -> str:
        item = self._get(keys.phone(phone_key), keys.IDENTITY_PERSON)
        return items.text(item, "person_id") if item else ""

    def _writes(self, change: LinkChange) -> list[Any]:
        link, former = change.link, change.former
        identity = keys.identity(link.identity.issuer, link.identity.local_id)
        values = _link_item(link)
        writes = [
            self._put(identity, keys.IDENTITY_PERSON, values, items.at_revision(former.revision if former else 0)),
            self._put(keys.person(link.person_id), identity, values),
        ]
        if former is not None and former.person_id != link.person_id:
            key = {"PK": {"S": keys.person(former.person_id)}, "SK": {"S": identity}}
            writes.append({"Delete": {"TableName": self._table, "Key": key}})
        person = change.person
        if person is not None:
            read = items.at_revision(person.revision)
            writes.append(self._put(keys.person(person.person_id), keys.PROFILE, _person_item(person), read))
            if change.phone_key:
                holder = items.attributes(person_id=person.person_id)
                writes.append(self._put(keys.phone(change.phone_key), keys.IDENTITY_PERSON, holder))
        return writes

    def _put(self, pk: str, sk: str, values: items.Item, condition: items.Item | None = None) -> dict[str, Any]:
        item = {"PK": {"S": pk}, "SK": {"S": sk}, **values}
        return {"Put": {"TableName": self._table, "Item": item, **(condition or {})}}

    def _get(self, pk: str, sk: str) -> items.Item | None:
        key = {"PK": {"S": pk}, "SK": {"S": sk}}
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")


def person_of_item(item: items.Item) -> Person:
    return Person(
        person_id=items.text(item, "person_id"),
        name=items.text(item, "name"),
        sex=items.text(item, "sex"),
        birth_date=items.text(item, "birth_date"),
        phone=items.text(item, "phone"),
        phone_verified_at=items.instant_or_none(item, "phone_verified_at"),
        frozen_at=items.instant_or_none(item, "frozen_at"),
        session_epoch=items.number(item, "session_epoch"),
        revision=items.number(item, "revision"),
    )


def _person_item(person: Person) -> dict[str, Any]:
    return items.attributes(
        person_id=person.person_id,
        name=person.name,
        sex=person.sex,
        birth_date=person.birth_date,
        phone=person.phone,
        phone_verified_at=person.phone_verified_at,
        frozen_at=person.frozen_at,
        session_epoch=person.session_epoch,
        revision=person.revision + 1,
    )


def link_of_item(item: items.Item) -> Link:
    return Link(
        identity=IdentityKey(items.text(item, "issuer"), items.text(item, "local_id")),
        person_id=items.text(item, "person_id"),
        status=item["status"]["S"],
        linked_at=items.instant(item, "linked_at"),
        confirmed_by=item["confirmed_by"]["S"] if "confirmed_by" in item else None,
        confirmed_at=items.instant_or_none(item, "confirmed_at"),
        contested_because=items.text(item, "contested_because"),
        by_national_id=items.truth(item, "by_national_id"),
        names=items.texts(item, "names"),
        sex=items.text(item, "sex"),
        birth_date=items.text(item, "birth_date"),
        phone=items.text(item, "phone"),
        revision=items.number(item, "revision"),
    )


def _link_item(link: Link) -> dict[str, Any]:
    """`revision` counts writes of the identity's item, over relinks too."""
    return items.attributes(
        issuer=link.identity.issuer,
        local_id=link.identity.local_id,
        person_id=link.person_id,
        status=link.status,
        linked_at=link.linked_at,
        confirmed_by=link.confirmed_by,
        confirmed_at=link.confirmed_at,
        contested_because=link.contested_because,
        by_national_id=link.by_national_id,
        names=link.names,
        sex=link.sex,
        birth_date=link.birth_date,
        phone=link.phone,
        revision=link.revision + 1,
    )
