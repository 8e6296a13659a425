"""Continuation tokens of lists under one owner: the last sort key without its kind."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any


def page_token(last: Mapping[str, Any] | None, kind: str) -> str:
    """The token after the LastEvaluatedKey of a query for this kind; "" at the end."""
    if not last:
        return ""
    sk: str = last["SK"]["S"]
    return base64.urlsafe_b64encode(sk.removeprefix(kind).encode()).decode().rstrip("=")


def after_key(pk: str, kind: str, token: str) -> dict[str, Any]:
    """The ExclusiveStartKey argument; empty without a token. ValueError: not a token of ours."""
    if not token:
        return {}
    try:
        sk = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise ValueError("not a continuation token") from None
    if not sk.isprintable() or "#" in sk:
        raise ValueError("not a continuation token")
    return {"ExclusiveStartKey": {"PK": {"S": pk}, "SK": {"S": f"{kind}{sk}"}}}
