"""Doctor accounts and encounters, and the first reads of a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.domain.consent import Doctor, Encounter
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.licence import held_licence, licence_given_back, normal_licence
from chalicelib.domain.retention import Visit
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.access_ports import DoctorSaved
from chalicelib.store import batch, calls, items, keys
from chalicelib.store.pages import beneath
from chalicelib.store.people import link_of_item, person_of_item
from chalicelib.store.studies import body_of, manifest_keys, summary_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

VISITS = "VISIT#"  # under the identity: {encounter}#{class}#{status}
FREE_OR_MINE = "attribute_not_exists(PK) OR doctor_id = :mine"
LATER = "attribute_not_exists(PK) OR last_at < :at"
NOT_OLDER = "attribute_not_exists(PK) OR last_at < :at OR (last_at = :at AND (is_open = :true OR is_open = :open))"


class DynamoDoctors:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, doctor_id: str) -> Doctor | None:
        key = items.key(keys.doctor(doctor_id), keys.PROFILE)
        item = calls.get(self._client, self._table, key)
        return doctor_of_item(item) if item else None

    def put(self, doctor: Doctor) -> bool:
        item = items.key(keys.doctor(doctor.doctor_id), keys.PROFILE) | doctor_item(doctor)
        return calls.put_if(self._client, self._table, item, **items.at_revision(doctor.revision))

    def save(self, doctor: Doctor, former: Doctor | None) -> DoctorSaved:
        item = items.key(keys.doctor(doctor.doctor_id), keys.PROFILE) | doctor_item(doctor)
        account = {"TableName": self._table, "Item": item, **items.at_revision(doctor.revision)}
        writes: list[Any] = [{"Put": account}]
        takes, gives = held_licence(doctor), self._given_back(doctor, former)
        mine = {":mine": items.attribute(doctor.doctor_id)}
        if takes:
            held = items.key(keys.licence(takes), keys.HOLDER) | items.attributes(doctor_id=doctor.doctor_id)
            writes.append({"Put": {"TableName": self._table, "Item": held, **_if(FREE_OR_MINE, mine)}})
        if gives:
            key = items.key(keys.licence(gives), keys.HOLDER)
            writes.append({"Delete": {"TableName": self._table, "Key": key, **_if(FREE_OR_MINE, mine)}})
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as cancelled:
            if _is_licence_taken(cancelled.response):
                return "licence_taken"
            if items.lost_race(cancelled.response):
                return "changed"
            raise
        return "written"

    def _given_back(self, doctor: Doctor, former: Doctor | None) -> str:
        """The licence that the account stood for and does no more; "" for none."""
        had = licence_given_back(doctor, former)
        return had if had and self.holder(had) == doctor.doctor_id else ""

    def holder(self, licence_number: str) -> str:
        key = items.key(keys.licence(normal_licence(licence_number)), keys.HOLDER)
        item = calls.get(self._client, self._table, key)
        return items.text(item, "doctor_id") if item else ""


class DynamoEncounters:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, hospital_id: str, encounter_id: str) -> Encounter | None:
        key = items.key(keys.encounter(hospital_id, encounter_id), keys.ENCOUNTER)
        item = calls.get(self._client, self._table, key)
        return _encounter(item) if item else None

    def put(self, encounter: Encounter) -> bool:
        values: dict[str, items.Value] = {":at": encounter.at, ":true": True, ":open": encounter.is_open}
        key = items.key(keys.encounter(encounter.hospital_id, encounter.encounter_id), keys.ENCOUNTER)
        condition = _if(NOT_OLDER, items.expression_values(values))
        return calls.put_if(self._client, self._table, key | _encounter_item(encounter), **condition)

    def remember(self, encounter: Encounter) -> None:
        identity, status = encounter.identity, "open" if encounter.is_open else "closed"
        item = items.key(
            keys.identity(identity.issuer, identity.local_id),
            f"{VISITS}{keys.text(encounter.encounter_id)}#{encounter.patient_class}#{status}",
        ) | items.attributes(
            hospital_id=encounter.hospital_id,
            encounter_id=encounter.encounter_id,
            patient_class=encounter.patient_class,
            visit_status=status,
            last_at=encounter.at,
        )
        calls.put_if(self._client, self._table, item, **_if(LATER, items.expression_values({":at": encounter.at})))

    def visits_of(self, identity: IdentityKey) -> frozenset[Visit]:
        found = beneath(self._client, self._table, keys.identity(identity.issuer, identity.local_id), VISITS)
        return frozenset(_visit(item) for item in found)


class DynamoDecisionFacts:
    """What is wanted together in one BatchGetItem, strongly consistent: half the calls of two reads."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def study_and_doctor(self, study: StudyRef, doctor_id: str) -> tuple[Summary | None, Doctor | None]:
        summary, doctor = self._study_and(study, keys.doctor(doctor_id))
        return summary, doctor_of_item(doctor) if doctor else None

    def study_and_person(self, study: StudyRef, person_id: str) -> tuple[Summary | None, Person | None]:
        summary, person = self._study_and(study, keys.person(person_id))
        return summary, person_of_item(person) if person else None

    def link_and_manifest(self, summary: Summary) -> tuple[Link | None, bytes]:
        parts = manifest_keys(summary.ref, summary.manifest_digest, summary.manifest_parts)
        identity = items.key(keys.identity(summary.issuer, summary.patient_id), keys.IDENTITY_PERSON)
        found = {item["SK"]["S"]: item for item in batch.get(self._client, self._table, [identity, *parts])}
        link = found.pop(keys.IDENTITY_PERSON, None)
        return link_of_item(link) if link else None, body_of(found.values(), summary.manifest_parts)

    def summaries(self, studies: Sequence[StudyRef]) -> tuple[Summary, ...]:
        wanted = [items.key(keys.study(ref), keys.SUMMARY) for ref in dict.fromkeys(studies)]
        return tuple(summary_of(item) for item in batch.get(self._client, self._table, wanted))

    def _study_and(self, study: StudyRef, account: str) -> tuple[Summary | None, items.Item | None]:
        wanted = [items.key(keys.study(study), keys.SUMMARY), items.key(account, keys.PROFILE)]
        found = {item["PK"]["S"]: item for item in batch.get(self._client, self._table, wanted)}
        summary = found.get(keys.study(study))
        return summary_of(summary) if summary else None, found.get(account)


