"""HL7 v2 over the network by MLLP. A message is acknowledged (AA) once its notices are on our disk. AE names segment or
field of what cannot be understood (ERR, 2.15.5); the message then lies among the refused."""

from __future__ import annotations

import logging
import re
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .hl7_message import Group, NotHl7Error, groups, messages
from .interfaces import EVERYBODY, Noticing, Tls
from .notice_draft import Reading
from .notice_files import MESSAGE, NOT_HL7, NOT_TEXT, Refused, of_message
from .notice_text import NotTextError
from .outbox import Count, Outbox

log = logging.getLogger(__name__)

START: Final = b"\x0b"
END: Final = b"\x1c"
LARGEST: Final = 16 * 1024 * 1024
IDLE: Final = 900.0  # seconds: interface engines keep their line open
MOST_LINES: Final = 64
POLL: Final = 0.1  # seconds until it notices that it is to end
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-(\d+)")


@dataclass(frozen=True)
class Desk:
    """What one message becomes: its answer."""

    outbox: Outbox
    reading: Reading

    def answer(self, raw: bytes, now: datetime) -> bytes:
        """Application acknowledgement, original mode (2.9.2)."""
        try:
            texts = messages(raw)
        except NotTextError:
            return self._refuse(Refused(MESSAGE, "MSH-18", NOT_TEXT, number=1), raw, now)
        except NotHl7Error:
            return self._refuse(Refused(MESSAGE, "MSH", NOT_HL7, number=1), raw, now)
        count = Count()
        try:
            for text in texts:
                for outcome in of_message(text, self.reading):
                    self.outbox.keep(outcome, count)
        except OSError as error:
            log.warning("a message could not be kept: %s", type(error).__name__)
            return _acknowledge(texts[0], "AE", now, ("", "207", "cannot be kept: disk full?"))
        if count.refused:
            return _acknowledge(texts[0], "AE", now, *map(_fault, count.refused))
        return _acknowledge(texts[0], "AA", now)

    def _refuse(self, refused: Refused, raw: bytes, now: datetime) -> bytes:
        try:
            self.outbox.keep(refused, Count(), raw)
        except OSError as error:
            log.warning("a message could not be kept: %s", type(error).__name__)
        return _acknowledge("", "AR", now, _fault(refused))


def _fault(refused: Refused) -> tuple[str, str, str]:
    """Location (ERL), code of table 0357, and a sentence for whoever reads the log of the interface."""
    found = _PLACE.match(refused.place)
    location = f"{found[1]}^1^{found[2]}" if found else ""
    missing = refused.what.en.startswith("is missing")
    return location, "101" if missing else "102", refused.sentence("en")


def _acknowledge(message: str, code: str, now: datetime, *faults: tuple[str, str, str]) -> bytes:
    """In ASCII: whatever the sender's character set, it can read that."""
    asked = _header(message)
    sender = "|".join(_plain(asked.text(f"MSH-{field}")) if asked else "" for field in (5, 6, 3, 4))
    control, processing, version = (_plain(asked.text(f"MSH-{n}")) if asked else "" for n in (10, 11, 12))
    at = now.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    segments = [
        f"MSH|^~\\&|{sender}|{at}||ACK|{now.timestamp():.6f}|{processing or 'P'}|{version or '2.5'}",
        f"MSA|{code}|{control}",
        *(f"ERR||{location}|{kind}|E||||{_plain(text)}" for location, kind, text in faults),
    ]
    return ("\r".join(segments) + "\r").encode("ascii", "replace")


def _header(message: str) -> Group | None:
    try:
        return next(iter(groups(message)), None)
    except NotHl7Error:
        return None


def _plain(text: str) -> str:
    return re.sub(r"[|^~\\&\r\n]", " ", text)


class _Line(socketserver.BaseRequestHandler):
    """One connection: message, answer, message, answer."""

    server: _Server

    def handle(self) -> None:
        line: socket.socket = self.request
        held = b""
        while True:
            try:
                piece = line.recv(65536)
            except (TimeoutError, OSError):
                return
            held += piece
            if not piece or len(held) > LARGEST:
                return
            while START in held and END in held[held.index(START) :]:
                begin = held.index(START)
                end = held.index(END, begin)
                answer = self.server.desk.answer(held[begin + 1 : end], datetime.now(UTC))
                held = held[end + 1 :].removeprefix(b"\r")
                try:
                    line.sendall(START + answer + END + b"\r")
                except OSError:
                    return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, noticing: Noticing, desk: Desk) -> None:
        self.desk, self.callers = desk, noticing.callers
        self.context = _context(noticing.tls)
        self.free = threading.BoundedSemaphore(MOST_LINES)
        super().__init__((noticing.host, noticing.port), _Line)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver passes it
        return EVERYBODY in self.callers or client_address[0] in self.callers

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the line's own thread: a slow handshake holds up nobody else."""
        if not self.free.acquire(blocking=False):
            return
        try:
            request.settimeout(IDLE)
            line = self.context.wrap_socket(request, server_side=True) if self.context else request
            with line:
                _Line(line, client_address, self)
        except OSError as error:
            log.info("a line to HL7 was lost: %s", type(error).__name__)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as above
        """Without the traceback, which would name what was sent."""
        log.error("a message could not be handled")


def _context(tls: Tls | None) -> ssl.SSLContext | None:
    return tls.server() if tls else None


def serve(noticing: Noticing, outbox: Outbox) -> _Server:
    """Raises OSError when the port is taken."""
    server = _Server(noticing, Desk(outbox, noticing.reading))
    threading.Thread(target=server.serve_forever, args=(POLL,), name="mllp", daemon=True).start()
    return server
