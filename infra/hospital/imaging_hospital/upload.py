"""`imaging-cloud upload DIR`: everything in a directory, now."""

from __future__ import annotations

import argparse
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from . import settings as settings_file
from .desk import Desk, Exit
from .settings import SettingsError
from .tongue import Said, language

if TYPE_CHECKING:
    from .tally import Tally
    from .work import Work

DIRECTORY: Final = Said("directory with DICOM files", "存放 DICOM 文件的目录")
LIMIT: Final = Said("most to send, in Mbit/s (0: no limit)", "上传带宽上限，单位 Mbit/s（0 为不限）")
NOTICE: Final = Said("file with notices of these exams", "这些检查的通知文件")
ENDED: Final = Said("when the exam ended: its last image was taken", "检查结束时间：最后一幅影像的采集时间")
CLASS: Final = Said("whose exam it was", "患者类别")
NO_TIME: Final = Said(
    "--ended: a time such as 2026-11-24T10:30:00+08:00", "--ended：应为如 2026-11-24T10:30:00+08:00 的时间"
)
BOTH: Final = Said("--ended and --class belong together", "--ended 与 --class 须同时给出")
NO_DIRECTORY: Final = Said("{path} is no directory", "{path} 不是目录")
SENT: Final = Said(
    "in the cloud: {sent} new images ({size}; {packs} packs, {singles} single objects), {before} from before, "
    "{copies} copies of others",
    "已在云端：新上传 {sent} 幅（{size}；{packs} 个影像包，{singles} 个单独对象），"
    "此前已上传 {before} 幅，重复文件 {copies} 个",
)
SKIPPED: Final = Said("skipped: {count} files: {reason}", "已跳过 {count} 个文件：{reason}")
REFUSED: Final = Said("refused by the cloud: {count} files: {reason}", "云端拒收 {count} 个文件：{reason}")
LISTED: Final = Said("which ones: {path}", "明细见：{path}")
NOT_ALLOWED: Final = Said("not allowed: {why}", "未获许可：{why}")
MOST_SHOWN: Final = 10


def add(parser: argparse.ArgumentParser) -> None:
    spoken = language("")
    parser.add_argument("directory", type=Path, metavar="DIR", help=DIRECTORY.in_(spoken))
    parser.add_argument("--mbit", type=mbit, metavar="N", help=LIMIT.in_(spoken))
    parser.add_argument("--notice", type=Path, metavar="FILE", help=NOTICE.in_(spoken))
    parser.add_argument("--ended", metavar="TIME", help=ENDED.in_(spoken))
    classes = ("outpatient", "inpatient", "emergency")
    parser.add_argument("--class", dest="patient_class", choices=classes, help=CLASS.in_(spoken))


def mbit(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100_000:  # also what is no number
        raise ValueError(text)
    return value


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    from .alone import alone
    from .faults import NotAllowedError
    from .screen import screen
    from .tally import Tally
    from .work import at_work, slower

    settings = slower(settings_file.load(asked.settings), asked.mbit)
    desk = desk.speaking(language(settings.language))
    root = Path(os.path.realpath(asked.directory))  # of a loop of links too, which is no directory
    if not root.is_dir():
        desk.complain(NO_DIRECTORY, path=asked.directory)
        return Exit.SETTINGS
    told = _exam(asked, root, settings.spool.resolve())
    tally, listed = Tally(), settings.spool / "not-sent.csv"
    try:
        with screen(desk) as seen, at_work(settings, seen, threading.Event()) as work, alone(settings.spool, root):
            exit_code = _send(work, asked, root, told, desk=desk, tally=tally)
    except NotAllowedError as error:
        if tally.sent:  # before the key ended
            tell(tally, desk, root, listed)
        desk.complain(NOT_ALLOWED, why=error.said, **error.values)
        return Exit.NOT_ALLOWED
    except KeyboardInterrupt:
        tell(tally, desk, root, listed)
        raise
    tell(tally, desk, root, listed)
    return max(exit_code, tally.exit)


def _exam(asked: argparse.Namespace, root: Path, spool: Path) -> bytes | None:
    """The notice of the exam that the arguments tell of."""
    from .exam_notice import of_images

    if bool(asked.ended) != bool(asked.patient_class):
        raise SettingsError(BOTH)
    if not asked.ended:
        return None
    try:
        ended_at = datetime.fromisoformat(asked.ended)
    except ValueError:
        raise SettingsError(NO_TIME) from None
    if ended_at.tzinfo is None:
        raise SettingsError(NO_TIME)
    return of_images(root, spool, ended_at, asked.patient_class)


def _send(  # noqa: PLR0913 - the command's own parts
    work: Work, asked: argparse.Namespace, root: Path, told: bytes | None, *, desk: Desk, tally: Tally
) -> Exit:
    """Notices first, for the exam's twelve hours count from its end; where the line is cut, after the images."""
    from . import interfaces
    from .exam_notice import Notices

    reading = interfaces.noticing(asked.settings).reading
    notices = Notices.of(work.spool, work.api, reading, [asked.notice] if asked.notice else [], desk)
    try:
        outcomes = [notices.keep(told), notices.send(last=False)]
        work.send(root, tally)
        outcomes.append(notices.send(last=True))
    finally:
        notices.close()
    return max(outcomes)


def tell(tally: Tally, desk: Desk, root: Path, listed: Path) -> None:
    """Counts for everybody; names, which may tell of patients, on a terminal and in a file of this user's alone."""
    from .tally import SKIPPED as REASONS
    from .tally import write

    desk.say(
        SENT,
        sent=tally.sent,
        size=decimal(tally.sent_bytes),
        packs=tally.packs,
        singles=tally.singles,
        before=tally.before,
        copies=tally.copies,
    )
    for reason, count in sorted(tally.reasons.items()):
        desk.say(SKIPPED, count=count, reason=REASONS[reason])
    facts = [fact for _, fact in tally.refused]
    for fact in sorted(set(facts)):
        desk.say(REFUSED, count=facts.count(fact), reason=fact)
    left = [*tally.refused, *tally.skipped]
    if not left:
        listed.unlink(missing_ok=True)  # that of a run before
        return
    if desk.out.is_terminal:
        for path, _ in left[:MOST_SHOWN]:
            desk.say(Said("  {path}", "  {path}"), path=Path(path).relative_to(root))
    write(tally, listed)
    desk.say(LISTED, path=listed)
