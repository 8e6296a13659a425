"""What became of quarantined uploads, fake and real."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.release import Standing
from chalicelib.store.quarantine import S3Quarantine
from chalicelib.store.standings import DynamoStandings
from tests.support.fakes_quarantine import FakeStandings

NOW = datetime(2026, 11, 24, 4, 0, 0, 123_000, tzinfo=UTC)
ENTRY = f"2026-11-24/{'ab' * 32}"
ASKED = Standing("H1", ENTRY, "asked", "too_large", 7, "needs_larger_limit", "gateway", NOW)
FULL = replace(
    ASKED,
    state="closed",
    decided_by="r1",
    decided_at=NOW,
    note="看过",
    closed_by="gateway",
    closed_at=NOW,
    study_instance_uid="1.2.3",
    version_id="v/1+=",
    offset=512,
)


@pytest.fixture(params=["fake", "real"])
def standings(request):
    if request.param == "fake":
        return FakeStandings()
    cloud = request.getfixturevalue("cloud")
    return DynamoStandings(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])


def test_what_nothing_happened_to_is_open(standings):
    assert standings.get("H1", ENTRY) == Standing("H1", ENTRY)
    assert standings.of("H1", [ENTRY]) == {}
    assert standings.of("H1", []) == {}


@pytest.mark.parametrize("standing", [ASKED, FULL], ids=["asked", "closed"])
def test_a_standing_comes_back_as_it_was_put(standings, standing):
    assert standings.put(standing)
    kept = replace(standing, revision=1)
    assert standings.get("H1", ENTRY) == kept
    assert standings.of("H1", [ENTRY, ENTRY, f"2026-11-24/{'0' * 64}"]) == {ENTRY: kept}
    assert standings.of("H2", [ENTRY]) == {}


def test_only_who_read_the_last_revision_may_put(standings):
    assert standings.put(ASKED)
    assert not standings.put(FULL)
    assert standings.put(replace(FULL, revision=1))
    assert standings.get("H1", ENTRY).state == "closed"


def test_what_waits_for_a_decision_is_listed_oldest_first_and_by_pages(standings):
    for number, hospital_id in enumerate(("H2", "H1", "H3")):
        standings.put(replace(ASKED, hospital_id=hospital_id, asked_at=NOW + timedelta(minutes=number)))
    standings.put(replace(FULL, hospital_id="H4"))
    found, token = [], ""
    while True:
        page = standings.asked(token, 2)
        found += page.items
        token = page.next_token
        if not token:
            break
    assert [one.hospital_id for one in found] == ["H2", "H1", "H3"]
    decided = replace(ASKED, hospital_id="H1", state="granted", asked_at=NOW, revision=1)
    assert standings.put(decided)
    assert "H1" not in [one.hospital_id for one in standings.asked("", 9).items]


@pytest.mark.parametrize("entry_id", [ENTRY, "", "../x", f"2026-11-24/{'ab' * 31}", f"{ENTRY}.json", "é" * 40])
def test_an_entry_that_does_not_exist_is_none_whatever_it_is_called(cloud, entry_id):
    assert S3Quarantine(cloud.client("s3"), cloud.settings["QUARANTINE_BUCKET"]).get("H1", entry_id) is None


def test_a_standing_is_restored_unless_a_later_one_is_there(standings):
    kept = replace(ASKED, revision=2)
    standings.restore(kept, settled=False)
    assert standings.get("H1", ENTRY) == kept
    standings.restore(replace(FULL, revision=1), settled=True)
    standings.restore(replace(FULL, revision=2), settled=False)
    assert standings.get("H1", ENTRY) == kept
    assert [one.entry_id for one in standings.asked("", 9).items] == [ENTRY]
    standings.restore(replace(FULL, revision=2), settled=True)
    standings.restore(kept, settled=False)
    assert standings.get("H1", ENTRY) == replace(FULL, revision=2)
    assert standings.asked("", 9).items == ()