def _if(condition: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"ConditionExpression": condition, "ExpressionAttributeValues": values}


def _is_licence_taken(cancelled: Mapping[str, Any]) -> bool:
    """The account is the transaction's first write, the licence it takes the second."""
    codes = [reason.get("Code") for reason in cancelled.get("CancellationReasons", [])]
    return codes[1:2] == ["ConditionalCheckFailed"] and codes[0] != "ConditionalCheckFailed"


def doctor_item(doctor: Doctor) -> dict[str, Any]:
    return items.attributes(
        doctor_id=doctor.doctor_id,
        hospital_id=doctor.hospital_id,
        licence_number=doctor.licence_number,
        name=doctor.name,
        status=doctor.status,
        session_epoch=doctor.session_epoch,
        emergency_role=doctor.emergency_role,
        break_glass_stops=doctor.break_glass_stops,
        revision=doctor.revision + 1,
    )


def doctor_of_item(item: items.Item) -> Doctor:
    return Doctor(
        doctor_id=items.text(item, "doctor_id"),
        hospital_id=items.text(item, "hospital_id"),
        licence_number=items.text(item, "licence_number"),
        name=items.text(item, "name"),
        status=item["status"]["S"],
        session_epoch=items.number(item, "session_epoch"),
        emergency_role=items.truth(item, "emergency_role"),
        break_glass_stops=items.texts(item, "break_glass_stops"),
        revision=items.number(item, "revision"),
    )


def _encounter_item(encounter: Encounter) -> dict[str, Any]:
    return items.attributes(
        hospital_id=encounter.hospital_id,
        encounter_id=encounter.encounter_id,
        issuer=encounter.identity.issuer,
        local_id=encounter.identity.local_id,
        patient_class=encounter.patient_class,
        is_open=encounter.is_open,
        last_at=encounter.at,
        doctor_id=encounter.doctor_id,
    )


def _visit(item: items.Item) -> Visit:
    return Visit(
        hospital_id=items.text(item, "hospital_id"),
        encounter_id=items.text(item, "encounter_id"),
        patient_class=items.text(item, "patient_class"),
        status=item["visit_status"]["S"],
        at=items.instant(item, "last_at"),
    )


def _encounter(item: items.Item) -> Encounter:
    return Encounter(
        hospital_id=items.text(item, "hospital_id"),
        encounter_id=items.text(item, "encounter_id"),
        identity=IdentityKey(items.text(item, "issuer"), items.text(item, "local_id")),
        patient_class=items.text(item, "patient_class"),
        is_open=items.truth(item, "is_open"),
        at=items.instant(item, "last_at"),
        doctor_id=items.text(item, "doctor_id"),
    )
