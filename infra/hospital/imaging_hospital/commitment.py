"""Storage commitment, push model (PS3.4 annex J): which objects a sender wants to be sure of, and what became of them.

A request is written down before it is answered. It ends when the cloud's receipt shows each object with the digest of
the very file that came in here, or when the time is over; then it is reported, again and again until the sender has
taken the report.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from pydicom.dataset import Dataset
from pynetdicom.events import Event  # noqa: TC002 - as TC001

from .faults import NotAllowedError, RefusedError, TryLaterError
from .spool import Spool, durably

log = logging.getLogger(__name__)

INSTANCE: Final = "1.2.840.10008.1.20.1.1"  # the one well-known instance (J.3.5)
MOST_ITEMS: Final = 20_000
MOST_PENDING: Final = 2_000

# PS3.7 annex C
DONE: Final = 0x0000
NO_SUCH_INSTANCE: Final = 0x0112
INVALID_ARGUMENT: Final = 0x0115
NO_SUCH_ACTION: Final = 0x0123
RESOURCE_LIMIT: Final = 0x0213

# Failure reasons (PS3.3 C.14.1.1)
PROCESSING_FAILURE: Final = 0x0110
NEVER_RECEIVED: Final = 0x0112

KEPT: Final = frozenset({"served", "duplicate", "excluded", "withheld"})
"""Statuses of infra/RECEIPTS.md that mean: these bytes are held. Not `divergent`: others are served under that UID."""


class Known(Protocol):
    """What this client sent: (study, SHA-256 hex) of every file with this SOP Instance UID."""

    def of_sop(self, sop: str) -> list[tuple[str, str]]: ...


class Receipts(Protocol):
    def receipt(self, uid: str) -> list[Any]: ...


@dataclass(frozen=True)
class Request:
    """One N-ACTION. `items`: SOP class and SOP instance UID of each object."""

    transaction: str
    requester: str
    asked_at: datetime
    items: tuple[tuple[str, str], ...]

    def name(self) -> str:
        return hashlib.sha256(f"{self.requester}\0{self.transaction}".encode()).hexdigest()[:32] + ".json"

    def told(self) -> bytes:
        return json.dumps(
            {
                "transaction": self.transaction,
                "requester": self.requester,
                "asked_at": self.asked_at.isoformat(),
                "items": self.items,
            }
        ).encode()

    @classmethod
    def read(cls, path: Path) -> Request:
        told = json.loads(path.read_bytes())
        items = tuple((sop_class, sop) for sop_class, sop in told["items"])
        return cls(told["transaction"], told["requester"], datetime.fromisoformat(told["asked_at"]), items)


@dataclass(frozen=True)
class Verdict:
    """`failed`: SOP class, SOP instance, failure reason."""

    confirmed: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str, int], ...]

    @property
    def event_type(self) -> Literal[1, 2]:
        """1 all is well, 2 not all (J.3.3.1)."""
        return 2 if self.failed else 1

    def information(self, transaction: str) -> Dataset:
        told = Dataset()
        told.TransactionUID = transaction
        if self.confirmed:
            told.ReferencedSOPSequence = [_reference(*item) for item in self.confirmed]
        if self.failed:
            told.FailedSOPSequence = [_reference(*item) for item in self.failed]
        return told


@dataclass
class Commitments:
    """Takes requests. `asked` is called after each, with the line it came on."""

    spool: Spool
    asked: Callable[[Request, Any], None] = lambda *_: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def take(self, event: Event) -> tuple[int, None]:
        """The status of one N-ACTION. The request outlives this process from here on."""
        asked: Any = event.request
        if str(asked.RequestedSOPInstanceUID) != INSTANCE:
            return NO_SUCH_INSTANCE, None
        if event.action_type != 1:
            return NO_SUCH_ACTION, None
        request = _read(event, self.now())
        if request is None:
            return INVALID_ARGUMENT, None
        if not self._keep(request):
            return RESOURCE_LIMIT, None
        self.asked(request, event.assoc)
        return DONE, None

    def _keep(self, request: Request) -> bool:
        try:
            if sum(1 for _ in self.spool.commitments.iterdir()) >= MOST_PENDING:
                return False
            durably(self.spool.commitments, request.name(), request.told())
        except OSError:
            return False
        return True

    def pending(self) -> list[str]:
        """Their names."""
        return sorted(path.name for path in self.spool.commitments.glob("*.json"))

    def read(self, name: str) -> Request | None:
        """What cannot be read any more is put aside, not lost."""
        path = self.spool.commitments / name
        try:
            return Request.read(path)
        except (OSError, ValueError, KeyError, TypeError):
            path.replace(path.with_suffix(".unreadable"))
            return None

    def forget(self, request: Request) -> None:
        (self.spool.commitments / request.name()).unlink(missing_ok=True)


@dataclass
class Judge:
    """What can be said of a request by now. `patience`: after that, what is not confirmed has failed."""

    known: Known
    receipts: Receipts
    patience: timedelta
    _read: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request, now: datetime) -> Verdict | None:
        """None: wait. One receipt is read once for all its objects."""
        with self._lock:
            self._read.clear()
            confirmed: list[tuple[str, str]] = []
            failed: list[tuple[str, str, int]] = []
            for sop_class, sop in request.items:
                files = self.known.of_sop(sop)
                if any((sop, digest) in self._held(study) for study, digest in files):
                    confirmed.append((sop_class, sop))
                else:
                    failed.append((sop_class, sop, PROCESSING_FAILURE if files else NEVER_RECEIVED))
        if failed and now < request.asked_at + self.patience:
            return None
        return Verdict(tuple(confirmed), tuple(failed))

    def _held(self, study: str) -> frozenset[tuple[str, str]]:
        if study not in self._read:
            self._read[study] = self._receipt(study)
        return self._read[study]

    def _receipt(self, study: str) -> frozenset[tuple[str, str]]:
        """SOP instance UID and digest of all that is held of it; nothing where the cloud cannot say now."""
        try:
            pages = self.receipts.receipt(study)
        except (TryLaterError, RefusedError, NotAllowedError) as error:
            log.info("no receipt yet: %s", type(error).__name__)
            return frozenset()
        return frozenset(
            (entry["arrived"]["sop_instance_uid"], entry["arrived"]["declared_sha256"])
            for page in pages
            for entry in page["entries"]
            if entry["status"] in KEPT and entry["arrived"]["declared_sha256"]
        )


def _read(event: Event, now: datetime) -> Request | None:
    try:
        told = event.action_information
        items = tuple(
            (str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID)) for item in told.ReferencedSOPSequence
        )
        request = Request(str(told.TransactionUID), str(event.assoc.requestor.ae_title).strip(), now, items)
    except Exception:  # noqa: BLE001 - what a hostile peer sends may raise anything
        return None
    return request if request.transaction and 1 <= len(items) <= MOST_ITEMS else None


def _reference(sop_class: str, sop: str, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class
    item.ReferencedSOPInstanceUID = sop
    if reason is not None:
        item.FailureReason = reason
    return item
