from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.assisted import AssistedRequest
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.page import Page
from chalicelib.store import calls, items, keys
from chalicelib.store.pages import BENEATH, after_key, beneath, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=1)  # a request outlives its end by a day, for the TTL is never prompt
PAPER_KEPT = timedelta(days=3 * 365)  # as long as a provision of data is to be provable (网络数据条例 12)
UNCONFIRMED = "dies_at > :now AND attribute_not_exists(confirmed_at)"
SET_WITNESS = "SET confirmed_at = :now, witness = :witness"
NEW = "attribute_not_exists(PK)"
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
        item = calls.get(self._client, self._table, key)
        return _request(item) if item else None

    def open_at(self, hospital_id: str, now: datetime) -> tuple[AssistedRequest, ...]:
        listed = beneath(self._client, self._table, keys.hospital(hospital_id), keys.ASSISTED)
        found = [_request(item) for item in listed]
        return tuple(sorted((one for one in found if one.is_open(now)), key=lambda one: one.request_id, reverse=True))

    def confirm(self, request: AssistedRequest, witness: str, now: datetime) -> bool:
        key = _key(request.hospital_id, keys.assisted(request.request_id))
        values: dict[str, items.Value] = {":now": now, ":witness": witness}
        how = {"UpdateExpression": SET_WITNESS, "ConditionExpression": UNCONFIRMED}
        done = calls.update_if(self._client, self._table, key, values, **how)
        return done is not None


class DynamoHandOvers:
    """`HANDOVER#{consent}` under the hospital; consents sort by time."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, paper: HandOver) -> None:
        calls.put_if(self._client, self._table, _paper_item(paper), ConditionExpression=NEW)  # else it is there

    def get(self, hospital_id: str, consent_id: str) -> HandOver | None:
        key = _key(hospital_id, keys.hand_over(consent_id))
        item = calls.get(self._client, self._table, key)
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
        return calls.put_if(self._client, self._table, _paper_item(paper), **items.at_revision(paper.revision))


def _key(hospital_id: str, sk: str) -> dict[str, Any]:
    return items.key(keys.hospital(hospital_id), sk)


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
