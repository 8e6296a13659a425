"""A study that was disposed of: whatever comes later, in any order, it stays so."""

from __future__ import annotations

from itertools import permutations

import pytest

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Facts, decide
from chalicelib.domain.human_facts import amendment_body, read_amendment
from chalicelib.domain.study import Amendment
from chalicelib.domain.summary import destroyed
from chalicelib.services.inspect_study import InspectStudy
from tests.support.interleave import Gate
from tests.support.settle_samples import REF, T0, entry, exclude
from tests.support.settle_world import World

TOMBSTONE = Amendment("01A-000", "destroy", "", 0, "retention_over", "01A", T0)


def test_settle_leaves_nothing_of_it_but_that_it_is_destroyed():
    world = World()
    world.receive(entry(1))
    before = world.settle()
    world.studies.amend(REF, TOMBSTONE)
    assert world.settle() == destroyed(REF)
    assert world.studies.timeline("H1", "P1", "", 9).items == ()
    assert list(world.studies.expiring) == [(REF, before.manifest_digest)]


@pytest.mark.parametrize("order", list(permutations(["receive", "amend", "exclude", "settle"])))
def test_in_any_order_with_uploads_and_corrections_it_is_destroyed(order):
    world = World()
    acts = {
        "receive": lambda: world.receive(entry(1)),
        "amend": lambda: world.studies.amend(REF, TOMBSTONE),
        "exclude": lambda: world.studies.amend(REF, exclude("v1-1")),
        "settle": world.settle,
    }
    for act in order:
        acts[act]()
    assert world.settle() == destroyed(REF)
    flips = world.studies.summary(REF).revision
    assert world.settle().revision == flips, "settling again writes nothing"


def test_where_nothing_was_ever_received_the_tombstone_alone_makes_it():
    world = World()
    world.studies.amend(REF, TOMBSTONE)
    assert world.settle() == destroyed(REF)
    assert world.exams.told == {}


def test_it_cannot_be_corrected_or_looked_into_and_gives_no_grant():
    world = World()
    world.receive(entry(1))
    world.settle()
    world.studies.amend(REF, TOMBSTONE)
    summary = world.settle()
    found = InspectStudy(world.studies)(REF, "")
    assert (found.summary.state, found.entries, found.next_token) == ("destroyed", (), "")
    patient = Caller("patient", "p", person_id="P")
    gone, unknown = decide(Facts(patient, REF, summary), T0), decide(Facts(patient, REF), T0)
    assert gone.reason == unknown.reason == "no_grant"


def test_the_fact_comes_back_from_the_bucket_as_it_was():
    assert read_amendment(amendment_body(REF.study_instance_uid, TOMBSTONE)) == (REF.study_instance_uid, TOMBSTONE)


def test_of_two_settles_at_once_the_one_with_the_tombstone_wins():
    world = World()
    world.receive(entry(1))
    world.settle()
    world.receive(entry(2))
    world.studies.amend(REF, TOMBSTONE)
    world.settle(Gate())
    assert world.settle() == destroyed(REF)
