"""The DICOM listener itself: who may call, what is taken, and what each call comes to."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from pynetdicom import AE, evt

from .commitment import Commitments
from .contexts import supported
from .interfaces import EVERYBODY, Listening
from .receive import Receiver

log = logging.getLogger(__name__)

HANDSHAKE: Final = 10.0  # seconds, of each read
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
    lines = _Lines(receiver)
    entity = AE(ae_title=listening.ae_title)
    entity.require_called_aet = True
    if EVERYBODY not in listening.callers:
        entity.require_calling_aet = list(listening.callers)
    entity.maximum_associations = listening.associations
    entity.maximum_pdu_size = listening.pdu
    entity.network_timeout = listening.idle_seconds
    entity.acse_timeout, entity.dimse_timeout = 10, 30
    server = entity.start_server(
        (listening.host, listening.port),
        block=False,
        contexts=supported(),
        ssl_context=listening.tls.server(_Unhurried) if listening.tls else None,
        evt_handlers=[
            (evt.EVT_C_ECHO, lambda _: 0x0000),
            (evt.EVT_C_STORE, receiver.store),
            (evt.EVT_N_ACTION, commitments.take),
            (evt.EVT_PDU_RECV, receiver.watch_size),
            (evt.EVT_PDU_RECV, _at_once),
            (evt.EVT_DATA_SENT, _at_once),
            (evt.EVT_CONN_OPEN, lines.opened),
            (evt.EVT_CONN_CLOSE, lines.closed),
            (evt.EVT_REJECTED, _rejected),
        ],
    )
    return Scp(server, entity, lines)


@dataclass(frozen=True)
class _Lines:
    """What pynetdicom leaves open when a peer goes away without a word: port scans, health checks, hostile ones."""

    receiver: Receiver
    sockets: dict[Any, socket.socket] = field(default_factory=dict)

    def opened(self, event: Any) -> None:
        self.sweep()
        self.sockets[event.assoc.dul] = event.assoc.dul.socket.socket

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
        for thread in list(self.sockets):
            if thread.ident is not None:
                thread.join(LAST_WORDS)
            self._end(thread)

    def _end(self, thread: threading.Thread) -> None:
        line = self.sockets.pop(thread, None)
        if line is not None:
            line.close()
        self.receiver.forget(thread)


class _Unhurried(ssl.SSLContext):
    """The handshake waits for the line's own thread: else one silent peer would keep out all others."""

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **details: Any) -> ssl.SSLSocket:
        sock.settimeout(HANDSHAKE)
        return super().wrap_socket(sock, *arguments, **{**details, "do_handshake_on_connect": False})


def _at_once(event: Any) -> None:
    """Acknowledge what comes next at once. Senders write an object in several pieces and hold the last back until the
    one before it is acknowledged (RFC 896), which a receiver puts off for 40 ms: measured, 18 small objects a second
    instead of 90. The kernel forgets it whenever something is sent."""
    line = event.assoc.dul.socket.socket
    if QUICKLY is not None and line is not None:
        line.setsockopt(socket.IPPROTO_TCP, QUICKLY, 1)


def _rejected(event: Any) -> None:
    """Titles are not patients'. Whoever sets up a PACS looks for this line."""
    calling = str(getattr(event.assoc.requestor, "ae_title", "")).strip()
    log.warning("association of %r from %s rejected", calling[:16], event.assoc.requestor.address)


def quiet_threads() -> None:
    """A peer that breaks the protocol ends its own thread; the traceback would show what it sent."""

    def tell(told: threading.ExceptHookArgs) -> None:
        log.warning("a line ended: %s", told.exc_type.__name__)

    threading.excepthook = tell
