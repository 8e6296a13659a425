"""What a web ACL's rules make of one request: enough of WAF to try ours on requests instead of reading them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Asked:
    """`address`: whom API Gateway sees, as the last of X-Forwarded-For. Header names in lower case."""

    path: str
    address: str = "203.0.113.9"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """Who refused it, and by which key each rate rule counted it until then."""

    refused_by: str
    counted: Mapping[str, tuple[str, int]]


def judge(rules: Sequence[Mapping[str, Any]], asked: Asked) -> Judged:
    """Rate rules count and do not refuse yet. Values: key and limit by rule."""
    counted: dict[str, tuple[str, int]] = {}
    for rule in sorted(rules, key=lambda one: one["Priority"]):
        rate = rule["Statement"].get("RateBasedStatement")
        if rate is None:
            if _matches(rule["Statement"], asked):
                return Judged(rule["Name"], counted)
        elif "ScopeDownStatement" not in rate or _matches(rate["ScopeDownStatement"], asked):
            counted[rule["Name"]] = _key(rate, asked), rate["Limit"]
    return Judged("", counted)


def _key(rate: Mapping[str, Any], asked: Asked) -> str:
    if rate["AggregateKeyType"] == "IP":
        return asked.address
    header = asked.headers[rate["ForwardedIPConfig"]["HeaderName"].lower()]
    return header.split(",")[0].strip()  # "AWS WAF only evaluates the first IP address", API_ForwardedIPConfig


def _matches(statement: Mapping[str, Any], asked: Asked) -> bool:
    ((kind, of),) = statement.items()
    match kind:
        case "NotStatement":
            return not _matches(of["Statement"], asked)
        case "OrStatement":
            return any(_matches(one, asked) for one in of["Statements"])
        case "RegexMatchStatement":
            return bool(re.search(of["RegexString"], _field(of, asked)))
        case "ByteMatchStatement":
            found, wanted = _field(of, asked), of["SearchString"]
            return bool(
                {
                    "EXACTLY": found == wanted,
                    "CONTAINS": wanted in found,
                    "ENDS_WITH": found.endswith(wanted),
                }[of["PositionalConstraint"]]
            )
    raise NotImplementedError(kind)


def _field(of: Mapping[str, Any], asked: Asked) -> str:
    where = of["FieldToMatch"]
    text = asked.path if "UriPath" in where else asked.headers.get(where["SingleHeader"]["Name"], "")
    for one in sorted(of["TextTransformations"], key=lambda change: change["Priority"]):
        text = {"NONE": str, "URL_DECODE": unquote, "LOWERCASE": str.lower}[one["Type"]](text)
    return text
