"""Notices between RIS and cloud: nothing lost, nothing said twice, what is refused lies where people find it."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime

import pytest

from infra.hospital.imaging_hospital.faults import RefusedError, TryLaterError
from infra.hospital.imaging_hospital.notice_draft import Reading
from infra.hospital.imaging_hospital.notice_run import NoticeRun
from infra.hospital.imaging_hospital.outbox import Outbox
from infra.hospital.imaging_hospital.spool import Spool
from tests.support.hl7_samples import PERFORMED, message


class Cloud:
    """Takes notices, `times` many, then the line is cut; refuses those of the names in `refuses`."""

    def __init__(self, times=10**6, refuses=()):
        self.taken, self.times, self.refuses = [], times, refuses

    def send_notice(self, notice):
        if not self.times:
            raise TryLaterError("cut")
        self.times -= 1
        told = json.loads(notice)
        if told["notice_id"] in self.refuses:
            raise RefusedError("bad_notice", 400)
        self.taken.append(told["notice_id"])


@pytest.fixture
def outbox(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    made = Outbox(spool, lambda: datetime(2026, 11, 20, tzinfo=UTC))
    yield made
    made.close()


def files(tmp_path, *texts):
    folder = tmp_path / "feed"
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        path = folder / f"{number}.hl7"
        path.write_bytes(text.encode("gb18030"))
        os.utime(path, (number, number))
    return folder


def exam(number, **more):
    return message({**PERFORMED, "ORC-3": f"F{number}", "OBR-3": f"F{number}", **more})


def run(folder, outbox, cloud, **more):
    return NoticeRun([folder], Reading(), outbox, cloud, **more)


def test_after_a_cut_only_what_the_cloud_has_not_is_sent(tmp_path, outbox):
    folder, cloud = files(tmp_path, *map(exam, range(5))), Cloud(times=2)
    whole = run(folder, outbox, cloud)
    assert (whole.read()[0].kept, whole.read()[0].kept) == (5, 5)  # as after a kill
    with pytest.raises(TryLaterError):
        whole.send()
    cloud.times = 10
    again = run(folder, outbox, cloud)
    count, _ = again.read()
    assert (count.kept, count.before, again.send()) == (3, 2, (3, 0))
    assert sorted(cloud.taken) == [f"F{n}" for n in range(5)]
    assert list(outbox.spool.notices.glob("*.json")) == []


def test_the_last_word_on_an_exam_is_not_said_again_but_what_was_said_before_it_is(tmp_path, outbox):
    first, second = exam(1), exam(1, **{"OBR-8": "20261120115600"})
    cloud = Cloud()
    for text, kept in ((first, 1), (first, 0), (second, 1), (second, 0), (first, 1)):
        whole = run(files(tmp_path, text), outbox, cloud)
        assert whole.read()[0].kept == kept
        whole.send()
    assert len(cloud.taken) == 3


def test_what_cannot_be_sent_is_kept_with_its_reason_once_and_can_be_mended_and_sent(tmp_path, outbox):
    bad = exam(1, **{"PV1-2": "?"})
    whole = run(files(tmp_path, bad, exam(2)), outbox, Cloud(refuses={"F2"}))
    for _ in range(2):
        count, _ = whole.read()
        assert len(count.refused) == 1
    assert whole.send() == (0, 1)
    kept = {path.suffix: path for path in outbox.spool.refused.iterdir() if not path.name.endswith(".txt")}
    assert set(kept) == {".hl7", ".json"}
    reasons = "".join(path.read_text(encoding="utf-8") for path in outbox.spool.refused.glob("*.why.txt"))
    assert "PV1-2 (patient_class)" in reasons
    assert "云端拒收：bad_notice" in reasons
    mended = tmp_path / "mended.hl7"
    mended.write_bytes(kept[".hl7"].read_bytes().replace(b"PV1||?", b"PV1||I"))
    again = run(mended, outbox, cloud := Cloud())
    assert again.read()[0].kept == 1
    again.send()
    assert cloud.taken == ["F1"]


def test_a_file_is_removed_only_when_all_of_it_lies_in_the_spool(tmp_path, outbox):
    folder = files(tmp_path, exam(1) + exam(2, **{"PV1-2": "?"}), "\udcff garbage".encode("utf-8", "replace").decode())
    (folder / "2.hl7").write_bytes(b"\xff\xff\xff")
    run(folder, outbox, Cloud(), remove=True).read()
    assert list(folder.iterdir()) == []
    assert len(list(outbox.spool.notices.glob("*.json"))) == 1
    assert any(path.read_bytes() == b"\xff\xff\xff" for path in outbox.spool.refused.iterdir())
    outbox.spool.notices.rename(tmp_path / "away")  # as good as a full disk
    folder = files(tmp_path, exam(3))
    with pytest.raises(FileNotFoundError):
        run(folder, outbox, Cloud(), remove=True).read()
    assert len(list(folder.iterdir())) == 1


def test_a_watched_directory_gives_each_whole_file_once(tmp_path, outbox):
    folder, clock = files(tmp_path, exam(1)), [1.0]
    (folder / ".half").write_bytes(b"MSH|")
    whole = run(folder, outbox, Cloud(), clock=lambda: clock[0])
    assert whole.read(settled=True)[0].kept == 0  # written a second ago
    clock[0] = 5.0
    assert [whole.read(settled=True)[0].kept for _ in range(2)] == [1, 0]
    (folder / "0.hl7").write_bytes(exam(2).encode("gb18030"))
    os.utime(folder / "0.hl7", (2, 2))
    assert whole.read(settled=True)[0].kept == 1


def test_neither_a_cut_line_nor_a_full_disk_ends_the_watching(tmp_path, outbox):
    stop, cloud = threading.Event(), Cloud()
    waits = []

    def wait(seconds):
        waits.append(seconds)
        cloud.times = 0 if len(waits) < 4 else 10
        return len(waits) > 6

    stop.wait = wait
    run(files(tmp_path, exam(1)), outbox, cloud, clock=lambda: 100.0).keep_on(stop, lambda _: None)
    assert cloud.taken == ["F1"]
    assert waits[:5] == [1.0, 2.0, 4.0, 8.0, 1.0]
