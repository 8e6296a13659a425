from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from chalicelib.domain.recognition import Judgement, Recognition
from chalicelib.domain.study import StudyRef
from chalicelib.store import batch, calls, gain_keys, items, keys
from chalicelib.store.named import named
from chalicelib.store.pages import beneath

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEW = "attribute_not_exists(PK)"
KEPT: Final = timedelta(days=3 * 365)  # as reminders (store.alerts)
SEEN: Final = timedelta(days=30)  # of views: the audit remembers them; here reminders look for them


class DynamoRecognitions:
    """`RECOGNITION#{study}#{doctor}#{revision}` under the encounter; `VIEWED#{study}` beside them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def of_study(self, visit: tuple[str, str], study: StudyRef, doctor_id: str) -> tuple[Recognition, ...]:
        found = beneath(self._client, self._table, keys.encounter(*visit), gain_keys.recognitions(study, doctor_id))
        return tuple(map(_recognition, found))

    def put(self, recognition: Recognition) -> bool:
        pk = keys.encounter(recognition.hospital_id, recognition.encounter_id)
        sk = gain_keys.recognition(recognition.study, recognition.doctor_id, recognition.revision)
        forget = int((recognition.at + KEPT).timestamp())
        self._client.put_item(TableName=self._table, Item=named(recognition.study, pk, sk, forget))
        item = items.key(pk, sk) | _item(recognition) | items.attributes(expires_at=forget)
        return calls.put_if(self._client, self._table, item, ConditionExpression=NEW)

    def viewed(self, opened: Collection[tuple[tuple[str, str], StudyRef]], now: datetime) -> None:
        forget = int((now + SEEN).timestamp())
        found = [(visit, study, _viewed(visit, study, forget)) for visit, study in sorted(set(opened))]
        left = [named(study, keys.encounter(*visit), item["SK"]["S"], forget) for visit, study, item in found]
        batch.put(self._client, self._table, [*left, *(item for _, _, item in found)])

    def judged(self, visit: tuple[str, str], doctor_id: str) -> frozenset[StudyRef]:
        found = beneath(self._client, self._table, keys.encounter(*visit), gain_keys.RECOGNITIONS)
        return frozenset(one.study for one in map(_recognition, found) if one.doctor_id == doctor_id)

    def opened(self, visit: tuple[str, str]) -> frozenset[StudyRef]:
        pk = keys.encounter(*visit)
        seen = {_study(item) for item in beneath(self._client, self._table, pk, gain_keys.VIEWED)}
        last = {
            (one.study, one.doctor_id): one.judgement.decision
            for one in map(_recognition, beneath(self._client, self._table, pk, gain_keys.RECOGNITIONS))
        }
        return frozenset(seen | {study for (study, _), decision in last.items() if decision == "recognise"})


def _viewed(visit: tuple[str, str], study: StudyRef, forget: int) -> dict[str, Any]:
    return items.key(keys.encounter(*visit), gain_keys.viewed(study)) | items.attributes(
        study_hospital_id=study.hospital_id, study_instance_uid=study.study_instance_uid, expires_at=forget
    )


def _item(one: Recognition) -> dict[str, Any]:
    return items.attributes(
        hospital_id=one.hospital_id,
        encounter_id=one.encounter_id,
        doctor_id=one.doctor_id,
        study_hospital_id=one.study.hospital_id,
        study_instance_uid=one.study.study_instance_uid,
        decision=one.judgement.decision,
        reason=one.judgement.reason,
        conclusion=one.judgement.conclusion,
        remark=one.judgement.text,
        at=one.at,
        day=one.day,
        revision=one.revision,
    )


def _study(item: items.Item) -> StudyRef:
    return StudyRef(items.text(item, "study_hospital_id"), items.text(item, "study_instance_uid"))


def _recognition(item: items.Item) -> Recognition:
    judgement = Judgement(
        cast(Any, items.text(item, "decision")),
        items.text(item, "reason"),
        cast(Any, items.text(item, "conclusion")),
        items.text(item, "remark"),
    )
    return Recognition(
        hospital_id=items.text(item, "hospital_id"),
        encounter_id=items.text(item, "encounter_id"),
        doctor_id=items.text(item, "doctor_id"),
        study=_study(item),
        judgement=judgement,
        at=items.instant(item, "at"),
        day=items.text(item, "day"),
        revision=items.number(item, "revision"),
    )
