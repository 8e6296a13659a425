from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from chalicelib.domain.study import StudyRef
from chalicelib.domain.upload_key import Kind, Uploaded
from chalicelib.services.ports import Clock, Hospitals, Uploads

# Amendments first: nothing that was excluded is served meanwhile. Archives before what they were unpacked to, so that
# whatever is missing there is written first; notices last.
ORDER: Final[tuple[Kind, ...]] = ("amendments", "archives", "unpacked", "instances", "notices")
BATCH: Final = 300  # objects: what ingest takes in one run; all versions of a key stay together
SETTLE_AT: Final = 500  # studies remembered before they are settled

KeepGoing = Callable[[], bool]
TakeUp = Callable[[Collection[Uploaded], KeepGoing], frozenset[Uploaded]]


@dataclass(frozen=True, slots=True)
class Reindexed:
    """How far it came. `after` is a key: give it to the next run, which begins behind it. `left` counts objects that a
    fault of ours kept from being taken up; a run that leaves some is to be repeated.
    """

    after: str = ""
    objects: int = 0
    left: int = 0
    settled: int = 0
    done: bool = False


@dataclass(slots=True)
class TouchedStudies:
    """Stands in for the settle queue: remembers the studies, for reindex settles them itself."""

    refs: set[StudyRef] = field(default_factory=set)

    def send(self, refs: Collection[StudyRef]) -> None:
        self.refs.update(refs)


@dataclass(frozen=True)
class ReindexStudies:
    """Everything again from the bucket alone (DESIGN §4.9): it ends in the manifests that were there before.

    `registrations` brings back the hospitals, for whose uploads it then looks. `take_up` does what ingest, unpacking,
    notices and amendments do with objects of a kind, with `touched` as its settle queue.
    Every step may be repeated, so a run that died goes on from any earlier `after`.
    """

    uploads: Uploads
    hospitals: Hospitals
    registrations: Callable[[], object]
    take_up: Mapping[Kind, TakeUp]
    touched: TouchedStudies
    settle: Callable[[StudyRef, datetime], object]
    clock: Clock

    def __call__(
        self, after: str, keep_going: KeepGoing, progress: Callable[[Reindexed], None] = lambda _: None
    ) -> Reindexed:
        """From `after` ("": the beginning) as long as `keep_going()`; `progress` hears of every batch."""
        if not after:
            self.registrations()
        so_far, reached = Reindexed(after), after
        for kind, batch in self._batches(after):
            if not keep_going():
                return self._settle(so_far, reached)
            left = self.take_up[kind](batch, keep_going)
            if left and not keep_going():  # not a fault: time ran out, and the next run begins with this batch
                return self._settle(so_far, reached)
            reached = batch[-1].key
            so_far = replace(so_far, objects=so_far.objects + len(batch), left=so_far.left + len(left))
            if len(self.touched.refs) >= SETTLE_AT:
                so_far = self._settle(so_far, reached)
            progress(so_far)
        return replace(self._settle(so_far, reached), done=True)

    def _settle(self, so_far: Reindexed, reached: str) -> Reindexed:
        """Only when all that was taken up is settled may a later run begin behind it."""
        settled = 0
        for ref in sorted(self.touched.refs):
            self.settle(ref, self.clock())
            self.touched.refs.discard(ref)
            settled += 1
        return replace(so_far, after=reached, settled=so_far.settled + settled)

    def _batches(self, after: str) -> Iterator[tuple[Kind, list[Uploaded]]]:
        start = next((number for number, kind in enumerate(ORDER) if after.startswith(f"{kind}/")), 0)
        for kind in ORDER[start:]:
            batch: list[Uploaded] = []
            for _, versions in groupby(self._objects(kind, after if kind == ORDER[start] else ""), _key):
                batch += versions
                if len(batch) >= BATCH:
                    yield kind, batch
                    batch = []
            if batch:
                yield kind, batch

    def _objects(self, kind: Kind, after: str) -> Iterator[Uploaded]:
        """All versions of a kind in key order, behind key `after`."""
        for hospital in self.hospitals.list():
            prefix = f"{kind}/{hospital.hospital_id}/"
            if prefix < after and not after.startswith(prefix):
                continue
            for version in self.uploads.versions(prefix):
                if version.key > after:
                    yield Uploaded(version.key, version.version_id, version.size)


def _key(uploaded: Uploaded) -> str:
    return uploaded.key
