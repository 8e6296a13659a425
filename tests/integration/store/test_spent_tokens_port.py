"""Single-use tokens: the same of the fake and of moto."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from secrets import token_bytes

import pytest

from chalicelib.store.spent_tokens import DynamoSpentTokens
from infra.local.whole_writes import make_writes_whole
from tests.support.fakes_door import FakeSpentTokens
from tests.support.tokens import ISSUER, NOW

SOON = NOW + timedelta(minutes=5)


def on(cloud, random=token_bytes):
    return DynamoSpentTokens(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"], random)


@pytest.fixture(params=["fake", "moto"])
def spent(request):
    return FakeSpentTokens() if request.param == "fake" else on(request.getfixturevalue("cloud"))


def test_a_token_is_spent_once(spent):
    assert [spent.spend(ISSUER, "n1", SOON) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("other", [(ISSUER, "n2"), (ISSUER + "#n1", ""), ("", f"{ISSUER}#n1"), (ISSUER, "影 #/%")])
def test_another_issuers_or_another_id_is_another_token(spent, other):
    assert spent.spend(ISSUER, "n1", SOON)
    assert spent.spend(*other, SOON)
    assert not spent.spend(*other, SOON)


def test_of_many_uses_at_once_exactly_one_wins(cloud):
    make_writes_whole()
    spent, start = on(cloud), threading.Barrier(16)

    def use(_):
        start.wait()
        return spent.spend(ISSUER, "n1", SOON)

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(use, range(16))) == [False] * 15 + [True]


def test_a_put_whose_answer_was_lost_is_not_a_second_use(cloud):
    spent = on(cloud, lambda size: b"\x07" * size)
    assert spent.spend(ISSUER, "n1", SOON)
    assert spent.spend(ISSUER, "n1", SOON), "the very same put, sent again by the client"


def test_it_is_forgotten_only_after_the_token_itself_has_expired(cloud):
    on(cloud).spend(ISSUER, "n1", SOON)
    (item,) = cloud.client("dynamodb").scan(TableName=cloud.settings["MAIN_TABLE"])["Items"]
    assert int(item["expires_at"]["N"]) >= SOON.timestamp() + 3600
    assert "n1" not in item["PK"]["S"]
