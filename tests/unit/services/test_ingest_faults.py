"""What is our fault is tried again, alone; it is never held against a hospital and tells nobody what it was reading."""

from __future__ import annotations

import logging

from tests.support.fakes_ingest import FakeJournal, FakeQuarantine, FakeReceipts, FakeUploads, OurFaultError
from tests.support.ingest_samples import Bench, fed, instance, padded


class Failing:
    """A port whose named call fails for keys that hold a word."""

    def __init__(self, port, call, word=""):
        self.port, self.call, self.word = port, call, word

    def __getattr__(self, name):
        def call(*given, **named):
            if name == self.call and self.word in str(given):
                raise OurFaultError("secret patient 王小明")
            return getattr(self.port, name)(*given, **named)

        return call


def test_a_failed_read_leaves_that_object_alone_to_be_tried_again(caplog):
    caplog.set_level(logging.WARNING)
    bench = Bench(around=lambda port: Failing(port, "read", "/1.dcm") if isinstance(port, FakeUploads) else port)
    objects = fed(bench, *(instance(1, number) for number in range(3)))
    assert bench.ingest(objects) == frozenset(objects[1:2])
    assert len(bench.entries()) == 2
    assert bench.quarantine.records == {}
    assert bench.outcomes() == ["indexed", "indexed"]
    assert "OurFaultError" in caplog.text
    assert "王" not in caplog.text
    assert "dcm" not in caplog.text


def test_a_failed_journal_leaves_what_it_was_to_hold_and_tells_no_settle():
    bench = Bench(around=lambda port: Failing(port, "write") if isinstance(port, FakeJournal) else port)
    objects = fed(bench, instance(), b"not dicom")
    assert bench.ingest(objects) == frozenset(objects[:1])
    assert bench.settle_queue.sent == []
    assert bench.outcomes() == ["not_dicom"]


def test_a_failed_quarantine_leaves_that_object_alone():
    bench = Bench(around=lambda port: Failing(port, "put") if isinstance(port, FakeQuarantine) else port)
    objects = fed(bench, instance(), b"not dicom")
    assert bench.ingest(objects) == frozenset(objects[1:])
    assert len(bench.entries()) == 1


def test_a_failed_settle_message_leaves_its_objects_without_a_receipt():
    bench = Bench(around=lambda port: Failing(port, "send") if hasattr(port, "send") else port)
    objects = fed(bench, instance())
    assert bench.ingest(objects) == frozenset(objects)
    assert bench.receipts.written == {}


def test_without_a_receipt_the_whole_batch_is_done_again():
    bench = Bench(around=lambda port: Failing(port, "write") if isinstance(port, FakeReceipts) else port)
    objects = fed(bench, instance(), b"not dicom")
    assert bench.ingest(objects) == frozenset(objects)


def test_a_range_answered_with_nothing_is_our_fault_not_the_hospitals():
    bench = Bench(around=lambda port: Stuck(port) if isinstance(port, FakeUploads) else port)
    objects = fed(bench, padded(100_000))
    assert bench.ingest(objects) == frozenset(objects)
    assert bench.quarantine.records == {}


class Stuck:
    """Answers every further range with nothing."""

    def __init__(self, port):
        self.port = port

    def read(self, key, version_id, start, length):
        part = self.port.read(key, version_id, start, length)
        return type(part)(b"" if start else part.data, part.size, part.version_id, part.last_modified)
