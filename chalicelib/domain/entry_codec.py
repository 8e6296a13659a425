"""Entry ↔ compact JSON, as the journal and the manifest keep it. The keys are short and never change their meaning.

What has its default is left out, so an attribute added later reads as its default from everything written before.
`Header.viewer` passes through as it is: its values are JSON's own (no tuples), and text of DS stays text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.study import Checksum, Entry, Header, Place, Repair, Times

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT: Final = {
    "o": "sop_instance_uid",
    "e": "series_instance_uid",
    "u": "study_instance_uid",
    "c": "sop_class_uid",
    "y": "transfer_syntax_uid",
    "m": "modality",
    "p": "patient_id",
    "n": "patient_name",
    "b": "patient_birth_date",
    "x": "patient_sex",
    "a": "accession_number",
    "d": "study_date",
    "t": "study_time",
    "D": "study_description",
    "S": "series_description",
    "B": "body_part_examined",
    "I": "institution_name",
}
_NUMBERS: Final = {"s": "series_number", "i": "instance_number"}
_HEADER: Final = _TEXT | _NUMBERS
_TIMES, _VIEWER, _REPAIRED, _PLACE, _RECEIVED, _CHECKSUM, _DECLARED = "T", "V", "F", "P", "R", "C", "H"


def entry_to_json(entry: Entry) -> dict[str, Any]:
    """The Entry as a JSON object; `entry_from_json` gives back an equal one."""
    header, place = entry.header, entry.place
    body: dict[str, Any] = {
        short: value for short, name in _HEADER.items() if (value := getattr(header, name)) not in ("", None)
    }
    body[_PLACE] = [place.key, place.version_id, place.offset, place.length]
    body[_RECEIVED] = _text(entry.received_at)
    if entry.checksum is not None:
        body[_CHECKSUM] = [entry.checksum.algorithm, entry.checksum.value]
    if entry.declared_sha256:
        body[_DECLARED] = entry.declared_sha256
    if times := _times_to_json(header.times):
        body[_TIMES] = times
    if header.viewer:
        body[_VIEWER] = dict(header.viewer)
    if header.repaired:
        body[_REPAIRED] = {name: [repair.codec, repair.original] for name, repair in header.repaired.items()}
    return body


def entry_from_json(body: Mapping[str, Any]) -> Entry:
    """The Entry that `entry_to_json` wrote. KeyError, TypeError or ValueError when it did not write this."""
    key, version_id, offset, length = body[_PLACE]
    fields: dict[str, Any] = {name: body.get(short, "") for short, name in _TEXT.items()}
    fields |= {name: body.get(short) for short, name in _NUMBERS.items()}
    return Entry(
        header=Header(
            **fields,
            times=_times_from_json(body.get(_TIMES, {})),
            viewer=body.get(_VIEWER, {}),
            repaired={name: Repair(*repair) for name, repair in body.get(_REPAIRED, {}).items()},
        ),
        place=Place(key, version_id, offset, length),
        received_at=datetime.fromisoformat(body[_RECEIVED]),
        checksum=Checksum(*body[_CHECKSUM]) if _CHECKSUM in body else None,
        declared_sha256=body.get(_DECLARED, ""),
    )


def _times_to_json(times: Times) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if times.acquired_at is not None:
        body["a"] = _text(times.acquired_at)
    if times.source != "none":
        body["s"] = times.source
    if times.step_ended_at is not None:
        body["p"] = _text(times.step_ended_at)
    if not times.evidence:
        body["e"] = 0
    if times.capture:
        body["c"] = 1
    if times.flags:
        body["f"] = list(times.flags)
    return body


def _times_from_json(body: Mapping[str, Any]) -> Times:
    return Times(
        acquired_at=datetime.fromisoformat(body["a"]) if "a" in body else None,
        source=body.get("s", "none"),
        step_ended_at=datetime.fromisoformat(body["p"]) if "p" in body else None,
        evidence=bool(body.get("e", 1)),
        capture=bool(body.get("c", 0)),
        flags=tuple(body.get("f", ())),
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
