"""The command `imaging-cloud`. Each subcommand is a module with `add(parser)` and `run(asked, desk) -> exit code`."""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import os
import signal
import sqlite3
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from . import settings
from .desk import Desk, Exit
from .tongue import Said, language

COMMANDS: Final[dict[str, Said]] = {
    "join": Said("make this hospital's key and register it", "生成本院密钥并登记"),
    "rekey": Said("change this hospital's key for a new one", "更换本院密钥"),
    "upload": Said("send everything in a directory", "上传一个目录中的全部影像"),
    "watch": Said("send what appears in a directory, for ever", "持续监视一个目录并上传新影像"),
    "listen": Said("take what a PACS sends (C-STORE), and send it on", "接收 PACS 发送的影像（C-STORE）并上传"),
    "status": Said("ask what the cloud has of what was sent", "查询云端已收到的内容"),
    "notice": Said("send what the RIS tells of exams (HL7, CSV, JSON)", "发送 RIS 的检查通知（HL7、CSV、JSON）"),
}

USAGE = Said("usage: ", "用法：")
ARGUMENTS = Said("arguments", "参数")
OPTIONS = Said("options", "选项")
HELP = Said("say this and end", "显示本说明并退出")
FILE = Said("settings file", "配置文件")
BROKEN = Said("this machine: {why}; run it again when that is mended", "本机故障：{why}；排除后请再次运行")
STOPPED = Said("stopped; run it again and it goes on where it was", "已停止；再次运行即从中断处继续")


def main(arguments: Sequence[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console need not know Chinese
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = _parser().parse_args(arguments)
    os.umask(0o077)  # what this leaves on the disk tells of patients
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # its warnings quote values
    warnings.filterwarnings("ignore", module="pydicom")
    desk = Desk.of(language(""))
    try:
        module = importlib.import_module(f".{asked.command}", __package__)
        return int(module.run(asked, desk))
    except settings.SettingsError as error:
        desk.complain(error.said, **error.values)
        return Exit.SETTINGS
    except (OSError, sqlite3.Error) as error:
        desk.complain(BROKEN, why=_cause(error))
        return Exit.BROKEN
    except KeyboardInterrupt:
        desk.complain(STOPPED)
        os._exit(Exit.STOPPED)  # without waiting for lines that are dead: all this survives a kill


def _cause(error: OSError | sqlite3.Error) -> str:
    """Without the file's name, which may tell of a patient."""
    told = str(error) if isinstance(error, sqlite3.Error) else error.strerror
    return told or type(error).__name__


class _Formatter(argparse.HelpFormatter):
    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, prefix or USAGE.in_(language("")))


class _Parser(argparse.ArgumentParser):
    """Its own words in the language of all others."""

    def __init__(self, **named: Any) -> None:
        super().__init__(add_help=False, formatter_class=_Formatter, **named)
        spoken = language("")
        self._positionals.title, self._optionals.title = ARGUMENTS.in_(spoken), OPTIONS.in_(spoken)
        self.add_argument("-h", "--help", action="help", help=HELP.in_(spoken))


def _parser() -> argparse.ArgumentParser:
    spoken = language("")
    parser = _Parser(prog="imaging-cloud")
    default = Path(os.environ.get(settings.ENVIRONMENT) or settings.DEFAULT)
    parser.add_argument("--settings", type=Path, default=default, metavar="FILE", help=FILE.in_(spoken))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what.in_(spoken))
        importlib.import_module(f".{name}", __package__).add(command)
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
