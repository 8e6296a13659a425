from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.assisted import AssistedRequest
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.page import Page
from chalicelib.store import items, keys
from chalicelib.store.pages import after_key, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=1)  # a request outlives its end by a day, for the TTL is never prompt
PAPER_KEPT = timedelta(days=3 * 365)  # as long as a provision of data is to be provable (网络数据条例 12)
UNCONFIRMED = "dies_at > :now AND attribute_not_exists(confirmed_at)"
SET_WITNESS = "SET confirmed_at = :now, witness = :witness"
NEW = "attribute_not_exists(PK)"
BENEATH = "PK = :pk AND begins_with(SK, :kind)"
NOT_DONE = "attribute_not_exists(done_at)"


class DynamoAssistedRequests:
    """`ASSISTED#{request}` under the doctor's hospital."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def ask(self, request: AssistedRequest) -> None:
        self._client.put_item(TableName=self._table, Item=_request_item(request))

    def get(self, hospital_id: str, request_id: str) -> AssistedRequest | None:
        key = _key(hospital_id, keys.assisted(request_id))
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return _request(item) if item else None

    def open_at(self, hospital_id: str, now: datetime) -> tuple[AssistedRequest, ...]:
        found = [_request(item) for item in self._of_hospital(hospital_id)]
        return tuple(sorted((one for one in found if one.is_open(now)), key=lambda one: one.request_id, reverse=True))

    def confirm(self, request: AssistedRequest, witness: str, now: datetime) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(request.hospital_id, keys.assisted(request.request_id)),
                UpdateExpression=SET_WITNESS,
                ConditionExpression=UNCONFIRMED,
                ExpressionAttributeValues={":now": items.attribute(now), ":witness": items.attribute(witness)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _of_hospital(self, hospital_id: str) -> Iterator[items.Item]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": BENEATH,
            "ExpressionAttributeValues": {":pk": {"S": keys.hospital(hospital_id)}, ":kind": {"S": keys.ASSISTED}},
            "ConsistentRead": True,
        }
        while True:
            answer = self._client.query(**query)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


class DynamoHandOvers:
    """`HANDOVER#{consent}` under the hospital; consents sort by time."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, paper: HandOver) -> None:
        try:
            self._client.put_item(TableName=self._table, Item=_paper_item(paper), ConditionExpression=NEW)
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # it is there

    def get(self, hospital_id: str, consent_id: str) -> HandOver | None:
        key = _key(hospital_id, keys.hand_over(consent_id))
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return _paper(item) if item else None

    def waiting(self, hospital_id: str, token: str, limit: int) -> Page[HandOver]:
        start = after_key(keys.hospital(hospital_id), keys.HAND_OVERS, token)
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=BENEATH,
            FilterExpression=NOT_DONE,
            ExpressionAttributeValues={":pk": {"S": keys.hospital(hospital_id)}, ":kind": {"S": keys.HAND_OVERS}},
            ConsistentRead=True,
            Limit=limit,
            **start,
        )
        return Page(
            tuple(_paper(item) for item in answer["Items"]),
            page_token(answer.get("LastEvaluatedKey"), keys.HAND_OVERS),
        )

    def put(self, paper: HandOver) -> bool:
        try:
            self._client.put_item(TableName=self._table, Item=_paper_item(paper), **items.at_revision(paper.revision))
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(hospital_id: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": keys.hospital(hospital_id)}, "SK": {"S": sk}}


def _request_item(request: AssistedRequest) -> dict[str, Any]:
    return _key(request.hospital_id, keys.assisted(request.request_id)) | items.attributes(
        request_id=request.request_id,
        hospital_id=request.hospital_id,
        encounter_id=request.encounter_id,
        doctor_id=request.doctor_id,
        person_id=request.person_id,
        issuer=request.identity.issuer,
        local_id=request.identity.local_id,
        reason=request.reason,
        asked_at=request.asked_at,
        dies_at=request.expires_at,
        witness=request.witness,
        confirmed_at=request.confirmed_at,
        expires_at=int((request.expires_at + KEPT).timestamp()),
    )


def _request(item: items.Item) -> AssistedRequest:
    return AssistedRequest(
        request_id=items.text(item, "request_id"),
        hospital_id=items.text(item, "hospital_id"),
        encounter_id=items.text(item, "encounter_id"),
        doctor_id=items.text(item, "doctor_id"),
        person_id=items.text(item, "person_id"),
        identity=IdentityKey(items.text(item, "issuer"), items.text(item, "local_id")),
        reason=item["reason"]["S"],
        asked_at=items.instant(item, "asked_at"),
        expires_at=items.instant(item, "dies_at"),
        witness=items.text(item, "witness"),
        confirmed_at=items.instant_or_none(item, "confirmed_at"),
    )


def _paper_item(paper: HandOver) -> dict[str, Any]:
    return _key(paper.hospital_id, keys.hand_over(paper.consent_id)) | items.attributes(
        consent_id=paper.consent_id,
        hospital_id=paper.hospital_id,
        patient_id=paper.patient_id,
        encounter_id=paper.encounter_id,
        doctor_id=paper.doctor_id,
        witness=paper.witness,
        reason=paper.reason,
        at=paper.at,
        how=paper.how,
        done_by=paper.done_by,
        done_at=paper.done_at,
        expires_at=int((paper.at + PAPER_KEPT).timestamp()),
        revision=paper.revision + 1,
    )


def _paper(item: items.Item) -> HandOver:
    return HandOver(
        consent_id=items.text(item, "consent_id"),
        hospital_id=items.text(item, "hospital_id"),
        patient_id=items.text(item, "patient_id"),
        encounter_id=items.text(item, "encounter_id"),
        doctor_id=items.text(item, "doctor_id"),
        witness=items.text(item, "witness"),
        reason=item["reason"]["S"],
        at=items.instant(item, "at"),
        how=item["how"]["S"] if "how" in item else None,
        done_by=items.text(item, "done_by"),
        done_at=items.instant_or_none(item, "done_at"),
        revision=items.number(item, "revision"),
    )
