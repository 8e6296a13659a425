"""One thing a template says of one kind of resource, and how to bring it about by API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Aspect:
    """`want`: resolved properties → what should stand, None where the template says nothing. `read` and `apply`
    take the service's client and the resource's physical id."""

    service: str
    resource_type: str
    name: str
    want: Callable[[Properties], Any]
    read: Callable[[Any, str], Any]
    apply: Callable[[Any, str, Any], Any]
    target: str = ""  # the property naming the resources it applies to, where that is not the resource itself

    def targets(self, properties: Properties, physical: str) -> list[str]:
        if not self.target:
            return [physical]
        named = properties[self.target]
        return named if isinstance(named, list) else [named]
