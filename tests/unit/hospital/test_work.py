"""Whole runs over a directory, against S3 in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.hospital.imaging_hospital.alone import alone
from infra.hospital.imaging_hospital.body import Limiter
from infra.hospital.imaging_hospital.desk import Exit
from infra.hospital.imaging_hospital.faults import NotAllowedError, StoppedError
from infra.hospital.imaging_hospital.sender import Sender
from infra.hospital.imaging_hospital.settings import Settings, SettingsError
from infra.hospital.imaging_hospital.settling import Settling
from infra.hospital.imaging_hospital.spool import Spool
from infra.hospital.imaging_hospital.state import State
from infra.hospital.imaging_hospital.tally import Tally
from infra.hospital.imaging_hospital.watch import Root, keep_sending
from infra.hospital.imaging_hospital.work import Work
from tests.support.fake_s3 import FakePasses, FakeS3, Silent, error
from tests.support.ingest_samples import instance


class Place:
    """A hospital's machine: a directory of images and a spool beside it."""

    def __init__(self, root):
        self.images, self.spool = root / "images", Spool(root / "spool")
        self.images.mkdir()
        self.spool.prepare()
        self.s3 = FakeS3()
        self.settings = Settings("https://cloud", "H1", root / "key.pem", self.spool.directory, settle_seconds=0)

    def add(self, study, count=3, root=None):
        folder = (root or self.images) / f"s{study}"
        folder.mkdir(exist_ok=True)
        for number in range(count):
            (folder / f"{number}").write_bytes(instance(study, number + 1))

    @contextmanager
    def work(self):
        stop, watcher, state = threading.Event(), Silent(), State(self.spool.state, self.settings)
        passes = FakePasses(self.s3)
        limiter = Limiter(0, stop)
        sender = Sender(
            state, passes, limiter, stop, watcher, lambda _: False, first=0.0001, longest=0.001, now=passes.now
        )
        try:
            yield Work(self.settings, self.spool, state, None, sender, watcher, stop)
        finally:
            state.close()

    def send(self):
        with self.work() as work:
            return work.send(self.images)

    def sent(self):
        """How many images lie in the bucket."""
        return sum(max(body.count(b"DICM"), 1) for body in self.s3.objects.values())


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_everything_is_sent_once_however_often_it_is_run(place):
    for study in range(5):
        place.add(study)
    first, second = place.send(), place.send()
    assert (first.sent, first.packs, first.exit) == (15, 5, Exit.DONE)
    assert (second.sent, second.before) == (0, 15)
    assert len(place.s3.objects) == 5


def test_what_is_shown_adds_up(place):
    for study in range(4):
        place.add(study)
    with place.work() as work:
        work.send(place.images)
        assert work.watcher.size == work.watcher.expected == sum(map(len, place.s3.objects.values()))


def test_images_added_to_a_series_later_are_a_pack_of_their_own(place):
    place.add(1, 3)
    place.send()
    place.add(1, 6)
    assert place.send().sent == 3
    assert place.sent() == 6


def test_when_one_file_of_a_pack_is_gone_the_others_arrive(place):
    place.add(1, 5)
    place.s3.trouble = [error("SlowDown", 503)]
    put = place.s3.put_object

    def then_one_is_gone(**asked):
        (place.images / "s1" / "2").unlink(missing_ok=True)
        return put(**asked)

    place.s3.put_object = then_one_is_gone
    tally = place.send()
    assert (tally.sent, dict(tally.reasons), tally.exit) == (4, {"changed": 1}, Exit.SKIPPED)
    assert place.sent() == 4


def test_a_name_that_is_no_text_is_a_name(place):
    place.add(1, 2)
    odd = os.fsencode(place.images) + "/王小明".encode("gb18030")
    Path(os.fsdecode(odd)).write_bytes(instance(2, 1))
    Path(os.fsdecode(odd + b".txt")).write_bytes(b"no DICOM")
    first, second = place.send(), place.send()
    assert (first.sent, second.before, dict(second.reasons)) == (3, 3, {"not_dicom": 1})


