"""The night's reconcile over fakes: a queue that brings again what failed, and all ports counted."""

from __future__ import annotations

from collections import Counter, deque

from chalicelib.domain.reconciling import SortPiece
from chalicelib.services.reconcile_uploads import ReconcileUploads, StartReconcile
from chalicelib.services.sort_receipts import SortReceipts
from tests.support.fakes_ingest import Crash, FakeRefeed


class FakeSortedReceipts:
    """`reads` counts what was asked of each night by kind."""

    def __init__(self):
        self.kept = {}
        self.asked = Counter()

    def put(self, night, part, digests):
        self.asked["put"] += 1
        spans, body = {}, b""
        for hospital_id, found in digests.items():
            spans[hospital_id] = (len(body), len(found))
            body += found
        self.kept[night, part] = spans, body

    def parts(self, night):
        self.asked["parts"] += 1
        return sorted(part for one, part in self.kept if one == night)

    def spans(self, night, part):
        self.asked["spans"] += 1
        return self.kept[night, part][0]

    def read(self, night, part, offset, length):
        self.asked["read"] += 1
        return self.kept[night, part][1][offset : offset + length]


class FakePieces:
    def __init__(self):
        self.waiting = deque()
        self.done = []

    def send(self, pieces):
        self.waiting += pieces


class Turns:
    """Time for so many looks at the clock in each run: `again()` begins the next."""

    def __init__(self, turns):
        self.turns = self.left = turns

    def again(self):
        self.left = self.turns

    def __call__(self):
        self.left -= 1
        return self.left >= 0


class Night:
    """Everything from the schedule's event until the queue is empty. `around` wraps each port."""

    def __init__(self, bench, replay=lambda objects, _: None, around=lambda port: port, keep_going=lambda: True):
        self.refeed, self.pieces, self.sorted = FakeRefeed(), FakePieces(), FakeSortedReceipts()
        self.keep_going, self.crashes = keep_going, 0
        ports = [self.sorted, bench.hospitals, self.pieces, bench.uploads, self.refeed]
        kept, hospitals, pieces, uploads, refeed = map(around, ports)
        self.start = StartReconcile(pieces)
        self.sort = SortReceipts(bench.receipts, kept, hospitals, pieces)
        self.check = ReconcileUploads(uploads, kept, refeed, replay, pieces)

    def __call__(self, now):
        self._run(self.start, now)
        while self.pieces.waiting:
            piece = self.pieces.waiting[0]
            if hasattr(self.keep_going, "again"):
                self.keep_going.again()
            work = self.sort if isinstance(piece, SortPiece) else self.check
            if self._run(work, piece, self.keep_going):
                self.pieces.waiting.remove(piece)
                self.pieces.done.append(piece)

    def _run(self, work, *given):
        """Whether it did not crash; what crashed is tried again by whoever called it."""
        try:
            work(*given)
        except Crash:
            self.crashes += 1
            if work is self.start:
                work(*given)
            return False
        return True
