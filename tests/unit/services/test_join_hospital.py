"""Joining and changing keys, cut off at every step: no code is good twice, no key lives that should not."""

import contextlib
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.study import Hospital
from chalicelib.services.change_keys import (
    AddKey,
    LastKey,
    NoLiveKey,
    RetireKey,
    RevokeKeys,
    TooManyKeys,
    UnknownKey,
)
from chalicelib.services.issue_joining_code import IssueJoiningCode, UnknownHospital
from chalicelib.services.join_hospital import JoinHospital, JoiningRefused, KeyRefused
from chalicelib.services.joining_ports import OfferedKey
from chalicelib.services.keep_key import KeepKey
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.replay_facts import ReplayRegistrations
from tests.support.fakes_ingest import FakeUploads
from tests.support.fakes_joining import FakeHospitalKeys, FakeJoiningCodes
from tests.support.fakes_people import FakeAudit, SeededRandomness
from tests.support.fakes_settle import FakeHospitals
from tests.support.hospital_keys import public_key
from tests.support.tokens import NOW

REGULATOR, PACS = Caller("regulator", "wei"), Caller("hospital", "pacs-1", "H1")
REFUSALS = (KeyRefused, JoiningRefused, LastKey, NoLiveKey, TooManyKeys, UnknownKey)
NAMES = ("k1", "k2", "k3", "h1")


class CutError(RuntimeError):
    """The function died here."""


class World:
    """`steps`: so many writes succeed, then the process dies."""

    def __init__(self):
        self.uploads, self.hospitals, self.audit = (
            FakeUploads(),
            FakeHospitals(Hospital("H1", "省人民医院")),
            FakeAudit(),
        )
        self.keys, self.codes, self.numbers = FakeHospitalKeys(), FakeJoiningCodes(), itertools.count()
        self.record = RecordDecision(self.audit, SeededRandomness())
        self.steps = None

    @property
    def keep(self):
        return KeepKey(Dying(self, self.keys), Dying(self, self.uploads), lambda _: f"{next(self.numbers):026d}")

    def code(self):
        issue = IssueJoiningCode(
            self.hospitals, self.codes, lambda size: bytes([next(self.numbers)] * size), self.record
        )
        return issue(REGULATOR, "H1", NOW)[0]

    def join(self, code, name="k1"):
        ports = (self.hospitals, Dying(self, self.codes), self.keep, prove, self.record)
        return JoinHospital(*ports)("H1", code, OfferedKey(name, ""), NOW)

    def add(self, name):
        return AddKey(self.keep, prove, self.record)(PACS, OfferedKey(name, ""), NOW)

    def retire(self, name):
        return RetireKey(self.keep, self.record)(PACS, public_key(name).kid, NOW)

    def revoke(self):
        return RevokeKeys(self.hospitals, Dying(self, self.codes), self.keep, self.record)(REGULATOR, "H1", NOW)

    def live(self):
        return {name for name in NAMES for one in self.keys.of("H1") if one.key == public_key(name) and one.is_live}

    def rebuilt(self):
        """What lives after a rebuild from the bucket alone."""
        lost = World()
        ReplayRegistrations(self.uploads, FakeHospitals(), lost.keys)()
        return lost.live()


class Dying:
    """A port whose writes fail once the world's steps are used up."""

    def __init__(self, world, port):
        self.world, self.port = world, port

    def __getattr__(self, name):
        act = getattr(self.port, name)
        if name not in ("add", "end", "put_new", "use_up", "void"):
            return act

        def counted(*given, **named):
            if self.world.steps is not None:
                if not self.world.steps:
                    raise CutError
                self.world.steps -= 1
            return act(*given, **named)

        return counted


def prove(_hospital_id, offered, _now):
    return public_key(offered.public_key)


def test_a_code_makes_one_key_however_often_joining_is_cut_off():
    for steps in range(4):
        world = World()
        code, world.steps = world.code(), steps
        try:
            world.join(code)
        except CutError:
            world.steps = None
        with contextlib.suppress(JoiningRefused):
            world.join(code, "k2")
        assert len(world.live()) <= 1, steps
        assert world.rebuilt() <= world.live(), steps


def test_a_key_that_was_added_while_the_bucket_failed_is_kept_when_it_is_sent_again():
    world = World()
    world.join(world.code())
    world.steps = 1
    with pytest.raises(CutError):
        world.add("k2")
    world.steps = None
    assert (world.live(), world.rebuilt()) == ({"k1", "k2"}, {"k1"})
    world.add("k2")
    assert world.rebuilt() == {"k1", "k2"}


def test_a_retirement_that_was_cut_off_never_leaves_the_key_alive_in_a_rebuild_alone():
    for steps in range(3):
        world = World()
        world.join(world.code())
        world.add("k2")
        world.steps = steps
        with contextlib.suppress(CutError):
            world.retire("k1")
        assert world.rebuilt() <= world.live(), steps


def test_a_revocation_that_was_cut_off_is_finished_by_the_next():
    for steps in range(5):
        world = World()
        world.join(world.code())
        world.add("k2")
        world.code()
        world.steps = steps
        with contextlib.suppress(CutError):
            world.revoke()
        assert world.rebuilt() <= world.live(), steps
        world.steps = None
        world.revoke()
        assert (world.live(), world.rebuilt(), world.codes.get("H1")) == (set(), set(), None)


@given(st.lists(st.tuples(st.sampled_from(["join", "add", "retire", "revoke"]), st.sampled_from(NAMES)), max_size=12))
def test_whatever_is_done_in_whatever_order_the_bucket_alone_rebuilds_it(acts):
    world = World()
    for act, name in acts:
        try:
            match act:
                case "join":
                    world.join(world.code(), name)
                case "revoke":
                    assert world.revoke() >= 0
                    assert world.live() == set()
                case _:
                    getattr(world, act)(name)
        except REFUSALS:
            continue
        assert world.rebuilt() == world.live()


def test_without_an_audit_event_nothing_happens():
    world = World()
    code = world.code()
    world.audit.broken = True
    for act in (lambda: world.join(code), lambda: world.add("k2"), world.revoke, world.code):
        with pytest.raises(AuditFailed):
            act()
    assert (world.live(), list(world.uploads.versions(""))) == (set(), [])


def test_no_code_for_a_hospital_that_is_not_registered():
    world = World()
    world.hospitals.known.clear()
    with pytest.raises(UnknownHospital):
        world.code()
    with pytest.raises(UnknownHospital):
        world.revoke()


def test_a_hundred_keys_are_enough():
    world = World()
    world.join(world.code())
    (first,) = world.keys.of("H1")
    for number in range(99):
        old = replace(first, key=replace(first.key, n=f"n{number}"), ended_at=NOW + timedelta(days=number))
        world.keys.add(old)
    with pytest.raises(TooManyKeys):
        world.add("k2")
