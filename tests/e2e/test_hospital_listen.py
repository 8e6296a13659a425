"""A PACS and a RIS before the hospital's client, and the local cloud behind it."""

from __future__ import annotations

import signal
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

from infra.hospital.imaging_hospital.commitment import INSTANCE
from infra.hospital.imaging_hospital.contexts import COMMITMENT
from infra.hospital.imaging_hospital.desk import Exit
from infra.local.client import until
from tests.support.dicom_senders import association, dataset, run, write
from tests.support.hl7_samples import ORDERED, PERFORMED, message
from tests.support.hospital_client import join

IMAGES = 300


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Listener:
    """`imaging-cloud listen` in a process of its own, as it is run by systemd."""

    def __init__(self, hospital, reports_to=None):
        self.hospital, self.port = hospital, free_port()
        address = f"127.0.0.1:{reports_to}" if reports_to else ""
        with (hospital.place / "hospital.toml").open("a", encoding="utf-8") as settings:
            settings.write(
                f'\nsettle_seconds = 1\nspool = "spool"\n[listen]\nhost = "127.0.0.1"\nport = {self.port}\n'
                f'reserve_mib = 0\n[listen.callers]\nPACS1 = "{address}"\n'
            )
        self.start()

    def start(self):
        self.process = self.hospital.start("listen")
        until(self._is_open, "the listener answers", pause=0.05)

    def _is_open(self):
        assert self.process.poll() is None
        return reachable(self.port)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == Exit.DONE


@pytest.fixture
def hospital(town, tmp_path):
    return join(town, tmp_path)


def series(study, images=IMAGES):
    uid = f"1.2.156.112536.{study}"
    return [dataset(n, study=uid, series=f"{uid}.1") for n in range(1, images + 1)], uid


def arrived(hospital, uid, images):
    """SOP Instance UIDs in the receipt, all served."""
    entries = hospital.receipt(uid, images)
    assert {one["status"] for one in entries} == {"served"}
    return {one["arrived"]["sop_instance_uid"] for one in entries}


def by_pynetdicom(port, datasets):
    """Those that were acknowledged, whatever then became of the listener."""
    with association(port, [CTImageStorage], syntaxes=[ExplicitVRLittleEndian], patience=3) as line:
        return [one for one in datasets if line.is_established and line.send_c_store(one).get("Status") == 0]


def test_a_study_of_300_images_that_dcmtk_sends_is_in_the_cloud_in_packs(hospital, tmp_path):
    listener = Listener(hospital)
    datasets, uid = series(1)
    write(tmp_path / "study", datasets)
    to = ("-aet", "PACS1", "-aec", "IMAGINGCLOUD", "+sd", "127.0.0.1", str(listener.port))
    assert run("storescu", *to, str(tmp_path / "study")).returncode == 0
    assert arrived(hospital, uid, IMAGES) == {one.SOPInstanceUID for one in datasets}
    assert len(hospital.versions()) <= 3
    until(lambda: not list((hospital.place / "spool" / "inbox").glob("*.dcm")), "the spool is empty")
    listener.stop()


class Pacs:
    """A PACS that asks for storage commitment, and takes the report on a port of its own."""

    def __init__(self):
        self.reports, self.entity = [], AE(ae_title="PACS1")
        self.entity.add_supported_context(COMMITMENT, scu_role=False, scp_role=True)
        handlers = [(evt.EVT_N_EVENT_REPORT, self._take)]
        self.server = self.entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)

    @property
    def port(self):
        return self.server.server_address[1]

    def _take(self, event):
        self.reports.append((event.event_type, event.event_information))
        return 0x0000, None

    def ask(self, port, transaction, datasets):
        wish = Dataset()
        wish.TransactionUID = transaction
        wish.ReferencedSOPSequence = []
        for one in datasets:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
            wish.ReferencedSOPSequence.append(item)
        with association(port, [COMMITMENT]) as line:
            status, _ = line.send_n_action(wish, 1, COMMITMENT, INSTANCE)
            return status.Status

    def report(self):
        return until(lambda: self.reports and self.reports.pop(), "the report on the storage commitment")


