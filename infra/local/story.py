"""The story: one exam from the hospital's upload to the patient's withdrawal, step by step in the terminal.

    python -m infra.local.story --local build/local.json [--lang zh|en]

Everything goes over real HTTP and S3 as an outside client would. Exit code 0 only if every step truly held.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule

from infra.local.client import Client, NotHeldError
from infra.local.story_text import FRAME, TEXTS, Text


@dataclass
class Stage:
    """What the steps share. `kept` is what one step leaves for later ones."""

    client: Client
    console: Console
    language: str
    kept: dict[str, Any] = field(default_factory=dict)

    def say(self, line: str) -> None:
        """A line, wrapped by the terminal and not before."""
        self.console.print(line, soft_wrap=True)

    @contextlib.contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """For what takes seconds and cannot be counted."""
        with self.console.status(FRAME[self.language][what]):
            yield

    @contextlib.contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar for what takes longer than a second; gives a function that is told how many are done."""
        columns = (TextColumn("    {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(FRAME[self.language][what], total=total)
            yield lambda done: bar.update(task, completed=done)


Step = Callable[[Stage], dict[str, Any]]


def play(
    stage: Stage,
    steps: Mapping[str, Step],
    texts: Mapping[str, Text] = TEXTS,
    frames: Mapping[str, Mapping[str, str]] = FRAME,
) -> bool:
    """Play until the end, or until a step does not hold."""
    frame, started = frames[stage.language], time.monotonic()
    stage.console.print(Rule(frame["title"]))
    for number, (name, step) in enumerate(steps.items(), 1):
        stage.say(f"[bold]{number:2}. {texts[name].title(stage.language)}[/bold]")
        begun = time.monotonic()
        try:
            done = texts[name].done(stage.language).format(**step(stage))
        except (NotHeldError, OSError, KeyError, ValueError, TypeError) as error:
            what = str(error) if isinstance(error, NotHeldError) else f"{type(error).__name__}: {error}"
            stage.say(f"    [red]✗[/red] {escape(frame['failed'].format(what=what))}")
            return False
        stage.say(f"    [green]✓[/green] {escape(done)} [dim]({time.monotonic() - begun:.2f} s)[/dim]")
    stage.console.print(Rule(frame["held"].format(held=len(steps), seconds=time.monotonic() - started)))
    return True


def look_around(stage: Stage, local: Path) -> None:
    """Commands for whoever wants to go on by hand."""
    told, buckets = stage.client.told, stage.client.told["buckets"]
    study = stage.kept["river_ct"]
    path = f"/hospitals/{study['hospital_id']}/studies/{study['study_instance_uid']}/manifest"
    person = stage.client.claims["patient-zhang"]["person_id"]
    call = 'curl -s -H "Authorization: Bearer $TOKEN"'
    keys = f"AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local-only AWS_DEFAULT_REGION={told['region']}"
    lines = [
        f"cat {local}",
        f"TOKEN=$(curl -s '{told['token_url']}?login=patient-zhang&person_id={person}')",
        f"{call} {told['api_url']}/me/studies",
        f"{call} {told['api_url']}{path}",
        f"{keys} aws --endpoint-url {told['s3_endpoint']} s3 ls --recursive s3://{buckets['reports']}",
        f"TOKEN=$(curl -s '{told['token_url']}?login=regulator')",
        f"{call} -o report.html '{told['api_url']}/compliance/reports/{stage.kept['flag']['day']}?format=html'",
        f"cat {told['sms_outbox']}",
        f"curl -s {told['issuer_url']}/functions; curl -s -X POST {told['run_url']}{{function}}",
    ]
    stage.console.print(FRAME[stage.language]["look"])
    for line in lines:
        stage.console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def main(arguments: list[str]) -> int:
    from infra.local.story_steps import STEPS

    parser = argparse.ArgumentParser(prog="python -m infra.local.story", description=__doc__)
    parser.add_argument("--local", type=Path, default=Path("build/local.json"))
    parser.add_argument("--lang", choices=["zh", "en"], default="en")
    asked = parser.parse_args(arguments)
    stage = Stage(Client.of(asked.local), Console(highlight=False), asked.lang)
    try:
        if not play(stage, STEPS):
            return 1
    except KeyboardInterrupt:
        return 130  # as shells say it
    look_around(stage, asked.local)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
