"""One planned upload → in the cloud, whatever happens on the way, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from .body import Body, Limiter
from .depot import PART, KeysRefusedError, MangledError, NoUploadError, Target, ThereAlreadyError, crc64
from .faults import ChangedError, NotAllowedError, RefusedError, StoppedError, TryLaterError
from .passes import Pass, Passes
from .patience import FIRST, LONGEST, Patience
from .state import SENT, State, Upload
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
    reach by now. `first`, `longest`: seconds between tries."""

    state: State
    passes: Passes
    limiter: Limiter
    stop: threading.Event
    told: Told
    arrived: Callable[[Upload], bool]
    part_size: int = PART
    first: float = FIRST
    longest: float = LONGEST
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _shown: dict[int, int] = field(default_factory=dict)

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
        data = upload.content.read(0, self.part_size)
        with self._leaving(upload, data) as body:
            target.put(body, crc64(data))

    def _parts(self, upload: Upload, target: Target, patience: Patience) -> None:
        """Those that S3 has, from an earlier try or an earlier life, are not sent again."""
        if upload.multipart is None:
            self.state.begin(upload, target.key, target.begin())
            upload = self.state.upload(upload.id)
        content, multipart = upload.content, upload.multipart or ""
        parts = {part.number: part for part in upload.parts}
        starts = range(0, content.size, self.part_size)
        lengths = [min(self.part_size, content.size - start) for start in starts]
        self._show(upload, sum(lengths[number - 1] for number in parts))
        for number, start in enumerate(starts, 1):
            if number not in parts:
                data = content.read(start, self.part_size)
                with self._leaving(upload, data) as body:
                    parts[number] = target.part(multipart, number, body, crc64(data))
                self.state.keep_part(upload, parts[number])
                patience.reset()
        target.complete(multipart, [parts[number] for number in sorted(parts)], lengths)

    @contextmanager
    def _leaving(self, upload: Upload, data: bytes) -> Iterator[Body]:
        """What had left when it failed is not counted."""
        before = self._shown.get(upload.id, 0)
        body = Body(data, self.limiter, lambda size: self._show(upload, self._shown.get(upload.id, 0) + size))
        try:
            yield body
        except BaseException:
            self._show(upload, before)
            raise

    def _show(self, upload: Upload, size: int) -> None:
        """So much of it is there."""
        self.told.moved(size - self._shown.get(upload.id, 0))
        self._shown[upload.id] = size
