from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.code import WRONG_PER_CODE, Code
from chalicelib.domain.consent import Consent
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.request import Answer, Request
from chalicelib.domain.study import StudyRef
from chalicelib.domain.ulid import ulid_floor
from chalicelib.store import batch, calls, items, keys
from chalicelib.store.pages import beneath, every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=1)  # a request and its code outlive their end by a day, for the TTL is never prompt
AFTER_ALL = "~"  # sorts after every ULID

CODE_LIVE = "attempts < :limit AND dies_at > :now"
COUNT_ATTEMPT = "ADD attempts :one"
UNANSWERED = "dies_at > :now AND attribute_not_exists(decision)"
SET_ANSWER = "SET decision = :decision, basis = :basis, answered_at = :at, answered_by = :by, consent_id = :consent"
NEW_CONSENT = "attribute_not_exists(PK)"
CONSENT_EXISTS = "attribute_exists(PK)"
TAKE_BACK = "SET revoked_at = if_not_exists(revoked_at, :now)"
OF_DOCTOR = "PK = :pk AND SK BETWEEN :first AND :last"


class DynamoConsents:
    """Requests with their codes, and consents, under the person they ask. Consents are records: they have no TTL."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def ask(self, request: Request, code: Code) -> None:
        batch.put(self._client, self._table, [_request_item(request), _code_item(request.owner, code)])

    def asked(self, owner: str, request_id: str) -> tuple[Request, Code] | None:
        wanted = [_key(owner, keys.request(request_id)), _key(owner, keys.code(request_id))]
        found = {item["SK"]["S"]: item for item in batch.get(self._client, self._table, wanted)}
        if len(found) != len(wanted):
            return None
        return _request(found[keys.request(request_id)]), _code(found[keys.code(request_id)])

    def attempt(self, owner: str, request_id: str, now: datetime) -> int | None:
        key = _key(owner, keys.code(request_id))
        values: dict[str, items.Value] = {":one": 1, ":limit": WRONG_PER_CODE.count, ":now": now}
        how = {"UpdateExpression": COUNT_ATTEMPT, "ConditionExpression": CODE_LIVE}
        answer = calls.update_if(self._client, self._table, key, values, **how)
        return None if answer is None else WRONG_PER_CODE.count - items.number(answer, "attempts")

    def requests(self, owner: str) -> tuple[Request, ...]:
        listed = beneath(self._client, self._table, keys.person(owner), keys.REQUESTS)
        found = [_request(item) for item in listed]
        return tuple(sorted(found, key=lambda request: request.request_id, reverse=True))

    def answer(
        self,
        request: Request,
        answer: Answer,
        consent: Consent | None,
        now: datetime,
        under: Guardianship | None = None,
    ) -> bool:
        update = {"Update": self._answer(request, answer, now)}
        return calls.together(self._client, [update, *(self._new(consent) if consent else []), *self._still(under)])

    def _new(self, consent: Consent) -> list[Any]:
        """The consent, and the doctor's own pointer to its person."""
        new = {"TableName": self._table, "Item": _consent_item(consent), "ConditionExpression": NEW_CONSENT}
        return [{"Put": new}, {"Put": {"TableName": self._table, "Item": _holding_item(consent)}}]

    def _still(self, under: Guardianship | None) -> list[Any]:
        """That the guardianship is as it was read: what stops it finds every consent given under it, or prevents it."""
        if under is None:
            return []
        key = _key(under.ward_id, keys.guardian(under.guardian_id))
        return [{"ConditionCheck": {"TableName": self._table, "Key": key, **items.at_revision(under.revision)}}]

    def _answer(self, request: Request, answer: Answer, now: datetime) -> dict[str, Any]:
        values: dict[str, items.Value] = {
            ":decision": answer.decision,
            ":basis": answer.basis,
            ":at": answer.at,
            ":by": answer.by,
            ":consent": answer.consent_id,
            ":now": now,
        }
        return {
            "TableName": self._table,
            "Key": _key(request.owner, keys.request(request.request_id)),
            "UpdateExpression": SET_ANSWER,
            "ConditionExpression": UNANSWERED,
            "ExpressionAttributeValues": items.expression_values(values),
        }

    def put(self, consent: Consent, under: Guardianship | None = None) -> bool:
        if under is not None:
            return calls.together(self._client, [*self._new(consent), *self._still(under)])
        batch.put(self._client, self._table, [_holding_item(consent), _consent_item(consent)])
        return True

    def persons_of(self, doctor_id: str, now: datetime) -> tuple[str, ...]:
        bounds = {":first": {"S": keys.holding(now, "")}, ":last": {"S": keys.HOLDINGS + AFTER_ALL}}
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=OF_DOCTOR,
            ExpressionAttributeValues={":pk": {"S": keys.doctor(doctor_id)}, **bounds},
            ConsistentRead=True,
        )
        return tuple(dict.fromkeys(items.text(item, "person_id") for item in found))

    def of_doctor(self, person_id: str, doctor_id: str, since: datetime) -> tuple[Consent, ...]:
        prefix = keys.consents_of(doctor_id)
        bounds = {":first": {"S": prefix + ulid_floor(since)}, ":last": {"S": prefix + AFTER_ALL}}
        found = every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=OF_DOCTOR,
            ExpressionAttributeValues={":pk": {"S": keys.person(person_id)}, **bounds},
            ConsistentRead=True,
        )
        return tuple(_consent(item) for item in found)

    def of_person(self, person_id: str) -> tuple[Consent, ...]:
        listed = beneath(self._client, self._table, keys.person(person_id), keys.CONSENTS)
        found = [_consent(item) for item in listed]
        return tuple(sorted(found, key=lambda consent: consent.consent_id, reverse=True))

    def revoke(self, consent: Consent, now: datetime) -> Consent:
        key = _key(consent.person_id, keys.consent(consent.doctor_id, consent.consent_id))
        how = {"UpdateExpression": TAKE_BACK, "ConditionExpression": CONSENT_EXISTS}
        answer = calls.update_if(self._client, self._table, key, {":now": now}, **how)
        if answer is None:
            raise LookupError("no such consent")
        return _consent(answer)


