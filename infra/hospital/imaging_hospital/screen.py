"""What a person sees while images leave: a bar with rate and time left, and why nothing moves if nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from .desk import Desk
from .tongue import Said

SENDING = Said("sending", "上传中")
WAITS = Said("waiting ({why}), next try in {seconds:.0f} s", "等待中（{why}），{seconds:.0f} 秒后重试")
GOES_ON = Said("connected again", "已恢复连接")


@dataclass
class Screen:
    """The `Told` of the sender. Without a terminal (a service, cron) only what changes is said, a line each."""

    desk: Desk
    progress: Progress
    waiting: bool = False

    def __post_init__(self) -> None:
        self.task = self.progress.add_task(SENDING.in_(self.desk.language), total=0)

    @property
    def is_seen(self) -> bool:
        return self.desk.err.is_terminal

    def expects(self, size: int) -> None:
        """So many bytes more are to be sent."""
        before = self.progress.tasks[self.task].total or 0
        self.progress.update(self.task, total=before + size)

    def moved(self, size: int) -> None:
        self.progress.update(self.task, advance=size)

    def waits(self, why: str, seconds: float) -> None:
        if self.is_seen:
            self.progress.update(self.task, description=WAITS.in_(self.desk.language, why=why, seconds=seconds))
        elif not self.waiting:
            self.desk.complain(WAITS, why=why, seconds=seconds)
        self.waiting = True

    def goes_on(self) -> None:
        if self.waiting:
            self.waiting = False
            self.progress.update(self.task, description=SENDING.in_(self.desk.language))
            if not self.is_seen:
                self.desk.complain(GOES_ON)


@contextmanager
def screen(desk: Desk) -> Iterator[Screen]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    quiet = not desk.err.is_terminal
    with Progress(
        *columns, console=desk.err if not quiet else Console(stderr=True), disable=quiet, transient=True
    ) as progress:
        yield Screen(desk, progress)


class Quiet:
    """A watcher for commands that send nothing."""

    def expects(self, size: int) -> None: ...

    def moved(self, size: int) -> None: ...

    def waits(self, why: str, seconds: float) -> None: ...

    def goes_on(self) -> None: ...
