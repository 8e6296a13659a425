"""A compliance report as one web page that needs nothing else: charts by Apache ECharts, inlined (infra/charts says how
it was built). Its policy forbids it every connection, and every program but these two."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from chalicelib.domain.rule import BY_NAME


def report_page(report: Mapping[str, Any]) -> str:
    """`report`: the values of a hospital's, a region's or the province's, as their JSON has them."""
    parts = _parts() | {"report": _inert(report)}
    before, *rest = _text("page.html").split("{")
    return before + "".join(parts[name] + text for name, text in (one.split("}", 1) for one in rest))


@cache
def _parts() -> dict[str, str]:
    library, program = _text("echarts.min.js"), _text("page.js")
    return {
        "library": library,
        "program": program,
        "style": _text("page.css"),
        "hashes": f"{_hash(library)} {_hash(program)}",
        "words": _inert(json.loads(_text("words.json"))),
        "rules": _inert({rule.name: [rule.zh, rule.en] for rule in BY_NAME.values()}),
    }


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8").removesuffix("\n")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _inert(values: Any) -> str:
    """JSON that no name can break out of."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
