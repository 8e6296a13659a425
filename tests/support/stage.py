"""Where app.py's functions are called as Lambda calls them, over a cloud in this process."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import app
from chalicelib import wiring
from chalicelib.domain.study import StudyRef
from infra.local.poller import Functions, scheduled_event
from tests.support import cloud as clouds
from tests.support.served_app import Served

if TYPE_CHECKING:
    import pytest

FIRST = StudyRef("H1", "1.2.3.1")
_numbers = count(1)


@dataclass
class Stage:
    """A cloud, the API over it and the functions, with a clock that an act may set."""

    cloud: Any
    served: Served
    patch: pytest.MonkeyPatch

    def __post_init__(self):
        self.functions = Functions(app)

    @property
    def today(self):
        return datetime.now(UTC).date().isoformat()

    def later(self, **by):
        moment = datetime.now(UTC) + timedelta(**by)
        self.patch.setattr(wiring, "now", lambda: moment)

    def put(self, key, body):
        """Its version."""
        s3, bucket = self.cloud.client("s3"), self.cloud.settings["UPLOADS_BUCKET"]
        return s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")["VersionId"]

    def send(self, function, *bodies):
        """As its queue's mapping does."""
        records = [{"messageId": str(number), "body": json.dumps(body)} for number, body in enumerate(bodies)]
        clouds.forget_cached()  # a function has a process of its own
        assert self.functions(function, {"Records": records}) == {"batchItemFailures": []}

    def upload(self, function, key, body):
        version = self.put(key, body)
        self.send(function, told(key, len(body), version))
        return version

    def settle(self, ref=FIRST):
        self.send("settle", {"hospital_id": ref.hospital_id, "study_instance_uid": ref.study_instance_uid})

    def run(self, function, **detail):
        clouds.forget_cached()
        return self.functions(function, {**scheduled_event(function), "detail": detail})

    def key(self, kind, name=""):
        return f"{kind}/H1/{self.today}/{name or next(_numbers)}"


def told(key, size=1000, version="gone"):
    """S3's message; without a version as for a bucket that keeps none."""
    one = {"key": quote_plus(key), "size": size, **({"versionId": version} if version else {})}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": one}}]}


class NoTime:
    def get_remaining_time_in_millis(self):
        return 0


@contextmanager
def gateway():
    """Takes every message."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), _Gateway)
    thread = Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}/sms"
    served.shutdown()
    thread.join()
    served.server_close()


class _Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass
