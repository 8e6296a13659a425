"""The study manifest: every entry ever received with its status, in the form in which viewers are served.

An entry is flattened to the fields that are not blank; what is equal in all entries of a series stands once in
`shared`, the rest in the entry's row. So 300 slices are read with one parse and no dataclass is rebuilt (DESIGN §4.7).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

from chalicelib.domain.columns import from_columns, to_columns
from chalicelib.domain.study import Checksum, Entry, EntryStatus, Header, Place, Repair, StudyRef, StudyState, Times

FORMAT = 1
# Header attributes that are a text or a number; the study's UID stands once, in the manifest itself.
_PLAIN = tuple(f.name for f in fields(Header) if f.name not in {"study_instance_uid", "times", "viewer", "repaired"})

Judged = tuple[Entry, EntryStatus]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """One series, JSON-ready. A field absent from both `shared` and the row is blank.

    Fields: Header's own names (modality, instance_number, …), `status`, `key`, `version_id`, `offset`, `length`,
    `received_at` (ISO 8601), `checksum` ([algorithm, base64]), `declared_sha256` (hex), the times (`acquired_at`,
    `time_source`, `step_ended_at`, `evidence`, `capture`, `time_flags`) and `repaired` (name → [codec, hex]). `viewer`
    holds the DICOM keywords equal in all entries; each row may have its own `viewer` with the rest.
    """

    shared: Row
    viewer: Row
    rows: tuple[Row, ...]

    def instances(self) -> Iterator[Row]:
        """Served instances in order, own and shared fields in one dict; its `viewer` holds the own keywords only."""
        shared = self.shared
        for row in self.rows:
            if (row.get("status") or shared["status"]) == "served":
                yield {**shared, **row}


def place_of(fields_: Mapping[str, Any]) -> Place:
    """The place named by the fields that `Series.instances` yields."""
    return Place(fields_["key"], fields_["version_id"], fields_["offset"], fields_["length"])


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything known of a study's instances; the same entries and statuses always give the same bytes."""

    ref: StudyRef
    state: StudyState
    series: tuple[Series, ...]

    @classmethod
    def of(cls, ref: StudyRef, state: StudyState, judged: Iterable[Judged]) -> Self:
        """From entries in any order. Series go by (number, UID), instances by (number, UID, order of receipt)."""
        groups: dict[str, list[Judged]] = {}
        for entry, status in sorted(judged, key=lambda pair: pair[0].order):
            groups.setdefault(entry.header.series_instance_uid, []).append((entry, status))
        ordered = sorted(groups.values(), key=lambda group: _series_place(group[0][0].header))
        return cls(ref, state, tuple(_series(group) for group in ordered))

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """The manifest whose `to_json` gave these bytes."""
        data = json.loads(body)
        counts = [item["entries"] for item in data["series"]]
        rows, viewers = from_columns(data["rows"], counts), from_columns(data["viewers"], counts)
        ref = StudyRef(data["hospital_id"], data["study_instance_uid"])
        series = [
            Series(item["shared"], item["viewer"], _joined(*of_series))
            for item, *of_series in zip(data["series"], rows, viewers, strict=True)
        ]
        return cls(ref, data["state"], tuple(series))

    def to_json(self) -> bytes:
        """Canonical JSON: sorted keys, no blanks, UTF-8; the rows as columns over all series."""
        series = [{"shared": of.shared, "viewer": of.viewer, "entries": len(of.rows)} for of in self.series]
        rows = [[{name: row[name] for name in row if name != "viewer"} for row in of.rows] for of in self.series]
        viewers = [[row.get("viewer", {}) for row in of.rows] for of in self.series]
        return _canonical(
            {
                "format": FORMAT,
                "hospital_id": self.ref.hospital_id,
                "study_instance_uid": self.ref.study_instance_uid,
                "state": self.state,
                "series": series,
                "rows": to_columns(rows),
                "viewers": to_columns(viewers),
            }
        ).encode()

    def statuses(self) -> Iterator[EntryStatus]:
        """The status of every entry ever received."""
        for series in self.series:
            for row in series.rows:
                yield row.get("status") or series.shared["status"]

    def entries(self) -> Iterator[Judged]:
        """Every entry ever received, rebuilt: what settle reads and a view does not need."""
        for series in self.series:
            for row in series.rows:
                merged = {**series.shared, **row}
                viewer = {**series.viewer, **row.get("viewer", {})}
                yield _entry(self.ref, merged, viewer), merged["status"]


