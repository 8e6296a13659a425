"""`imaging-cloud watch DIR`: what appears in a directory is sent once it is whole, for as long as this runs."""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import settings as settings_file
from .desk import Desk, Exit
from .tongue import Said, language
from .upload import DIRECTORY, LIMIT, NO_DIRECTORY, NOT_ALLOWED, REFUSED, SKIPPED, mbit

if TYPE_CHECKING:
    from .settling import Settling
    from .tally import Tally
    from .work import Work

WATCHING: Final = Said("watching {path}", "正在监视 {path}")
SENT: Final = Said(
    "in the cloud: {sent} new images in {objects} objects", "已在云端：新影像 {sent} 幅，共 {objects} 个对象"
)
PAUSE: Final = 5.0
LIGHT: Final = 10  # looking takes at most a tenth of the time
NOT_ALLOWED_FIRST, NOT_ALLOWED_LONGEST = 60.0, 900.0


@dataclass(frozen=True)
class Root:
    """A directory to keep looking at. `owned`: files are whole when they appear, and deleted once they are sent."""

    path: Path
    owned: bool = False


def add(parser: argparse.ArgumentParser) -> None:
    spoken = language("")
    parser.add_argument("directory", type=Path, metavar="DIR", help=DIRECTORY.in_(spoken))
    parser.add_argument("--mbit", type=mbit, metavar="N", help=LIMIT.in_(spoken))


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    from .alone import alone
    from .screen import screen
    from .work import at_work, slower

    settings = slower(settings_file.load(asked.settings), asked.mbit)
    desk = desk.speaking(language(settings.language))
    root = Path(os.path.realpath(asked.directory))  # of a loop of links too, which is no directory
    if not root.is_dir():
        desk.complain(NO_DIRECTORY, path=asked.directory)
        return Exit.SETTINGS
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with screen(desk) as seen, at_work(settings, seen, stop) as work, alone(settings.spool, root):
        desk.complain(WATCHING, path=root)
        keep_sending(work, [Root(root)], desk, pause=min(PAUSE, settings.settle_seconds))
    return Exit.DONE


def keep_sending(
    work: Work, roots: Sequence[Root], desk: Desk, clock: Callable[[], float] = time.monotonic, pause: float = PAUSE
) -> None:
    """Until `work.stop`. What goes wrong is said once and tried again; nothing is lost by a kill."""
    from .faults import NotAllowedError, StoppedError
    from .patience import Patience
    from .settling import Settling

    settling = {root: Settling(work.settings.settle_seconds, whole=root.owned) for root in roots}
    patience = Patience(work.stop, NOT_ALLOWED_FIRST, NOT_ALLOWED_LONGEST)
    while not work.stop.is_set():
        looked = 0.0
        try:
            for root in roots:
                tally, seconds = _once(work, root, settling[root], clock)
                looked += seconds
                _tell(tally, desk)
            patience.reset()
            work.stop.wait(max(pause, LIGHT * looked))
        except NotAllowedError as error:
            desk.complain(NOT_ALLOWED, why=error.said, **error.values)
            work.stop.wait(patience.next())
        except StoppedError:
            return


def _once(work: Work, root: Root, settling: Settling, clock: Callable[[], float]) -> tuple[Tally, float]:
    """What became of the files, and how many seconds it took to look at them."""
    from . import scan
    from .tally import Tally

    tally, began = Tally(), clock()
    own = None if root.owned else work.spool.directory.resolve()
    files = scan.files(root.path, Tally(), own)  # links and the like are not told again and again
    if root.owned:
        files = work.without_sent(files)
    series = settling.look(scan.unsent(files, work.state, Tally()), tally, began)
    looked = clock() - began
    work.finish(work.state.under_way(root.path), series, tally, owned=root.owned)
    for path, _ in tally.refused:
        settling.later(path, clock())
    return tally, looked


def _tell(tally: Tally, desk: Desk) -> None:
    """Counts only: this goes into the machine's log."""
    from .tally import SKIPPED as REASONS

    if tally.sent:
        desk.say(SENT, sent=tally.sent, objects=tally.packs + tally.singles)
    for reason, count in sorted(tally.reasons.items()):
        desk.say(SKIPPED, count=count, reason=REASONS[reason])
    facts = [fact for _, fact in tally.refused]
    for fact in sorted(set(facts)):
        desk.say(REFUSED, count=facts.count(fact), reason=fact)
