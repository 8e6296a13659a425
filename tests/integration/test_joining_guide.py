"""The guide to joining is followed to the letter: its commands, run by a shell over HTTP, and its words."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from chalicelib.domain.hospital_key import KeyFault
from chalicelib.http.registration import HINTS
from tests.support.served_app import ORIGIN, jwks_url
from tests.support.served_http import over_http

__all__ = ["jwks_url", "over_http"]

ROOT = Path(__file__).parents[2]
GUIDES = ("infra/JOINING.md", "infra/JOINING.zh-CN.md")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def commands(heading):
    """The shell's blocks of a section."""
    (section,) = [part for part in text(GUIDES[0]).split("\n## ") if part.startswith(heading)]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


def follow(heading, directory, **environment):
    """What a shell says that does so, and stops where anything fails."""
    script = f"set -euo pipefail\n{commands(heading)}"
    done = subprocess.run(  # noqa: S603 - our own guide
        ["/bin/bash", "-c", script],
        cwd=directory,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("name", GUIDES)
def test_every_field_of_a_registration_and_every_fault_of_a_key_is_told(name):
    rows = re.findall(r"^\| (`.+?`(?:[、, ]+`.+?`)*) \|", text(name), re.MULTILINE)
    told = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    assert set(HINTS) <= told
    assert set(get_args(KeyFault)) <= told


def test_the_commissions_commands_register_a_hospital_and_the_hospitals_join_it_by_hand(over_http, tmp_path):
    api = {"API_URL": f"http://127.0.0.1:{over_http.http.port}"}
    follow("The commission's part", tmp_path, COMMISSION_TOKEN=over_http.token("regulator"), **api)
    letter = over_http.ask("POST", "/hospitals/JB001/joining-code", "regulator", {}).json_body
    hospital = {"HOSPITAL_ID": "JB001", "CODE": letter["code"], "AUDIENCE": letter["audience"]}
    assert letter["audience"] == ORIGIN
    said = follow("By hand", tmp_path, **hospital, **api)
    seen = over_http.ask("GET", "/hospitals/JB001", "regulator").json_body
    assert (seen["name_en"], len(seen["contacts"]), seen["joining"]) == ("Jiangbei People's Hospital", 2, None)
    joined = json.loads((tmp_path / "joined.json").read_text(encoding="utf-8"))
    assert [one["kid"] for one in seen["keys"]] == [joined["kid"]]
    assert f'"kid":"{joined["kid"]}"' in said
    assert '"secret_access_key":' in said
