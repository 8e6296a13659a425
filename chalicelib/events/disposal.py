"""An operator carries out an approved disposal. The function exists only where the data stack's `Disposal` is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from chalicelib import wiring
from chalicelib.events.context import Context

if TYPE_CHECKING:
    from chalicelib.domain.disposal import Disposal

SPARE_MS = 120_000  # a study that was begun is still finished
LISTED = 50


def dispose(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """{"hospital_id", "disposal_id"}: carry it out, as far as time goes; not "done": run it again. Without both: which
    wait to be carried out."""
    hospital_id, disposal_id = event.get("hospital_id"), event.get("disposal_id")
    if not hospital_id or not disposal_id:
        return {"waiting": _waiting()}
    come = wiring.destroy_studies()(
        str(hospital_id), str(disposal_id), lambda: context.get_remaining_time_in_millis() > SPARE_MS
    )
    if come is None:
        raise LookupError("no such proposal")
    return asdict(come)


def _waiting() -> list[dict[str, str]]:
    now = wiring.now()
    return [
        {"hospital_id": one.hospital_id, "disposal_id": one.disposal_id, "state": one.state(now)}
        for one in _open()
        if one.state(now) in ("approved", "executing")
    ]


def _open() -> Iterator[Disposal]:
    token = ""
    while True:
        found = wiring.disposals().open(token, LISTED)
        yield from found.items
        if not (token := found.next_token):
            return
