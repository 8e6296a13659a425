"""What a PACS sends (C-STORE) on its way into the spool. Nothing is decoded: the dataset's bytes are kept as they came,
behind the header of PS3.10. Success is answered when file and directory are on the disk, and not before.

pynetdicom writes a dataset piece by piece into a file as it arrives, so that a thousand large images need no memory.
But it opens that file itself, among the system's temporary ones, and a full disk then costs the whole association.
`Receiver.install` gives it ours instead: in the spool, with an end to its size, and a fault is remembered until the
answer can tell it.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydicom.filereader import read_partial
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from pynetdicom import _config, dimse_messages
from pynetdicom.dsutils import create_file_meta
from pynetdicom.events import Event  # noqa: TC002 - as TC001

from .spool import Spool

log = logging.getLogger(__name__)

# PS3.7 annex C, PS3.4 B.2.3
SUCCESS: Final = 0x0000
OUT_OF_RESOURCES: Final = 0xA700
NOT_AS_SAID: Final = 0xA900
NOT_UNDERSTOOD: Final = 0xC000

IMPLEMENTATION: Final[dict[str, Any]] = {
    "implementation_uid": UID("2.25.286783350430677441233767072874025518286"),
    "implementation_version": "IMAGING_CLOUD_1",
}
"""In the header of every file. It stays for ever, whatever the versions: an image that is sent again, years later, must
be the same bytes, or the cloud takes it for another one under the same UID."""

_SOP_CLASS, _SOP, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E


class Incoming:
    """The file that pynetdicom writes one object to. A full disk, or too large an object, is remembered; what comes
    after is passed over."""

    def __init__(self, path: Path, largest: int) -> None:
        self.name, self.path, self.file = str(path), path, self
        self.thread = threading.current_thread()
        self.fault = ""
        self._size, self._largest = 0, largest
        try:
            self._open = path.open("xb")
        except OSError as error:
            self._fail(type(error).__name__)

    def write(self, piece: bytes) -> None:
        if self.fault:
            return
        self._size += len(piece)
        if self._size > self._largest:
            self._fail("too large")
            return
        try:
            self._open.write(piece)
        except OSError as error:
            self._fail(type(error).__name__)

    def flush(self) -> None:
        """Called after each piece; it is enough to do so before the answer."""

    def close(self) -> None:
        try:
            if hasattr(self, "_open"):
                self._open.close()
        except OSError as error:  # what was buffered did not fit
            self._fail(type(error).__name__)

    def discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    @property
    def is_too_large(self) -> bool:
        return self._size > self._largest

    def _fail(self, why: str) -> None:
        self.fault = why


@dataclass
class Receiver:
    """`largest`: bytes of one object at most. `reserve`: bytes that stay free on the disk, for what is under way.
    `arrived` is called after each object that was kept."""

    spool: Spool
    largest: int
    reserve: int
    arrived: Callable[[], None] = lambda: None
    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    kept: int = 0
    refused: int = 0
    _files: dict[str, Incoming] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self) -> None:
        """For the whole process: it has one listener. What senders had not finished before is nobody's."""
        for unfinished in self.spool.receiving.iterdir():
            unfinished.unlink(missing_ok=True)
        _config.STORE_RECV_CHUNKED_DATASET = True
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)  # its messages name patients
        dimse_messages.NamedTemporaryFile = self.open_file  # type: ignore[assignment, attr-defined]  # see above
        dimse_messages.create_file_meta = partial(create_file_meta, **IMPLEMENTATION)  # type: ignore[attr-defined]

    def open_file(self, **_: Any) -> Incoming:
        incoming = Incoming(self.spool.receiving / f"{secrets.token_hex(16)}.part", self.largest)
        with self._lock:
            self._files[incoming.name] = incoming
        return incoming

    def store(self, event: Event) -> int:
        """The status of one C-STORE."""
        with self._lock:
            incoming = self._files.pop(str(event.dataset_path), None)
        if incoming is None:  # a request without a dataset
            return self._refuse(NOT_UNDERSTOOD, "no dataset")
        incoming.close()
        status, why = self._judge(event, incoming)
        if status != SUCCESS:
            incoming.discard()
            return self._refuse(status, why)
        with self._lock:
            self.kept += 1
        self.arrived()
        return SUCCESS

    def _judge(self, event: Event, incoming: Incoming) -> tuple[int, str]:
        if incoming.fault:
            return OUT_OF_RESOURCES, incoming.fault
        if self.free(self.spool.directory) < self.reserve:
            return OUT_OF_RESOURCES, "disk nearly full"
        status = _compare(event, incoming.path)
        if status == SUCCESS:
            try:
                self.spool.adopt(incoming.path)
            except OSError as error:
                return OUT_OF_RESOURCES, type(error).__name__
        return status, "its UIDs"

    def watch_size(self, event: Event) -> None:
        """An object without an end: nothing but closing the line stops who sends it."""
        for incoming in self._of(event.assoc.dul):
            if incoming.is_too_large:
                log.warning("an object larger than %d MiB: association closed", self.largest >> 20)
                line: Any = event.assoc.dul.socket
                line.close()

    def forget(self, thread: threading.Thread) -> None:
        """The line is gone that this thread read: what was half sent on it is no object."""
        for incoming in self._of(thread):
            with self._lock:
                self._files.pop(incoming.name, None)
            incoming.discard()

    def _of(self, thread: threading.Thread) -> list[Incoming]:
        with self._lock:
            return [incoming for incoming in self._files.values() if incoming.thread is thread]

    def _refuse(self, status: int, why: str) -> int:
        with self._lock:
            self.refused += 1
        log.warning("an object was refused: 0x%04X (%s)", status, why)
        return status


def _compare(event: Event, path: Path) -> int:
    """Whether the dataset is what the request says it is (PS3.4 B.2.3), as far as its place in the record goes. One
    that is deflated is left to the cloud: a few of its bytes can be gigabytes."""
    if event.context.transfer_syntax == DeflatedExplicitVRLittleEndian:
        return SUCCESS
    try:
        with path.open("rb") as file:
            dataset = read_partial(
                file, lambda tag, _, __: tag > _SERIES, specific_tags=[_SOP_CLASS, _SOP, _STUDY, _SERIES]
            )
        uids = [str(dataset[tag].value) if tag in dataset else "" for tag in (_SOP_CLASS, _SOP, _STUDY, _SERIES)]
    except Exception:  # noqa: BLE001 - what a hostile peer sends may raise anything
        return NOT_UNDERSTOOD
    if not all(uids):
        return NOT_UNDERSTOOD
    request: Any = event.request
    asked = [str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)]
    return SUCCESS if uids[:2] == asked else NOT_AS_SAID
