"""What a PACS meets at the listener's door. The cloud is not needed for it."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import struct
from contextlib import ExitStack

import pytest
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)
from pynetdicom import _config
from pynetdicom.pdu_primitives import P_DATA

from infra.hospital.imaging_hospital import scp
from infra.hospital.imaging_hospital.commitment import Commitments
from infra.hospital.imaging_hospital.contexts import COMMITMENT
from infra.hospital.imaging_hospital.interfaces import Listening
from infra.hospital.imaging_hospital.receive import Receiver
from infra.hospital.imaging_hospital.spool import Spool
from infra.local.client import until
from tests.support.certificates import certificate
from tests.support.dicom_senders import SERIES, association, body, dataset, run, write

VERIFICATION = "1.2.840.10008.1.1"
CT = [CTImageStorage]
MIB = 1024**2


def door(receiver, **settings):
    listening = Listening("IMAGINGCLOUD", "127.0.0.1", 0, {"PACS1": None}, **settings)
    return scp.start(listening, receiver, Commitments(receiver.spool))


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """One listener for all tests that need no other: closing one takes half a second."""
    spool = Spool(tmp_path_factory.mktemp("spool"))
    spool.prepare()
    receiver = Receiver(spool, MIB, 0)
    server = door(receiver)
    yield receiver, server.port
    server.close()


@pytest.fixture
def spool(usual):
    receiver, _ = usual
    yield receiver.spool
    for file in receiver.spool.inbox.iterdir():
        file.unlink()


@pytest.fixture
def listen(usual):
    """The usual listener's port, or that of another one, whose files pynetdicom then writes to."""
    receiver, port = usual
    others = []

    def start(other=None, **settings):
        if other is None and not settings:
            return port
        others.append(door(other or receiver, **settings))
        return others[-1].port

    yield start
    for server in others:
        server.close()
        receiver.install()


def kept(spool):
    return sorted(spool.inbox.glob("*.dcm"))


def send(port, *datasets, **details):
    with association(port, CT, **details) as line:
        return [line.send_c_store(one).get("Status") for one in datasets]


def test_an_object_is_in_the_spool_as_it_was_sent_when_success_is_answered(spool, listen, tmp_path):
    port = listen()
    (path,) = write(tmp_path / "out", [dataset()])
    with association(port, CT, syntaxes=[ExplicitVRLittleEndian]) as line:
        assert line.send_c_store(path).Status == 0
        (received,) = kept(spool)
    assert body(received) == body(path)
    assert received.read_bytes()[128:132] == b"DICM"
    assert list(spool.receiving.iterdir()) == []


def test_file_and_directory_are_written_through_before_the_answer(spool, listen, monkeypatch):
    written, fsync = [], os.fsync

    def told(handle):
        written.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", told)
    with association(listen(), CT) as line:
        assert line.send_c_store(dataset()).Status == 0
        (path,) = kept(spool)
        assert written == [path.stat().st_ino, spool.inbox.stat().st_ino]


def test_the_same_object_sent_again_is_the_same_file_whatever_the_version(spool, listen):
    again = dataset()
    assert send(listen(), again, again) == [0, 0]
    one, other = kept(spool)
    assert one.read_bytes() == other.read_bytes()
    assert b"IMAGING_CLOUD_1" in one.read_bytes()[:512]
    assert b"PYNETDICOM" not in one.read_bytes()[:512]


def test_what_loses_nothing_is_preferred_and_the_senders_own_syntax_is_taken_where_it_offers_no_other(listen):
    port = listen()
    for offered, taken in (
        ([JPEGBaseline8Bit, ImplicitVRLittleEndian], ImplicitVRLittleEndian),
        ([JPEGBaseline8Bit, JPEG2000Lossless], JPEG2000Lossless),
        ([JPEGBaseline8Bit], JPEGBaseline8Bit),
    ):
        with association(port, CT, syntaxes=offered) as line:
            assert line.accepted_contexts[0].transfer_syntax == [taken]


def test_old_and_private_classes_are_stored_too(spool, listen):
    retired = "1.2.840.10008.5.1.4.1.1.6"
    with association(listen(), [retired], syntaxes=[ImplicitVRLittleEndian]) as line:
        one = dataset(SOPClassUID=retired)
        one.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        assert line.send_c_store(one).Status == 0
    assert len(kept(spool)) == 1


def test_only_named_callers_who_name_us_rightly_may_call(listen):
    port = listen()
    for details in ({"ae": "STRANGER"}, {"called": "ANY-SCP"}):
        with association(port, [VERIFICATION], **details) as line:
            assert line.is_rejected
    with association(port, [VERIFICATION]) as line:
        assert line.send_c_echo().Status == 0


def test_more_associations_than_allowed_are_told_to_come_later(listen):
    port = listen(associations=1)
    with association(port, CT) as first:
        assert first.is_established
        with association(port, CT) as second:
            assert second.is_rejected
            assert second.acceptor.primitive.result == 2  # rejected-transient


def test_a_full_disk_is_out_of_resources_and_nothing_of_the_object_stays(spool, listen):
    full = Receiver(spool, MIB, reserve=1, free=lambda _: 0)
    assert send(listen(full), dataset(1), dataset(2)) == [0xA700, 0xA700]
    assert (kept(spool), list(spool.receiving.iterdir())) == ([], [])


def test_a_disk_that_takes_no_file_is_out_of_resources_too_until_it_does(spool, listen):
    port = listen()
    spool.receiving.rmdir()  # root may write anywhere: only a directory that is not there fails for everybody
    assert send(port, dataset()) == [0xA700]
    spool.receiving.mkdir()
    assert send(port, dataset()) == [0]