def test_links_are_told_and_not_followed(place, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place.add(1, 1, root=elsewhere)
    (place.images / "folder").symlink_to(elsewhere)
    (place.images / "round").symlink_to(place.images)
    tally = place.send()
    assert (tally.sent, dict(tally.reasons), tally.exit) == (0, {"link": 2}, Exit.DONE)


def test_a_directory_that_cannot_be_read_is_told(place, monkeypatch):
    place.add(1, 2)
    scandir = os.scandir

    def refuses(path):
        if str(path).endswith("s1"):
            raise PermissionError(13, "refused", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuses)
    tally = place.send()
    assert (tally.sent, dict(tally.reasons), tally.exit) == (0, {"unreadable": 1}, Exit.SKIPPED)


def test_our_own_spool_is_not_sent_to_the_cloud(place, tmp_path):
    place.add(1, 2)
    place.spool.keep(instance(9, 1))
    place.images = tmp_path
    tally = place.send()
    assert (tally.sent, tally.skipped) == (2, [])


def test_keys_that_are_not_accepted_end_the_run_and_nothing_is_lost(place):
    for study in range(6):
        place.add(study)
    place.s3.refused = {"archives/"}
    with pytest.raises(NotAllowedError):
        place.send()
    place.s3.refused = set()
    assert place.send().exit == Exit.DONE
    assert place.sent() == 18
    assert set(place.s3.puts.values()) == {1}


def test_what_the_cloud_refuses_is_told_and_the_rest_is_sent(place):
    for study in range(3):
        place.add(study)
    place.s3.trouble = [error("EntityTooLarge", 400)]
    tally = place.send()
    assert (tally.sent, len(tally.refused), tally.exit) == (6, 3, Exit.REFUSED)
    again = place.send()
    assert (again.sent, again.before, again.exit) == (3, 6, Exit.DONE)


def test_two_runs_at_the_same_time_send_everything_once(place):
    for study in range(12):
        place.add(study)
    done = []

    def run():
        with place.work() as work:
            done.append(work.send(place.images))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2
    assert place.send().before == 36
    assert place.sent() == 36
    assert set(place.s3.puts.values()) == {1}


def test_one_directory_is_one_commands(place):
    with alone(place.spool.directory, place.images):
        with pytest.raises(SettingsError), alone(place.spool.directory, place.images):
            pass
        with alone(place.spool.directory, place.spool.inbox):
            pass
    with alone(place.spool.directory, place.images):
        pass


def test_a_disk_that_is_full_is_not_taken_for_another_command(tmp_path):
    """The lock is a file too, and the first that is written: here in a process that may write nothing."""
    program = """
import resource, sqlite3, sys
from pathlib import Path
from infra.hospital.imaging_hospital.alone import alone
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with alone(Path(sys.argv[1]), Path("/images")):
        print("locked")
except sqlite3.OperationalError as error:
    print("told as it is")
"""
    told = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert told.stdout == "told as it is\n"


def test_a_spool_is_of_one_hospital(place):
    State(place.spool.state, place.settings).close()
    other = Settings("https://cloud", "H2", Path("key.pem"), place.spool.directory)
    with pytest.raises(SettingsError):
        State(place.spool.state, other)


def taken(place, rounds):
    """`keep_sending` over the inbox, for so many looks."""
    left = [rounds]

    def clock():
        left[0] -= 1
        if left[0] <= 0:
            work.stop.set()
        return (rounds - left[0]) / 1e6

    with place.work() as work:
        keep_sending(work, [Root(place.spool.inbox, owned=True)], Desk(work.stop), clock, pause=0)


class Desk:
    """Nobody listens, and what is complained of ends it."""

    def __init__(self, stop):
        self.stop = stop

    def say(self, said, **values):
        said.in_("zh", **values)

    def complain(self, said, **values):
        self.say(said, **values)
        self.stop.set()


def test_what_is_ours_is_deleted_once_it_is_in_the_cloud(place):
    for number in range(4):
        place.spool.keep(instance(1, number + 1))
    taken(place, 12)
    assert place.sent() == 4
    assert list(place.spool.inbox.iterdir()) == []


def test_what_is_ours_and_was_sent_before_a_kill_is_deleted_after_it(place):
    kept = [place.spool.keep(instance(1, number + 1)) for number in range(2)]
    with place.work() as work:
        files = Settling(0, whole=True).look(_standing(kept), Tally(), 0)
        work.finish([], files, Tally())
    assert all(path.exists() for path in kept)
    taken(place, 12)
    assert list(place.spool.inbox.iterdir()) == []
    assert set(place.s3.puts.values()) == {1}


def test_what_is_ours_stays_where_it_cannot_be_sent(place):
    place.spool.keep(instance(1, 1))
    place.s3.refused = {"instances/"}
    taken(place, 8)
    assert len(list(place.spool.inbox.iterdir())) == 1


def test_only_what_is_sent_proven_and_deleted_is_forgotten(place):
    place.spool.keep(instance(1, 1))
    place.spool.keep(instance(2, 1))
    taken(place, 12)
    place.add(3, 1)
    place.send()
    later = datetime.now(UTC) + timedelta(days=1)
    with place.work() as work:
        for study in ("1.2.3.1", "1.2.3.3"):
            work.state.prove(study, 1, later)
        work.state.prune(later - timedelta(days=2))
        assert len(work.state.studies(proven_too=True)) == 3
        work.state.prune(later)
        assert sorted(work.state.studies(proven_too=True)) == ["1.2.3.2", "1.2.3.3"]


def _standing(paths):
    from infra.hospital.imaging_hospital.scan import Standing

    return [Standing(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


def test_a_file_of_a_pack_that_was_killed_and_changed_since_takes_nothing_from_it(place):
    place.add(1, 5)
    with place.work() as work:
        work.stop.set()
        place.s3.trouble = [error("SlowDown", 503)] * 9
        with pytest.raises(StoppedError):
            work.send(place.images)
    place.s3.trouble = []
    (place.images / "s1" / "2").write_bytes(instance(1, 3, pixels=999))
    tally = place.send()
    assert (tally.sent, place.sent()) == (5, 5)
    assert place.send().before == 5
