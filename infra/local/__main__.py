"""`python -m infra.local`: start the local cloud, play the story, keep serving. `--once` stops after the story."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from infra.local.cloud import Options, PortTakenError, running

TICK_SECONDS = 0.2


@dataclass
class Stop:
    """Whether somebody asked us to end. A plain flag: `threading.Event.set` in a signal handler waits for ever when
    the signal comes while this very thread holds the event's lock."""

    asked: bool = False

    def ask(self) -> None:
        self.asked = True


def main(arguments: list[str]) -> int:
    asked = _parse(arguments)
    options = Options(asked.port, asked.s3_port, asked.issuer_port, asked.directory)
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.ask())
    try:
        with running(options) as told:
            print(f"local cloud up: API {told['api_url']}, S3 {told['s3_endpoint']} ({told['warning']})", flush=True)
            code = 0 if asked.no_story else _play(asked.directory, asked.lang, stop)
            if not asked.once and not stop.asked:
                print("serving until Ctrl-C", flush=True)
                while not stop.asked:
                    time.sleep(TICK_SECONDS)
    except PortTakenError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return code


def _play(directory: Path, language: str, stop: Stop) -> int:
    """The story in a process of its own: it is a client like any other."""
    command = [sys.executable, "-m", "infra.local.story", "--local", str(directory / "local.json")]
    story = subprocess.Popen([*command, "--lang", language])  # noqa: S603 - our own module
    while True:
        try:
            return story.wait(timeout=TICK_SECONDS)
        except subprocess.TimeoutExpired:
            if stop.asked:
                story.terminate()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    port = os.environ.get
    parser.add_argument("--once", action="store_true", help="stop after the story; exit code 0 only if all of it held")
    parser.add_argument("--no-story", action="store_true", help="only serve")
    parser.add_argument("--lang", choices=["zh", "en"], default=language(os.environ), help="language of the story")
    parser.add_argument("--port", type=int, default=int(port("PORT", "8000")), help="of the API; 0: any free one")
    parser.add_argument("--s3-port", type=int, default=int(port("S3_PORT", "0")), help="of the AWS endpoint")
    parser.add_argument("--issuer-port", type=int, default=int(port("ISSUER_PORT", "0")))
    parser.add_argument("--directory", type=Path, default=Path("build"), help="for local.json, SMS outbox and log")
    return parser.parse_args(arguments)


def language(environment: os._Environ[str] | dict[str, str]) -> str:
    """Zh where the terminal speaks Chinese."""
    spoken = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "zh" if spoken.lower().startswith("zh") else "en"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
