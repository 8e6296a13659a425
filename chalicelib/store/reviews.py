from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.domain.consent import Doctor
from chalicelib.domain.page import Page
from chalicelib.domain.review import Review, Suspension
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import BENEATH, after_key, beneath, every, page_token
from chalicelib.store.visits import doctor_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KIND = "review"
NEW = "attribute_not_exists(PK)"
UNDECIDED = "review_state IN (:pending, :overdue)"
DUE_IN_SHARD = "GSI2PK = :shard AND GSI2SK < :after"
LOOKED_AT = 200  # reviews a call reads in search of undecided ones: most are among the newest
JUST_AFTER = "~"  # sorts after "#", so that what is due at this very instant is found


class DynamoReviews:
    """`REVIEW#{id}` under the hospital, on GSI2 while something is due; `SUSPENDED#{doctor}` beside them. Reviews are
    records: they have no TTL."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, review: Review) -> None:
        calls.put_if(self._client, self._table, _item(review), ConditionExpression=NEW)  # else it is there

    def get(self, hospital_id: str, review_id: str) -> Review | None:
        key = _key(hospital_id, keys.review(review_id))
        item = calls.get(self._client, self._table, key)
        return _review(item) if item else None

    def put(self, review: Review, doctor: Doctor | None = None) -> bool:
        writes: list[Any] = [self._put(_item(review), items.at_revision(review.revision))]
        if doctor is not None:
            account = items.key(keys.doctor(doctor.doctor_id), keys.PROFILE) | doctor_item(doctor)
            writes += [self._put(account, items.at_revision(doctor.revision)), self._listed(review.hospital_id, doctor)]
        return calls.together(self._client, writes)

    def suspended(self, hospital_id: str) -> tuple[Suspension, ...]:
        listed = beneath(self._client, self._table, keys.hospital(hospital_id), keys.SUSPENDED)
        return tuple(_suspension(item) for item in listed)

    def of_hospital(self, hospital_id: str, token: str, limit: int, *, undecided: bool = False) -> Page[Review]:
        """One more than the page is looked for, so that a page is full while more follow, and no empty one does."""
        values = {":pk": {"S": keys.hospital(hospital_id)}, ":kind": {"S": keys.REVIEWS}}
        states = {":pending": {"S": "pending"}, ":overdue": {"S": "overdue"}}
        narrowed: dict[str, Any] = {"FilterExpression": UNDECIDED} if undecided else {}
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=BENEATH,
            ExpressionAttributeValues=values | (states if undecided else {}),
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=LOOKED_AT if undecided else limit + 1,
            **narrowed,
            **after_key(keys.hospital(hospital_id), keys.REVIEWS, token),
        )
        page = list(islice(found, limit + 1))
        return Page(
            tuple(map(_review, page[:limit])), page_token(page[limit - 1] if page[limit:] else None, keys.REVIEWS)
        )

    def due(self, shard: int, until: datetime) -> Iterator[tuple[str, str]]:
        found = every(
            self._client,
            TableName=self._table,
            IndexName=keys.GSI2,
            KeyConditionExpression=DUE_IN_SHARD,
            ExpressionAttributeValues={
                ":shard": {"S": keys.due_shard(KIND, shard)},
                ":after": {"S": keys.instant(until) + JUST_AFTER},
            },
        )
        for item in found:
            yield items.text(item, "hospital_id"), items.text(item, "review_id")

    def _put(self, item: dict[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _listed(self, hospital_id: str, doctor: Doctor) -> dict[str, Any]:
        key = _key(hospital_id, keys.suspended(doctor.doctor_id))
        if not doctor.break_glass_stops:
            return {"Delete": {"TableName": self._table, "Key": key}}
        listed = items.attributes(doctor_id=doctor.doctor_id, name=doctor.name, reviews=doctor.break_glass_stops)
        return {"Put": {"TableName": self._table, "Item": key | listed}}


def _key(hospital_id: str, sk: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), sk)


def _suspension(item: items.Item) -> Suspension:
    return Suspension(items.text(item, "doctor_id"), items.text(item, "name"), items.texts(item, "reviews"))


def _item(review: Review) -> dict[str, Any]:
    item = _key(review.hospital_id, keys.review(review.review_id)) | items.attributes(
        review_id=review.review_id,
        kind=review.kind,
        hospital_id=review.hospital_id,
        doctor_id=review.doctor_id,
        opened_at=review.opened_at,
        due_at=review.due_at,
        review_state=review.state,
        person_id=review.person_id,
        encounter_id=review.encounter_id,
        reason=review.reason,
        text=review.text,
        witness=review.witness,
        met=review.count,
        was_frozen=review.was_frozen,
        objected_at=review.objected_at,
        objection=review.objection,
        reviewed_at=review.reviewed_at,
        reviewed_by=review.reviewed_by,
        note=review.note,
        lifted_at=review.lifted_at,
        lifted_by=review.lifted_by,
        revision=review.revision + 1,
    )
    if review.waits_for_due and review.due_at is not None:
        owner = f"{review.hospital_id}#{review.review_id}"
        item |= items.attributes(
            GSI2PK=keys.due_shard(KIND, keys.shard(owner)), GSI2SK=keys.due_order(review.due_at, owner)
        )
    return item


def _review(item: items.Item) -> Review:
    return Review(
        review_id=items.text(item, "review_id"),
        kind=item["kind"]["S"],
        hospital_id=items.text(item, "hospital_id"),
        doctor_id=items.text(item, "doctor_id"),
        opened_at=items.instant(item, "opened_at"),
        due_at=items.instant_or_none(item, "due_at"),
        state=item["review_state"]["S"],
        person_id=items.text(item, "person_id"),
        encounter_id=items.text(item, "encounter_id"),
        reason=items.text(item, "reason"),
        text=items.text(item, "text"),
        witness=items.text(item, "witness"),
        count=items.number(item, "met"),
        was_frozen=items.truth(item, "was_frozen"),
        objected_at=items.instant_or_none(item, "objected_at"),
        objection=items.text(item, "objection"),
        reviewed_at=items.instant_or_none(item, "reviewed_at"),
        reviewed_by=items.text(item, "reviewed_by"),
        note=items.text(item, "note"),
        lifted_at=items.instant_or_none(item, "lifted_at"),
        lifted_by=items.text(item, "lifted_by"),
        revision=items.number(item, "revision"),
    )