def digest_of(body: bytes) -> str:
    """The name of a manifest: SHA-256 (hex) of its canonical JSON."""
    return hashlib.sha256(body).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _joined(rows: Sequence[Row], viewers: Sequence[Row]) -> tuple[Row, ...]:
    for row, viewer in zip(rows, viewers, strict=True):
        if viewer:
            row["viewer"] = viewer
    return tuple(rows)


def _series_place(header: Header) -> tuple[bool, int, str]:
    return (header.series_number is None, header.series_number or 0, header.series_instance_uid)


def _instance_place(pair: Judged) -> tuple[bool, int, str]:
    header = pair[0].header
    return (header.instance_number is None, header.instance_number or 0, header.sop_instance_uid)


def _series(group: Sequence[Judged]) -> Series:
    ordered = sorted(group, key=_instance_place)  # stable: copies of one instance stay in their order of receipt
    rows = [_fields(entry, status) for entry, status in ordered]
    viewers = [dict(entry.header.viewer) for entry, _ in ordered]
    shared, viewer = _take_shared(rows), _take_shared(viewers)
    for row, own in zip(rows, viewers, strict=True):
        if own:
            row["viewer"] = own
    return Series(shared, viewer, tuple(rows))


def _take_shared(rows: Sequence[Row]) -> Row:
    """Move what all rows hold with the same value out of them. 1, 1.0 and True differ: JSON tells them apart."""
    shared = {key: value for key, value in rows[0].items() if all(_holds(row, key, value) for row in rows[1:])}
    for row in rows:
        for key in shared:
            del row[key]
    return shared


def _holds(row: Row, key: str, value: Any) -> bool:
    other = row.get(key)
    if other is None or type(other) is not type(value):
        return key in row and other is value
    if isinstance(value, str | int):
        return bool(other == value)
    return repr(other) == repr(value) or (bool(other == value) and _canonical(other) == _canonical(value))


def _fields(entry: Entry, status: EntryStatus) -> Row:
    header, place, times = entry.header, entry.place, entry.header.times
    row: Row = {name: value for name in _PLAIN if (value := getattr(header, name)) not in ("", None)}
    row |= {"status": status, "key": place.key, "version_id": place.version_id}
    row |= {"offset": place.offset, "length": place.length, "received_at": _text(entry.received_at)}
    if entry.checksum:
        row["checksum"] = [entry.checksum.algorithm, entry.checksum.value]
    if entry.declared_sha256:
        row["declared_sha256"] = entry.declared_sha256
    if header.repaired:
        row["repaired"] = {name: [repair.codec, repair.original] for name, repair in header.repaired.items()}
    return row | _time_fields(times)


def _time_fields(times: Times) -> Row:
    row: Row = {}
    if times.acquired_at:
        row["acquired_at"] = _text(times.acquired_at)
    if times.step_ended_at:
        row["step_ended_at"] = _text(times.step_ended_at)
    if times.flags:
        row["time_flags"] = list(times.flags)
    return row | {"time_source": times.source, "evidence": times.evidence, "capture": times.capture}


def _entry(ref: StudyRef, row: Row, viewer: Row) -> Entry:
    header = Header(
        study_instance_uid=ref.study_instance_uid,
        times=Times(
            acquired_at=_instant(row.get("acquired_at")),
            source=row["time_source"],
            step_ended_at=_instant(row.get("step_ended_at")),
            evidence=row["evidence"],
            capture=row["capture"],
            flags=tuple(row.get("time_flags", ())),
        ),
        viewer=viewer,
        repaired={name: Repair(codec, original) for name, (codec, original) in row.get("repaired", {}).items()},
        **{name: row[name] for name in _PLAIN if name in row},
    )
    checksum = Checksum(*row["checksum"]) if "checksum" in row else None
    received_at, declared = datetime.fromisoformat(row["received_at"]), row.get("declared_sha256", "")
    return Entry(header, place_of(row), received_at, checksum, declared)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
