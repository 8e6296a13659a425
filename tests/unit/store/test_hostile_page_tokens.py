"""A continuation token is a caller's text: whatever it says, the answer is a list or "not a token", never a fault."""

from __future__ import annotations

import base64
import json
from datetime import date

import pytest

from chalicelib.domain.timeline import read_token
from chalicelib.services.list_exams import ListWorklist
from chalicelib.store.assisted import DynamoHandOvers
from chalicelib.store.audit import DynamoAudit
from chalicelib.store.exams import DynamoExams
from chalicelib.store.flags import DynamoFlags
from chalicelib.store.guardians import DynamoInAppNotices
from chalicelib.store.outages import DynamoOutages
from chalicelib.store.reviews import DynamoReviews
from chalicelib.store.standings import DynamoStandings

DAY = date(2026, 11, 20)


class Never:
    """No store may be asked with such a token: DynamoDB refuses the key, which would be a fault of ours."""

    def query(self, **_asked):
        raise AssertionError("asked")


LISTS = {
    "audit": lambda token: DynamoAudit(Never(), "t").of_person("P", token, 5),
    "notices": lambda token: DynamoInAppNotices(Never(), "t").of_person("P", token, 5),
    "reviews": lambda token: DynamoReviews(Never(), "t").of_hospital("H1", token, 5),
    "papers": lambda token: DynamoHandOvers(Never(), "t").waiting("H1", token, 5),
    "flags": lambda token: DynamoFlags(Never(), "t").open(token, 5),
    "steps of a flag": lambda token: DynamoFlags(Never(), "t").history(("H1", "2026-11-20", "r"), token, 5),
    "exams of a day": lambda token: DynamoExams(Never(), "t").page_of_day("H1", "2026-11-20", token, 5),
    "outages": lambda token: DynamoOutages(Never(), "t").list(token, 5),
    "worklist": lambda token: ListWorklist(Never())("H1", DAY, DAY, token, 5),
    "releases": lambda token: DynamoStandings(Never(), "t").asked(token, 5),
    "own list": read_token,
}


def encoded(raw):
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize(
    "token",
    [encoded(b"[" * 1500), encoded(b"a" * 1500), encoded(b"a" * 1100 + b"#H1#1"), encoded(b"\xff#a#b"), "é", "%%%"],
)
@pytest.mark.parametrize("name", LISTS)
def test_a_hostile_token_is_none_of_ours_in_every_list(name, token):
    with pytest.raises(ValueError, match="token"):
        LISTS[name](token)


@pytest.mark.parametrize(
    "told",
    [["", ""], ["", "x"], ["x", ""], ["a" * 1100, "b"], ["a", "b" * 1100], ["\ud800", "x"], ["a\n", "b"], [1, 2]],
)
def test_an_audit_token_names_a_place_that_there_can_be(told):
    with pytest.raises(ValueError, match="token"):
        LISTS["audit"](encoded(json.dumps(told).encode()))
