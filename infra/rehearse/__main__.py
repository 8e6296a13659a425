"""`python -m infra.rehearse`: deploy what `make package` makes to an emulated AWS with IAM enforced, play the story
against it, then try to break in. Exit code 0 only if all of it held."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.local.__main__ import language
from infra.local.client import Client, NotHeldError
from infra.local.story import Stage, Step, play
from infra.local.story_steps import STEPS as STORY
from infra.local.story_text import FRAME as STORY_FRAME
from infra.local.story_text import TEXTS as STORY_TEXTS
from infra.rehearse import cloud, ministack
from infra.rehearse.deploy import FunctionFailedError, NotDeployedError
from infra.rehearse.steps import STEPS
from infra.rehearse.text import FRAME, NOT_REHEARSED, TEXTS

MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def main(arguments: list[str]) -> int:
    asked = _parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    console = Console(highlight=False)
    try:
        with tempfile.TemporaryDirectory(prefix="imaging-cloud-rehearsal-") as made:
            directory = asked.directory or Path(made)
            directory.mkdir(parents=True, exist_ok=True)
            package = asked.package or make_package(directory / "package")
            with cloud.running(directory, package) as rehearsed:
                return 0 if _rehearse(rehearsed, console, asked.lang) else 1
    except (ministack.NotStartedError, NotDeployedError, subprocess.CalledProcessError) as error:
        print(f"cannot rehearse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # as shells say it


def interrupt(*_: Any) -> None:
    """Ends like Ctrl-C: every context closes what it opened."""
    raise KeyboardInterrupt


def _rehearse(rehearsed: cloud.Rehearsed, console: Console, lang: str) -> bool:
    # The story's clients find the emulator's certificate as any program finds an authority of its own.
    certificate = str(rehearsed.here.emulator.certificate)
    os.environ.update({"AWS_CA_BUNDLE": certificate, "SSL_CERT_FILE": certificate})
    stage = Stage(Client(rehearsed.told), console, lang)
    stage.kept["rehearsed"] = rehearsed
    words = FRAME[lang]
    stage.say(words["stands"].format(functions=len(rehearsed.functions), endpoint=rehearsed.told["s3_endpoint"]))
    held = play(stage, _told(STORY), STORY_TEXTS, STORY_FRAME) and play(stage, _told(STEPS), TEXTS, FRAME)
    stage.say(words["left_out"])
    for line in rehearsed.left_out:
        console.print(f"    {line}", markup=False, soft_wrap=True)
    stage.say(words["not_rehearsed"])
    for one in NOT_REHEARSED:
        console.print(f"    {one[lang]}", markup=False, soft_wrap=True)
    return held


def _told(steps: Mapping[str, Step]) -> dict[str, Step]:
    """The steps, with what AWS refuses or a function fails at told as a step that did not hold."""

    def guarded(step: Step) -> Step:
        def run(stage: Stage) -> dict[str, Any]:
            try:
                return step(stage)
            except (ClientError, BotoCoreError, FunctionFailedError, NotDeployedError) as error:
                raise NotHeldError(str(error)) from error

        return run

    return {name: guarded(step) for name, step in steps.items()}


def make_package(out: Path) -> Path:
    """The package for this machine's Python, so that its zip runs here."""
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = [sys.executable, "-m", "infra.package", "--out", str(out)]
    chosen = ["--runtime", runtime, "--architecture", MACHINES[platform.machine()]]
    subprocess.run([*command, *chosen], stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own module
    return out


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.rehearse", description=__doc__)
    parser.add_argument("--lang", choices=["zh", "en"], default=language(os.environ), help="language of the output")
    parser.add_argument("--package", type=Path, help="a package made before, for this machine's Python")
    parser.add_argument("--directory", type=Path, help="keeps logs and local.json; default: nothing is kept")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
