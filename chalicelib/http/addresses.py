"""Where the API answers, as its callers see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring

if TYPE_CHECKING:
    from chalicelib.http.asked import Asked


def outside(asked: Asked, root: str) -> str:
    """What stands before `root` in the address of a request beneath it: the origin, and the stage where there is one.

    The origin is the setting's: no header of a request has a say in what the answer links to.
    """
    before, found, _ = str(asked.request.context.get("path") or "").partition(root)
    return f"{wiring.origin()}{before if found else ''}"
