"""What the client says: in both languages, with the same places; and what it may not say."""

from __future__ import annotations

import argparse
import ast
import errno
import importlib
import os
import re
import sqlite3
import string
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from infra.hospital import imaging_hospital
from infra.hospital.imaging_hospital import cli, key
from infra.hospital.imaging_hospital import settings as settings_file
from infra.hospital.imaging_hospital.cli import COMMANDS
from infra.hospital.imaging_hospital.desk import Desk, Exit
from infra.hospital.imaging_hospital.settings import SettingsError
from infra.hospital.imaging_hospital.tally import SKIPPED, Tally, write
from infra.hospital.imaging_hospital.tongue import Said, language

PACKAGE = Path(imaging_hospital.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__"))
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def sentences(name):
    module = importlib.import_module(f"infra.hospital.imaging_hospital.{name}")
    for value in vars(module).values():
        several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
        own = [value] if isinstance(value, Said) else several
        yield from (one for one in own if isinstance(one, Said))


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", MODULES)
def test_every_sentence_has_both_languages_and_the_same_places(name):
    for said in sentences(name):
        assert places(said.en) == places(said.zh), said
        assert said.zh == said.en or re.search("[\u4e00-\u9fff]", said.zh), said


def test_the_package_stands_alone():
    """It is installed without the rest of this tree, under another name: imports of its own are relative."""
    for path in PACKAGE.glob("*.py"):
        for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [name.name for name in one.names] if isinstance(one, ast.Import) else []
            if isinstance(one, ast.ImportFrom) and not one.level:
                named = [one.module or ""]
            own = {"chalicelib", "infra", "tests", "imaging_hospital"}
            assert not {name.partition(".")[0] for name in named} & own, path.name


def test_the_package_runs_under_its_installed_name(tmp_path):
    (tmp_path / "imaging_hospital").symlink_to(PACKAGE)
    told = subprocess.run(
        [sys.executable, "-m", "imaging_hospital", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "LANG": "zh_CN.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(command in told.stdout and said.zh in told.stdout for command, said in COMMANDS.items())
    assert all(word.zh in told.stdout for word in (cli.USAGE, cli.ARGUMENTS, cli.OPTIONS, cli.HELP, cli.FILE))
    assert "show this help" not in told.stdout


def test_a_directory_that_is_a_loop_of_links_is_told_as_none(tmp_path):
    settings, loop = tmp_path / "hospital.toml", tmp_path / "loop"
    settings.write_text('endpoint = "https://cloud.example"\nhospital_id = "H1"\n')
    loop.symlink_to(loop)
    for command in ("upload", "watch"):
        module = importlib.import_module(f"infra.hospital.imaging_hospital.{command}")
        asked = argparse.Namespace(settings=settings, mbit=None, directory=loop)
        assert module.run(asked, Desk.of("en")) == Exit.SETTINGS


def test_what_this_machine_lacks_is_told_in_words_and_without_a_files_name():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/王小明.dcm")
    assert cli._cause(full) == os.strerror(errno.ENOSPC)  # noqa: SLF001 - what the user is told
    assert cli._cause(sqlite3.OperationalError("database or disk is full")) == "database or disk is full"  # noqa: SLF001


# Of Python's own what no Windows has; the client must run there.
POSIX_ONLY = {"fcntl", "grp", "pwd", "pty", "resource", "syslog", "termios", "tty"}
POSIX_NAMES = {"os.chown", "os.fchmod", "os.fork", "os.geteuid", "os.getuid", "os.mkfifo", "os.statvfs", "os.uname"}
POSIX_SIGNALS = {f"signal.{name}" for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "pause", "pthread_kill")}


@pytest.mark.parametrize("name", MODULES)
def test_the_package_uses_nothing_that_windows_lacks(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
    for one in ast.walk(tree):
        named = [each.name for each in one.names] if isinstance(one, ast.Import) else []
        named += [one.module or ""] if isinstance(one, ast.ImportFrom) else []
        assert not {each.partition(".")[0] for each in named} & POSIX_ONLY
        if isinstance(one, ast.Attribute):
            assert ast.unparse(one) not in POSIX_NAMES | POSIX_SIGNALS


@pytest.mark.parametrize(
    ("setting", "environment", "spoken"),
    [
        ("", {"LANG": "zh_CN.UTF-8"}, "zh"),
        ("", {"LANG": "en_US.UTF-8"}, "en"),
        ("", {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_settings_then_the_systems(setting, environment, spoken):
    assert language(setting, environment) == spoken


def written(tmp_path, **changes):
    values = {"endpoint": '"https://cloud.example"', "hospital_id": '"JB001"', **changes}
    path = tmp_path / "hospital.toml"
    path.write_text("\n".join(f"{name} = {value}" for name, value in values.items()), encoding="utf-8")
    return path


def test_two_lines_are_settings_enough(tmp_path):
    found = settings_file.load(written(tmp_path))
    assert (found.key_file, found.spool) == (tmp_path / "key.pem", tmp_path / "spool")
    assert found.megabits_per_second == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", '"http://cloud.example"'),
        ("endpoint", '"https://"'),
        ("hospital_id", '"jb 1"'),
        ("parallel", "0"),
        ("parallel", "true"),
        ("megabits_per_second", "-1"),
        ("spool", "3"),
        ("language", '"fr"'),
    ],
)
def test_a_setting_that_cannot_be_is_named_in_both_languages(tmp_path, field, value):
    with pytest.raises(SettingsError) as caught:
        settings_file.load(written(tmp_path, **{field: value}))
    for spoken in ("en", "zh"):
        assert field in caught.value.said.in_(spoken, **caught.value.values)


@pytest.mark.parametrize("content", [b"endpoint = ", b"\xff\xfe"])
def test_what_is_no_toml_is_told(tmp_path, content):
    path = tmp_path / "hospital.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError):
        settings_file.load(path)


def test_a_key_is_its_users_alone_and_never_replaced(tmp_path):
    made = key.make(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        key.make(tmp_path / "key.pem")
    assert key.load(tmp_path / "key.pem").kid == made.kid
    (tmp_path / "key.pem").chmod(0o640)
    with pytest.raises(SettingsError):
        key.load(tmp_path / "key.pem")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_without_quoting_it(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        key.load(path)
    assert "AAAA" not in str(caught.value)


def test_tokens_are_short_good_once_and_from_a_little_before_now(tmp_path):
    made = key.make(tmp_path / "key.pem")
    claims = [jwt.decode(made.bearer("H1", "https://cloud", NOW), options={"verify_signature": False}) for _ in (1, 2)]
    assert claims[0]["exp"] - claims[0]["iat"] == 300
    assert claims[0]["iat"] < NOW.timestamp() < claims[0]["exp"]
    assert claims[0]["jti"] != claims[1]["jti"]
    assert (claims[0]["iss"], claims[0]["aud"]) == ("urn:imaging-cloud:hospital:H1", "https://cloud")


def test_the_list_of_what_was_not_sent_runs_nothing_in_a_spreadsheet(tmp_path):
    tally = Tally()
    for name in ("=cmd|' /C calc'!A1", "+1", "plain"):
        tally.skip(name, "not_dicom")
    write(tally, tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[2][0] for line in lines[1:]] == ["'", "'", "p"]
    assert (tmp_path / "list.csv").stat().st_mode & 0o077 == 0


def test_every_reason_for_skipping_has_its_words():
    for reason in ("not_dicom", "empty", "dicomdir", "unreadable", "changed", "too_large", "link"):
        assert reason in SKIPPED


def test_a_files_name_cannot_steer_the_terminal(capsys):
    desk = Desk.of("en")
    desk.say(Said("{path}", "{path}"), path="[red]\x1b[2J\udcff\x07 王.dcm")
    assert capsys.readouterr().out == "[red]\\x1b[2J\\udcff\\x07 王.dcm\n"
