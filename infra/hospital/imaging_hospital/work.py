"""Sending all that is new in a directory: several objects at a time, each until it is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from . import joined, key, scan
from .api import Api, Line
from .body import Limiter
from .faults import RefusedError
from .passes import Passes
from .plan import Planner
from .scan import Found, Standing
from .sender import CHANGED, Sender, Told
from .settings import Settings
from .spool import Spool
from .state import SENT, State, Upload
from .tally import Tally

REMEMBERED: Final = timedelta(days=180)  # what was sent, proven and deleted here


class Watcher(Told, Protocol):
    """Who watches is also told how much is to come."""

    def expects(self, size: int) -> None: ...


@dataclass(frozen=True)
class Work:
    """`api` asks the cloud, `sender` sends to S3. `stop` ends everything soon, and nothing is lost by it."""

    settings: Settings
    spool: Spool
    state: State
    api: Api
    sender: Sender
    watcher: Watcher
    stop: threading.Event

    def send(self, root: Path, tally: Tally | None = None) -> Tally:
        """Everything below `root` that is not in the cloud yet: told in `tally` as it goes. Raises NotAllowedError,
        StoppedError."""
        tally = tally or Tally()
        began = self.state.under_way(root)
        new = scan.unsent(scan.files(root, tally, self.spool.directory.resolve()), self.state, tally)
        self.finish(began, scan.by_series(scan.read(new, tally)), tally)
        return tally

    def without_sent(self, files: Iterable[Standing]) -> Iterator[Standing]:
        """Files of ours that were sent, and not yet deleted when we were killed, are deleted now."""
        for one in files:
            if self.state.standing(one.path, one.size, one.mtime_ns) == SENT:
                Path(one.path).unlink(missing_ok=True)
            else:
                yield one

    def finish(
        self, began: Sequence[Upload], series: Sequence[Sequence[Found]], tally: Tally, *, owned: bool = False
    ) -> None:
        """Until all of it is in the cloud, or told in `tally`. `owned`: files are deleted once they are there."""
        self.watcher.expects(sum(one.content.size for one in began) + sum(f.size for group in series for f in group))
        run = _Run(self, tally, owned)
        jobs: list[Callable[[], None]] = [partial(run.finish, one) for one in began]
        jobs += [partial(run.begin, group) for group in series]
        pool = ThreadPoolExecutor(_workers(self.settings), thread_name_prefix="send")
        try:
            done, _ = wait([pool.submit(job) for job in jobs], return_when=FIRST_EXCEPTION)
            for one in done:
                one.result()
        except Exception:  # one that is not allowed will not be alone
            pool.shutdown(cancel_futures=True)
            raise
        except BaseException:  # Ctrl-C does not wait for a line that is dead
            self.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


@dataclass(frozen=True)
class _Run:
    work: Work
    tally: Tally
    owned: bool

    def begin(self, series: Sequence[Found]) -> None:
        by_path = {one.path: one for one in series}
        for plan in Planner(self.work.state, self.tally)(series):
            upload = self.work.state.plan(plan)
            if upload is None:  # others have some of these bytes in hand since they were looked at
                self.begin([by_path[image.source.path] for image in plan.images])
                continue
            self.work.watcher.expects(upload.content.size - sum(one.size for one in upload.sources))
            self.finish(upload)
        if self.owned:
            self._remove([one.standing for one in series])

    def finish(self, upload: Upload) -> None:
        outcome = self.work.sender(upload.id)
        if outcome == SENT:
            self.tally.arrive(upload.images, sum(one.size for one in upload.sources), pack=bool(upload.head))
        elif outcome == CHANGED:
            self._again(upload)
        else:
            self.tally.refuse((one.path for one in upload.sources), outcome)
        if self.owned:
            self._remove([Standing(one.path, one.size, one.mtime_ns) for one in upload.sources])

    def _again(self, upload: Upload) -> None:
        """A file of a pack is not what it was: the others are packed anew."""
        left = []
        for one in upload.sources:
            if one.is_unchanged():
                left.append(Standing(one.path, one.size, one.mtime_ns))
            else:
                self.tally.skip(one.path, CHANGED)
        for series in scan.by_series(scan.read(left, self.tally)):
            self.begin(series)

    def _remove(self, files: Sequence[Standing]) -> None:
        for one in files:
            if self.work.state.standing(one.path, one.size, one.mtime_ns) == SENT:
                Path(one.path).unlink(missing_ok=True)
                self.work.state.forget(one.path)


@contextmanager
def at_work(settings: Settings, watcher: Watcher, stop: threading.Event) -> Iterator[Work]:
    """Raises SettingsError where this hospital has not joined, or the spool is another's."""
    spool = Spool(settings.spool)
    private, told = key.KeyFile(settings.key_file), joined.load(settings)
    private.current()  # what is wrong with it is told before anything else
    spool.prepare()
    state = State(spool.state, settings)
    try:
        state.prune(datetime.now(UTC) - REMEMBERED)
        api = Api(settings, private, told.audience, Line.of(settings))
        limiter = Limiter(settings.megabits_per_second * 1_000_000 / 8, stop)
        passes = Passes(settings, api.credentials)
        arrived = partial(_has_arrived, api)
        sender = Sender(state, passes, limiter, stop, watcher, arrived, _workers(settings))
        try:
            yield Work(settings, spool, state, api, sender, watcher, stop)
        finally:
            sender.close()
    finally:
        state.close()


def slower(settings: Settings, megabits_per_second: float | None) -> Settings:
    return settings if megabits_per_second is None else replace(settings, megabits_per_second=megabits_per_second)


def _workers(settings: Settings) -> int:
    """Fewer on a narrow line: S3 hangs up where nothing comes for 20 seconds."""
    limit = settings.megabits_per_second
    return min(settings.parallel, max(1, int(limit * 4))) if limit else settings.parallel


def _has_arrived(api: Api, upload: Upload) -> bool:
    """Its name is its content's: wherever it stands, it is this."""
    if not upload.study:
        return False
    try:
        pages = api.receipt(upload.study)
        return any(one["arrived"]["key"].endswith(f"/{upload.name}") for page in pages for one in page["entries"])
    except RefusedError:
        return False
