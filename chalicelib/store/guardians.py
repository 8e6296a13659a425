"""Guardianships, what persons are told in the app, and QRs on show: small items under a person, or under a hash."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.in_app import InAppNotice
from chalicelib.domain.page import Page
from chalicelib.domain.qr import ShownQr
from chalicelib.domain.study import StudyRef
from chalicelib.store import batch, calls, items, keys
from chalicelib.store.pages import BENEATH, after_key, beneath, page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

QR_UNSPENT = "dies_at > :now AND attribute_not_exists(spent_at)"
SPEND_QR = "SET spent_at = :now"
TOLD_KEPT = timedelta(days=3 * 365)  # as long as a provision of data is to be provable (网络数据条例 12)
QR_KEPT = timedelta(days=1)


class DynamoGuardians:
    """`GUARDIAN#{guardian}` under the ward is the truth; `WARD#{reference}` under the guardian leads to it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, ward_id: str, guardian_id: str) -> Guardianship | None:
        item = self._get(keys.person(ward_id), keys.guardian(guardian_id))
        return _guardianship(item) if item else None

    def of_ward(self, ward_id: str) -> tuple[Guardianship, ...]:
        held = beneath(self._client, self._table, keys.person(ward_id), keys.GUARDIANS)
        return tuple(_guardianship(item) for item in held)

    def of_guardian(self, guardian_id: str) -> tuple[Guardianship, ...]:
        leads = beneath(self._client, self._table, keys.person(guardian_id), keys.WARDS)
        wards = [items.text(item, "ward_id") for item in leads]
        wanted = [items.key(keys.person(ward_id), keys.guardian(guardian_id)) for ward_id in wards]
        found = [_guardianship(item) for item in batch.get(self._client, self._table, wanted)]
        return tuple(sorted(found, key=lambda one: one.ward))

    def by_reference(self, guardian_id: str, ward: str) -> Guardianship | None:
        item = self._get(keys.person(guardian_id), keys.ward(ward))
        return self.get(items.text(item, "ward_id"), guardian_id) if item else None

    def put(self, guardianship: Guardianship) -> bool:
        truth = items.key(keys.person(guardianship.ward_id), keys.guardian(guardianship.guardian_id))
        lead = items.key(keys.person(guardianship.guardian_id), keys.ward(guardianship.ward))
        lead |= items.attributes(ward_id=guardianship.ward_id)
        read = items.at_revision(guardianship.revision)
        writes: list[Any] = [
            {"Put": {"TableName": self._table, "Item": truth | _guardianship_item(guardianship), **read}},
            {"Put": {"TableName": self._table, "Item": lead}},
        ]
        return calls.together(self._client, writes)

    def _get(self, pk: str, sk: str) -> items.Item | None:
        return calls.get(self._client, self._table, items.key(pk, sk))


class DynamoInAppNotices:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def tell(self, notice: InAppNotice) -> None:
        self._client.put_item(TableName=self._table, Item=_notice_item(notice))

    def of_person(self, person_id: str, token: str, limit: int) -> Page[InAppNotice]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=BENEATH,
            ExpressionAttributeValues={":pk": {"S": keys.person(person_id)}, ":kind": {"S": keys.TOLD}},
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=limit,
            **after_key(keys.person(person_id), keys.TOLD, token),
        )
        return Page(tuple(map(_notice, answer["Items"])), page_token(answer.get("LastEvaluatedKey"), keys.TOLD))


class DynamoQrs:
    """A QR is kept under its hash alone, for a minute and until the TTL takes it away."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def show(self, qr: ShownQr) -> None:
        forget = int((qr.expires_at + QR_KEPT).timestamp())
        values = items.attributes(
            person_id=qr.person_id, given_by=qr.given_by, dies_at=qr.expires_at, expires_at=forget
        )
        self._client.put_item(TableName=self._table, Item=items.key(keys.qr(qr.key), keys.QR) | values)

    def spend(self, key: str, now: datetime) -> ShownQr | None:
        shown = items.key(keys.qr(key), keys.QR)
        how = {"UpdateExpression": SPEND_QR, "ConditionExpression": QR_UNSPENT}
        item = calls.update_if(self._client, self._table, shown, {":now": now}, **how)
        if item is None:
            return None
        person_id, given_by = items.text(item, "person_id"), items.text(item, "given_by")
        return ShownQr(key, person_id, items.instant(item, "dies_at"), given_by)


def _guardianship_item(held: Guardianship) -> dict[str, Any]:
    return items.attributes(
        ward_id=held.ward_id,
        guardian_id=held.guardian_id,
        ward=held.ward,
        ward_kind=held.kind,
        document=held.document,
        ward_birth_date=held.ward_birth_date,
        hospital_id=held.hospital_id,
        proven_by=held.proven_by,
        proven_at=held.proven_at,
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        objected_at=held.objected_at,
        ended_at=held.ended_at,
        ward_name=held.ward_name,
        guardian_name=held.guardian_name,
        revision=held.revision + 1,
    )


def _guardianship(item: items.Item) -> Guardianship:
    return Guardianship(
        ward_id=items.text(item, "ward_id"),
        guardian_id=items.text(item, "guardian_id"),
        ward=items.text(item, "ward"),
        kind=item["ward_kind"]["S"],
        document=item["document"]["S"],
        ward_birth_date=items.text(item, "ward_birth_date"),
        hospital_id=items.text(item, "hospital_id"),
        proven_by=items.text(item, "proven_by"),
        proven_at=items.instant(item, "proven_at"),
        starts_at=items.instant(item, "starts_at"),
        ends_at=items.instant(item, "ends_at"),
        objected_at=items.instant_or_none(item, "objected_at"),
        ended_at=items.instant_or_none(item, "ended_at"),
        ward_name=items.text(item, "ward_name"),
        guardian_name=items.text(item, "guardian_name"),
        revision=items.number(item, "revision"),
    )


def _notice_item(notice: InAppNotice) -> dict[str, Any]:
    return items.key(keys.person(notice.person_id), keys.told(notice.notice_id)) | items.attributes(
        notice_id=notice.notice_id,
        person_id=notice.person_id,
        at=notice.at,
        kind=notice.kind,
        hospital_id=notice.hospital_id,
        subject=notice.subject,
        guardian_id=notice.guardian_id,
        consent_id=notice.consent_id,
        study_hospital_id=notice.study.hospital_id if notice.study else "",
        study_instance_uid=notice.study.study_instance_uid if notice.study else "",
        expires_at=int((notice.at + TOLD_KEPT).timestamp()),
    )


def _notice(item: items.Item) -> InAppNotice:
    uid = items.text(item, "study_instance_uid")
    return InAppNotice(
        notice_id=items.text(item, "notice_id"),
        person_id=items.text(item, "person_id"),
        at=items.instant(item, "at"),
        kind=item["kind"]["S"],
        hospital_id=items.text(item, "hospital_id"),
        subject=items.text(item, "subject"),
        guardian_id=items.text(item, "guardian_id"),
        consent_id=items.text(item, "consent_id"),
        study=StudyRef(items.text(item, "study_hospital_id"), uid) if uid else None,
    )
