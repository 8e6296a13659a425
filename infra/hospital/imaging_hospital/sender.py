"""One planned upload → in the cloud, whatever happens on the way, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from .body import Body, Limiter
from .depot import PART, KeysRefusedError, MangledError, NoUploadError, Target, ThereAlreadyError, crc64
from .faults import ChangedError, NotAllowedError, RefusedError, StoppedError, TryLaterError
from .lanes import in_lanes
from .pack import Content
from .passes import Pass, Passes
from .patience import FIRST, LONGEST, Patience
from .state import SENT, Part, State, Upload
from .tongue import Said

CHANGED: Final = "changed"
MANGLED: Final = 5  # times in a row that bytes are taken for lost on the way; then something is wrong here
REFUSALS: Final = 3  # new keys each time: the first may have ended, the second met midnight

NOT_HERE: Final = Said("S3 does not accept the keys that the cloud vends", "S3 不接受云端发放的临时密钥")


class Told(Protocol):
    """Who watches: bytes that left (or are taken back), and why nothing moves."""

    def moved(self, size: int) -> None: ...

    def waits(self, why: str, seconds: float) -> None: ...

    def goes_on(self) -> None: ...


@dataclass
class Sender:
    """`arrived` asks the cloud whether it has an object of this name: where that is in doubt and its place is out of
    reach by now. `lanes`: whole objects and parts of large ones that are read and sent at the same time, whoever asks;
    each holds `part_size` bytes in memory, or twice that for a moment. `first`, `longest`: seconds between tries."""

    state: State
    passes: Passes
    limiter: Limiter
    stop: threading.Event
    told: Told
    arrived: Callable[[Upload], bool]
    lanes: int = 1
    part_size: int = PART
    first: float = FIRST
    longest: float = LONGEST
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _shown: dict[int, int] = field(default_factory=dict)
    _showing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._free = threading.Semaphore(self.lanes)
        self._pool = ThreadPoolExecutor(self.lanes, thread_name_prefix="part")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __call__(self, number: int) -> str:
        """SENT, CHANGED, or the fact for which it was refused. Raises NotAllowedError, StoppedError."""
        patience, refusals, mangled = Patience(self.stop, self.first, self.longest), 0, 0
        while True:
            upload = self.state.upload(number)
            try:
                return self._try(upload, patience)
            except KeysRefusedError:
                refusals += 1
                if refusals >= REFUSALS:
                    raise NotAllowedError(NOT_HERE, {}) from None
            except NoUploadError:
                self._anew(number)
                self._wait(patience, "S3 NoSuchUpload")
            except MangledError:
                mangled += 1
                if mangled == MANGLED:
                    self.state.end(upload, "S3 BadDigest", self.now())
                    return "S3 BadDigest"
                self._anew(number)
                self._wait(patience, "S3 BadDigest")
            except TryLaterError as later:
                self._wait(patience, str(later))

    def _anew(self, number: int) -> None:
        """All parts again, under the key that it has."""
        upload = self.state.upload(number)
        if upload.key:
            self.state.begin(upload, upload.key, None)

    def _wait(self, patience: Patience, why: str) -> None:
        if self.stop.is_set():
            raise StoppedError
        seconds = patience.next()
        self.told.waits(why, seconds)
        patience.wait(seconds)

    def _try(self, upload: Upload, patience: Patience) -> str:
        try:
            to = self.passes.current()
            upload = self._placed(upload, to)
            if upload.key:
                self._send(upload, to, patience)
        except ThereAlreadyError:
            pass
        except ChangedError:
            self.state.dissolve(upload)
            return CHANGED
        except RefusedError as refused:
            self.state.end(upload, refused.fact, self.now())
            return refused.fact
        self._show(upload, upload.content.size)
        self.state.end(upload, SENT, self.now())
        with self._showing:
            self._shown.pop(upload.id, None)
        self.told.goes_on()
        return SENT

    def _placed(self, upload: Upload, to: Pass) -> Upload:
        """With a key that these keys reach, written down before it is used; without one where it is there already."""
        if upload.key and to.reaches(upload.key):
            return upload
        if upload.key and self.arrived(upload):
            raise ThereAlreadyError
        key = to.key(upload.kind, upload.name, self.now())
        if key is None:  # midnight has just passed
            self.passes.drop(to)
            raise TryLaterError("a new day")
        self.state.begin(upload, key, None)
        return self.state.upload(upload.id)

    def _send(self, upload: Upload, to: Pass, patience: Patience) -> None:
        sha256 = "" if upload.head else upload.sources[0].sha256.hex()
        target = Target(to, upload.key or "", sha256)
        try:
            if upload.content.size <= self.part_size:
                self._whole(upload, target)
            else:
                self._parts(upload, target, patience)
        except KeysRefusedError:
            self.passes.drop(to)
            raise

    def _whole(self, upload: Upload, target: Target) -> None:
        with self._leaving(upload, upload.content, 0) as (body, crc):
            target.put(body, crc)

    def _parts(self, upload: Upload, target: Target, patience: Patience) -> None:
        """Those that S3 has, from an earlier try or an earlier life, are not sent again. The others as lanes are free:
        when one fails, those on their way still end, and are kept, before anything is decided."""
        if upload.multipart is None:
            self.state.begin(upload, target.key, target.begin())
            upload = self.state.upload(upload.id)
        content, multipart = upload.content, upload.multipart or ""
        parts = {part.number: part for part in upload.parts}
        starts = range(0, content.size, self.part_size)
        lengths = [min(self.part_size, content.size - start) for start in starts]
        self._show(upload, sum(lengths[number - 1] for number in parts))

        def send(number: int) -> Part:
            with self._leaving(upload, content, starts[number - 1]) as (body, crc):
                part = target.part(multipart, number, body, crc)
            self.state.keep_part(upload, part)
            return part

        missing = (number for number in range(1, len(starts) + 1) if number not in parts)
        for part in in_lanes(self._pool, self.lanes, send, missing):
            parts[part.number] = part
            patience.reset()
        target.complete(multipart, [parts[number] for number in sorted(parts)], lengths)

    @contextmanager
    def _leaving(self, upload: Upload, content: Content, start: int) -> Iterator[tuple[Body, int]]:
        """Up to `part_size` bytes from `start`, and their checksum. What had left when it failed is not counted."""
        left = 0

        def leave(size: int) -> None:
            nonlocal left
            left += size
            self._move(upload, size)

        with self._free:
            data = content.read(start, self.part_size)
            try:
                yield Body(data, self.limiter, leave), crc64(data)
            except BaseException:
                self._move(upload, -left)
                raise

    def _show(self, upload: Upload, size: int) -> None:
        """So much of it is there."""
        with self._showing:
            self.told.moved(size - self._shown.get(upload.id, 0))
            self._shown[upload.id] = size

    def _move(self, upload: Upload, size: int) -> None:
        with self._showing:
            self.told.moved(size)
            self._shown[upload.id] = self._shown.get(upload.id, 0) + size
