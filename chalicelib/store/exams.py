from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.exam import Exam, ExamKey, Facts, NoticeFact, StudyFact, read, written
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.ledger import Breach, Collection, Docket, Move
from chalicelib.domain.page import Page, opaque, place
from chalicelib.store import batch, day_keys, items, keys
from chalicelib.store.pages import LONGEST, beneath, every

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KIND = "exam"
EXAMS = "EXAM#"  # under the identity: {accession}
FIRST_DOCKET = "attribute_not_exists(PK)"
DOCKET_UNCHANGED = "revision = :read AND fact_count <= :n"
SAW_NO_MORE = "attribute_not_exists(PK) OR fact_count <= :n"
ALL_OF = "PK = :pk"
DUE_IN_SHARD = "GSI2PK = :shard AND GSI2SK < :end"
DUE_BETWEEN = "GSI2PK = :shard AND GSI2SK BETWEEN :begin AND :end"
LOST = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})


class DynamoExams:
    """The main table's ACC and LEDGER collections. The docket is the item `DUE#exam`: what the ledger holds of an
    accession number and when it is due change in one conditional put, so neither can be lost against the other.

    Its sort key comes before those of the facts: a query reads it first, so facts are never older than the docket.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put_notice(self, key: ExamKey, fact: NoticeFact) -> None:
        self._put_fact(key, keys.notice(fact.digest), fact.to_json())

    def put_notice_id(self, hospital_id: str, fact: NoticeFact) -> None:
        item = {"PK": {"S": _same_notice(hospital_id, fact)}, "SK": {"S": keys.notice(fact.digest)}}
        self._client.put_item(TableName=self._table, Item=item | {"body": {"B": zlib.compress(fact.to_json())}})

    def of_notice_id(self, hospital_id: str, fact: NoticeFact) -> tuple[NoticeFact, ...]:
        found = self._all(_same_notice(hospital_id, fact))
        return tuple(NoticeFact.from_json(zlib.decompress(item["body"]["B"])) for item in found)

    def put_patient(self, key: ExamKey, patient_id: str) -> None:
        item = items.key(keys.identity(key.hospital_id, patient_id), f"{EXAMS}{keys.text(key.accession)}")
        self._client.put_item(TableName=self._table, Item=item | items.attributes(accession=key.accession))

    def of_patient(self, identity: IdentityKey) -> tuple[ExamKey, ...]:
        found = beneath(self._client, self._table, keys.identity(identity.issuer, identity.local_id), EXAMS)
        return tuple(ExamKey(identity.issuer, items.text(item, "accession")) for item in found)

    def put_study(self, key: ExamKey, fact: StudyFact) -> None:
        self._put_fact(key, keys.study_fact(fact.study_instance_uid, fact.digest), fact.to_json())

    def put_judged(self, key: ExamKey, due_at: datetime) -> None:
        self._put_fact(key, keys.judged(due_at), due_at.isoformat().encode())

    def _put_fact(self, key: ExamKey, sort_key: str, body: bytes) -> None:
        item: dict[str, Any] = {"PK": {"S": _owner(key)}, "SK": {"S": sort_key}, "body": {"B": zlib.compress(body)}}
        self._client.put_item(TableName=self._table, Item=item)

    def read(self, key: ExamKey) -> Collection:
        held, notices, studies, dues = Docket(), [], [], []
        for item in self._all(_owner(key)):
            sort_key = item["SK"]["S"]
            if sort_key == keys.due(KIND):
                held = _docket(item)
            elif sort_key.startswith(keys.NOTICE):
                notices.append(NoticeFact.from_json(zlib.decompress(item["body"]["B"])))
            elif sort_key.startswith(keys.STUDY_FACT):
                studies.append(StudyFact.from_json(zlib.decompress(item["body"]["B"])))
            elif sort_key.startswith(keys.JUDGED):
                dues.append(datetime.fromisoformat(zlib.decompress(item["body"]["B"]).decode()))
        count = len(notices) + len(studies) + len(dues)
        return Collection(Facts(tuple(notices), tuple(studies), max(dues, default=None), count), held)

    def put_docket(self, key: ExamKey, docket: Docket) -> bool:
        return self._put(_docket_put(key, docket))

    def put_exam(self, exam: Exam, fact_count: int) -> bool:
        return self._put(_guarded(_row(exam), fact_count))

    def bury(self, key: ExamKey, day: str, use: int, fact_count: int) -> bool:
        return self._put(_guarded(_grave(key, day, use), fact_count))

    def _put(self, put: Mapping[str, Any]) -> bool:
        try:
            self._client.put_item(TableName=self._table, **put)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def move(self, key: ExamKey, move: Move) -> bool:
        count = move.docket.fact_count
        puts = [
            _docket_put(key, move.docket),
            *(_guarded(_row(exam), count) for exam in move.exams),
            *(_guarded(_grave(key, day, use), count) for day, use in move.gone),
        ]
        writes: Any = [{"Put": {"TableName": self._table, **put}} for put in puts]
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as cancelled:
            reasons = {reason.get("Code", "None") for reason in cancelled.response.get("CancellationReasons", [])}
            if not reasons or not reasons <= LOST:
                raise
            return False
        return True

    def of_day(self, hospital_id: str, day: str) -> Iterator[Exam]:
        for item in self._all(keys.ledger(hospital_id, day)):
            if "exam" in item:
                yield Exam.from_json(item["exam"]["S"].encode())

    def rows_of(self, key: ExamKey, docket: Docket) -> tuple[Exam, ...]:
        wanted = [_place(key, day, use) for day, use in docket.rows]
        found = batch.get(self._client, self._table, wanted)
        rows = (Exam.from_json(item["exam"]["S"].encode()) for item in found if "exam" in item)
        return tuple(sorted(rows, key=lambda exam: (exam.day, exam.use)))

    def page_of_day(self, hospital_id: str, day: str, token: str, limit: int) -> Page[Exam]:
        partition = keys.ledger(hospital_id, day)
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=ALL_OF,
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
            Limit=limit,
            **_after(partition, token),
        )
        exams = tuple(Exam.from_json(item["exam"]["S"].encode()) for item in answer["Items"] if "exam" in item)
        last = answer.get("LastEvaluatedKey")
        return Page(exams, opaque(last["SK"]["S"]) if last else "")

    def due(self, shard: int, until: datetime) -> Iterator[ExamKey]:
        for item in self._due(DUE_IN_SHARD, shard, {":end": {"S": day_keys.due_until(until)}}):
            yield ExamKey(item["hospital_id"]["S"], item["accession"]["S"])

    def due_between(
        self, shard: int, after: datetime, until: datetime, since: datetime
    ) -> Iterator[tuple[ExamKey, datetime]]:
        span = {":begin": {"S": day_keys.due_until(since)}, ":end": {"S": day_keys.due_until(until)}}
        for item in self._due(DUE_BETWEEN, shard, span):
            key = ExamKey(item["hospital_id"]["S"], item["accession"]["S"])
            yield from ((key, due_at) for due_at in _docket(item).waiting if after < due_at <= until)

    def _due(self, condition: str, shard: int, values: dict[str, Any]) -> Iterator[Any]:
        return every(
            self._client,
            TableName=self._table,
            IndexName=keys.GSI2,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={":shard": {"S": keys.due_shard(KIND, shard)}, **values},
        )

    def _all(self, partition: str) -> Iterator[Any]:
        return every(
            self._client,
            TableName=self._table,
            KeyConditionExpression=ALL_OF,
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )


def _after(partition: str, token: str) -> dict[str, Any]:
    """A token holds the sort key that came last: an accession number and its use."""
    if not token:
        return {}
    sort_key = place(token, LONGEST)
    accession, _, use = sort_key.rpartition("#")
    if not (accession and use.isdigit() and sort_key.isascii()):
        raise ValueError("not a continuation token")
    return {"ExclusiveStartKey": {"PK": {"S": partition}, "SK": {"S": sort_key}}}


def _owner(key: ExamKey) -> str:
    return keys.accession(key.hospital_id, key.accession, "")


def _same_notice(hospital_id: str, fact: NoticeFact) -> str:
    return keys.notice_id(hospital_id, fact.notice_id, fact.patient_id)


def _guarded(item: dict[str, Any], fact_count: int) -> dict[str, Any]:
    return {
        "Item": item | {"fact_count": {"N": str(fact_count)}},
        "ConditionExpression": SAW_NO_MORE,
        "ExpressionAttributeValues": {":n": {"N": str(fact_count)}},
    }


def _place(key: ExamKey, day: str, use: int) -> dict[str, Any]:
    return {"PK": {"S": keys.ledger(key.hospital_id, day)}, "SK": {"S": keys.exam(key.accession, use)}}


def _row(exam: Exam) -> dict[str, Any]:
    values = {"exam": {"S": exam.to_json().decode()}, "standing": {"S": exam.standing}}
    return _place(exam.key, exam.day, exam.use) | values


def _grave(key: ExamKey, day: str, use: int) -> dict[str, Any]:
    return _place(key, day, use) | {"gone": {"BOOL": True}}


def _docket_put(key: ExamKey, docket: Docket) -> dict[str, Any]:
    put: dict[str, Any] = {"Item": _docket_item(key, docket), "ConditionExpression": FIRST_DOCKET}
    if docket.revision:
        put["ConditionExpression"] = DOCKET_UNCHANGED
        put["ExpressionAttributeValues"] = {
            ":read": {"N": str(docket.revision)},
            ":n": {"N": str(docket.fact_count)},
        }
    return put


def _docket_item(key: ExamKey, docket: Docket) -> dict[str, Any]:
    swept = [[b.day, b.use, b.standing, b.due_at.isoformat(), written(b.completed_at)] for b in docket.swept]
    item = {
        "PK": {"S": _owner(key)},
        "SK": {"S": keys.due(KIND)},
        "hospital_id": {"S": key.hospital_id},
        "accession": {"S": key.accession},
        "rows": {"S": json.dumps(docket.rows, separators=(",", ":"))},
        "swept": {"S": json.dumps(swept, separators=(",", ":"))},
        "fact_count": {"N": str(docket.fact_count)},
        "waiting": {"S": json.dumps([at.isoformat() for at in docket.waiting], separators=(",", ":"))},
        "revision": {"N": str(docket.revision + 1)},
    }
    if docket.due_at is not None:
        owner = _owner(key)
        item["due_at"] = {"S": docket.due_at.isoformat()}
        item["GSI2PK"] = {"S": keys.due_shard(KIND, keys.shard(owner))}
        item["GSI2SK"] = {"S": keys.due_order(docket.due_at, owner)}
    return item


def _docket(item: Mapping[str, Any]) -> Docket:
    """One written before `waiting` was kept is taken to wait for its due."""
    swept = json.loads(item["swept"]["S"])
    due_at = item["due_at"]["S"] if "due_at" in item else None
    waiting = json.loads(item["waiting"]["S"]) if "waiting" in item else [due_at] if due_at else []
    return Docket(
        rows=tuple((day, use) for day, use in json.loads(item["rows"]["S"])),
        swept=tuple(
            Breach(day, use, standing, datetime.fromisoformat(breached_at), read(completed_at))
            for day, use, standing, breached_at, completed_at in swept
        ),
        due_at=datetime.fromisoformat(due_at) if due_at else None,
        fact_count=int(item["fact_count"]["N"]),
        waiting=tuple(map(datetime.fromisoformat, waiting)),
        revision=int(item["revision"]["N"]),
    )
