"""The stacks beside the two, from their very templates: alarms, backups, CloudFront."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local import template
from infra.rehearse import conditions, deploy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.rehearse.cloud import Rehearsed

    Change = Callable[[dict[str, Any]], dict[str, Any]]

TEMPLATES = Path(__file__).resolve().parent.parent


def stand(
    rehearsed: Rehearsed, name: str, own: Mapping[str, str], changed: Change = dict, stack: str = ""
) -> dict[str, str]:
    """Deploy `infra/{name}.yaml` with the outputs of what stands and the operator's `own` parameters; its outputs.
    NotDeployedError. `changed`: what of the template must be otherwise here (`conditions.near`)."""
    made, told = conditions.rehearsable(changed(template.load(TEMPLATES / f"{name}.yaml")))
    rehearsed.left_out.extend(one for one in told if one not in rehearsed.left_out)
    asked = {key: value for key, value in {**rehearsed.outputs, **own}.items() if key in made["Parameters"]}
    return deploy.deploy(rehearsed.here, f"imaging-cloud-{stack or name}", made, asked)
