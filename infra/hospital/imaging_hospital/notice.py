"""`imaging-cloud notice PATH…`: what a RIS tells of its exams, from files of HL7 v2, CSV or JSON, or over MLLP."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import settings as settings_file
from .desk import Desk, Exit
from .tongue import Said, language

if TYPE_CHECKING:
    from .interfaces import Noticing
    from .notice_run import NoticeRun
    from .outbox import Count

PATHS: Final = Said("files, or directories of files", "文件，或存放文件的目录")
WATCH: Final = Said("go on, and take each new file", "持续运行，处理每个新文件")
REMOVE: Final = Said("delete each file once its notices are kept", "其通知保存后删除该文件")
MLLP: Final = Said("also take HL7 over the network, as [notice.mllp] says", "同时按 [notice.mllp] 从网络接收 HL7")
NOTHING: Final = Said("name files or directories, or --mllp", "请给出文件或目录，或 --mllp")
NO_PORT: Final = Said("the settings name no port under [notice.mllp]", "配置的 [notice.mllp] 中没有 port")
NO_FILE: Final = Said("{count} files cannot be read", "{count} 个文件无法读取")
READ: Final = Said(
    "read: {kept} notices; {before} were sent before; {passed} messages tell of no exam",
    "已读取：通知 {kept} 条；此前已发送 {before} 条；与检查无关的消息 {passed} 条",
)
SENT: Final = Said("sent: {taken}; refused by the cloud: {refused}", "已发送 {taken} 条；云端拒收 {refused} 条")
REFUSED: Final = Said(
    "{count} cannot be sent; they lie in {path}, each with the reason", "{count} 条无法发送，连同原因存放在 {path}"
)
NOT_ALLOWED: Final = Said("not allowed: {why}", "未获许可：{why}")
WAITS: Final = Said(
    "the cloud cannot be reached ({why}); the notices are kept: run this again",
    "无法连接云端（{why}）；通知已保存：请再次运行",
)
LISTENING: Final = Said("taking HL7 over MLLP on {host}:{port}", "正在 {host}:{port} 通过 MLLP 接收 HL7")
MOST_SHOWN: Final = 20


def add(parser: argparse.ArgumentParser) -> None:
    spoken = language("")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=PATHS.in_(spoken))
    parser.add_argument("--watch", action="store_true", help=WATCH.in_(spoken))
    parser.add_argument("--remove", action="store_true", help=REMOVE.in_(spoken))
    parser.add_argument("--mllp", action="store_true", help=MLLP.in_(spoken))


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    from . import interfaces, joined, key
    from .api import Api, Line
    from .notice_run import NoticeRun
    from .outbox import Outbox
    from .spool import Spool

    settings = settings_file.load(asked.settings)
    noticing = interfaces.noticing(asked.settings)
    desk = desk.speaking(language(settings.language))
    if not asked.paths and not asked.mllp:
        desk.complain(NOTHING)
        return Exit.SETTINGS
    if asked.mllp and not noticing.port:
        desk.complain(NO_PORT)
        return Exit.SETTINGS
    api = Api(settings, key.KeyFile(settings.key_file), joined.load(settings).audience, Line.of(settings))
    spool = Spool(settings.spool)
    spool.prepare()
    outbox = Outbox(spool)
    try:
        whole = NoticeRun(asked.paths, noticing.reading, outbox, api, remove=asked.remove)
        if not asked.watch and not asked.mllp:
            return _once(whole, desk)
        return _for_ever(whole, noticing, desk, mllp=asked.mllp)
    finally:
        outbox.close()


def _once(whole: NoticeRun, desk: Desk) -> Exit:
    from .faults import NotAllowedError, TryLaterError

    count, unread = whole.read()
    tell(count, desk, whole.outbox.spool.refused)
    if unread:
        desk.complain(NO_FILE, count=unread)
    try:
        taken, refused = whole.send()
    except TryLaterError as later:
        desk.complain(WAITS, why=str(later))
        return Exit.STOPPED
    except NotAllowedError as error:
        desk.complain(NOT_ALLOWED, why=error.said.in_(desk.language, **error.values))
        return Exit.NOT_ALLOWED
    desk.say(SENT, taken=taken, refused=refused)
    if count.refused or refused:
        return Exit.REFUSED
    return Exit.SKIPPED if unread else Exit.DONE


def tell(count: Count, desk: Desk, folder: Path) -> None:
    """Which place of which message, and why; never what it holds."""
    desk.say(READ, kept=count.kept, before=count.before, passed=count.passed)
    if count.refused:
        desk.complain(REFUSED, count=len(count.refused), path=folder)
        for refused in count.refused[:MOST_SHOWN]:
            desk.complain(Said("  {what}", "  {what}"), what=refused.sentence(desk.language))


def _for_ever(whole: NoticeRun, noticing: Noticing, desk: Desk, *, mllp: bool) -> Exit:
    """Until a signal. What cannot be sent now is kept and sent later."""
    from .mllp import serve

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = serve(noticing, whole.outbox) if mllp else None
    if server is not None:
        desk.say(LISTENING, host=noticing.host, port=server.server_address[1])
    try:
        whole.keep_on(stop, lambda count: tell(count, desk, whole.outbox.spool.refused))
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()
    return Exit.DONE
