"""The hospital's client against the local cloud: killed, cut off and throttled, every file arrives once."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle

import pytest

from infra.hospital.imaging_hospital import key
from infra.hospital.imaging_hospital.desk import Exit
from infra.hospital.imaging_hospital.work import at_work
from infra.local.client import until
from tests.support.fake_s3 import Silent
from tests.support.flaky_proxy import FlakyProxy
from tests.support.hospital_client import CLIENT, join
from tests.support.ingest_samples import instance
from tests.support.local_cloud import environment, run_to_end

KILLS = 10
LARGE = 3_000_000  # bytes of pixels: seven of them are a pack of several parts


@pytest.fixture
def hospital(town, tmp_path):
    return join(town, tmp_path)


@pytest.mark.exhaustive
def test_killed_ten_times_at_random_moments_and_started_again_every_file_is_there_once(hospital):
    chance = random.Random(4)  # noqa: S311 - no secret; the machine's own pace makes the moments random enough
    hospital.add(1, 7, pixels=LARGE)
    kills = lives = 0
    while kills < KILLS:
        lives += 1
        hospital.add(lives + 1)
        kills += hospital.dies(chance.uniform(0.5, 2.0), "upload", hospital.images, "--mbit", 100)
        assert lives < 4 * KILLS, "it is faster than it can be killed"
    last = hospital.run("upload", hospital.images)
    assert last.returncode == Exit.DONE, last.stdout + last.stderr
    hospital.arrived_once()


class Moods:
    """The same troubles over and over, in the order in which requests happen to come; and no line at all before
    `up_at`."""

    def __init__(self, *moods):
        self.moods, self.lock, self.up_at = cycle(moods), threading.Lock(), 0.0

    def __call__(self, _method, _path):
        if time.monotonic() < self.up_at:
            return "cut"
        with self.lock:
            return next(self.moods)


def test_a_line_that_is_cut_and_a_cloud_that_throttles_lose_and_double_nothing(town, tmp_path):
    of_s3 = Moods("pass", "slow_down", "pass", "cut", "pass", "lost", "pass", "slow_down", "expired", "pass")
    of_api = Moods("lost", "slow_down", "cut", "pass", "pass")  # keys whose answer was lost are vended again
    told = town.client.told
    with FlakyProxy(told["s3_endpoint"], of_s3) as s3, FlakyProxy(told["api_url"], of_api) as api:
        hospital = join(town, tmp_path)
        hospital.add(1, 7, pixels=LARGE)
        for study in range(2, 14):
            hospital.add(study)
        settings = replace(hospital.settings, endpoint=api.url)
        with at_work(settings, Silent(), threading.Event()) as work:
            work.sender.first, work.sender.longest = 0.01, 0.1
            work.sender.passes.ask = lambda: {**work.api.credentials(), "endpoint": s3.url}
            of_s3.up_at = time.monotonic() + 1.5
            tally = work.send(hospital.images)
    assert (tally.exit, tally.sent) == (Exit.DONE, 7 + 12 * 6)
    assert {"slow_down", "cut", "lost", "expired"} <= s3.moods.keys()
    hospital.arrived_once()


def heeds_ctrl_c():
    """Whatever runs in a shell's background is started with SIGINT ignored, and so would be all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_who_presses_ctrl_c_is_told_what_was_sent_and_the_rest_goes_next_time(hospital):
    hospital.add(1)
    hospital.add(2, 4, pixels=LARGE)
    process = subprocess.Popen(  # noqa: S603 - our own module
        hospital.command("upload", hospital.images, "--mbit", 2),  # the large study takes most of a minute
        env=environment() | {"LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeds_ctrl_c,  # noqa: PLW1509 - no thread of ours holds a lock that it needs
    )
    until(hospital.knows_as_sent, "the small study", 30)
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=30)
    assert process.returncode == Exit.STOPPED
    assert "6 new images" in said
    assert complained == "stopped; run it again and it goes on where it was\n"
    assert "4 new images" in hospital.run("upload", hospital.images).stdout
    hospital.arrived_once()


def test_what_is_no_dicom_is_told_and_the_rest_is_sent(hospital):
    hospital.add(1)
    (hospital.images / "王小明.txt").write_text("王小明的说明")
    (hospital.images / "copy.dcm").write_bytes((hospital.images / "study 1" / "0.dcm").read_bytes())
    first = hospital.run("upload", hospital.images)
    assert first.returncode == Exit.SKIPPED
    assert "6 new images" in first.stdout
    assert "1 copies" in first.stdout
    assert "skipped: 1 files: no DICOM file" in first.stdout
    again = hospital.run("upload", hospital.images)
    assert "0 new images" in again.stdout
    assert "7 from before" in again.stdout
    hospital.arrived_once()
    listed = (hospital.settings.spool / "not-sent.csv").read_text(encoding="utf-8-sig")
    assert "王小明.txt" in listed
    for told in (first, again):  # what a service writes into the machine's log
        assert "王小明" not in told.stdout + told.stderr
    (hospital.images / "王小明.txt").unlink()
    assert hospital.run("upload", hospital.images).returncode == Exit.DONE
    assert not (hospital.settings.spool / "not-sent.csv").exists()
    kept = [hospital.settings.key_file, *(path for path in hospital.settings.spool.rglob("*") if path.is_file())]
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