def test_an_object_that_nobody_can_place_is_not_understood(spool, listen):
    nowhere = dataset()
    del nowhere.StudyInstanceUID
    assert send(listen(), nowhere) == [0xC000]
    assert kept(spool) == []


def test_an_object_that_is_not_what_the_request_says_is_refused(spool, listen, tmp_path, monkeypatch):
    monkeypatch.setattr(_config, "STORE_SEND_CHUNKED_DATASET", True)  # the request is then made from the file's header
    (path,) = write(tmp_path, [dataset()])
    sop = SERIES.encode() + b".1"
    path.write_bytes(path.read_bytes().replace(sop, SERIES.encode() + b".9", 1))
    with association(listen(), CT, syntaxes=[ExplicitVRLittleEndian]) as line:
        assert line.send_c_store(path).Status == 0xA900
    assert kept(spool) == []


def test_an_object_without_an_end_is_cut_off_and_the_others_are_served(spool, listen):
    port = listen(Receiver(spool, 200_000, 0))
    with association(port, CT) as endless, association(port, CT) as honest:
        assert "Status" not in endless.send_c_store(dataset(1, rows=1024))
        assert honest.send_c_store(dataset(2)).Status == 0
    assert len(kept(spool)) == 1
    assert list(spool.receiving.iterdir()) == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x01\x00" + struct.pack(">L", 2**32 - 1) + b"\0" * 64,
        b"\x04\x00" + struct.pack(">L", 12) + struct.pack(">L", 8) + b"\x01\x03garbag",
        b"\xff" * 1000,
    ],
)
def test_garbage_ends_its_own_line_only(spool, listen, garbage):
    port = listen()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(garbage)
    assert send(port, dataset()) == [0]


def test_peers_that_say_nothing_or_half_or_too_much_take_nobody_elses_place(spool, listen):
    port = listen(associations=1)
    half, huge = b"\x01\x00\x00\x00\x10\x00", b"\x04\x00" + struct.pack(">L", 2**31) + b"x" * 100_000
    with ExitStack() as held:
        lines = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(30)]
        for line, first in zip(lines, [b"", half, huge] * 10, strict=True):
            line.sendall(first)
        assert send(port, dataset()) == [0]
        for line in lines[2::3]:
            assert line.recv(1) in (b"", b"\x07")  # closed or aborted, though it would have gone on


@pytest.mark.parametrize(
    ("sop_class", "header"), [(CTImageStorage, b"\x01"), (COMMITMENT, b"\x01"), (CTImageStorage, b"\x00")]
)
def test_a_command_or_an_attachment_without_an_end_is_cut_off(spool, listen, sop_class, header):
    """Fragments of commands (01) and of datasets (00) that say that more follows (PS3.8 E.2)."""
    port = listen()
    with association(port, [sop_class], patience=60) as line:  # it is not the sender who gives up
        piece = P_DATA()
        piece.presentation_data_value_list = [[line.accepted_contexts[0].context_id, header + bytes(120_000)]]
        for _ in range(200):
            if line.is_established:
                line.dul.send_pdu(piece)
        until(lambda: not line.is_established, "the line is cut", 10)
    assert send(port, dataset()) == [0]


def test_nothing_of_a_patient_goes_into_the_log(spool, listen, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = dataset(1)
    del wrong.StudyInstanceUID
    full = Receiver(spool, MIB, reserve=1, free=lambda _: 0)
    assert send(listen(), dataset(), wrong) == [0, 0xC000]
    assert send(listen(full), dataset(2)) == [0xA700]
    assert "0xA700" in caplog.text
    for value in ("小明", "P000123", "CT20261120001", "19800102", SERIES):
        assert value not in caplog.text


def test_a_line_that_is_cut_in_the_middle_leaves_nothing_behind(spool, listen):
    port = listen()
    with association(port, CT) as line:
        assert line.send_c_store(dataset(1)).Status == 0
        line.abort()
    assert send(port, dataset(2)) == [0]
    assert len(kept(spool)) == 2
    assert list(spool.receiving.iterdir()) == []


def test_what_was_half_received_before_a_crash_is_gone_after_it(usual, spool):
    (spool.receiving / "x.part").write_bytes(b"half")
    receiver, _ = usual
    receiver.install()
    assert list(spool.receiving.iterdir()) == []


def test_with_a_certificate_the_line_is_encrypted_and_a_silent_peer_keeps_nobody_out(spool, listen, tmp_path):
    tls = certificate(tmp_path)
    port = listen(tls=tls)
    context = ssl.create_default_context(cafile=str(tls.certificate))
    with socket.create_connection(("127.0.0.1", port)):  # says nothing, not even hello
        assert send(port, dataset(rows=512), dataset(2), tls_args=(context, "listener")) == [0, 0]
    assert len(kept(spool)) == 2


def test_dcmtk_as_a_pacs_verifies_and_sends_a_series(spool, listen, tmp_path):
    port = str(listen())
    paths = write(tmp_path / "study", [dataset(number) for number in range(1, 41)])
    assert run("echoscu", "-aet", "PACS1", "-aec", "IMAGINGCLOUD", "127.0.0.1", port).returncode == 0
    sent = run("storescu", "-aet", "PACS1", "-aec", "IMAGINGCLOUD", "+sd", "127.0.0.1", port, str(tmp_path / "study"))
    assert (sent.returncode, sent.stderr) == (0, "")
    assert sorted(map(body, kept(spool))) == sorted(map(body, paths))
