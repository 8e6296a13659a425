"""Crashes and races at every call of a port, chosen by the test."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support.fakes_ingest import Crash

__all__ = ["Crash", "Gate", "Turns", "crash_at"]


class Gate:
    """A port (or several) behind a function that runs before and after each of its calls."""

    def __init__(self, before=lambda: None, after=lambda: None):
        self.before, self.after = before, after

    def __call__(self, port):
        return _Gated(port, self)


class _Gated:
    def __init__(self, port, gate):
        self._port, self._gate = port, gate

    def __getattr__(self, name):
        call = getattr(self._port, name)

        def gated(*args, **kwargs):
            self._gate.before()
            answer = call(*args, **kwargs)
            self._gate.after()
            return answer

        return gated


def crash_at(number: int, *, after: bool, fault: type[BaseException] = Crash) -> Gate:
    """Dies at the `number`-th call from 0, before or after its effect. More calls than that: no crash."""
    calls = iter(range(number + 1))

    def count():
        if next(calls, None) == number:
            raise fault

    return Gate(after=count) if after else Gate(before=count)


class Turns:
    """Runs workers side by side, one port call at a time, in the order that `choose` says.

    `choose(n)` picks one of n workers that wait before a call. Each worker gets its gate and runs in its own thread,
    but never two at once: the same choices give the same run.
    """

    def __init__(self, choose: Callable[[int], int]):
        self._choose = choose
        self._idle = threading.Semaphore(0)
        self._waiting: list[threading.Semaphore] = []

    def run(self, workers: list[Callable[[Gate], None]]) -> list[BaseException]:
        """What the workers died of."""
        died: list[BaseException] = []
        threads = [threading.Thread(target=self._work, args=(worker, died), daemon=True) for worker in workers]
        for thread in threads:  # each comes to its first call, or its end, before the next starts
            thread.start()
            self._idle.acquire()
        while self._waiting:
            self._waiting.pop(self._choose(len(self._waiting))).release()
            self._idle.acquire()
        for thread in threads:
            thread.join()
        return died

    def _work(self, worker, died):
        try:
            worker(Gate(before=self._wait))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            died.append(error)
        finally:
            self._idle.release()

    def _wait(self):
        turn = threading.Semaphore(0)
        self._waiting.append(turn)
        self._idle.release()
        turn.acquire()
