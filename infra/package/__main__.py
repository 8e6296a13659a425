"""`python -m infra.package`: writes `deployment.zip`, the key it is deployed under (`code-key`) and `app.json` (plain
CloudFormation) into build/package/."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from infra.package import archive, chalice_app, translate

ROOT = Path(__file__).resolve().parents[2]
# Chalice and SAM ask for a region before they do anything; none of it is in what they write.
_REGION = {"AWS_DEFAULT_REGION": "cn-north-1", "AWS_EC2_METADATA_DISABLED": "true"}


def main(arguments: list[str]) -> int:
    asked = _parse(arguments)
    os.environ.update(_REGION)
    shutil.rmtree(asked.out, ignore_errors=True)
    asked.out.mkdir(parents=True)
    zipped, sam = asked.out / "deployment.zip", asked.out / "sam.yaml"
    try:
        chalice_app.package(asked.project, asked.out, chalice_app.Target(asked.runtime, asked.architecture))
        digest = archive.tidy(zipped, archive.index())
        print("\n".join(archive.weigh(zipped)))
    except (chalice_app.NoWheelError, archive.TooBigError) as error:
        print(f"cannot package for {asked.runtime} on {asked.architecture}: {error}", file=sys.stderr)
        return 1
    template = asked.out / "app.json"
    key = f"imaging-cloud/{digest}.zip"
    template.write_text(json.dumps(translate.plain(sam, key), indent=1), encoding="utf-8")
    (asked.out / "code-key").write_text(key, encoding="utf-8")
    sam.unlink()  # it names no code that could be deployed
    print(f"{template}: {asked.runtime} on {asked.architecture}")
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "package")
    parser.add_argument("--project", type=Path, default=ROOT, help="where app.py lies")
    parser.add_argument("--runtime", default="python3.13", choices=sorted(chalice_app.GLIBC))
    parser.add_argument("--architecture", default="x86_64", choices=sorted(chalice_app.MACHINES))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
