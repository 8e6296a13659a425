"""Work that is done several at a time, and no more is begun than that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import TypeVar

Asked = TypeVar("Asked")
Done = TypeVar("Done")


def in_lanes(pool: Executor, lanes: int, work: Callable[[Asked], Done], asked: Iterable[Asked]) -> Iterator[Done]:
    """What `work` makes of each, as it is done. When one fails no other is begun; those that run come to their end, and
    then that first failure is raised."""
    left = iter(asked)
    running: set[Future[Done]] = {pool.submit(work, one) for one in islice(left, lanes)}
    failure: BaseException | None = None
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for one in done:
            if (error := one.exception()) is None:
                yield one.result()
            else:
                failure = failure or error
        if failure is None:
            running |= {pool.submit(work, one) for one in islice(left, lanes - len(running))}
        else:
            for one in running:
                one.cancel()
            running = {one for one in running if not one.cancelled()}
    if failure is not None:
        raise failure
