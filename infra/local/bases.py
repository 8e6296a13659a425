"""Every basis of a grant, played against the local cloud, and what the patients then read of who looked.

    python -m infra.local.bases [--local build/local.json] [--lang zh|en]

Starts a cloud of its own where none runs. Prints the patients' access log in Chinese and English. Exit code 0 only if
every step truly held.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from infra.local.__main__ import language
from infra.local.bases_cast import PATIENTS
from infra.local.bases_text import FRAMES, TEXTS
from infra.local.client import Client, fetch
from infra.local.story import Stage, play

MARKS = {True: "[green]✓[/green]", False: "[red]✗[/red]"}


def main(arguments: list[str]) -> int:
    from infra.local.bases_steps import STEPS

    parser = argparse.ArgumentParser(prog="python -m infra.local.bases", description=__doc__)
    parser.add_argument("--local", type=Path, default=Path("build/local.json"))
    parser.add_argument("--lang", choices=["zh", "en"], default=language(os.environ), help="language of the steps")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False)
    with _client(asked.local, console, asked.lang) as client:
        stage = Stage(client, console, asked.lang)
        try:
            held = play(stage, STEPS, TEXTS, FRAMES)
        except KeyboardInterrupt:
            return 130  # as shells say it
        show(stage)
    return 0 if held else 1


@contextlib.contextmanager
def _client(local: Path, console: Console, spoken: str) -> Iterator[Client]:
    """Of the cloud that runs, else of one that lasts as long as the script."""
    if local.exists() and _answers(client := Client.of(local)):
        yield client
        return
    from infra.local.cloud import Options, running

    console.print(FRAMES[spoken]["start"])
    with tempfile.TemporaryDirectory() as directory, running(Options(directory=Path(directory))) as told:
        yield Client(told)


def _answers(client: Client) -> bool:
    try:
        return fetch(client.told["api_url"] + "/health").status == 200
    except OSError:
        return False


def show(stage: Stage) -> None:
    """The access log as each patient reads it, in both languages."""
    for name, patient in PATIENTS.items():
        entries: list[dict[str, Any]] = stage.kept.get(f"record of {name}", [])
        for spoken in ("zh", "en"):
            stage.console.print(Rule(FRAMES[spoken]["log"].format(name=patient.name), align="left"))
            for entry in entries:
                stage.say(f"  {MARKS[bool(entry['allowed'])]} {escape(entry['sentence'][spoken])}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
