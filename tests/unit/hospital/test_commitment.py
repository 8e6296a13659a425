"""Storage commitment: what is promised, when it is reported, and to whom. Times are given, not waited for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt

from infra.hospital.imaging_hospital import scp
from infra.hospital.imaging_hospital.commitment import INSTANCE, Commitments, Judge, Request
from infra.hospital.imaging_hospital.commitment_report import Address, Reporter
from infra.hospital.imaging_hospital.contexts import COMMITMENT
from infra.hospital.imaging_hospital.faults import RefusedError, TryLaterError
from infra.hospital.imaging_hospital.interfaces import Listening
from infra.hospital.imaging_hospital.receive import Receiver
from infra.hospital.imaging_hospital.spool import Spool
from tests.support.dicom_senders import association

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Cloud:
    """What was sent, by SOP Instance UID: (study, digest); and the receipts by study: (SOP, digest, status)."""

    sent: dict = field(default_factory=dict)
    receipts: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def of_sop(self, sop):
        return self.sent.get(sop, [])

    def receipt(self, uid):
        self.asked.append(uid)
        found = self.receipts.get(uid, RefusedError("not_found", 404))
        if isinstance(found, Exception):
            raise found
        entries = [
            {"arrived": {"sop_instance_uid": sop, "declared_sha256": digest}, "status": status}
            for sop, digest, status in found
        ]
        return [{"entries": entries[:1]}, {"entries": entries[1:]}]


@pytest.fixture
def spool(tmp_path):
    made = Spool(tmp_path)
    made.prepare()
    return made


def request(*sops, at=NOW):
    return Request("1.2.3", "PACS1", at, tuple((CTImageStorage, sop) for sop in sops))


def verdict(cloud, asked, now=NOW):
    found = Judge(cloud, cloud, HOUR)(asked, now)
    return found and ([sop for _, sop in found.confirmed], [(sop, reason) for _, sop, reason in found.failed])


def test_what_the_receipt_shows_with_the_digest_of_our_file_is_confirmed_by_one_look_at_each_study():
    cloud = Cloud({"1.9.1": [("1", "d1")], "1.9.2": [("1", "d2")], "1.9.3": [("2", "d3")]})
    cloud.receipts = {
        "1": [("1.9.1", "d1", "served"), ("1.9.2", "d2", "duplicate")],
        "2": [("1.9.3", "d3", "excluded")],
    }
    assert verdict(cloud, request("1.9.1", "1.9.2", "1.9.3")) == (["1.9.1", "1.9.2", "1.9.3"], [])
    assert sorted(cloud.asked) == ["1", "2"]


@pytest.mark.parametrize(
    "receipt",
    [
        RefusedError("not_found", 404),
        TryLaterError("cut"),
        [],
        [("1.9.1", "other bytes", "served")],
        [("1.9.1", "d1", "divergent")],
        [("1.9.1", "", "served")],
    ],
)
def test_what_it_does_not_show_is_waited_for_and_fails_when_the_time_is_over(receipt):
    cloud = Cloud({"1.9.1": [("1", "d1")]}, {"1": receipt})
    assert verdict(cloud, request("1.9.1"), NOW + HOUR - timedelta(seconds=1)) is None
    assert verdict(cloud, request("1.9.1"), NOW + HOUR) == ([], [("1.9.1", 0x0110)])


def test_what_never_came_in_here_has_failed_as_unknown():
    cloud = Cloud({"1.9.1": [("1", "d1")]}, {"1": [("1.9.1", "d1", "served")]})
    assert verdict(cloud, request("1.9.1", "1.9.9"), NOW + HOUR) == (["1.9.1"], [("1.9.9", 0x0112)])


@dataclass
class Desk:
    """A sender that takes reports, or not."""

    status: int = 0x0000
    reports: list = field(default_factory=list)

    def __enter__(self):
        self.entity = AE(ae_title="PACS1")
        self.entity.add_supported_context(COMMITMENT, scu_role=False, scp_role=True)
        self.server = self.entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.take)]
        )
        self.address = Address("127.0.0.1", self.server.server_address[1])
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def take(self, event):
        told = event.event_information
        failed = [(item.ReferencedSOPInstanceUID, item.FailureReason) for item in told.get("FailedSOPSequence", [])]
        done = [item.ReferencedSOPInstanceUID for item in told.get("ReferencedSOPSequence", [])]
        self.reports.append((event.event_type, told.TransactionUID, done, failed))
        return self.status, None


def keep(spool, asked):
    (spool.commitments / asked.name()).write_bytes(asked.told())


def reporter(spool, cloud, addresses, clock):
    return Reporter("IMAGINGCLOUD", addresses, Commitments(spool), Judge(cloud, cloud, HOUR), now=lambda: clock[0])


def test_a_report_goes_to_the_senders_address_outlives_a_restart_and_is_repeated_until_it_is_taken(spool):
    cloud = Cloud({"1.9.1": [("1", "d1")]}, {"1": [("1.9.1", "d1", "served")]})
    keep(spool, request("1.9.1", "1.9.9"))
    clock = [NOW + HOUR]
    with Desk(status=0x0110) as desk:
        report = reporter(spool, cloud, {"PACS1": desk.address}, clock)
        report()
        report()
        assert len(desk.reports) == 1
        desk.status = 0
        clock[0] += timedelta(seconds=5)
        report()
    assert desk.reports == [(2, "1.2.3", ["1.9.1"], [("1.9.9", 0x0112)])] * 2
    assert list(spool.commitments.iterdir()) == []


def test_nobody_is_asked_about_what_cannot_be_told_and_it_is_given_up_after_a_week(spool):
    cloud = Cloud({"1.9.1": [("1", "d1")]}, {"1": [("1.9.1", "d1", "served")]})
    keep(spool, request("1.9.1"))
    clock = [NOW]
    report = reporter(spool, cloud, {}, clock)
    report()
    assert (cloud.asked, len(list(spool.commitments.iterdir()))) == ([], 1)
    clock[0] += timedelta(days=8)
    report()
    assert list(spool.commitments.iterdir()) == []


def test_a_sender_without_an_address_is_told_on_its_own_line_while_that_is_open(spool):
    cloud = Cloud({"1.9.1": [("1", "d1")]}, {"1": [("1.9.1", "d1", "served")]})
    clock = [NOW]
    report = reporter(spool, cloud, {}, clock)
    commitments = Commitments(spool, report.asked, lambda: clock[0])
    server = scp.start(Listening("IMAGINGCLOUD", "127.0.0.1", 0, {"PACS1": None}), Receiver(spool, 1, 0), commitments)
    told = []

    def take(event):
        told.append((event.event_type, event.event_information.TransactionUID))
        return 0x0000, None

    with association(server.port, [COMMITMENT], evt_handlers=[(evt.EVT_N_EVENT_REPORT, take)]) as line:
        assert ask(line, "1.2.3", "1.9.1") == 0
        clock[0] += timedelta(seconds=5)
        report()
        assert told == [(1, "1.2.3")]
        assert ask(line, "1.2.4") == 0x0115
        assert ask(line, "", "1.9.1") == 0x0115
        assert ask(line, "1.2.4", "1.9.1", action=2) == 0x0123
        assert ask(line, "1.2.4", "1.9.1", instance="1.2.3.4") == 0x0112
    server.close()
    assert list(spool.commitments.iterdir()) == []


def ask(line, transaction, *sops, action=1, instance=INSTANCE):
    wish = Dataset()
    wish.TransactionUID = transaction
    wish.ReferencedSOPSequence = []
    for sop in sops:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, sop
        wish.ReferencedSOPSequence.append(item)
    status, _ = line.send_n_action(wish, action, COMMITMENT, instance)
    return status.Status


def test_what_cannot_be_written_down_is_not_promised(spool):
    wish = Dataset()
    wish.TransactionUID = "1.2.3"
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, "1.9.1"
    wish.ReferencedSOPSequence = [item]
    event = SimpleNamespace(
        request=SimpleNamespace(RequestedSOPInstanceUID=INSTANCE),
        action_type=1,
        action_information=wish,
        assoc=SimpleNamespace(requestor=SimpleNamespace(ae_title="PACS1")),
    )
    spool.commitments.rmdir()
    assert Commitments(spool).take(event) == (0x0213, None)


def test_a_request_that_cannot_be_read_any_more_is_put_aside_and_holds_up_nobody(spool):
    (spool.commitments / "x.json").write_text("{")
    keep(spool, request("1.9.1"))
    commitments = Commitments(spool)
    read = [one for name in commitments.pending() if (one := commitments.read(name))]
    assert [one.transaction for one in read] == ["1.2.3"]
    assert (spool.commitments / "x.unreadable").exists()
