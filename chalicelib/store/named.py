"""Where a study is named outside its own partition: reminders, judgements and views each leave `NAMED#` under it, so
that whoever destroys it finds them. What was counted from them (`store.gains`) holds no study's name and stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.store import batch, gain_keys, items, keys
from chalicelib.store.pages import beneath

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.domain.study import StudyRef


def named(study: StudyRef, pk: str, sk: str, forget: int, visit_pk: str = "") -> dict[str, Any]:
    """To be put before the item of that key. It expires with it, at `forget`. `visit_pk`: where else its SK lies."""
    key = items.key(keys.study(study), gain_keys.named(pk, sk))
    return key | items.attributes(at_pk=pk, at_sk=sk, visit_pk=visit_pk, expires_at=forget)


def forget(client: DynamoDBClient, table: str, study: StudyRef) -> None:
    """All items that name it, a reminder with its answers and its place in the visit; the pointers last."""
    pointers = list(beneath(client, table, keys.study(study), gain_keys.NAMED))
    gone = [key for pointer in pointers for key in _of(client, table, pointer)]
    batch.delete(client, table, gone)
    batch.delete(client, table, [{"PK": one["PK"], "SK": one["SK"]} for one in pointers])


def _of(client: DynamoDBClient, table: str, pointer: items.Item) -> list[dict[str, Any]]:
    pk, sk = items.text(pointer, "at_pk"), items.text(pointer, "at_sk")
    visit_pk = items.text(pointer, "visit_pk")
    if not visit_pk:
        return [items.key(pk, sk)]
    answers = beneath(client, table, pk, gain_keys.alert_answers(gain_keys.alert_of(sk)))
    return [*({"PK": one["PK"], "SK": one["SK"]} for one in answers), items.key(pk, sk), items.key(visit_pk, sk)]
