"""A hospital that has joined the local cloud, images for it to send, and what the cloud then says of them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from infra.hospital.imaging_hospital import joined, key
from infra.hospital.imaging_hospital import settings as settings_file
from infra.hospital.imaging_hospital.api import Line
from infra.hospital.imaging_hospital.join import register
from infra.hospital.imaging_hospital.spool import Spool
from infra.hospital.imaging_hospital.state import SENT
from infra.local.client import until
from tests.support.ingest_samples import instance
from tests.support.local_cloud import environment

CLIENT = [sys.executable, "-m", "infra.hospital.imaging_hospital"]


@dataclass
class Joined:
    """`images` is the directory that is sent; `wanted` the digests of each study's images in it."""

    town: object
    hospital_id: str
    place: Path
    settings: settings_file.Settings
    wanted: dict

    @property
    def images(self):
        return self.place / "images"

    def command(self, *arguments):
        return [*CLIENT, "--settings", str(self.place / "hospital.toml"), *map(str, arguments)]

    def run(self, *arguments):
        return subprocess.run(  # noqa: S603 - our own module
            self.command(*arguments),
            env=environment() | {"LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments):
        return subprocess.Popen(  # noqa: S603 - our own module
            self.command(*arguments), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def dies(self, seconds, *arguments):
        """Whether a command was still at work after so long, and is dead now."""
        process = self.start(*arguments)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
        return False

    def add(self, study, images=6, *, pixels=3000):
        """A study of one series, one file an image."""
        folder = self.images / f"study {study}"
        folder.mkdir(parents=True)
        for number in range(images):
            file = instance(
                study, number + 1, pixels=pixels, PatientID=f"P{study}", AccessionNumber=f"{self.hospital_id}-{study}"
            )
            (folder / f"{number}.dcm").write_bytes(file)
            self.wanted.setdefault(f"1.2.3.{study}", []).append(hashlib.sha256(file).hexdigest())

    def receipt(self, uid, images):
        """All entries of a study's receipt, once it tells of so many; none when there is no study yet."""

        def ask():
            caller, path = self.town.of_hospital(self.hospital_id), f"/hospital/studies/{uid}/receipt"
            entries, token = [], ""
            while True:
                answer = caller.ask("GET", path + (f"?token={token}" if token else ""))
                if answer.status != 200:
                    return None
                entries += answer.json["entries"]
                token = answer.json["next_token"]
                if not token:
                    return entries if len(entries) >= images else None

        return until(ask, f"the receipt of {images} images")

    def arrived_once(self):
        """Every image of every study: one entry in its receipt, served, with the digest of its file; and nothing in the
        bucket more than once."""
        for uid, digests in self.wanted.items():
            entries = self.receipt(uid, len(digests))
            assert Counter(one["status"] for one in entries) == {"served": len(digests)}
            assert sorted(one["arrived"]["declared_sha256"] for one in entries) == sorted(digests)
        assert self.town.of_hospital(self.hospital_id).all("/hospital/quarantine", "records") == []
        versions = self.versions()
        assert len({key for key, _ in versions}) == len(versions)

    def knows_as_sent(self):
        """Whether the client has written down that something arrived: it knows a moment after the bucket does."""
        path = Spool(self.settings.spool).state
        if not path.exists():
            return False
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as database:
            try:
                return database.execute("SELECT count(*) FROM upload WHERE outcome = ?", (SENT,)).fetchone()[0] > 0
            except sqlite3.OperationalError:  # its tables are not there yet
                return False

    def versions(self):
        """Everything of this hospital in the bucket."""
        s3, bucket = self.town.operator("s3"), self.town.client.told["buckets"]["uploads"]
        found = []
        for kind in ("instances", "archives"):
            pages = s3.get_paginator("list_object_versions").paginate(
                Bucket=bucket, Prefix=f"{kind}/{self.hospital_id}/"
            )
            found += [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])]
        return found


def join(town, place, endpoint=None):
    """A hospital that was registered now, with a key of its own. `endpoint`: where its client finds the API."""
    hospital_id = f"C{town.new():04d}"
    body = {"hospital_id": hospital_id, "name": "测试医院"}
    code = town.caller("regulator").ask("POST", "/hospitals", body).of(201)["joining"]["code"]
    lines = (
        f"endpoint = {json.dumps(endpoint or town.client.told['api_url'])}",
        f"hospital_id = {json.dumps(hospital_id)}",
    )
    (place / "hospital.toml").write_text("\n".join(lines), encoding="utf-8")
    settings = settings_file.load(place / "hospital.toml")
    private = key.make(settings.key_file)
    joined.keep(settings, register(Line.of(settings), settings, private, town.client.told["api_url"], code))
    (place / "images").mkdir()
    return Joined(town, hospital_id, place, settings, {})
