"""What is read by a signed URL is the span that was asked for, or nothing: a server may take no notice of a Range
(RFC 9110, section 14.2) and answer with the whole object."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chalicelib.domain.study import Place
from chalicelib.store.granted_reader import GrantedReader, ReadFailed

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
OBJECT = bytes(range(256))
SPANS = [Place("key", "v", 16, 4), Place("key", "v", 200, 56), Place("key", "v", 0, 1)]


def whole(_first, _last):
    return 200, {}, OBJECT


def ranged(first, last):
    return 206, {"Content-Range": f"bytes {first}-{last}/{len(OBJECT)}"}, OBJECT[first : last + 1]


def another_span(first, last):
    return 206, {"Content-Range": f"bytes 0-{last - first}/{len(OBJECT)}"}, OBJECT[: last - first + 1]


def unnamed_span(first, last):
    return 206, {}, OBJECT[first : last + 1]


def cut_short(first, last):
    return 206, {"Content-Range": f"bytes {first}-{last}/{len(OBJECT)}"}, OBJECT[first:last]


def too_much(first, last):
    return 206, {"Content-Range": f"bytes {first}-{last}/{len(OBJECT)}"}, OBJECT[first : last + 1] + b"x"


def ends_before(first, last):
    return 200, {}, OBJECT[:first]


def refusing(_first, _last):
    return 416, {}, b"<Error/>"


class Signer:
    def __init__(self, url):
        self.url = url

    def sign(self, _grant, spans, _now):
        return [f"{self.url}/{place.key}?signed=1" for place in spans]


@pytest.fixture
def reads():
    """Of an S3 that answers as it is told to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            first, _, last = self.headers["range"].removeprefix("bytes=").partition("-")
            status, headers, body = served.answering(int(first), int(last))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.daemon_threads = True
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    reader = GrantedReader(Signer(f"http://127.0.0.1:{served.server_port}"))

    def read(answering, spans):
        served.answering = answering
        return reader.read(None, spans, NOW)

    yield read
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.parametrize("answering", [ranged, whole])
def test_each_span_is_what_it_names_whether_or_not_the_range_was_heeded(reads, answering):
    wanted = [OBJECT[one.offset : one.offset + one.length] for one in SPANS]
    assert reads(answering, SPANS) == wanted
    assert reads(answering, SPANS[:1]) == wanted[:1]


@pytest.mark.parametrize("answering", [another_span, unnamed_span, cut_short, too_much, ends_before, refusing])
def test_other_bytes_than_were_asked_for_are_given_to_nobody(reads, answering):
    for spans in (SPANS[:2], SPANS[:1]):
        with pytest.raises(ReadFailed) as told:
            reads(answering, spans)
        assert "127.0.0.1" not in str(told.value), "a signed URL stands in no error"
