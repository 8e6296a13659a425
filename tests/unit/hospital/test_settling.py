"""What of a directory that others write to is taken, and when."""

from __future__ import annotations

import os

import pytest

from infra.hospital.imaging_hospital import scan
from infra.hospital.imaging_hospital.settling import AGAIN, PATIENCE, Settling
from infra.hospital.imaging_hospital.tally import Tally
from tests.support.ingest_samples import instance

SETTLE = 10.0


class Folder:
    """A directory, and what is taken of it at each look."""

    def __init__(self, root, *, whole=False):
        self.root, self.tally = root, Tally()
        self.settling = Settling(SETTLE, whole=whole)

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(0, len(content)))  # the same content, the same time
        return path

    def look(self, now):
        series = self.settling.look(scan.files(self.root, Tally()), self.tally, now)
        return sorted(sorted(os.path.relpath(one.path, self.root) for one in group) for group in series)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_a_file_is_taken_when_nobody_has_touched_it_for_a_while(folder):
    folder.write("a/1", instance(1, 1))
    assert folder.look(0) == []
    assert folder.look(SETTLE - 1) == []
    assert folder.look(SETTLE) == [["a/1"]]


def test_a_file_that_still_grows_is_not_even_read(folder):
    folder.write("a/1", b"half")
    folder.look(0)
    folder.write("a/1", instance(1, 1))
    assert folder.look(SETTLE) == []
    assert folder.look(2 * SETTLE) == [["a/1"]]
    assert folder.tally.skipped == []


def test_a_series_waits_for_its_last_image(folder):
    folder.write("a/1", instance(1, 1))
    folder.look(0)
    folder.write("a/2", instance(1, 2))
    assert folder.look(SETTLE) == []
    assert folder.look(2 * SETTLE) == [["a/1", "a/2"]]


def test_other_directories_do_not_hold_it_up(folder):
    folder.write("a/1", instance(1, 1))
    folder.look(0)
    folder.write("b/1", instance(2, 1))
    assert folder.look(SETTLE) == [["a/1"]]


def test_a_series_that_never_settles_is_taken_in_pieces(folder):
    folder.write("a/1", instance(1, 1))
    taken = []
    for number in range(PATIENCE + 2):
        folder.write("a/last", b"x" * (number + 1))
        taken.append(folder.look(number * SETTLE))
    assert [["a/1"]] in taken
    assert taken[: PATIENCE - 1] == [[]] * (PATIENCE - 1)


def test_what_is_no_dicom_is_told_once(folder):
    folder.write("a/note.txt", b"hello")
    for now in range(0, 100, 10):
        folder.look(now)
    assert [reason for _, reason in folder.tally.skipped] == ["not_dicom"]


def test_a_file_that_became_another_is_looked_at_again(folder):
    folder.write("a/1", b"hello")
    folder.look(0)
    folder.look(SETTLE)
    folder.write("a/1", instance(1, 1))
    folder.look(2 * SETTLE)
    assert folder.look(3 * SETTLE) == [["a/1"]]


def test_what_was_refused_is_tried_again_an_hour_later(folder):
    path = folder.write("a/1", instance(1, 1))
    folder.look(0)
    folder.settling.later(str(path), SETTLE)
    assert folder.look(2 * SETTLE) == []
    assert folder.look(SETTLE + AGAIN) == [["a/1"]]


def test_files_that_appear_whole_are_read_at_once_and_their_series_still_waited_for(tmp_path):
    folder = Folder(tmp_path, whole=True)
    folder.write("1", instance(1, 1))
    folder.look(0)
    folder.write("2", instance(1, 2))
    folder.write("9", instance(2, 1))
    assert folder.look(SETTLE) == []
    assert folder.look(2 * SETTLE) == [["1", "2"], ["9"]]


def test_others_of_one_inbox_do_not_hold_up_a_series(tmp_path):
    folder = Folder(tmp_path, whole=True)
    folder.write("1", instance(1, 1))
    folder.look(0)
    folder.write("9", instance(2, 1))
    assert folder.look(SETTLE) == [["1"]]
