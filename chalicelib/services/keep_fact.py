from __future__ import annotations

from chalicelib.services.ports import Uploads


class FactNotKept(Exception):  # noqa: N818 - named by the fact
    """The key existed, which a ULID's never does: something else writes there."""


def keep_fact(uploads: Uploads, key: str, body: bytes) -> None:
    """Write what a person added to the bucket, before it counts anywhere (`domain.human_facts`)."""
    if not uploads.put_new(key, body, {}):
        raise FactNotKept("the key exists")
