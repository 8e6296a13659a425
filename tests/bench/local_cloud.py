"""`python -m tests.bench.local_cloud`: what the local cloud reaches on this machine, and what saturates first."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.local import samples
from tests.support.dicom_files import instance
from tests.support.local_cloud import Town, start

SINGLES, PACKS, IN_PACK, VIEWS, WORKERS = 1000, 10, 100, 100, 4
TICKS = os.sysconf("SC_CLK_TCK")


def main():
    directory = Path(tempfile.mkdtemp())
    process, client = start(directory)
    try:
        town = Town(client)
        hospital = town.hospital()
        patient = town.patient(hospital, "P1")
        busy = _Busy(process.pid)
        with ThreadPoolExecutor(WORKERS) as pool:
            _say("PUT of small objects", SINGLES, busy, lambda: _singles(town, hospital, pool))
            _say("… until all are served", SINGLES, busy, lambda: town.study(hospital, "1.2.1", served=SINGLES))
            _say("instances in packs until served", PACKS * IN_PACK, busy, lambda: _packs(town, hospital, pool))
            path = f"/hospitals/{hospital}/studies/1.2.1/manifest"
            _say(
                "manifests of 1,000 instances",
                VIEWS,
                busy,
                lambda: list(pool.map(lambda _: _view(patient, path), range(VIEWS))),
            )
            _say(
                "timelines",
                VIEWS * 3,
                busy,
                lambda: list(pool.map(lambda _: _view(patient, "/me/studies"), range(VIEWS * 3))),
            )
    finally:
        process.terminate()
        process.wait(30)


class _Busy:
    """CPU seconds of the cloud's process so far."""

    def __init__(self, pid):
        self._path = Path(f"/proc/{pid}/stat")

    def __call__(self):
        fields = self._path.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def _say(what, count, busy, work):
    started, used = time.monotonic(), busy()
    work()
    seconds = time.monotonic() - started
    sys.stdout.write(f"{what:35} {count / seconds:8.1f}/s   cloud's process {(busy() - used) / seconds:.2f} cores\n")


def _one(study, number):
    return instance(study=study, series=f"{study}.1", sop=f"{study}.1.{number}", number=str(number))


def _singles(town, hospital, pool):
    town.operator("s3")
    list(pool.map(lambda n: town.put(hospital, f"{n}.dcm", _one("1.2.1", n)), range(SINGLES)))


def _packs(town, hospital, pool):
    for pack in range(PACKS):
        files = [_one(f"1.2.2.{pack}", number) for number in range(IN_PACK)]
        town.put(hospital, f"{pack}.zip", samples.make_pack(files), kind="archives")
    list(pool.map(lambda pack: town.study(hospital, f"1.2.2.{pack}", served=IN_PACK), range(PACKS)))


def _view(caller, path):
    caller.ask("GET", path).of(200)


if __name__ == "__main__":
    main()
