from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from chalicelib.domain.identity import FormerLink, IdentityKey, Link, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import beneath

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


LEFT = "LEFT#"  # under the person: {instant}#{digest of the identity}


class DynamoPeople:
    """Persons, links and phone holders in the main table. A link stands twice, written in one transaction: under its
    identity, and under its person. What it was before it changed hands or status stays under its identity."""

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
        return self._links(keys.person(person_id), keys.IDENTITIES)

    def history(self, identity: IdentityKey) -> tuple[Link, ...]:
        return self._links(keys.identity(identity.issuer, identity.local_id), keys.FORMER_LINKS)

    def former_links(self, person_id: str) -> tuple[FormerLink, ...]:
        found = beneath(self._client, self._table, keys.person(person_id), LEFT)
        return tuple(_former_link(item) for item in found)

    def save(self, change: LinkChange) -> bool:
        return calls.together(self._client, self._writes(change))

    def save_person(self, person: Person, phone_key: str = "") -> bool:
        return calls.together(self._client, self._profile(person, phone_key))

    def phone_holder(self, phone_key: str) -> str:
        item = self._get(keys.phone(phone_key), keys.IDENTITY_PERSON)
        return items.text(item, "person_id") if item else ""

    def _links(self, pk: str, kind: str) -> tuple[Link, ...]:
        return tuple(link_of_item(item) for item in beneath(self._client, self._table, pk, kind))

    def _writes(self, change: LinkChange) -> list[Any]:
        link, former = change.link, change.former
        identity = keys.identity(link.identity.issuer, link.identity.local_id)
        values = _link_item(link)
        writes = [
            self._put(identity, keys.IDENTITY_PERSON, values, items.at_revision(former.revision if former else 0)),
            self._put(keys.person(link.person_id), identity, values),
        ]
        if former is not None and former.person_id != link.person_id:
            key = items.key(keys.person(former.person_id), identity)
            writes.append({"Delete": {"TableName": self._table, "Key": key}})
            writes.append(self._left(former, link))
        if former is not None and (former.person_id, former.status) != (link.person_id, link.status):
            writes.append(self._put(identity, keys.former_link(former.revision), _link_item(former)))
        return writes + (self._profile(change.person, change.phone_key) if change.person else [])

    def _left(self, former: Link, link: Link) -> dict[str, Any]:
        """What stays with the person whom a link leaves. The digest tells two numbers of one hospital apart."""
        identity = link.identity
        digest = hashlib.sha256(keys.identity(identity.issuer, identity.local_id).encode()).hexdigest()[:16]
        values = items.attributes(issuer=identity.issuer, linked_at=former.linked_at, until=link.linked_at)
        return self._put(keys.person(former.person_id), f"{LEFT}{keys.instant(link.linked_at)}#{digest}", values)

    def _profile(self, person: Person, phone_key: str) -> list[Any]:
        read = items.at_revision(person.revision)
        writes = [self._put(keys.person(person.person_id), keys.PROFILE, _person_item(person), read)]
        if phone_key:
            holder = items.attributes(person_id=person.person_id)
            writes.append(self._put(keys.phone(phone_key), keys.IDENTITY_PERSON, holder))
        return writes

    def _put(self, pk: str, sk: str, values: items.Item, condition: items.Item | None = None) -> dict[str, Any]:
        item = {**items.key(pk, sk), **values}
        return {"Put": {"TableName": self._table, "Item": item, **(condition or {})}}

    def _get(self, pk: str, sk: str) -> items.Item | None:
        return calls.get(self._client, self._table, items.key(pk, sk))


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
        phone_rule=item["phone_rule"]["S"] if "phone_rule" in item else "told_nobody",
        phone_desks=items.texts(item, "phone_desks"),
        phone_set_at=items.instant_or_none(item, "phone_set_at"),
        phone_opens_at=items.instant_or_none(item, "phone_opens_at"),
        phone_clerk=items.text(item, "phone_clerk"),
        former_phone=items.text(item, "former_phone"),
        former_phone_verified_at=items.instant_or_none(item, "former_phone_verified_at"),
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
        phone_rule=person.phone_rule,
        phone_desks=person.phone_desks,
        phone_set_at=person.phone_set_at,
        phone_opens_at=person.phone_opens_at,
        phone_clerk=person.phone_clerk,
        former_phone=person.former_phone,
        former_phone_verified_at=person.former_phone_verified_at,
        revision=person.revision + 1,
    )


def _former_link(item: items.Item) -> FormerLink:
    return FormerLink(items.text(item, "issuer"), items.instant(item, "linked_at"), items.instant(item, "until"))


def link_of_item(item: items.Item) -> Link:
    return Link(
        identity=IdentityKey(items.text(item, "issuer"), items.text(item, "local_id")),
        person_id=items.text(item, "person_id"),
        status=item["status"]["S"],
        linked_at=items.instant(item, "linked_at"),
        confirmed_by=item["confirmed_by"]["S"] if "confirmed_by" in item else None,
        confirmed_at=items.instant_or_none(item, "confirmed_at"),
        contested_because=items.text(item, "contested_because"),
        contested_by=items.text(item, "contested_by"),
        by_national_id=items.truth(item, "by_national_id"),
        names=items.texts(item, "names"),
        sex=items.text(item, "sex"),
        birth_date=items.text(item, "birth_date"),
        phone=items.text(item, "phone"),
        phone_told_at=items.instant_or_none(item, "phone_told_at"),
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
        contested_by=link.contested_by,
        by_national_id=link.by_national_id,
        names=link.names,
        sex=link.sex,
        birth_date=link.birth_date,
        phone=link.phone,
        phone_told_at=link.phone_told_at,
        revision=link.revision + 1,
    )
