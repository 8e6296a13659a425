"""Debian's Orthanc, where it is installed: a PACS to try the listener with, and to measure it beside."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass

INSTALLED = shutil.which("Orthanc")
ABSENT = "Orthanc is not installed: apt-get install orthanc"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(port)


@dataclass(frozen=True)
class Orthanc:
    process: subprocess.Popen
    port: int
    http: int

    def call(self, path, body=None):
        """The answer's JSON; POST where there is a body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", data=body)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return json.loads(answer.read())


@contextmanager
def orthanc(directory, **more):
    """Writes each image through to the disk before it acknowledges it, as it does by default."""
    directory.mkdir()
    port, http = free_port(), free_port()
    settings = {
        "StorageDirectory": str(directory / "storage"),
        "IndexDirectory": str(directory / "index"),
        "DicomAet": "ORTHANC",
        "DicomPort": port,
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "SyncStorageArea": True,
        "Plugins": [],
        **more,
    }
    (directory / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - found on the path
        [INSTALLED, str(directory / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        wait_for(http)
        yield Orthanc(process, port, http)
    finally:
        process.kill()
        process.wait()
