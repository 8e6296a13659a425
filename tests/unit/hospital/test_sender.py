"""One upload and all that may go wrong with it: it is in the cloud once in the end."""

from __future__ import annotations

import tempfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.hospital.imaging_hospital.api import CLOCK_IS_OFF
from infra.hospital.imaging_hospital.body import Body, Limiter
from infra.hospital.imaging_hospital.faults import NotAllowedError, StoppedError, TryLaterError
from infra.hospital.imaging_hospital.pack import Indexed, digest
from infra.hospital.imaging_hospital.patience import Patience
from infra.hospital.imaging_hospital.sender import CHANGED, Sender
from infra.hospital.imaging_hospital.settings import Settings
from infra.hospital.imaging_hospital.state import SENT, Plan, State
from tests.support.fake_s3 import CUT, SLOW_DOWN, FakePasses, FakeS3, Silent, error

PART = 5000
LARGE = 2 * PART + 1000  # three parts


class Bench:
    """A spool with one planned upload of `size` bytes, and the sender for it. `reborn` is the client after a kill."""

    def __init__(self, tmp_path, size=1000, lanes=1):
        self.lanes = lanes
        self.s3, self.stop, self.watcher = FakeS3(), threading.Event(), Silent()
        self.passes = FakePasses(self.s3)
        self.arrived = False
        self.file = tmp_path / "image"
        self.file.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
        self.settings = Settings("https://cloud", "H1", tmp_path / "key.pem", tmp_path)
        self.place = tmp_path / "state.sqlite3"
        self.state = State(self.place, self.settings)
        source = digest(self.file)
        name = f"{source.sha256.hex()}.dcm"
        self.upload = self.state.plan(Plan("instances", name, "1.2", "1.2.3", b"", (Indexed(source, "1.2.3.4", {}),)))

    def reborn(self):
        self.state.close()
        self.state = State(self.place, self.settings)
        return self

    def send(self):
        sender = Sender(
            self.state,
            self.passes,
            Limiter(0, self.stop),
            self.stop,
            self.watcher,
            lambda _: self.arrived,
            self.lanes,
            part_size=PART,
            first=0.0001,
            longest=0.001,
            now=self.passes.now,
        )
        try:
            return sender(self.upload.id)
        finally:
            sender.close()

    def is_there_once(self):
        assert list(self.s3.objects.values()) == [self.file.read_bytes()]
        assert set(self.s3.puts.values()) == {1}
        path, told = str(self.file), self.file.stat()
        assert self.state.standing(path, told.st_size, told.st_mtime_ns) == SENT


@pytest.fixture(scope="module")
def new_place():
    """A new directory each call, in memory where the machine has that: every step here waits for the disk."""
    memory = Path("/dev/shm")  # noqa: S108 - of Linux, no name in it can be guessed
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as parent:
        yield lambda: Path(tempfile.mkdtemp(dir=parent))


@pytest.fixture
def make(new_place):
    made = []

    def bench(size=1000, lanes=1):
        made.append(Bench(new_place(), size, lanes))
        return made[-1]

    yield bench
    for one in made:
        one.state.close()


def test_a_small_object_is_one_put_under_todays_prefix(make):
    bench = make()
    assert bench.send() == SENT
    bench.is_there_once()
    assert [name for name, _ in bench.s3.calls] == ["put"]
    assert next(iter(bench.s3.objects)).startswith("instances/H1/2026-11-24/")


def test_a_large_object_goes_in_parts(make):
    bench = make(LARGE)
    assert bench.send() == SENT
    bench.is_there_once()
    assert [name for name, _ in bench.s3.calls] == ["create", "part 1", "part 2", "part 3", "complete"]


@pytest.mark.parametrize("trouble", [CUT, SLOW_DOWN, error("InternalError", 500), error("RequestTimeout", 400)])
def test_what_passes_is_waited_for(make, trouble):
    bench = make()
    bench.s3.trouble = [trouble] * 30
    assert bench.send() == SENT
    bench.is_there_once()
    assert len(bench.watcher.waited) == 30


@pytest.mark.parametrize("size", [1000, LARGE])
def test_bytes_that_were_mangled_on_the_way_are_sent_again(make, size):
    bench = make(size)
    bench.s3.trouble = [None] * 4 * (size > PART) + [error("BadDigest", 400)]
    assert bench.send() == SENT
    bench.is_there_once()


