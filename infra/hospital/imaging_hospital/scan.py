"""A directory → the DICOM files in it that the cloud does not have."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from . import header
from .state import SENT, State
from .tally import Tally

READERS: Final = 4  # a network drive answers slowly, but several at once
BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class Found:
    """A DICOM file. `packable`: its header can stand in an index."""

    path: str
    size: int
    mtime_ns: int
    study: str
    series: str
    sop: str
    packable: bool

    @property
    def standing(self) -> Standing:
        return Standing(self.path, self.size, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Standing:
    """A file as the directory shows it, not read yet."""

    path: str
    size: int
    mtime_ns: int


def files(root: Path, tally: Tally, avoid: Path | None = None) -> Iterator[Standing]:
    """Every file below `root`, in order, but for those below `avoid`, our own. What is no plain file, or cannot be
    looked at, is told."""

    def unreadable(error: OSError) -> None:
        tally.skip(str(error.filename), "unreadable")

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if avoid is None or Path(folder, name) != avoid)
        for name in folders:
            if os.path.islink(path := os.path.join(folder, name)):  # noqa: PTH114, PTH118 - see below
                tally.skip(path, "link")
        for name in sorted(names):
            path = os.path.join(folder, name)  # noqa: PTH118 - a million of them: Path costs ten times as much
            try:
                told = os.lstat(path)
            except OSError:
                tally.skip(path, "unreadable")
                continue
            if stat.S_ISREG(told.st_mode):
                yield Standing(path, told.st_size, told.st_mtime_ns)
            else:
                tally.skip(path, "link")


def unsent(standing: Iterable[Standing], state: State, tally: Tally) -> Iterator[Standing]:
    """Those that are neither sent nor on their way. What the cloud refused is tried again."""
    for one in standing:
        outcome = state.standing(one.path, one.size, one.mtime_ns)
        if outcome == SENT:
            tally.seen_before()
        elif outcome != "":
            yield one


def read(standing: Iterable[Standing], tally: Tally) -> Iterator[Found]:
    """The DICOM files among them; all others are told."""
    several = iter(standing)
    with ThreadPoolExecutor(READERS) as pool:
        while batch := list(islice(several, BATCH)):
            yield from (one for one in pool.map(lambda one: read_one(one, tally), batch) if one)


def read_one(one: Standing, tally: Tally) -> Found | None:
    try:
        found = header.read(Path(one.path))
    except header.NotDicomError as no:
        tally.skip(one.path, no.reason)
    except OSError:
        tally.skip(one.path, "unreadable")
    else:
        packable = found.header is not None
        return Found(one.path, one.size, one.mtime_ns, found.study, found.series, found.sop, packable)
    return None


def by_series(found: Iterable[Found]) -> list[list[Found]]:
    """The files of each series together, studies one after the other. Files without UIDs are alone."""
    groups: defaultdict[tuple[str, str, str], list[Found]] = defaultdict(list)
    for one in found:
        alone = "" if one.study and one.series else one.path
        groups[one.study, one.series, alone].append(one)
    return [groups[key] for key in sorted(groups)]
