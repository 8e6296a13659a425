"""Telling a sender what became of its objects: N-EVENT-REPORT (PS3.4 J.3.3), on an association of ours to the address
it has in the settings, else on its own while that is open."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pynetdicom import AE, build_role

from .commitment import INSTANCE, Commitments, Judge, Request, Verdict
from .contexts import COMMITMENT

log = logging.getLogger(__name__)

FIRST: Final = timedelta(seconds=5)  # then 10, 20, …: a study is settled about a minute after its last upload
LONGEST: Final = timedelta(minutes=10)
GIVEN_UP: Final = timedelta(days=7)  # the sender asks again, or never will


@dataclass(frozen=True)
class Address:
    host: str
    port: int


@dataclass
class Reporter:
    """`addresses` by AE title. `tls`: for associations of ours, where the settings say so."""

    ae_title: str
    addresses: Mapping[str, Address]
    commitments: Commitments
    judge: Judge
    tls: ssl.SSLContext | None = None
    first: timedelta = FIRST
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _lines: dict[str, Any] = field(default_factory=dict)
    _next: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, request: Request, association: Any) -> None:
        """A line of the sender's on which the answer may go."""
        with self._lock:
            self._lines = {name: line for name, line in self._lines.items() if line.is_established}
            self._lines[request.name()] = association
            self._next[request.name()] = (self.now() + self.first, self.first)

    def __call__(self) -> None:
        """One round over what is due. Never raises for what a sender or the cloud does."""
        for name in self.commitments.pending():
            now = self.now()
            request = self.commitments.read(name) if self._is_due(name, now) else None
            if request is None:
                continue
            verdict = self.judge(request, now) if self._can_be_told(request) else None
            if verdict is not None and self._report(request, verdict):
                self._end(request)
            elif now > request.asked_at + self.judge.patience + GIVEN_UP:
                log.warning("a storage commitment of %s could not be reported for a week", request.requester)
                self._end(request)

    def _can_be_told(self, request: Request) -> bool:
        with self._lock:
            line = self._lines.get(request.name())
        return request.requester in self.addresses or (line is not None and line.is_established)

    def _is_due(self, name: str, now: datetime) -> bool:
        """Less and less often, each by itself."""
        with self._lock:
            at, wait = self._next.get(name, (now, self.first))
            if now < at:
                return False
            self._next[name] = (now + wait, min(2 * wait, LONGEST))
            return True

    def _end(self, request: Request) -> None:
        self.commitments.forget(request)
        with self._lock:
            self._next.pop(request.name(), None)
            self._lines.pop(request.name(), None)

    def _report(self, request: Request, verdict: Verdict) -> bool:
        """Whether the sender has taken it."""
        address = self.addresses.get(request.requester)
        with self._lock:
            line = self._lines.get(request.name())
        try:
            if address is not None:
                return self._on_a_line_of_ours(request, verdict, address)
            return line is not None and line.is_established and _tell(line, request, verdict)
        except (RuntimeError, ValueError, OSError) as error:  # the line went away
            log.info("a storage commitment was not taken by %s: %s", request.requester, type(error).__name__)
            return False

    def _on_a_line_of_ours(self, request: Request, verdict: Verdict, address: Address) -> bool:
        entity = AE(ae_title=self.ae_title)
        entity.add_requested_context(COMMITMENT)
        entity.connection_timeout = 10
        line = entity.associate(
            address.host,
            address.port,
            ae_title=request.requester,
            ext_neg=[build_role(COMMITMENT, scp_role=True)],  # we are the provider who calls (J.3.3)
            tls_args=(self.tls, "") if self.tls else None,
        )
        try:
            return line.is_established and _tell(line, request, verdict)
        finally:
            if line.is_established:
                line.release()


def _tell(line: Any, request: Request, verdict: Verdict) -> bool:
    information = verdict.information(request.transaction)
    status, _ = line.send_n_event_report(information, verdict.event_type, COMMITMENT, INSTANCE)
    return "Status" in status and status.Status == 0
