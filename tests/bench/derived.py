"""Metadata of a study, when it is first asked for and from then on; and a thumbnail. S3 is a process of its own here
that takes 20 ms to answer, over HTTP without TLS; what is measured is this process's CPU, and the time that passes."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chalicelib.dicom.frames import native_spans
from chalicelib.dicom.header import read_header
from chalicelib.dicom.jpeg import jpeg
from chalicelib.dicom.thumbnail import draw
from chalicelib.dicom.whole_header import read_whole
from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import StudyRef
from chalicelib.domain.summary import destroyed
from chalicelib.services.keep_derived import KeepDerived
from chalicelib.services.open_study import Named, Opened
from chalicelib.services.retrieve_metadata import RetrieveMetadata
from chalicelib.store.granted_reader import GrantedReader
from infra.local import samples
from tests.bench.manifests import _entry
from tests.bench.rows import Row, cpu_ms

NOW = datetime.now(UTC)
ANSWERS_AFTER = 0.02  # seconds
ONE_ANSWER = 29  # seconds that API Gateway waits for one
FILE = samples.chest_ct(slices=1)[0]
HEADER = read_header(FILE, len(FILE), timezone(timedelta(hours=8)))
OWN_UID = HEADER.sop_instance_uid.encode()


class S3(BaseHTTPRequestHandler):
    """Every object is the slice, each with a UID of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        first, last = (int(one) for one in self.headers["Range"].removeprefix("bytes=").split("-"))
        number = self.path.strip("/").encode()
        body = FILE[first : last + 1].replace(OWN_UID, OWN_UID[: -len(number)] + number)
        time.sleep(ANSWERS_AFTER)
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(FILE)}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def _serve(told):
    server = ThreadingHTTPServer(("127.0.0.1", 0), S3)
    told.send(server.server_port)
    server.serve_forever()


@contextmanager
def s3():
    """The URL of one that answers until it is left."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


class Signer:
    """URLs of that S3; of what is kept, whether `objects` has it."""

    def __init__(self, origin):
        self.origin, self.objects = origin, {}

    def sign(self, grant, places, now):
        return [f"{self.origin}/{10_000 + int(place.key[-36:-4], 16)}" for place in places]

    def sign_derived(self, grant, derived, now):
        return derived.key

    def put_new(self, derived, body):
        self.objects[derived.key] = body

    def is_there(self, url):
        return url in self.objects


def rows():
    with s3() as origin:
        first, again, _, _ = _metadata(origin, 300)
        large, _, passed, packed = _metadata(origin, 3000)
    drawn = _thumbnail()
    return [
        Row("metadata of 300 slices, first time, CPU", first, "ms", 1500),
        Row("metadata of 300 slices, every other time, CPU", again, "ms", 20, f"{first / again:.0f} times less"),
        Row("metadata of 3,000 slices, first time", passed, "s", ONE_ANSWER, f"{large / 1000:.1f} s CPU, {packed} KB"),
        Row("thumbnail of a CT slice, CPU", drawn, "ms", 100),
    ]


def _metadata(origin, count):
    """CPU of the first and of any other time, what time passes at first, and the size in KB of what is kept."""
    ref = StudyRef("H1", HEADER.study_instance_uid)
    body = Manifest.of(ref, "served", [(_entry(HEADER, number), "served") for number in range(count)]).to_json()
    grant = Grant(Caller("patient", "p"), ref, "self", "", NOW + timedelta(hours=1))
    opened = Opened(grant, destroyed(ref), body)  # what its summary says is not asked
    signer = Signer(origin)
    keep = KeepDerived(signer, signer, signer)
    retrieve = RetrieveMetadata(lambda *_: opened, GrantedReader(signer), keep)

    def ask():
        return retrieve(grant.caller, Named(ref.study_instance_uid), "https://cloud/dicomweb", NOW)

    started = time.monotonic()
    first = cpu_ms(ask, repeat=1)
    passed = time.monotonic() - started
    (kept,) = signer.objects.values()
    assert len({one["00080018"]["Value"][0] for one in json.loads(gzip.decompress(kept))}) == count
    return first, cpu_ms(ask), passed, len(kept) // 1000


def _thumbnail():
    header = read_whole(FILE, len(FILE))
    (span,) = native_spans(header, [1])
    body = FILE[span.start : span.start + span.length]
    return cpu_ms(lambda: jpeg(draw(header.dataset, 1, body)))
