"""Small uploads for the tests of ingest: instances, ZIPs and a hospital to send them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from functools import cache

from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from chalicelib.domain.study import Hospital
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.ingest_batch import IngestBatch
from chalicelib.services.unpack_archive import UnpackArchive
from tests.support.fakes_ingest import (
    FakeClock,
    FakeJournal,
    FakeQuarantine,
    FakeReceipts,
    FakeSettleQueue,
    FakeUploads,
)
from tests.support.fakes_settle import FakeHospitals

H1 = Hospital("H1", "第一人民医院")
H2 = Hospital("H2", "第二人民医院")
CLOSED = Hospital("H9", "已停用医院", active=False)
DAY = "2026-11-23"
ARCHIVE = f"archives/H1/{DAY}/disc.zip"
ARCHIVED_AT = datetime(2026, 11, 23, 1, tzinfo=UTC)


@cache
def instance(study=1, number=1, *, series=1, pixels=64, **changes):
    """One small CT image; study, series and instance are told apart by their numbers.

    `changes` set attributes by keyword, None leaves one out; what they set is not validated.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{study}.{series}.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    values = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": f"1.2.3.{study}",
        "SeriesInstanceUID": f"1.2.3.{study}.{series}",
        "PatientID": "P1",
        "PatientName": "王^小明",
        "Modality": "CT",
        "AccessionNumber": f"A{study}",
        "StudyDate": "20261123",
        "AcquisitionDate": "20261123",
        "AcquisitionTime": "093000",
        "InstanceNumber": number,
        "Rows": 8,
        "Columns": 8,
    } | changes
    out = io.BytesIO()
    with disable_value_validation():
        for keyword, value in values.items():
            if value is not None:
                setattr(image, keyword, value)
        image.add_new(0x7FE00010, "OW", bytes(pixels))
        image.save_as(out, enforce_file_format=True)
    return out.getvalue()


def padded(length):
    """An instance whose header goes on for `length` bytes before the patient's group."""
    image = dcmread(io.BytesIO(instance()))
    image.private_block(0x0009, "PADDING", create=True).add_new(0x01, "OB", bytes(length))
    out = io.BytesIO()
    image.save_as(out, enforce_file_format=True)
    return out.getvalue()


def nested(depth):
    """A file of sequences within sequences, each begun and none ended."""
    meta_end = 144 + int.from_bytes(instance()[140:144], "little")
    sequence = bytes.fromhex("08004011 53510000 ffffffff feff00e0 ffffffff")
    return instance()[:meta_end] + sequence * depth


def archive(entries, compression=zipfile.ZIP_DEFLATED):
    """A ZIP of (name, bytes) pairs; a name may occur twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, body in entries:
            made.writestr(name, body)
    return out.getvalue()


def fed(bench, *bodies, hospital="H1"):
    """Upload bodies and give the events that S3 would send."""
    objects = []
    for number, body in enumerate(bodies):
        key = f"instances/{hospital}/{DAY}/{number}.dcm"
        objects.append(Uploaded(key, bench.uploads.upload(key, body), len(body)))
    return objects


class Bench:
    """Ingest on fakes that share one clock. `around` wraps every port, to count calls or crash after one."""

    def __init__(self, *hospitals, around=lambda port: port):
        self.clock = FakeClock()
        self.uploads = FakeUploads(self.clock)
        self.hospitals = FakeHospitals(*(hospitals or (H1, H2, CLOSED)))
        self.journal = FakeJournal(self.clock)
        self.quarantine = FakeQuarantine()
        self.receipts = FakeReceipts()
        self.settle_queue = FakeSettleQueue(self.clock)
        self.around = around

    def ports(self):
        stand = (self.uploads, self.hospitals, self.journal, self.quarantine, self.receipts, self.settle_queue)
        return (*map(self.around, stand), self.clock)

    def ingest(self, objects, keep_going=lambda: True, workers=1):
        return IngestBatch(*self.ports(), workers=workers)(objects, keep_going)

    def unpack(self, objects, keep_going=lambda: True, **settings):
        return UnpackArchive(*self.ports(), **settings)(objects, keep_going)

    def entries(self):
        return [entry for items in self.journal.everything().values() for entry in items.values()]

    def outcomes(self):
        return sorted(told["outcome"] for outcomes in self.receipts.written.values() for told in outcomes)


def sent(bench, body, key=ARCHIVE):
    return Uploaded(key, bench.uploads.upload(key, body, at=ARCHIVED_AT), len(body))


def unpack(body, **settings):
    bench = Bench()
    assert bench.unpack([sent(bench, body)], **settings) == frozenset()
    return bench


def unpacked(bench):
    """What lies under unpacked/, by the entry's number."""
    return {
        int(one.key.rpartition("/")[2]): bench.uploads.read(one.key, None, 0, 10**9).data
        for one in bench.uploads.versions("unpacked/")
    }
