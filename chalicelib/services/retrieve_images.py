"""WADO-RS and WADO-URI: metadata, instances and frames of a study that the caller may read (PS3.18 §10.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.dicom.frames import (
    IMAGE_TYPES,
    NATIVE,
    NoSuchFrame,
    encapsulated,
    little_endian,
    native_spans,
    transfer_syntax,
)
from chalicelib.dicom.json_model import element
from chalicelib.dicom.scan import FIRST_RANGE, MAX_HEADER, GoesOn, Unreadable
from chalicelib.dicom.tags import INDEXED
from chalicelib.dicom.whole_header import WholeHeader, metadata, read_whole
from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.manifest import Manifest, place_of
from chalicelib.domain.study import Place
from chalicelib.services.open_study import Named, Opened, OpenStudy
from chalicelib.services.ports import Signer

Row = Mapping[str, Any]
MOST_BYTES = 4_300_000  # a function's answer holds 6 MB, of which base64 takes a quarter
MOST_HEADERS = 1000  # instances whose headers one answer tells: read from S3 each
MOST_PIXELS = 48 * 1024 * 1024  # of one encapsulated object that is looked through for a frame


class TooLarge(Exception):  # noqa: N818 - named by the fact
    """It does not fit an answer of ours; smaller parts of it do, or a signed URL."""


class NothingThere(Exception):  # noqa: N818 - named by the fact
    """The study may be read, and holds no such series, instance or frame."""


class GrantedReads(Protocol):
    def read(self, grant: Grant, spans: Sequence[Place], now: datetime) -> list[bytes]:
        """The bytes of each place, in order, read under the grant."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart answer."""

    content_type: str
    transfer_syntax: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RetrieveMetadata:
    """All headers beneath what is named. They are read from the objects when asked for, 16 at a time."""

    open_study: OpenStudy
    reads: GrantedReads

    def __call__(self, caller: Caller, named: Named, base: str, now: datetime) -> list[dict[str, Any]]:
        """DICOM JSON Model. Raises AccessDenied, AuditFailed, NothingThere, TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        rows = chosen(opened.manifest(), named)
        if len(rows) > MOST_HEADERS:
            raise TooLarge
        headers = read_headers(self.reads, opened.grant, [place_of(row) for row in rows], now)
        return [
            metadata(header, _url(base, named.study_uid, row)) if header else _indexed(row, named.study_uid)
            for row, header in zip(rows, headers, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class RetrieveInstances:
    """Whole objects: a signed URL for one that is an object by itself, else the bytes, as far as they fit."""

    open_study: OpenStudy
    reads: GrantedReads
    signer: Signer

    def __call__(self, caller: Caller, named: Named, now: datetime) -> str | list[Part]:
        """Raises AccessDenied, AuditFailed, NothingThere, TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        rows = chosen(opened.manifest(), named)
        places = [place_of(row) for row in rows]
        if named.instance_uid and places[0].offset == 0:
            (url,) = self.signer.sign(opened.grant, places[:1], now)
            return url
        if sum(place.length for place in places) > MOST_BYTES:
            raise TooLarge
        bodies = self.reads.read(opened.grant, places, now)
        return [
            Part("application/dicom", row["transfer_syntax_uid"], body) for row, body in zip(rows, bodies, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class RetrieveFrames:
    """Frames as they are stored: nothing is transcoded, only big endian is turned."""

    open_study: OpenStudy
    reads: GrantedReads

    def __call__(self, caller: Caller, named: Named, numbers: Sequence[int], now: datetime) -> list[Part]:
        """Raises AccessDenied, AuditFailed, NothingThere, TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        place = place_of(chosen(opened.manifest(), named)[0])
        (header,) = read_headers(self.reads, opened.grant, [place], now)
        if header is None:
            raise NothingThere
        try:
            syntax = transfer_syntax(header)
            bodies = self._bodies(opened, place, header, numbers, now)
        except NoSuchFrame:
            raise NothingThere from None
        if sum(map(len, bodies)) > MOST_BYTES:
            raise TooLarge
        kind = "application/octet-stream" if syntax == NATIVE else IMAGE_TYPES.get(syntax, "application/octet-stream")
        return [Part(kind, syntax, body) for body in bodies]

    def _bodies(
        self, opened: Opened, place: Place, header: WholeHeader, numbers: Sequence[int], now: datetime
    ) -> list[bytes]:
        spans = native_spans(header, numbers)
        if spans is None:
            return encapsulated(header, self._pixels(opened, place, header, now), numbers)
        if sum(span.length for span in spans) > MOST_BYTES:
            raise TooLarge
        if header.deflated:
            return [header.data[span.start : span.start + span.length] for span in spans]
        wanted = [Place(place.key, place.version_id, place.offset + one.start, one.length) for one in spans]
        return [little_endian(header, body) for body in self.reads.read(opened.grant, wanted, now)]

    def _pixels(self, opened: Opened, place: Place, header: WholeHeader, now: datetime) -> bytes:
        """All of an encapsulated value: its fragments are found only by walking them."""
        assert header.pixels is not None  # noqa: S101 - for the type checker: else there is no transfer syntax
        start = header.pixels.start
        if header.deflated:
            return header.data[start:]
        if place.length - start > MOST_PIXELS:
            raise TooLarge
        rest = Place(place.key, place.version_id, place.offset + start, place.length - start)
        return self.reads.read(opened.grant, [rest], now)[0]


def chosen(manifest: Manifest, named: Named) -> list[Row]:
    """The served instances that are named. Raises NothingThere."""
    found: list[Row] = [
        row
        for series in manifest.series
        for row in series.instances()
        if named.series_uid in ("", row["series_instance_uid"]) and named.instance_uid in ("", row["sop_instance_uid"])
    ]
    if not found:
        raise NothingThere
    return found


def read_headers(reads: GrantedReads, grant: Grant, places: Sequence[Place], now: datetime) -> list[WholeHeader | None]:
    """The header of each object: at first what holds nearly every one, then more of those that go on. None for one
    that ingest could index and pydicom cannot read."""
    lengths = {number: min(FIRST_RANGE, place.length) for number, place in enumerate(places)}
    found: dict[int, WholeHeader | None] = {}
    while lengths:
        wanted = [Place(*_key(places[number]), length) for number, length in lengths.items()]
        bodies = dict(zip(lengths, reads.read(grant, wanted, now), strict=True))
        lengths = {}
        for number, body in bodies.items():
            try:
                found[number] = read_whole(body, places[number].length)
            except GoesOn as more:
                lengths[number] = _more(more.length, len(body), places[number].length)
            except Unreadable:
                found[number] = None
    return [found[number] for number in range(len(places))]


def _indexed(row: Row, study_uid: str) -> dict[str, Any]:
    """What is known of an instance without its header."""
    known = {**row, "study_instance_uid": study_uid}
    return {f"{tag.tag:08X}": element(tag.vr, known[name]) for name, tag in INDEXED.items() if name in known}


def _key(place: Place) -> tuple[str, str, int]:
    return place.key, place.version_id, place.offset


def _more(wanted: int, given: int, size: int) -> int:
    if given >= min(size, MAX_HEADER):
        raise TooLarge
    return min(max(wanted, 4 * given), size, MAX_HEADER)


def _url(base: str, study_uid: str, row: Row) -> str:
    return f"{base}/studies/{study_uid}/series/{row['series_instance_uid']}/instances/{row['sop_instance_uid']}"