def test_what_was_acknowledged_outlives_a_kill_and_is_committed_when_the_cloud_has_it(hospital):
    pacs = Pacs()
    listener = Listener(hospital, reports_to=pacs.port)
    datasets, uid = series(3)
    killer = threading.Timer(0.7, listener.kill)
    killer.start()
    taken = by_pynetdicom(listener.port, datasets)
    killer.join()
    assert 0 < len(taken) < IMAGES, "it is faster than it can be killed"
    listener.start()
    rest = [one for one in datasets if one not in taken]
    assert by_pynetdicom(listener.port, rest) == rest
    wanted = {one.SOPInstanceUID for one in datasets}
    assert arrived(hospital, uid, IMAGES) == wanted
    assert pacs.ask(listener.port, "1.2.3.77", datasets) == 0
    event_type, told = pacs.report()
    assert (event_type, told.TransactionUID) == (1, "1.2.3.77")
    assert {item.ReferencedSOPInstanceUID for item in told.ReferencedSOPSequence} == wanted
    listener.stop()
    pacs.server.shutdown()


def mllp(port, text, codec):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"\x0b" + text.encode(codec) + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            answer += line.recv(4096)
    return answer.decode("ascii")


def test_a_ris_sends_its_notices_by_hl7_in_gb18030_and_the_ledger_has_them(hospital, tmp_path):
    now = datetime.now(UTC).astimezone().replace(microsecond=0)
    ended = now - timedelta(minutes=20)
    stamp = "%Y%m%d%H%M%S%z"
    datasets, uid = series(4, 2)
    feed = tmp_path / "feed"
    feed.mkdir()
    performed = {**PERFORMED, "MSH-7": now.strftime(stamp), "OBR-8": ended.strftime(stamp), "MSH-18": "GB 18030-2000"}
    (feed / "1.hl7").write_bytes(message(performed, f"ZDS|{uid}^RIS^Application^DICOM").encode("gb18030"))
    (feed / "2.hl7").write_bytes(message({**performed, "OBR-8": "", "OBR-7": ""}).encode("gb18030"))
    done = hospital.run("notice", feed)
    assert done.returncode == Exit.REFUSED
    assert "OBR-8 / OBR-7" in done.stderr
    for value in ("P000123", "110101198001021236", "小明"):
        assert value not in done.stdout + done.stderr
    (reason,) = (hospital.place / "spool" / "refused").glob("*.why.txt")
    assert "OBR-8" in reason.read_text(encoding="utf-8")

    write(hospital.images, datasets)
    assert hospital.run("upload", hospital.images).returncode == Exit.DONE
    (exam,) = until(lambda: exams(hospital, uid), "the exam of the notice")
    assert exam["accession_number"] == performed["OBR-18"]
    assert datetime.fromisoformat(exam["ended_at"]) == ended


def exams(hospital, uid):
    answer = hospital.town.of_hospital(hospital.hospital_id).ask("GET", f"/hospital/studies/{uid}/receipt")
    told = answer.json["exams"] if answer.status == 200 else []
    return told if told and told[0]["ended_at"] else None


def test_hl7_by_mllp_is_acknowledged_when_it_is_kept_and_cancels_what_was_ordered(hospital):
    port = free_port()
    with (hospital.place / "hospital.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n[notice.mllp]\nport = {port}\n")
    process = hospital.start("notice", "--mllp")
    tomorrow = (datetime.now(UTC) + timedelta(hours=20)).strftime("%Y%m%d%H%M%S+0000")
    ordered = {**ORDERED, "MSH-7": datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000"), "OBR-36": tomorrow}
    until(lambda: reachable(port), "the port is open", pause=0.05)
    assert "MSA|AA|MSG00001" in mllp(port, message(ordered), "gb18030")
    until(lambda: counted(hospital, "scheduled") == 1, "the order is in the ledger")
    later = {
        **ordered,
        "ORC-1": "CA",
        "MSH-7": (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y%m%d%H%M%S+0000"),
    }
    assert "MSA|AA|MSG00001" in mllp(port, message(later), "utf-8")
    until(lambda: counted(hospital, "cancelled") == 1, "the cancellation is in the ledger")
    answer = mllp(port, message({**ordered, "PV1-2": "?"}), "gb18030")
    assert "MSA|AE|MSG00001" in answer
    assert "ERR||PV1^1^2|102|E" in answer
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == Exit.DONE


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def counted(hospital, standing):
    today = datetime.now(UTC).date()
    path = f"/hospital/compliance?from={today - timedelta(days=1)}&to={today + timedelta(days=2)}"
    days = hospital.town.of_hospital(hospital.hospital_id).ask("GET", path).of(200)["days"]
    return sum(day.get(standing, 0) for day in days)
