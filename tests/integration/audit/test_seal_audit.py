"""Sealing over the table and the locked bucket, and over their fakes: one suite for both."""

from datetime import timedelta

import pytest

from chalicelib.domain.seal import HOUR, START, hour_name, lines_of, seal, split
from chalicelib.services.seal_audit import MOST, SealConflict
from tests.support.fakes_audit import FakeAuditHours, FakeSealArchive
from tests.support.seal_vault import NOW, Vault, filled, seal_lines, vault_on
from tests.support.sealed_hours import FIRST, record


@pytest.fixture(params=["fake", "real"])
def vault(request):
    if request.param == "fake":
        return Vault(FakeAuditHours(), FakeSealArchive())
    return vault_on(request.getfixturevalue("cloud"))


def test_the_first_run_begins_at_the_first_event_and_ends_two_hours_ago(vault):
    done = filled(vault).run()
    assert (done.hours, done.events, done.last, done.left) == (4, 25, FIRST + 3 * HOUR, 0)
    assert [one.count for one in vault.seals()] == [3, 0, 20, 2]
    assert vault.findings() == []


def test_an_hour_is_read_in_the_order_of_its_file(vault):
    filled(vault)
    hour = FIRST + 2 * HOUR
    in_order = [one.line for one in vault.table.in_order(hour)]
    assert in_order == lines_of(vault.table.of_hour(hour))
    assert len({one.partition for one in vault.table.of_hour(hour)}) > 1


def test_each_seal_names_the_one_before_and_the_run_tells_the_head(vault):
    done = filled(vault).run()
    seals = vault.seals()
    assert [one.previous for one in seals] == [START, *(one.digest for one in seals[:-1])]
    assert done.head == seals[-1].digest


def test_running_again_changes_nothing_and_the_next_hour_goes_on_from_the_last(vault):
    filled(vault).run()
    before = vault.seals()
    again = vault.run()
    assert (again.hours, again.last, again.head) == (0, FIRST + 3 * HOUR, before[-1].digest)
    later = vault.run(NOW + HOUR)
    assert (later.hours, later.events) == (1, 0)
    assert vault.seals()[:-1] == before


def test_the_hour_that_may_still_be_written_is_never_sealed(vault):
    filled(vault).run(FIRST + 2 * HOUR - timedelta(seconds=1))
    assert vault.archive.survey().last is None or vault.archive.survey().last < FIRST
    vault.run(FIRST + 2 * HOUR)
    assert vault.archive.survey().last == FIRST


def test_a_run_out_of_time_says_what_is_left_and_the_next_takes_it_up(vault):
    turns = iter([True, True, False])
    done = filled(vault).run(keep_going=lambda: next(turns))
    assert (done.hours, done.last, done.left) == (2, FIRST + HOUR, 2)
    assert vault.run().left == 0
    assert vault.findings() == []


def test_a_long_silence_is_sealed_in_bounded_runs(vault):
    filled(vault).run()
    late = vault.run(NOW + (MOST + 10) * HOUR)
    assert (late.hours, late.left) == (MOST, 10)
    assert vault.run(NOW + (MOST + 10) * HOUR).left == 0
    assert vault.findings() == []


def test_without_any_event_the_hour_due_is_the_first(vault):
    done = vault.run()
    assert (done.hours, done.events, done.last) == (1, 0, FIRST + 3 * HOUR)


def test_a_crash_between_file_and_seal_is_taken_up_with_what_was_put_first(vault):
    """Even if the table was tampered with in between: then verify names it."""
    filled(vault)
    lines = seal_lines(vault, FIRST)
    vault.archive.put_file(FIRST, split(lines))
    gone = vault.table.of_hour(FIRST)[0]
    vault.table.remove(FIRST, gone)
    vault.run()
    assert vault.seals()[0] == seal(FIRST, split(lines), START)
    assert [(one.kind, one.where, one.event_id) for one in vault.findings()] == [("removed", "table", gone.event_id)]


def test_an_event_that_comes_into_a_sealed_hour_is_named_as_added(vault):
    filled(vault).run()
    late = record(FIRST, 50)
    vault.table.put(FIRST, late)
    vault.run(NOW + HOUR)
    assert [(one.kind, one.where, one.event_id) for one in vault.findings()] == [("added", "table", late.event_id)]


def test_a_second_seal_of_an_hour_is_refused(vault):
    filled(vault)
    forged = seal(FIRST, [], "f" * 64)
    vault.archive.put_seal(FIRST, forged.to_json())
    assert vault.archive.put_seal(FIRST, b"another") == forged.to_json()
    vault.run()
    first, *_ = vault.seals()
    assert first == forged
    assert {one.kind for one in vault.findings()} > {"chain_broken"}


def test_a_seal_that_differs_from_what_the_table_says_stops_the_run(vault):
    class LosesSight(type(vault.archive)):
        def latest(self, until):
            return None

    filled(vault).run()
    vault.table.put(FIRST - HOUR, record(FIRST - HOUR, 1))
    vault.archive.__class__ = LosesSight
    with pytest.raises(SealConflict, match=hour_name(FIRST)):
        vault.run()


def test_a_hidden_seal_is_still_read_and_named(vault):
    filled(vault).run()
    vault.archive.hide("seal", FIRST + 3 * HOUR)
    done = vault.run()
    assert (done.hours, done.last) == (0, FIRST + 3 * HOUR)
    assert [one.hour for one in vault.archive.survey().oddities] == [hour_name(FIRST + 3 * HOUR)]
    assert vault.findings() == []


def test_the_files_of_sealed_hours_can_be_read_one_by_one(vault):
    filled(vault).run()
    counts = [content and content.count(b"\n") for content in vault.archive.files(FIRST, FIRST + 4 * HOUR)]
    assert counts == [3, b"", 20, 2, None]