def test_a_key_that_nobody_registered_is_told_as_such(hospital):
    hospital.add(1)
    hospital.settings.key_file.unlink()
    key.make(hospital.settings.key_file)
    refused = hospital.run("upload", hospital.images)
    assert refused.returncode == Exit.NOT_ALLOWED
    assert "not allowed" in refused.stderr
    assert hospital.versions() == []


def test_status_tells_what_ended_in_quarantine_and_what_to_do(hospital):
    broken = instance(1, 1)[:-40]  # cut off inside its pixels: the client leaves it to the cloud
    (hospital.images / "broken.dcm").write_bytes(broken)
    assert hospital.run("upload", hospital.images).returncode == Exit.DONE
    until(lambda: hospital.town.of_hospital(hospital.hospital_id).all("/hospital/quarantine", "records"), "a refusal")
    told = hospital.run("status")
    assert told.returncode == Exit.REFUSED
    assert "in quarantine" in told.stdout


def test_watch_sends_what_settles_and_goes_on_after_a_kill(hospital):
    watching = ("watch", hospital.images)
    with (hospital.place / "hospital.toml").open("a", encoding="utf-8") as settings:
        settings.write("\nsettle_seconds = 1\n")
    first = hospital.start(*watching)
    hospital.add(1)
    hospital.receipt("1.2.3.1", 6)
    first.kill()
    first.wait()
    hospital.add(2)
    (hospital.images / "half").write_bytes(instance(3, 1)[:-40])
    second = hospital.start(*watching)
    (hospital.images / "half").write_bytes(instance(3, 1))
    hospital.wanted["1.2.3.3"] = [hashlib.sha256(instance(3, 1)).hexdigest()]
    hospital.arrived_once()
    second.terminate()
    assert second.wait(30) == Exit.DONE


def test_an_upload_that_tells_of_its_exam_is_complete_against_what_it_declares(hospital):
    hospital.add(1)
    ended = datetime.now(UTC).isoformat()
    sent = hospital.run("upload", hospital.images, "--ended", ended, "--class", "outpatient")
    assert sent.returncode == Exit.DONE, sent.stdout + sent.stderr
    assert "sent: 1" in sent.stdout
    path = "/hospital/studies/1.2.3.1/receipt"

    def statement():
        answer = hospital.town.of_hospital(hospital.hospital_id).ask("GET", path)
        return answer.status == 200 and answer.json["statement"]["complete"] and answer.json["statement"]

    assert until(statement, "a complete study")["declared"] == 6
    told = hospital.run("status")
    assert (told.returncode, "proven, complete" in told.stdout) == (Exit.DONE, True)
    kept = json.loads((hospital.settings.spool / "receipts" / "1.2.3.1.json").read_text(encoding="utf-8"))
    assert kept["pages"][0]["statement"]["instances"] == 6
    assert "all 1 studies are proven" in hospital.run("status").stdout


def test_an_exam_cannot_be_told_of_two_studies(hospital):
    hospital.add(1)
    hospital.add(2)
    refused = hospital.run("upload", hospital.images, "--ended", "2026-11-24T10:30:00+08:00", "--class", "inpatient")
    assert (refused.returncode, hospital.versions()) == (Exit.SETTINGS, [])
    assert "images of 2 studies" in refused.stderr


def test_joining_takes_the_code_from_a_file_and_tells_no_secret(town, tmp_path):
    hospital_id = f"C{town.new():04d}"
    body = {"hospital_id": hospital_id, "name": "测试医院"}
    code = town.caller("regulator").ask("POST", "/hospitals", body).of(201)["joining"]["code"]
    settings, file = tmp_path / "new" / "hospital.toml", tmp_path / "code.txt"

    def joining(typed):
        file.write_text(typed + "\n")
        command = [
            *CLIENT,
            "--settings",
            settings,
            "join",
            town.client.told["api_url"],
            hospital_id,
            "--code-file",
            file,
        ]
        return run_to_end([*map(str, command)])

    wrong = joining("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")
    assert wrong.returncode == Exit.NOT_ALLOWED
    right = joining(code)
    assert right.returncode == Exit.DONE, right.stderr
    assert key.load(settings.parent / "key.pem").kid in right.stdout
    assert code not in wrong.stdout + wrong.stderr + right.stdout + right.stderr
    sent = run_to_end([*CLIENT, "--settings", str(settings), "upload", str(tmp_path)])
    assert sent.returncode == Exit.SKIPPED, sent.stderr
