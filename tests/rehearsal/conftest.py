"""The package as `make package` writes it, for this machine's Python so that its zip runs here."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Package:
    directory: Path
    template: dict[str, Any]

    @property
    def zipped(self) -> Path:
        return self.directory / "deployment.zip"

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        return {name: one["Properties"] for name, one in self.template["Resources"].items() if one["Type"] == kind}


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Package:
    out = tmp_path_factory.mktemp("package")
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    architecture = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    command = [sys.executable, "-m", "infra.package", "--out", str(out)]
    told = subprocess.run(  # noqa: S603 - our own module
        [*command, "--runtime", runtime, "--architecture", architecture],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return Package(out, json.loads((out / "app.json").read_text(encoding="utf-8")))