def _key(owner: str, sk: str) -> dict[str, Any]:
    return items.key(keys.person(owner), sk)


def _forget(at: datetime) -> int:
    return int((at + KEPT).timestamp())


def _request_item(request: Request) -> dict[str, Any]:
    return _key(request.owner, keys.request(request.request_id)) | items.attributes(
        request_id=request.request_id,
        owner=request.owner,
        doctor_id=request.doctor_id,
        hospital_id=request.hospital_id,
        encounter_id=request.encounter_id,
        issuer=request.identity.issuer,
        local_id=request.identity.local_id,
        scope=request.scope,
        purpose=request.purpose,
        asked_at=request.asked_at,
        listed=request.listed,
        code_holder=request.code_holder,
        only=request.only,
        dies_at=request.expires_at,
        expires_at=_forget(request.expires_at),
    )


def _request(item: items.Item) -> Request:
    return Request(
        request_id=items.text(item, "request_id"),
        owner=items.text(item, "owner"),
        doctor_id=items.text(item, "doctor_id"),
        hospital_id=items.text(item, "hospital_id"),
        encounter_id=items.text(item, "encounter_id"),
        identity=IdentityKey(items.text(item, "issuer"), items.text(item, "local_id")),
        scope=item["scope"]["S"],
        purpose=item["purpose"]["S"],
        asked_at=items.instant(item, "asked_at"),
        expires_at=items.instant(item, "dies_at"),
        listed=items.truth(item, "listed"),
        code_holder=items.text(item, "code_holder"),
        only=items.texts(item, "only"),
        answer=_answer(item) if "decision" in item else None,
    )


def _answer(item: items.Item) -> Answer:
    return Answer(
        decision=item["decision"]["S"],
        basis=item["basis"]["S"],
        at=items.instant(item, "answered_at"),
        by=items.text(item, "answered_by"),
        consent_id=items.text(item, "consent_id"),
    )


def _code_item(owner: str, code: Code) -> dict[str, Any]:
    return _key(owner, keys.code(code.request_id)) | items.attributes(
        request_id=code.request_id,
        mac=code.mac,
        reachable=code.reachable,
        attempts=code.attempts,
        dies_at=code.expires_at,
        expires_at=_forget(code.expires_at),
    )


def _code(item: items.Item) -> Code:
    return Code(
        request_id=items.text(item, "request_id"),
        mac=item["mac"]["B"],
        reachable=items.truth(item, "reachable"),
        expires_at=items.instant(item, "dies_at"),
        attempts=items.number(item, "attempts"),
    )


def _consent_item(consent: Consent) -> dict[str, Any]:
    """The study list is compressed: UIDs share their roots, and a long record must fit an item of 400 KB."""
    refs = sorted([ref.hospital_id, ref.study_instance_uid] for ref in consent.studies)
    return _key(consent.person_id, keys.consent(consent.doctor_id, consent.consent_id)) | items.attributes(
        consent_id=consent.consent_id,
        person_id=consent.person_id,
        doctor_id=consent.doctor_id,
        hospital_id=consent.hospital_id,
        encounter_id=consent.encounter_id,
        basis=consent.basis,
        scope=consent.scope,
        issuer=consent.identity.issuer,
        local_id=consent.identity.local_id,
        purpose=consent.purpose,
        notice_version=consent.notice_version,
        body=zlib.compress(json.dumps(refs, separators=(",", ":")).encode(), 6),
        granted_at=consent.granted_at,
        ends_at=consent.expires_at,
        revoked_at=consent.revoked_at,
        given_by=consent.given_by,
    )


def _holding_item(consent: Consent) -> dict[str, Any]:
    """For the doctor's searches, by when it ends: whether it is live, only the consent itself says."""
    key = items.key(keys.doctor(consent.doctor_id), keys.holding(consent.ends_at, consent.consent_id))
    return key | items.attributes(person_id=consent.person_id, expires_at=_forget(consent.ends_at))


def _consent(item: items.Item) -> Consent:
    refs = json.loads(zlib.decompress(item["body"]["B"]))
    return Consent(
        consent_id=items.text(item, "consent_id"),
        person_id=items.text(item, "person_id"),
        doctor_id=items.text(item, "doctor_id"),
        hospital_id=items.text(item, "hospital_id"),
        encounter_id=items.text(item, "encounter_id"),
        basis=item["basis"]["S"],
        scope=item["scope"]["S"],
        identity=IdentityKey(items.text(item, "issuer"), items.text(item, "local_id")),
        purpose=item["purpose"]["S"],
        notice_version=items.text(item, "notice_version"),
        studies=frozenset(StudyRef(*ref) for ref in refs),
        granted_at=items.instant(item, "granted_at"),
        expires_at=items.instant(item, "ends_at"),
        revoked_at=items.instant_or_none(item, "revoked_at"),
        given_by=items.text(item, "given_by"),
    )
