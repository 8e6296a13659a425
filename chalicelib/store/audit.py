from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.page import Page
from chalicelib.domain.span import ALWAYS, Span
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import RANDOM_BYTES, ulid, ulid_floor
from chalicelib.store import items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEW_EVENT = "attribute_not_exists(PK)"
BY_PERSON = "by_person"
EVENTS_OF = "person_id = :person"
IN_SPAN = "SK BETWEEN :first AND :last"
ROUTINE = "#routine"
_PART = re.compile("[!-~]{1,128}")  # of an event's key; DynamoDB refuses an empty or a long one


class AuditConflict(Exception):  # noqa: N818 - the fact
    """Another event stands under this id."""


class DynamoAudit:
    """Events by hour and shard, never overwritten; `by_person` finds those a person may read (eventually)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, event: AuditEvent) -> None:
        """Raises AuditConflict, or whatever DynamoDB raises. The same event twice is one: a put whose answer was lost
        is sent again by the client, and must not deny what it recorded."""
        item = _item(event)
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=NEW_EVENT,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as failed:
            if failed.response.get("Item") != item:
                raise AuditConflict from failed

    def of_person(
        self, person_id: str, token: str, limit: int, *, routine: bool = False, span: Span = ALWAYS
    ) -> Page[AuditEvent]:
        """An event's id says when it was: a span is read as such, and nothing beside it. ValueError when `token` is
        none of ours, or of another span."""
        if span.is_empty:
            return Page(())
        listed, (lowest, highest) = _listed(person_id, routine=routine), _ids(span)
        start: dict[str, Any] = {"ExclusiveStartKey": _start(listed, token, lowest, highest)} if token else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName=BY_PERSON,
            KeyConditionExpression=f"{EVENTS_OF} AND {IN_SPAN}",
            ExpressionAttributeValues={":person": {"S": listed}, ":first": {"S": lowest}, ":last": {"S": highest}},
            ScanIndexForward=False,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(_event(item) for item in answer["Items"]), _token(last) if last else "")


def _item(event: AuditEvent) -> dict[str, Any]:
    return {
        "PK": {"S": keys.audit(event.at, event.event_id)},
        "SK": {"S": event.event_id},
        **items.attributes(
            at=event.at,
            action=event.action,
            role=event.role,
            subject=event.subject,
            hospital_id=event.hospital_id,
            allowed=event.allowed,
            reason=event.reason,
            person_id=_listed(event.person_id, routine=event.is_routine),
            study_hospital_id=event.study.hospital_id if event.study else "",
            study_instance_uid=event.study.study_instance_uid if event.study else "",
            encounter_id=event.encounter_id,
            basis=event.basis,
            consent_id=event.consent_id,
            guardian_id=event.guardian_id,
            purpose=event.purpose,
            route=event.route,
            statement=event.statement,
        ),
    }


def _event(item: items.Item) -> AuditEvent:
    uid = items.text(item, "study_instance_uid")
    return AuditEvent(
        event_id=items.text(item, "SK"),
        at=items.instant(item, "at"),
        action=items.text(item, "action"),
        role=items.text(item, "role"),
        subject=items.text(item, "subject"),
        hospital_id=items.text(item, "hospital_id"),
        allowed=items.truth(item, "allowed"),
        reason=items.text(item, "reason"),
        person_id=items.text(item, "person_id").removesuffix(ROUTINE),
        study=StudyRef(items.text(item, "study_hospital_id"), uid) if uid else None,
        encounter_id=items.text(item, "encounter_id"),
        basis=items.text(item, "basis"),
        consent_id=items.text(item, "consent_id"),
        guardian_id=items.text(item, "guardian_id"),
        purpose=items.text(item, "purpose"),
        route=items.text(item, "route"),
        statement=items.text(item, "statement"),
    )


def _listed(person_id: str, *, routine: bool) -> str:
    """Under which name the index lists an event. Two lists rather than a filter: no page of one is short because of
    what stands in the other."""
    return f"{person_id}{ROUTINE}" if routine and person_id else person_id


def _token(last: items.Item) -> str:
    body = json.dumps([last["PK"]["S"], last["SK"]["S"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def _ids(span: Span) -> tuple[str, str]:
    """The lowest and the highest id of it."""
    return ulid_floor(span.since), ulid(span.before - timedelta(milliseconds=1), b"\xff" * RANDOM_BYTES)


def _start(listed: str, token: str, lowest: str, highest: str) -> dict[str, Any]:
    """The token names an event, never the person: only their own list goes on from it."""
    try:
        pk, sk = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("not a continuation token") from None
    if not all(isinstance(part, str) and _PART.fullmatch(part) for part in (pk, sk)):
        raise ValueError("not a continuation token")
    if not lowest <= sk <= highest:
        raise ValueError("not a continuation token of this span")
    return {"PK": {"S": pk}, "SK": {"S": sk}, "person_id": {"S": listed}}
