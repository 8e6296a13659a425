"""What the night's reconcile reads at 30 million images a day and at ten times that: runs counted over fakes at a
small scale, CPU taken over botocore with S3 answering at once. Nothing grows with what was stored before two dates."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit

import boto3

from chalicelib.domain.reconciling import SHARES, CheckPiece, SortPiece, Span, digest, receipt_dates
from chalicelib.domain.study import Hospital
from chalicelib.services.leave_receipt import Outcome, leave_receipt
from chalicelib.services.reconcile_uploads import ReconcileUploads
from chalicelib.services.sort_receipts import SortReceipts
from chalicelib.store.receipts import S3Receipts
from chalicelib.store.uploads import S3Uploads
from tests.bench.rows import Row, cpu_ms
from tests.bench.stub import AtOnce
from tests.support.fakes_ingest import FakeReceipts, FakeRefeed
from tests.support.fakes_settle import FakeHospitals
from tests.support.nights import FakePieces, FakeSortedReceipts, Night

NIGHT = datetime(2026, 11, 24, 18, tzinfo=UTC)
RUN_SECONDS = 780  # of 900: the rest is for handing on what is left
BATCH = 100
A_DAY = 30_000_000
HOSPITALS = 2_100
LARGEST = 0.02  # of all uploads: the province's largest hospital
PAGE = 1000
# Assumed: what S3 takes to answer. Receipts are read 16 at a time, pages one after the other.
GET_SECONDS, LIST_SECONDS = 0.03 / 16, 0.2
CHAIN = 15  # Lambda ends what it takes for a loop: 16 runs, each begun by the one before


def rows():
    small, large = _counted(images=1_000), _counted(images=10_000)
    receipt, version = _sorting(), _checking()
    return [
        Row("reconcile, times a receipt is read, ten times the images", large["receipts"], "", 1.0, _beside(large)),
        Row("reconcile, GETs of sorted receipts per hospital", large["spans"], "", 50.0, _beside(small)),
        *(row for times in (1, 10) for row in _at(times, receipt, version)),
    ]


def _beside(found):
    return f"{found['images']} images a day: {found['reads']} receipts read, {found['pieces']} pieces"


def _counted(images, hospitals=20):
    bench = _Country(images, hospitals)
    night = Night(bench)
    night(NIGHT)
    assert not night.refeed.fed
    return {
        "images": images,
        "reads": len(bench.receipts.reads),
        "receipts": len(bench.receipts.reads) / len(bench.receipts.written),
        "spans": night.sorted.asked["read"] / hospitals,
        "pieces": len(night.pieces.done),
    }


class _Country:
    """Some dates of a small province, every upload received, each receipt of all hospitals."""

    def __init__(self, images, hospitals):
        self.hospitals = FakeHospitals()
        for number in range(hospitals):
            self.hospitals.put(Hospital(f"H{number}", "x"))
        self.receipts, self.uploads = FakeReceipts(), _Listed()
        for day in receipt_dates(NIGHT):
            at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            told = [Outcome(f"instances/H{n % hospitals}/{day}/{n:06d}", "v", "indexed") for n in range(images)]
            for one in told:
                self.uploads.add(one.key, at)
            for start in range(0, images, BATCH):
                leave_receipt(self.receipts, told[start : start + BATCH], at)


class _Listed:
    """Keys by their first three parts: a fake of all uploads would sort them for each listing."""

    def __init__(self):
        self.by_prefix = {}

    def add(self, key, at):
        from chalicelib.services.ports import ObjectVersion

        self.by_prefix.setdefault(key.rpartition("/")[0] + "/", []).append(ObjectVersion(key, "v", 1, at))

    def versions(self, prefix, after=""):
        return (one for one in self.by_prefix.get(prefix, ()) if one.key > after)


def _at(times, receipt_ms, version_ms):
    """The longest runs, and the whole night, by calculation."""
    share = times * A_DAY / BATCH / len(SHARES) * (receipt_ms / 1000 + GET_SECONDS)
    largest = times * A_DAY * LARGEST * 2 * (version_ms / 1000 + LIST_SECONDS / PAGE)
    whole = times * A_DAY * (2.75 / BATCH * receipt_ms + 1.75 * version_ms) / 1000
    reads = times * A_DAY / BATCH * 2.75
    lists = times * A_DAY * 1.75 / PAGE + HOSPITALS * 10
    usd = (reads + HOSPITALS * 48) * 0.4e-6 + lists * 5e-6
    beside = (
        f"{reads:,.0f} receipts, {lists:,.0f} LISTs, {HOSPITALS * 48:,} GETs: {usd:.2f} USD; CPU {whole / 3600:.1f} h"
    )
    memory = times * A_DAY * LARGEST * 2 * (8 + 8 + 36) / 1024**2  # digests, then numbers while they are sorted
    name = f"reconcile at {times * A_DAY // 10**6} M a day"
    return [
        Row(f"{name}, a share of receipts", share, "s", RUN_SECONDS, beside),
        Row(f"{name}, runs of the largest hospital", -(-largest // RUN_SECONDS), "", CHAIN, f"{largest:.0f} s"),
        Row(f"{name}, memory of the largest hospital", memory, "MB", 1500),
    ]


def _sorting(receipts=512):
    """CPU milliseconds for a receipt of 100 outcomes."""
    day = date(2026, 11, 24)
    names = [f"{number:040x}" for number in range(receipts)]
    bodies = {
        f"receipts/{day}/{name}": gzip.compress(json.dumps({"outcomes": _outcomes(day, number)}).encode())
        for number, name in enumerate(names)
    }
    reading = SortReceipts(S3Receipts(_s3(_S3(bodies)), "uploads"), FakeSortedReceipts(), FakeHospitals(), FakePieces())
    return cpu_ms(lambda: reading(SortPiece(NIGHT, day, "0"), lambda: True), repeat=3) / receipts


def _outcomes(day, number):
    keys = (f"instances/H{(number + n) % 60}/{day}/1.2.840.{number}.{n:030d}.dcm" for n in range(BATCH))
    return [{"key": key, "version_id": "v" * 32, "outcome": "indexed"} for key in keys]


def _checking(pages=10):
    """CPU milliseconds for a version of one hospital, all of them received."""
    s3 = _S3({}, pages)
    kept = FakeSortedReceipts()
    found = b"".join(digest(key, "v" * 32) for key in s3.named())
    kept.put(NIGHT, "p", {"H1": found})
    check = ReconcileUploads(S3Uploads(_s3(s3), "uploads"), kept, FakeRefeed(), lambda objects, _: None, FakePieces())
    piece = CheckPiece(NIGHT, "H1", (Span("p", 0, len(found)),))

    def run():
        assert check(piece, lambda: True) == 0

    return cpu_ms(run, repeat=3) / (pages * PAGE)


def _s3(stub):
    client = boto3.client(
        "s3",
        region_name="cn-north-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    stub.on(client)
    return client


class _S3(AtOnce):
    """Lists what it is given; of versions `pages`, all under the first prefix asked for."""

    prefix = "instances/H1/2026-11-23/"

    def __init__(self, objects, pages=0):
        super().__init__(objects)
        self._pages, self._xml = pages, {}

    def named(self):
        return (f"{self.prefix}1.2.840.{number:040d}.dcm" for number in range(self._pages * PAGE))

    def _s3_listobjectsv2(self, request):
        listed = "".join(f"<Contents><Key>{key}</Key><Size>9</Size></Contents>" for key in sorted(self.objects))
        return 200, {}, f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()

    def _s3_getobject(self, request):
        body = self.objects[unquote(urlsplit(request.url).path.lstrip("/"))]
        return 200, {"Content-Length": str(len(body)), "ETag": '"e"'}, body

    def _s3_listobjectversions(self, request):
        asked = parse_qs(urlsplit(request.url).query)
        if asked["prefix"] != [self.prefix]:
            return 200, {}, b"<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"
        after = asked.get("key-marker", [""])[0]
        if after not in self._xml:
            self._xml[after] = self._page(after)
        return 200, {}, self._xml[after]

    def _page(self, after):
        keys = [key for key, _ in zip((one for one in self.named() if one > after), range(PAGE), strict=False)]
        at = (NIGHT - timedelta(hours=9)).isoformat()
        listed = "".join(
            f"<Version><Key>{key}</Key><VersionId>{'v' * 32}</VersionId><IsLatest>true</IsLatest><LastModified>{at}"
            f'</LastModified><ETag>"{number:032x}"</ETag><Size>1500000</Size><StorageClass>STANDARD</StorageClass>'
            f"<Owner><ID>{'a' * 64}</ID></Owner></Version>"
            for key, number in zip(keys, count())
        )
        more = str(len(keys) == PAGE and keys[-1] != max(self.named())).lower()
        marks = f"<NextKeyMarker>{keys[-1]}</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>"
        return f"<ListVersionsResult><IsTruncated>{more}</IsTruncated>{marks}{listed}</ListVersionsResult>".encode()