def test_bytes_that_are_always_mangled_are_told_in_the_end(make):
    bench = make()
    bench.s3.trouble = [error("BadDigest", 400)] * 9
    assert bench.send() == "S3 BadDigest"


def test_a_put_whose_answer_was_lost_is_not_made_twice(make):
    bench = make()
    bench.s3.trouble = [(None, CUT)]
    assert bench.send() == SENT
    bench.is_there_once()


def test_parts_that_arrived_before_a_kill_are_not_sent_again(make):
    bench = make(LARGE)
    bench.s3.trouble = [None, None, None, error("Killed", 400)]
    bench.s3.trouble[3] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        bench.send()
    bench.s3.calls.clear()
    assert bench.reborn().send() == SENT
    bench.is_there_once()
    assert [name for name, _ in bench.s3.calls] == ["part 3", "complete"]


def test_a_multipart_upload_that_is_gone_is_begun_again(make):
    bench = make(LARGE)
    bench.s3.trouble = [None, None, CUT]
    bench.stop.set()
    with pytest.raises(StoppedError):
        bench.send()
    bench.stop.clear()
    bench.s3.uploads.clear()
    assert bench.reborn().send() == SENT
    bench.is_there_once()


def test_a_completion_whose_answer_was_lost_ends_in_one_object(make):
    bench = make(LARGE)
    bench.s3.trouble = [None, None, None, None, (None, CUT)]
    assert bench.send() == SENT
    bench.is_there_once()


def test_keys_that_ended_are_renewed(make):
    bench = make()
    bench.s3.trouble = [error("ExpiredToken", 400)]
    assert bench.send() == SENT
    assert bench.passes.given == 2


def test_keys_that_are_never_accepted_end_it_and_nothing_is_lost(make):
    bench = make()
    bench.s3.refused = {"instances/"}
    with pytest.raises(NotAllowedError):
        bench.send()
    bench.s3.refused = set()
    assert bench.reborn().send() == SENT
    bench.is_there_once()


def test_a_clock_that_is_off_is_told_as_such_and_nothing_is_lost(make):
    bench = make(LARGE, lanes=2)
    bench.s3.trouble = [None, error("RequestTimeTooSkewed", 403)]
    with pytest.raises(NotAllowedError) as told:
        bench.send()
    assert told.value.said is CLOCK_IS_OFF
    assert "set it (NTP)" in str(told.value)
    assert bench.reborn().send() == SENT
    bench.is_there_once()


def test_no_keys_for_hours_are_waited_for(make):
    bench = make()
    bench.passes.trouble = [TryLaterError("no line")] * 40
    assert bench.send() == SENT
    bench.is_there_once()


def begun_yesterday(bench):
    """Killed while sending, and started again the day after."""
    bench.s3.trouble = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        bench.send()
    bench.passes.clock[0] += timedelta(days=1)
    return bench.reborn()


def test_what_was_begun_yesterday_goes_under_todays_prefix(make):
    bench = begun_yesterday(make())
    assert bench.send() == SENT
    bench.is_there_once()
    assert next(iter(bench.s3.objects)).startswith("instances/H1/2026-11-25/")


def test_what_arrived_yesterday_although_nobody_heard_is_not_sent_again(make):
    bench = begun_yesterday(make())
    bench.arrived = True
    assert bench.send() == SENT
    assert bench.s3.objects == {}


def test_a_large_object_over_midnight_is_begun_anew_where_its_keys_have_ended(make):
    bench = make(LARGE)
    bench.passes.clock[0] += timedelta(hours=11, minutes=50)
    bench.s3.trouble = [None, None, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        bench.send()
    bench.passes.clock[0] += timedelta(hours=2)
    bench.s3.refused = {"instances/H1/2026-11-24/"}
    assert bench.reborn().send() == SENT
    bench.is_there_once()


def test_what_the_cloud_does_not_want_is_told_and_tried_again_next_time(make):
    bench = make()
    bench.s3.trouble = [error("EntityTooLarge", 400)]
    assert bench.send() == "S3 EntityTooLarge"
    path, told = str(bench.file), bench.file.stat()
    assert bench.state.standing(path, told.st_size, told.st_mtime_ns) == "S3 EntityTooLarge"
    assert not bench.state.is_known(digest(bench.file))


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: file.write_bytes(b"other")])
def test_a_file_that_changed_is_not_sent_and_its_plan_is_forgotten(make, change):
    bench = make()
    change(bench.file)
    assert bench.send() == CHANGED
    assert bench.s3.objects == {}
    assert bench.state.under_way(bench.file.parent) == []


