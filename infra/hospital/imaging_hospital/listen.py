"""`imaging-cloud listen`: a C-STORE listener, so that a PACS can just send. What it is sent lies in the spool before it
is acknowledged, and goes on to the cloud from there."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

from . import settings as settings_file
from .desk import Desk, Exit
from .tongue import Said, language
from .upload import LIMIT

if TYPE_CHECKING:
    from .interfaces import Listening
    from .work import Work

log = logging.getLogger(__name__)

LISTENING: Final = Said("listening as {title} on {host}:{port}", "正在以 {title} 监听 {host}:{port}")
TAKEN: Final = Said("cannot listen on {host}:{port}: {why}", "无法监听 {host}:{port}：{why}")
COUNTED: Final = Said("received {kept}, refused {refused}", "已接收 {kept}，已拒绝 {refused}")
REPORTS_EVERY: Final = 2.0  # seconds
NOTICES_EVERY: Final = 5.0
AGAIN: Final = 30.0


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mbit", type=float, metavar="N", help=LIMIT.in_(language("")))


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    from . import interfaces
    from .alone import alone
    from .screen import screen
    from .work import at_work, slower

    settings = slower(settings_file.load(asked.settings), asked.mbit)
    listening = interfaces.listening(asked.settings)
    desk = desk.speaking(language(settings.language))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with screen(desk) as seen, at_work(settings, seen, stop) as work, alone(settings.spool, work.spool.inbox):
        return serve(work, listening, desk)


def serve(work: Work, listening: Listening, desk: Desk, reports_every: float = REPORTS_EVERY) -> Exit:
    """Until `work.stop`. Reports and notices have threads of their own: none of them waits for another."""
    from . import scp
    from .commitment import Commitments, Judge
    from .commitment_report import Reporter
    from .outbox import Outbox
    from .receive import Receiver
    from .watch import PAUSE, Root, keep_sending

    commitments = Commitments(work.spool)
    judge = Judge(work.state, work.api, listening.commitment)
    addresses = {title: address for title, address in listening.callers.items() if address}
    tls = listening.tls.client() if listening.tls else None
    reporter = Reporter(listening.ae_title, addresses, commitments, judge, tls)
    commitments.asked = reporter.asked
    receiver = Receiver(work.spool, listening.largest, listening.reserve)
    scp.quiet_threads()
    try:
        server = scp.start(listening, receiver, commitments)
    except OSError as error:
        desk.complain(TAKEN, host=listening.host, port=listening.port, why=error.strerror or type(error).__name__)
        return Exit.BROKEN
    with ExitStack() as open_until_the_end:
        open_until_the_end.callback(server.close)
        outbox = open_until_the_end.enter_context(closing(Outbox(work.spool)))
        desk.say(LISTENING, title=listening.ae_title, host=listening.host, port=server.port)
        threads = [
            _every(reports_every, reporter, work.stop),
            _every(NOTICES_EVERY, lambda: outbox.send(work.api), work.stop),
        ]
        roots, pause = [Root(work.spool.inbox, owned=True)], min(PAUSE, work.settings.settle_seconds)
        while not work.stop.is_set():
            _guarded(lambda: keep_sending(work, roots, desk, pause=pause))
            work.stop.wait(AGAIN)
        for thread in threads:
            thread.join(AGAIN)
    desk.say(COUNTED, kept=receiver.kept, refused=receiver.refused)
    return Exit.DONE


def _every(seconds: float, act: Callable[[], object], stop: threading.Event) -> threading.Thread:
    def rounds() -> None:
        while not stop.wait(seconds):
            if not _guarded(act):
                stop.wait(AGAIN)

    thread = threading.Thread(target=rounds, daemon=True)
    thread.start()
    return thread


def _guarded(act: Callable[[], object]) -> bool:
    """Whatever happens to sending, receiving goes on: a modality keeps an image for a day at most."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - see above; without its text, which may name a file
        log.warning("will be tried again: %s", type(error).__name__)
        return False
    return True
