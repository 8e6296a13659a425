"""The DICOM listener itself: who may call, what is taken, and what each call comes to."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pynetdicom import AE, evt

from .commitment import Commitments
from .contexts import supported
from .interfaces import EVERYBODY, Listening
from .receive import Receiver

log = logging.getLogger(__name__)

HANDSHAKE: Final = 10.0  # seconds within which what was begun goes on: each read of a PDU or of TLS
MOST_LINES: Final = 500
BACKLOG: Final = 128
LARGEST_REQUEST: Final = 1024 * 1024  # bytes of an A-ASSOCIATE-RQ with 128 contexts of all syntaxes, generously
LARGEST_ATTACHED: Final = 16 * 1024 * 1024  # bytes: 20,000 references have some 3
LAST_WORDS: Final = 2.0  # seconds
QUICKLY: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux


@dataclass(frozen=True)
class Scp:
    """`server` runs in threads of its own until `close`."""

    server: Any
    entity: AE
    lines: _Lines

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def close(self) -> None:
        """No new lines; those that are open are ended. What was answered is on the disk already."""
        self.server.shutdown()
        self.entity.shutdown()
        self.lines.end()


def start(listening: Listening, receiver: Receiver, commitments: Commitments) -> Scp:
    """Raises OSError when the port is taken, or the certificate cannot be read."""
    receiver.install()
    entity = AE(ae_title=listening.ae_title)
    lines = _Lines(receiver, entity, listening)
    entity.require_called_aet = True
    if EVERYBODY not in listening.callers:
        entity.require_calling_aet = list(listening.callers)
    entity.maximum_associations = MOST_LINES  # pynetdicom counts lines that have not said who they are: _Lines does not
    entity.maximum_pdu_size = listening.pdu
    entity.network_timeout = listening.idle_seconds
    entity.acse_timeout, entity.dimse_timeout = 10, 30
    server: Any = entity.start_server(
        (listening.host, listening.port),
        block=False,
        contexts=supported(),
        ssl_context=listening.tls.server(_Unhurried) if listening.tls else None,
        evt_handlers=[
            (evt.EVT_C_ECHO, lambda _: 0x0000),
            (evt.EVT_C_STORE, receiver.store),
            (evt.EVT_N_ACTION, commitments.take),
            (evt.EVT_PDU_RECV, receiver.watch_size),
            (evt.EVT_PDU_RECV, _watch_memory),
            (evt.EVT_PDU_RECV, _at_once),
            (evt.EVT_DATA_SENT, _at_once),
            (evt.EVT_CONN_OPEN, lines.opened),
            (evt.EVT_CONN_CLOSE, lines.closed),
            (evt.EVT_REQUESTED, lines.requested),
            (evt.EVT_REJECTED, _rejected),
        ],
    )
    server.verify_request = lines.has_room
    server.socket.listen(BACKLOG)  # five by default: the sixth of those that come together would wait for seconds
    return Scp(server, entity, lines)


@dataclass(frozen=True)
class _Lines:
    """Peers that say nothing, say half of it, say too much or go away without a word cost little, and nobody else's
    place: port scans, health checks, hostile ones. pynetdicom by itself would wait for them, or read whatever comes."""

    receiver: Receiver
    entity: AE
    listening: Listening
    sockets: dict[Any, socket.socket] = field(default_factory=dict)

    def has_room(self, *_: Any) -> bool:
        return len(self.sockets) < MOST_LINES

    def opened(self, event: Any) -> None:
        self.sweep()
        line = event.assoc.dul.socket.socket
        self.sockets[event.assoc.dul] = line
        line.settimeout(HANDSHAKE)
        event.assoc.dul.socket.recv = partial(_read, line, max(self.listening.pdu + 6, LARGEST_REQUEST))

    def requested(self, event: Any) -> None:
        """Somebody says who he is, and wants one of the places."""
        taken = sum(one.is_acceptor and one.is_established for one in self.entity.active_associations)
        if taken >= self.listening.associations:
            event.assoc.acse.send_reject(2, 3, 2)  # transient, presentation, local limit exceeded (PS3.8 9.3.4)
            event.assoc.kill()  # which waits until that has left
            _rejected(event)

    def closed(self, event: Any) -> None:
        self._end(event.assoc.dul)
        if event.assoc.requestor.primitive is None:  # it would hold a place among the associations until the time-out
            event.assoc.dul.to_user_queue.put(None)

    def sweep(self) -> None:
        """Where a thread ended by what it was sent, nobody was told that the line closed."""
        for thread in list(self.sockets):
            if thread.ident is not None and not thread.is_alive():
                self._end(thread)

    def end(self) -> None:
        """All of them, when the listener is closed."""
        for line in list(self.sockets.values()):
            with suppress(OSError):  # gone already
                line.shutdown(socket.SHUT_RDWR)  # wakes whoever reads from it
        for thread in list(self.sockets):
            if thread.ident is not None:
                thread.join(LAST_WORDS)
            self._end(thread)

    def _end(self, thread: threading.Thread) -> None:
        line = self.sockets.pop(thread, None)
        if line is not None:
            line.close()
        self.receiver.forget(thread)


def _read(line: socket.socket, largest: int, size: int) -> bytearray:
    """In place of pynetdicom's, which reads by 4 KiB. Less than `size` when the line is closed; of a PDU that is longer
    than any we offered, nothing: it would all be in memory first."""
    if size > largest:
        return bytearray()
    read, there = bytearray(size), 0
    with memoryview(read) as view:
        while there < size and (more := line.recv_into(view[there:])):
            there += more
    return read[:there] if there < size else read


class _Unhurried(ssl.SSLContext):
    """The handshake waits for the line's own thread: else one silent peer would keep out all others."""

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **details: Any) -> ssl.SSLSocket:
        sock.settimeout(HANDSHAKE)
        return super().wrap_socket(sock, *arguments, **{**details, "do_handshake_on_connect": False})


def _watch_memory(event: Any) -> None:
    """Images go to the disk as they come; commands, and what comes with requests that are no images, are gathered in
    memory until they end."""
    message = event.assoc.dimse.message
    if message is None:
        return
    rest = message.data_set.tell() if message.data_set else 0
    if message.encoded_command_set.tell() > LARGEST_REQUEST or rest > LARGEST_ATTACHED:
        log.warning("a request without an end: association closed")
        event.assoc.dul.socket.close()


def _at_once(event: Any) -> None:
    """Acknowledge what comes next at once. Senders write an object in several pieces and hold the last back until the
    one before it is acknowledged (RFC 896), which a receiver puts off for 40 ms: measured, 18 small objects a second
    instead of 90. The kernel forgets it whenever something is sent."""
    line = event.assoc.dul.socket.socket
    if QUICKLY is not None and line is not None:
        line.setsockopt(socket.IPPROTO_TCP, QUICKLY, 1)


def _rejected(event: Any) -> None:
    """Titles are not patients'. Whoever sets up a PACS looks for this line."""
    calling = str(event.assoc.requestor.primitive.calling_ae_title).strip()
    log.warning("association of %r from %s rejected", calling[:16], event.assoc.requestor.address)


def quiet_threads() -> None:
    """A peer that breaks the protocol ends its own thread; the traceback would show what it sent."""

    def tell(told: threading.ExceptHookArgs) -> None:
        log.warning("a line ended: %s", told.exc_type.__name__)

    threading.excepthook = tell