def test_who_stops_it_does_not_wait(make):
    bench = make()
    bench.s3.trouble = [CUT]
    bench.stop.set()
    with pytest.raises(StoppedError):
        bench.send()


def test_what_is_shown_is_what_is_there(make):
    bench = make(LARGE)
    bench.s3.trouble = [None, CUT, None, SLOW_DOWN, None, None, (None, CUT)]
    assert bench.send() == SENT
    assert bench.watcher.size == LARGE


TROUBLES = st.sampled_from(
    [None, CUT, SLOW_DOWN, (None, CUT), (None, SLOW_DOWN), error("InternalError", 500), error("NoSuchUpload", 404)]
)


@given(st.lists(TROUBLES, max_size=12), st.sampled_from([1000, LARGE, 7 * PART + 1]), st.sampled_from([1, 4]))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_on_the_way_it_is_there_once(new_place, troubles, size, lanes):
    bench = Bench(new_place(), size, lanes)
    bench.s3.trouble = [*troubles]
    assert bench.send() == SENT
    bench.is_there_once()
    assert bench.watcher.size == bench.upload.content.size
    bench.state.close()


@given(st.data(), st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_killed_at_any_part_with_others_on_their_way_what_s3_has_is_not_sent_again(new_place, data, parts):
    bench = Bench(new_place(), parts * PART, lanes=4)
    bench.s3.trouble = [None] * data.draw(st.integers(1, parts)) + [Killed()]
    with pytest.raises(Killed):
        bench.send()
    there = {number for held in bench.s3.uploads.values() for number in held}
    known = {part.number for part in bench.reborn().state.upload(bench.upload.id).parts}
    assert known == there
    bench.s3.calls.clear()
    assert bench.send() == SENT
    bench.is_there_once()
    again = sorted(int(name.split()[1]) for name, _ in bench.s3.calls if name.startswith("part"))
    assert again == sorted(set(range(1, parts + 1)) - there)
    bench.state.close()


class Killed(BaseException):
    """The process died in one thread; the others' last answers still came."""


def test_parts_of_one_object_leave_at_the_same_time_and_no_more_than_there_are_lanes(make):
    bench = make(9 * PART, lanes=3)
    together, most, lock = threading.Barrier(3, timeout=10), [0, 0], threading.Lock()
    send = bench.s3.upload_part

    def meet(**part):
        with lock:
            most[0] += 1
            most[1] = max(most)
        together.wait()  # broken, and the test fails, when fewer than three are ever under way
        with lock:
            most[0] -= 1
        return send(**part)

    bench.s3.upload_part = meet
    assert bench.send() == SENT
    assert most == [0, 3]
    bench.is_there_once()


def test_a_large_file_that_vanishes_while_its_parts_leave_is_told_as_changed(make):
    bench = make(9 * PART, lanes=3)
    send = bench.s3.upload_part

    def vanish(**part):
        bench.file.unlink(missing_ok=True)
        return send(**part)

    bench.s3.upload_part = vanish
    assert bench.send() == CHANGED
    assert bench.s3.objects == {}
    assert bench.watcher.size <= 3 * PART


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_waits_grow_to_a_minute_and_are_never_all_the_same(chances):
    draws = iter(chances)
    patience = Patience(threading.Event(), chance=lambda: next(draws))
    waits = [patience.next() for _ in chances]
    most = [min(60, 2**number) for number in range(12)]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits, most, strict=True))


def test_a_thousand_tries_do_not_overflow():
    patience = Patience(threading.Event())
    assert all(patience.next() <= 60 for _ in range(2000))


class Clock:
    """A clock and an event whose wait lets time pass."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds

    @staticmethod
    def is_set():
        return False


def test_the_limit_is_kept_by_all_that_leaves_together():
    clock = Clock()
    limiter = Limiter(1_000_000, clock, clock)
    left = []
    bodies = [Body(bytes(3_000_000), limiter, left.append) for _ in range(2)]
    for body in bodies:
        body._leaving = True  # noqa: SLF001 - as botocore's event does
        while body.read(16_384):
            pass
    assert sum(left) == 6_000_000
    assert clock.now == pytest.approx(6, abs=0.1)


def test_bytes_that_are_only_looked_at_are_not_counted():
    left = []
    body = Body(b"x" * 100, Limiter(1, threading.Event()), left.append)
    assert body.read() == b"x" * 100
    assert left == []
