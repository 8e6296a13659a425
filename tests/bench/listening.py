"""`listen` receiving a CT of 300 images from dcmtk's storescu, beside Debian's Orthanc receiving the same here and now.

Both write each image to the disk before they acknowledge it. Either program that is not installed is said to be absent,
and its figure left out. `python -m tests.bench.listening` runs this part alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from infra.hospital.imaging_hospital import scp
from infra.hospital.imaging_hospital.commitment import Commitments
from infra.hospital.imaging_hospital.interfaces import EVERYBODY, Listening
from infra.hospital.imaging_hospital.receive import Receiver
from infra.hospital.imaging_hospital.spool import Spool
from tests.bench.rows import Row
from tests.support.dicom_senders import dataset, write
from tests.support.orthanc import ABSENT, INSTALLED, free_port, orthanc, wait_for

IMAGES, ROUNDS = 300, 2
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figure:
    """The best round: seconds and the receiver's own CPU seconds for all images."""

    seconds: float
    cpu: float

    def __str__(self):
        return f"{IMAGES / self.seconds:.0f} images/s, {1000 * self.cpu / IMAGES:.2f} ms CPU an image"


def rows():
    sender = shutil.which("storescu")
    if sender is None:
        Console().print("storescu is not installed: apt-get install dcmtk")
        return
    with tempfile.TemporaryDirectory(dir=Path.home()) as name:  # on a disk: /tmp may be memory
        place = Path(name)
        write(place / "study", [dataset(n, rows=512) for n in range(1, IMAGES + 1)])
        write(place / "small", [dataset(n) for n in range(1, IMAGES + 1)])
        for what, folder in (("of 0.5 MB", "study"), ("of 1 KB", "small")):
            ours = _best(_listen, place, [sender, str(place / folder)])
            theirs = _best(_orthanc, place, [sender, str(place / folder)]) if INSTALLED else None
            beside = f"Orthanc: {theirs or ABSENT}; here: {ours}"
            yield Row(
                f"listen, an image {what} by storescu, to the disk", 1000 * ours.seconds / IMAGES, "ms", 20, beside
            )


def _best(receiver, place, sender):
    found = []
    for number in range(ROUNDS):
        with receiver(place / f"{receiver.__name__}{number}{Path(sender[1]).name}") as (process, port):
            before, began = _cpu(process.pid), time.perf_counter()
            command = [sender[0], "-aec", "BENCH", "-pdu", "131072", "+sd", "127.0.0.1", str(port), sender[1]]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - found on the path
            found.append(Figure(time.perf_counter() - began, _cpu(process.pid) - before))
    return min(found, key=lambda one: one.seconds)


def _cpu(pid):
    """User and system seconds of a process (proc(5))."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / TICKS


@contextmanager
def _listen(directory):
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.listening", "serve", str(directory), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own module
    try:
        wait_for(port)
        yield process, port
    finally:
        process.kill()
        process.wait()


@contextmanager
def _orthanc(directory):
    with orthanc(directory, DicomAet="BENCH") as theirs:
        yield theirs.process, theirs.port


def _serve(directory, port):
    spool = Spool(Path(directory))
    spool.prepare()
    receiver = Receiver(spool, 1024**3, 0)
    scp.start(Listening("BENCH", "127.0.0.1", port, {EVERYBODY: None}), receiver, Commitments(spool))
    time.sleep(3600)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        _serve(sys.argv[2], int(sys.argv[3]))
    for row in rows():
        Console().print(row.what, f"{row.figure:.3g} {row.unit}", row.beside)
