"""What `chalice package` does, for a runtime and an architecture that are chosen and not those of the desk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.deploy.packager import NoSuchPackageError, PackageDownloadError

STAGE = "prod"
MERGE = Path(__file__).resolve().parent.parent / "app-merge.yaml"
# glibc of Lambda's images (chalice/deploy/packager.py has the same table): Amazon Linux 2023 since Python 3.12.
GLIBC = {"python3.11": 26, "python3.12": 34, "python3.13": 34}
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Chalice says this on the terminal and exits with 0 all the same.
_SKIPPED = "Could not install dependencies"


@dataclass(frozen=True)
class Target:
    """What the functions run on: `python3.13`, `x86_64` or `arm64`."""

    runtime: str
    architecture: str


class NoWheelError(Exception):
    """A dependency has no wheel for the target: the functions would fail at their first import."""


class _TargetConfig(Config):
    """Chalice takes the runtime from the Python it runs on; the functions' is not the desk's."""

    runtime = ""

    @property
    def lambda_python_version(self) -> str:
        return self.runtime


def package(project: Path, out: Path, target: Target) -> None:
    """Write `deployment.zip` and `sam.yaml` into `out`. NoWheelError."""
    source = out / "source"
    sys.dont_write_bytecode = True  # or loading app.py would leave this Python's bytecode beside the code
    _copy(project, source)
    factory = CLIFactory(str(source), environ=os.environ)
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said), _pip_for(target):
        config = _config(factory, target)
        packager = factory.create_app_packager(
            config, factory.create_package_options(), "cloudformation", "yaml", str(MERGE)
        )
        try:
            packager.package_app(config, str(out), STAGE)
        except (NoSuchPackageError, PackageDownloadError) as error:
            raise NoWheelError(str(error)) from error
    if _SKIPPED in said.getvalue():
        raise NoWheelError(said.getvalue())
    shutil.rmtree(source)


def _copy(project: Path, source: Path) -> None:
    """Only what belongs into the zip, and none of Chalice's kept zips: a zip that it kept is not checked again."""
    shutil.rmtree(source, ignore_errors=True)
    nothing_else = shutil.ignore_patterns("__pycache__", "*.pyc", ".*.swp")
    shutil.copytree(project / "chalicelib", source / "chalicelib", ignore=nothing_else)
    (source / ".chalice").mkdir()
    for path in [*(project / ".chalice").glob("*.json"), project / "app.py", project / "requirements.txt"]:
        shutil.copy2(path, source / path.relative_to(project))


def _config(factory: CLIFactory, target: Target) -> Config:
    made = factory.create_config_obj(STAGE, user_provided_params={"lambda_architecture": target.architecture})
    chosen = type("ChosenConfig", (_TargetConfig,), {"runtime": target.runtime})
    config: Config = chosen(
        chalice_stage=STAGE,
        user_provided_params=made._user_provided_params,  # noqa: SLF001 - Config has no other way to be made anew
        config_from_disk=made.config_from_disk,
        default_params=made._default_params,  # noqa: SLF001 - as above
    )
    return config


@contextmanager
def _pip_for(target: Target) -> Iterator[None]:
    """Chalice's pip asks for the desk's Python. Wheels only: what is compiled on a desk does not run elsewhere."""
    newest, machine = GLIBC[target.runtime], MACHINES[target.architecture]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 16, -1)]
    asked = {
        "PIP_ONLY_BINARY": ":all:",
        "PIP_PYTHON_VERSION": target.runtime.removeprefix("python"),
        "PIP_IMPLEMENTATION": "cp",
        "PIP_PLATFORM": " ".join([*platforms, f"manylinux2014_{machine}"]),
    }
    before = {name: os.environ.get(name) for name in asked}
    os.environ.update(asked)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
