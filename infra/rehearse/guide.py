"""infra/OPERATIONS.md, command by command: its shell blocks are run in order, in an account that begins empty.

What the desk has and a rehearsal has not is stood in for, and nothing else: `aws` is the CLI of the rehearsal's own
environment, `curl` finds the stage without DNS, `make package` gives the package that is being rehearsed, the templates
are those of `infra/` as MiniStack can judge them (`conditions`). A block that a comment `not rehearsed: …` follows is
not run, and its reason is told.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from infra.local import template
from infra.rehearse import conditions, ministack, upgrade

INFRA = Path(__file__).resolve().parent.parent
GUIDE = INFRA / "OPERATIONS.md"
COMMAND_SECONDS = 300
_PARTS = re.compile(
    r"^## (?P<section>[^\n]+)$|^```sh\n(?P<commands>.*?)^```$|^<!-- not rehearsed: (?P<reason>.+?) -->$",
    re.MULTILINE | re.DOTALL,
)
# The CLI of the second generation takes an option that the first does without.
_AWS = """#!/bin/bash
for one in "$@"; do case "$one" in --cli-binary-format|raw-in-base64-out) ;; *) set -- "$@" "$one" ;; esac; shift; done
exec {python} -m awscli "$@"
"""
# The first time it gives the package, from then on the next release, which says so of its health.
_MAKE = """#!/bin/bash
[ "$*" = package ] || {{ echo "only make package is stood in for" >&2; exit 2; }}
[ -d build/package ] && made={next} || made={package}
mkdir -p build && rm -rf build/package && cp -R "$made" build/package
"""
# There is no DNS here: a stage's address is a path of the emulator's.
_CURL = """#!/bin/bash
stage='https://([a-z0-9]+)\\.execute-api\\.[a-z0-9.-]+/api/'
exec {curl} "${{@:1:$#-1}}" "$(sed -E "s#$stage#$AWS_ENDPOINT_URL/restapis/\\1/api/_user_request_/#" <<< "${{@: -1}}")"
"""


class CommandFailedError(RuntimeError):
    """A command of the guide ended with an error; the message names the section and what it said."""


@dataclass(frozen=True, slots=True)
class Block:
    """One shell block. `reason`: why it is not rehearsed, "" where it is."""

    section: str
    commands: str
    reason: str = ""


def blocks(text: str) -> list[Block]:
    """A guide's blocks in order. A `not rehearsed` comment speaks of the block before it."""
    found: list[Block] = []
    section = ""
    for part in _PARTS.finditer(text):
        if part["section"]:
            section = part["section"]
        elif part["commands"]:
            found.append(Block(section, part["commands"]))
        else:
            found[-1] = Block(found[-1].section, found[-1].commands, part["reason"])
    return found


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator's desk: a directory with the templates, and the environment of its shells."""

    directory: Path
    environment: Mapping[str, str]

    def run(self, commands: str) -> str:
        """What a shell said that ran them and stopped at the first failure. CommandFailedError."""
        shell = ["bash", "-euo", "pipefail", "-c", commands]
        done = subprocess.run(  # noqa: S603 - commands of our own page
            shell,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            raise CommandFailedError((done.stderr or done.stdout).strip()[-1000:])
        return done.stdout


def desk(directory: Path, package: Path, emulator: ministack.Emulator, settings: Mapping[str, str]) -> Desk:
    """`settings`: what operator.env says."""
    (directory / "infra").mkdir(parents=True)
    for name in ("data", "watch", "keep"):
        made, _ = conditions.rehearsable(template.load(INFRA / f"{name}.yaml"))
        (directory / "infra" / f"{name}.yaml").write_text(json.dumps(made), encoding="utf-8")
    _tools(directory / "bin", *_packages(package, directory))
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    (directory / "operator.env").write_text(lines, encoding="utf-8")
    return Desk(directory, _environment(directory, emulator))


def _tools(into: Path, package: Path, next_package: Path) -> None:
    into.mkdir()
    python, curl = (ministack.ENVIRONMENT / "bin" / "python").absolute(), shutil.which("curl")
    if curl is None:
        raise CommandFailedError("the guide's checks need curl, which is not installed")
    for name, script in (
        ("aws", _AWS.format(python=python)),
        ("curl", _CURL.format(curl=curl)),
        ("make", _MAKE.format(package=package, next=next_package)),
    ):
        (into / name).write_text(script, encoding="utf-8")
        (into / name).chmod(0o755)


def _environment(directory: Path, emulator: ministack.Emulator) -> dict[str, str]:
    """Nothing of this desk's own AWS settings."""
    return {
        "PATH": f"{directory / 'bin'}:{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(INFRA.parent),
        "SETTINGS": str(directory / "operator.env"),
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_CA_BUNDLE": str(emulator.certificate),
        "CURL_CA_BUNDLE": str(emulator.certificate),
        "AWS_ACCESS_KEY_ID": ministack.OPERATOR["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": ministack.OPERATOR["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


def _packages(package: Path, into: Path) -> tuple[Path, Path]:
    """The package with a template that MiniStack can judge, and the next release of it."""
    app, _ = conditions.rehearsable(json.loads((package / "app.json").read_text(encoding="utf-8")))
    key, code = (package / "code-key").read_text(encoding="utf-8"), (package / "deployment.zip").read_bytes()
    after = upgrade.next_release(code)
    next_key = f"imaging-cloud/{sha256(after).hexdigest()}.zip"
    made = (into / "package", app, key, code), (into / "next", upgrade.with_code(app, key, next_key), next_key, after)
    for directory, template_, key_, zipped in made:
        directory.mkdir()
        (directory / "app.json").write_text(json.dumps(template_), encoding="utf-8")
        (directory / "code-key").write_text(key_, encoding="utf-8")
        (directory / "deployment.zip").write_bytes(zipped)
    return made[0][0], made[1][0]


def opening(given: list[Block]) -> str:
    """How every shell begins: the first section's commands."""
    return "".join(block.commands for block in given if block.section == given[0].section)


def play(at: Desk, given: list[Block]) -> Iterator[tuple[Block, str]]:
    """Each block that is rehearsed, after it ran, with what it said. CommandFailedError names the section."""
    for block in given:
        if block.reason or block.section == given[0].section:
            continue
        (at.directory / "sms.json").write_text('{"bearer": "rehearsal"}', encoding="utf-8")
        try:
            yield block, at.run(opening(given) + block.commands)
        except CommandFailedError as error:
            raise CommandFailedError(f"{block.section}: {block.commands.strip()[:200]}: {error}") from error
