from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime

import pytest

from infra.hospital.imaging_hospital.interfaces import Noticing
from infra.hospital.imaging_hospital.mllp import Desk, serve
from infra.hospital.imaging_hospital.notice_draft import Reading
from infra.hospital.imaging_hospital.outbox import Outbox
from infra.hospital.imaging_hospital.spool import Spool
from tests.support.certificates import certificate
from tests.support.hl7_samples import PERFORMED, message

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GOOD = message(PERFORMED).encode("gb18030")


@pytest.fixture
def outbox(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    made = Outbox(spool)
    yield made
    made.close()


def answer(outbox, raw):
    return Desk(outbox, Reading()).answer(raw, NOW).decode("ascii").split("\r")[:-1]


def test_a_message_is_accepted_when_its_notice_lies_in_the_spool(outbox):
    header, told = answer(outbox, GOOD)
    assert header.startswith("MSH|^~\\&|||RIS||20261120000000+0000||ACK|")
    assert told == "MSA|AA|MSG00001"
    assert len(list(outbox.spool.notices.glob("*.json"))) == 1


def test_what_tells_of_no_exam_is_accepted_too(outbox):
    assert answer(outbox, message({**PERFORMED, "MSH-9": "ADT^A08"}).encode())[1] == "MSA|AA|MSG00001"


def test_a_fault_is_answered_by_segment_field_and_advice_without_any_value(outbox):
    _, told, error = answer(outbox, message({**PERFORMED, "PID-3": ""}).encode("gb18030"))
    assert told == "MSA|AE|MSG00001"
    assert error.startswith(
        "ERR||PID^1^3|101|E||||message 1: PID-3 (patient.patient_id) is missing: send the hospital's"
    )


@pytest.mark.parametrize("raw", [b"", b"hello", b"\xff\xff", b"MSH|" + b"\xff\xff"])
def test_what_is_no_message_is_rejected(outbox, raw):
    assert answer(outbox, raw)[1] == "MSA|AR|"


def test_a_message_that_cannot_be_kept_is_not_accepted(outbox):
    outbox.spool.notices.rename(outbox.spool.directory / "away")
    assert answer(outbox, GOOD)[1] == "MSA|AE|MSG00001"


def framed(line, *raws, pieces=7):
    """What is answered to messages that arrive in small pieces."""
    sent = b"".join(b"\x0b" + raw + b"\x1c\r" for raw in raws)
    for at in range(0, len(sent), pieces):
        line.sendall(sent[at : at + pieces])
    got = b""
    while got.count(b"\x1c\r") < len(raws):
        got += line.recv(4096)
    return [one.split(b"MSA|")[1][:2].decode() for one in got.split(b"\x1c\r")[:-1]]


@pytest.fixture
def port(outbox):
    server = serve(Noticing(port=0), outbox)
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def test_messages_arrive_in_pieces_and_several_on_one_line(port):
    with connect(port) as line:
        assert framed(line, GOOD, b"x", GOOD) == ["AA", "AR", "AA"]
        assert framed(line, GOOD, pieces=100_000) == ["AA"]


def test_a_hostile_line_is_ended_and_the_next_is_served(port):
    with connect(port) as line:
        line.sendall(b"\x0bMSH|" + b"A" * 1000)
    with connect(port) as line:
        assert framed(line, GOOD) == ["AA"]


def test_an_address_that_is_not_named_is_not_let_in(outbox):
    server = serve(Noticing(port=0, callers=frozenset({"10.9.8.7"})), outbox)
    with connect(server.server_address[1]) as line:
        assert line.recv(1) == b""
    server.shutdown()
    server.server_close()


def test_with_a_certificate_the_line_is_encrypted(outbox, tmp_path):
    tls = certificate(tmp_path)
    server = serve(Noticing(port=0, tls=tls), outbox)
    context = ssl.create_default_context(cafile=str(tls.certificate))
    with connect(server.server_address[1]) as plain, context.wrap_socket(plain, server_hostname="listener") as line:
        assert framed(line, GOOD, pieces=100_000) == ["AA"]
    server.shutdown()
    server.server_close()
