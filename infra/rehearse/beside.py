"""The stacks beside the two, from their very templates: alarms, backups, CloudFront."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.local import template
from infra.rehearse import conditions, deploy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.rehearse.cloud import Rehearsed

TEMPLATES = Path(__file__).resolve().parent.parent


def stand(rehearsed: Rehearsed, name: str, own: Mapping[str, str], api_port: int = 0) -> dict[str, str]:
    """Deploy `infra/{name}.yaml` with the outputs of what stands and the operator's `own` parameters; its outputs.
    NotDeployedError. `api_port`: where on loopback the API is, for CloudFront (`conditions.near`)."""
    given = template.load(TEMPLATES / f"{name}.yaml")
    made, told = conditions.rehearsable(conditions.near(given, api_port) if api_port else given)
    rehearsed.left_out.extend(told)
    asked = {key: value for key, value in {**rehearsed.outputs, **own}.items() if key in made["Parameters"]}
    return deploy.deploy(rehearsed.here, f"imaging-cloud-{name}", made, asked)
