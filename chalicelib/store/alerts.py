"""Reminders that were shown, and their answers. All of a hospital's day lie together, for who counts them; beneath the
visit lies only the id, for who judges an exam there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from chalicelib.domain.alert import Alert, Answer, Outcome, Prior, day_of, exam_from_texts, exam_to_texts
from chalicelib.domain.study import StudyRef
from chalicelib.store import batch, calls, gain_keys, items, keys
from chalicelib.store.named import named
from chalicelib.store.pages import beneath, every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEW = "attribute_not_exists(PK)"
LATEST = "attribute_not_exists(PK) OR #at < :at"
KEPT_YET = "attribute_exists(PK)"
DUE_NOW = "SET GSI2PK = :shard, GSI2SK = :due"
ALL_OF_DAY = "PK = :day"
KEPT: Final = timedelta(days=3 * 365)  # as long as a provision of data is to be provable (网络数据条例 12)


class DynamoAlerts:
    """`ALERT#{id}` and `ANSWER#{id}#{outcome}#{reason}` under `ALERTS#{hospital}#{day}`; `ALERT#{id}` under
    `ENCOUNTER#{hospital}#{encounter}`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, alert: Alert) -> bool:
        """The pointers first: where the second write fails, the next call writes all."""
        forget = int((alert.shown_at + KEPT).timestamp())
        pk, sk = gain_keys.alerts_of(alert.hospital_id, day_of(alert.alert_id)), gain_keys.alert(alert.alert_id)
        visit_pk = keys.encounter(alert.hospital_id, alert.encounter_id)
        pointer = items.key(visit_pk, sk) | items.attributes(alert_id=alert.alert_id, expires_at=forget)
        found = [named(study, pk, sk, forget, visit_pk) for study in sorted({one.study for one in alert.priors})]
        batch.put(self._client, self._table, [pointer, *found])
        item = items.key(pk, sk) | _item(alert) | items.attributes(expires_at=forget)
        return calls.put_if(self._client, self._table, item, ConditionExpression=NEW)

    def get(self, hospital_id: str, alert_id: str) -> Alert | None:
        if not day_of(alert_id):
            return None
        key = items.key(gain_keys.alerts_of(hospital_id, day_of(alert_id)), gain_keys.alert(alert_id))
        item = calls.get(self._client, self._table, key)
        return _alert(item) if item else None

    def answer(self, hospital_id: str, alert_id: str, outcome: Outcome, reason: str, at: datetime) -> bool:
        alert = self.get(hospital_id, alert_id)
        if alert is None:
            return False
        key = items.key(
            gain_keys.alerts_of(hospital_id, day_of(alert_id)), gain_keys.alert_answer(alert_id, outcome, reason)
        )
        forget = int((alert.shown_at + KEPT).timestamp())  # with it, whatever their clock says
        values = items.attributes(alert_id=alert_id, outcome=outcome, reason=reason, at=at, expires_at=forget)
        calls.put_if(
            self._client,
            self._table,
            key | values,
            ConditionExpression=LATEST,
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=items.expression_values({":at": at}),
        )
        return True

    def answers(self, hospital_id: str, alert_id: str) -> tuple[Answer, ...]:
        pk = gain_keys.alerts_of(hospital_id, day_of(alert_id))
        return tuple(map(_answer, beneath(self._client, self._table, pk, gain_keys.alert_answers(alert_id))))

    def wake(self, hospital_id: str, alert_id: str, said: str, now: datetime) -> None:
        """An item that time took away stays gone."""
        key = items.key(gain_keys.alerts_of(hospital_id, day_of(alert_id)), gain_keys.alert(alert_id))
        due = {":shard": _shard(alert_id), ":due": keys.due_order(now, f"{alert_id}#{said}")}
        calls.update_if(self._client, self._table, key, due, UpdateExpression=DUE_NOW, ConditionExpression=KEPT_YET)

    def of_day(self, hospital_id: str, day: str) -> tuple[tuple[Alert, tuple[Answer, ...]], ...]:
        found = list(
            every(
                self._client,
                TableName=self._table,
                KeyConditionExpression=ALL_OF_DAY,
                ExpressionAttributeValues={":day": {"S": gain_keys.alerts_of(hospital_id, day)}},
                ConsistentRead=True,
            )
        )
        alerts = [_alert(item) for item in found if "shown_at" in item]
        answers: dict[str, list[Answer]] = {}
        for item in found:
            if "outcome" in item:
                answers.setdefault(items.text(item, "alert_id"), []).append(_answer(item))
        return tuple((alert, tuple(answers.get(alert.alert_id, ()))) for alert in alerts)

    def of_visit(self, hospital_id: str, encounter_id: str) -> tuple[str, ...]:
        found = beneath(self._client, self._table, keys.encounter(hospital_id, encounter_id), gain_keys.alert(""))
        return tuple(items.text(item, "alert_id") for item in found)


def _item(alert: Alert) -> dict[str, Any]:
    priors = [f"{one.likeness}#{one.days}#{int(one.recognisable)}#{_ref(one.study)}" for one in alert.priors]
    return items.attributes(
        alert_id=alert.alert_id,
        hospital_id=alert.hospital_id,
        doctor_id=alert.doctor_id,
        encounter_id=alert.encounter_id,
        patient_id=alert.patient_id,
        modality_group=alert.exam.group,
        regions=exam_to_texts(alert.exam),
        contrast=alert.exam.contrast,
        priors=tuple(priors),
        shown_at=alert.shown_at,
        GSI2PK=_shard(alert.alert_id),  # at once, to be counted
        GSI2SK=keys.due_order(alert.shown_at, alert.alert_id),
    )


def _shard(alert_id: str) -> str:
    return keys.due_shard(gain_keys.ALERT_KIND, keys.shard(alert_id))


def _ref(study: StudyRef) -> str:
    return f"{study.hospital_id}#{study.study_instance_uid}"


def _alert(item: Mapping[str, Any]) -> Alert:
    parts, contrast = items.texts(item, "regions"), items.text(item, "contrast")
    return Alert(
        alert_id=items.text(item, "alert_id"),
        hospital_id=items.text(item, "hospital_id"),
        doctor_id=items.text(item, "doctor_id"),
        encounter_id=items.text(item, "encounter_id"),
        patient_id=items.text(item, "patient_id"),
        exam=exam_from_texts(items.text(item, "modality_group"), parts, contrast),
        priors=tuple(map(_prior, items.texts(item, "priors"))),
        shown_at=items.instant(item, "shown_at"),
    )


def _prior(text: str) -> Prior:
    likeness, days, recognisable, hospital_id, uid = text.split("#")
    return Prior(StudyRef(hospital_id, uid), cast(Any, likeness), int(days), recognisable == "1")


def _answer(item: Mapping[str, Any]) -> Answer:
    return cast(Outcome, items.text(item, "outcome")), items.text(item, "reason"), items.instant(item, "at")
