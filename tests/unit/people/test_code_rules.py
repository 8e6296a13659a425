"""Where a code goes, and how many guesses there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.code import WRONG_PER_CODE, WRONG_PER_DOCTOR, WRONG_PER_PERSON, Code, code_route, counter
from chalicelib.domain.identity import PHONE_LIFE, Person
from tests.support.any_facts import (
    LINK,
    SECOND,
)
from tests.support.clinic import NOW

# Where a code goes


OLD = Person("P", phone="13800138000", phone_verified_at=NOW - PHONE_LIFE)
FRESH = replace(OLD, phone_verified_at=NOW - PHONE_LIFE + SECOND)
LOCAL = replace(LINK, phone="13911112222")


@pytest.mark.parametrize(
    ("link", "person", "holds", "expected"),
    [
        (LINK, FRESH, True, ("13800138000", "person")),
        (LOCAL, FRESH, True, ("13800138000", "person")),
        (LOCAL, OLD, True, ("13911112222", "identity")),
        (LOCAL, FRESH, False, ("13911112222", "identity")),
        (LOCAL, None, False, ("13911112222", "identity")),
        (replace(LOCAL, status="unconfirmed"), FRESH, True, ("13911112222", "identity")),
        (replace(LINK, status="unconfirmed"), FRESH, True, None),
        (replace(LOCAL, status="contested"), FRESH, True, None),
        (LOCAL, replace(FRESH, frozen_at=NOW), True, None),
        (LINK, OLD, True, None),
        (None, None, False, None),
        (LOCAL, replace(FRESH, birth_date="20121125"), True, None),
        (replace(LOCAL, birth_date="20121125"), None, False, None),
        (LOCAL, replace(FRESH, birth_date="20121124"), True, ("13800138000", "person")),
    ],
)
def test_the_verified_phone_answers_for_all_and_the_hospitals_own_for_itself(link, person, holds, expected):
    route = code_route(link, person, holds_phone=holds, now=NOW)
    assert (route and (route.phone, route.scope)) == expected


def test_for_a_child_only_a_proven_guardians_phone_answers_and_only_for_a_confirmed_identity():
    child, guardian = replace(FRESH, birth_date="20200101"), Person("G", phone="13700137000")
    route = code_route(LOCAL, child, holds_phone=True, now=NOW, guardian=guardian)
    assert (route.phone, route.scope, route.guardian_id) == ("13700137000", "person", "G")
    unsure = replace(LOCAL, status="unconfirmed")
    assert code_route(unsure, child, holds_phone=True, now=NOW, guardian=guardian) is None
    assert code_route(LOCAL, replace(child, frozen_at=NOW), holds_phone=True, now=NOW, guardian=guardian) is None


# Limits


def test_a_years_guessing_at_the_limits_stays_below_one_percent():
    """Each guess is one in a million; the busiest attacker uses every try of every day of a year."""
    for limit in (WRONG_PER_PERSON, WRONG_PER_DOCTOR):
        assert 1 - (1 - 1e-6) ** (limit.count * 366) < 0.01


def test_a_code_dies_by_time_and_attempts():
    code = Code("R", b"", reachable=True, expires_at=NOW)
    assert code.is_live(NOW - SECOND)
    assert not code.is_live(NOW)
    assert not replace(code, attempts=5).is_live(NOW - SECOND)


def test_attempts_on_a_code_have_no_counter_of_their_own():
    with pytest.raises(ValueError, match="counted in the code"):
        counter(WRONG_PER_CODE, "P", NOW)
