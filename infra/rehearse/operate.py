"""`python -m infra.rehearse.operate`: the operator's guide in an emulated account, command by command, from the first
deployment to the end. Exit code 0 only if each command worked and did what the guide says of it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from infra.local.__main__ import language
from infra.rehearse import guide, ministack
from infra.rehearse.__main__ import interrupt, make_package
from infra.rehearse.guide import Block, CommandFailedError, Desk

SETTINGS = {
    "AWS_REGION": ministack.REGION,
    "STAGE": "rehearsal",
    "CODE_BUCKET": "imaging-cloud-guide-code",
    "ORIGIN": "https://127.0.0.1",
    "ISSUERS": "[]",
    "SMS_GATEWAY": "http:https://127.0.0.1:1/send",
    "SMS_SECRET_ID": "imaging-cloud/sms",
    "DOMAIN_NAME": "api.rehearsal.example.cn",
    "CERTIFICATE_ARN": f"arn:aws:acm:{ministack.REGION}:{ministack.ACCOUNT_ID}:certificate/rehearsal",
    "ON_CALL": "on-call@rehearsal.example.cn",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "影像云：按运维指南逐条演练",
        "held": "{commands} 段命令全部成功，用时 {seconds:.0f} 秒",
        "failed": "失败：{what}",
        "left": "未演练：{section}：{reason}",
    },
    "en": {
        "title": "Imaging Cloud: the operator's guide, command by command",
        "held": "all {commands} blocks of commands worked, in {seconds:.0f} s",
        "failed": "failed: {what}",
        "left": "not rehearsed: {section}: {reason}",
    },
}
WELL, NEXT = '{"status":"ok"}', '"next":true'


def rehearse(at: Desk, given: list[Block], console: Console, lang: str) -> bool:
    words, began = WORDS[lang], time.monotonic()
    console.print(Rule(words["title"]))
    done = 0
    try:
        for block, said in guide.play(at, given):
            _hold(at, guide.opening(given), block, said)
            first = block.commands.strip().splitlines()[0]
            console.print(f"[green]✓[/green] {escape(block.section)}: [dim]{escape(first)}[/dim]", soft_wrap=True)
            done += 1
    except CommandFailedError as error:
        console.print(f"[red]✗[/red] {escape(words['failed'].format(what=error))}", soft_wrap=True)
        return False
    for block in given:
        if block.reason:
            console.print(escape(words["left"].format(section=block.section, reason=block.reason)), soft_wrap=True)
    console.print(Rule(words["held"].format(commands=done, seconds=time.monotonic() - began)))
    return True


def _hold(at: Desk, opening: str, block: Block, said: str) -> None:
    """What a block promises beyond that it worked. CommandFailedError."""
    if "healthy" in block.commands.splitlines():
        _expect(WELL[:-1] in said, block, f"the API is not well: {said[-200:]}")
        _expect((NEXT in said) == (block.section == "Upgrade"), block, f"another release answers: {said[-200:]}")
    if "--reserved-concurrent-executions 0" in block.commands:
        try:
            at.run(opening + "healthy")
        except CommandFailedError as error:
            _expect("429" in str(error), block, f"not closed, but: {error}")
        else:
            raise CommandFailedError(f"{block.section}: the API is open still")
    if "delete-stack" in block.commands:
        left = json.loads(at.run(opening + "aws cloudformation describe-stacks --query 'Stacks[].StackName'"))
        _expect(left == ["imaging-cloud-data"], block, f"what holds state stays, not {left}")


def _expect(held: object, block: Block, otherwise: str) -> None:
    if not held:
        raise CommandFailedError(f"{block.section}: {otherwise}")


def main(arguments: list[str]) -> int:
    asked = _parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="imaging-cloud-guide-") as made:
            directory = asked.directory or Path(made)
            package = asked.package or make_package(directory / "made")
            with ministack.running(directory / "emulator") as emulator:
                at = guide.desk(directory / "desk", package, emulator, SETTINGS)
                given = guide.blocks(guide.GUIDE.read_text(encoding="utf-8"))
                return 0 if rehearse(at, given, Console(highlight=False), asked.lang) else 1
    except (ministack.NotStartedError, CommandFailedError, subprocess.SubprocessError) as error:
        print(f"cannot rehearse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # as shells say it


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.rehearse.operate", description=__doc__)
    parser.add_argument("--lang", choices=["zh", "en"], default=language(os.environ), help="language of the output")
    parser.add_argument("--package", type=Path, help="a package made before, for this machine's Python")
    parser.add_argument("--directory", type=Path, help="keeps the desk and the logs; default: nothing is kept")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
