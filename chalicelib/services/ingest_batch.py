"""Object versions → journal, quarantine, settle messages and one receipt (DESIGN §4.2–4.6)."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.services.examine_upload import Examined, ExamineUpload
from chalicelib.services.faults import note
from chalicelib.services.leave_receipt import Outcome, leave_receipt
from chalicelib.services.ports import QuarantineRecord
from chalicelib.services.watch_ports import Handled, Watch, unwatched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from chalicelib.domain.study import Entry, StudyRef
    from chalicelib.domain.upload_key import Uploaded
    from chalicelib.services.ports import Clock, Hospitals, Journal, Quarantine, Receipts, SettleQueue, Uploads

Found = dict["Uploaded", Examined]


@dataclass(frozen=True)
class IngestBatch:
    """Nothing here depends on the order, the company or the repetition of objects; each write can be made again.

    `workers` GETs are under way at a time: they wait for S3 far longer than they compute.
    """

    uploads: Uploads
    hospitals: Hospitals
    journal: Journal
    quarantine: Quarantine
    receipts: Receipts
    settle_queue: SettleQueue
    clock: Clock
    workers: int = 8
    watch: Watch = unwatched

    def __call__(self, objects: Collection[Uploaded], keep_going: Callable[[], bool]) -> frozenset[Uploaded]:
        """The objects not done, because time ran out or by a fault of ours: they are to be tried again.

        A bad object is done: it lies in quarantine. Objects are no longer taken up once `keep_going()` is False.
        """
        now = self.clock()
        found = self._examine(frozenset(objects), keep_going, now)
        done = {uploaded: found[uploaded] for uploaded in self._refuse(found) | self._index(found, now)}
        end = self.clock()
        try:
            leave_receipt(self.receipts, _outcomes(done), end)
        except Exception as fault:  # noqa: BLE001 - whatever it was: without a receipt the batch is done again
            note(fault)
            return frozenset(objects)
        self.watch([_handled(examined) for examined in done.values()], end)
        return frozenset(objects) - done.keys()

    def _examine(self, objects: frozenset[Uploaded], keep_going: Callable[[], bool], now: datetime) -> Found:
        examine = ExamineUpload(self.uploads, self.hospitals)

        def attempt(uploaded: Uploaded) -> Examined | None:
            if not keep_going():
                return None
            try:
                return examine(uploaded, now)
            except Exception as fault:  # noqa: BLE001 - one record's fault, whatever it was, must not fail the others
                note(fault)
                return None

        if self.workers == 1:
            answers = [attempt(uploaded) for uploaded in objects]
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                answers = list(pool.map(attempt, objects))
        return {uploaded: answer for uploaded, answer in zip(objects, answers, strict=True) if answer is not None}

    def _refuse(self, found: Found) -> set[Uploaded]:
        done = set()
        for uploaded, examined in found.items():
            if isinstance(examined.found, QuarantineRecord):
                try:
                    self.quarantine.put(examined.found)
                except Exception as fault:  # noqa: BLE001 - as above: this record alone is tried again
                    note(fault)
                else:
                    done.add(uploaded)
        return done

    def _index(self, found: Found, now: datetime) -> set[Uploaded]:
        entries = {uploaded: read.found for uploaded, read in found.items() if isinstance(read.found, tuple)}
        if not entries:
            return set()
        received = _by_study(entries.values())
        try:
            self.journal.write(received, now)
            # After the journal's last answer, never before: the message must come behind what it tells of (§4.6).
            self.settle_queue.send(received.keys())
        except Exception as fault:  # noqa: BLE001 - both are safe to do again, so whatever it was, all of it is
            note(fault)
            return set()
        return set(entries)


def _by_study(entries: Iterable[tuple[StudyRef, Entry]]) -> dict[StudyRef, list[Entry]]:
    """Entries by study, each object version once however many events named it."""
    once = {(ref, entry.place): entry for ref, entry in entries}
    received: dict[StudyRef, list[Entry]] = defaultdict(list)
    for (ref, _), entry in once.items():
        received[ref].append(entry)
    return received


def _outcomes(done: Mapping[Uploaded, Examined]) -> list[Outcome]:
    return [
        Outcome(uploaded.key, examined.version_id, _handled(examined).outcome) for uploaded, examined in done.items()
    ]


def _handled(examined: Examined) -> Handled:
    if isinstance(examined.found, QuarantineRecord):
        return Handled(examined.found.reason, examined.found.received_at)
    return Handled("indexed", examined.found[1].received_at)
