"""WADO-RS and WADO-URI: instances and frames of a study that the caller may read (PS3.18 §10.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.dicom.frames import (
    IMAGE_TYPES,
    NATIVE,
    NoSuchFrame,
    encapsulated,
    little_endian,
    native_spans,
    transfer_syntax,
)
from chalicelib.dicom.whole_header import WholeHeader
from chalicelib.domain import related
from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.derived import Derived, key_of
from chalicelib.domain.manifest import Manifest, place_of
from chalicelib.domain.related import Given, Part
from chalicelib.domain.study import Place
from chalicelib.services.keep_derived import KeepDerived
from chalicelib.services.open_study import Named, OpenStudy
from chalicelib.services.ports import Signer
from chalicelib.services.read_headers import GrantedReads, TooLarge, each_header

Row = Mapping[str, Any]
MOST_BYTES = 4_300_000  # a function's answer holds 6 MB, of which base64 takes a quarter
MOST_LAID = 160 * 1024 * 1024  # of what is laid by itself because no answer holds it: it stands in memory twice
MOST_PIXELS = 48 * 1024 * 1024  # of one encapsulated object that is looked through for a frame
AT_ONCE = 8 * 1024 * 1024  # bytes of one read


class NothingThere(Exception):  # noqa: N818 - named by the fact
    """The study may be read, and holds no such series, instance or frame."""


class NotAcceptable(Exception):  # noqa: N818 - named by the fact
    """It is in none of the media types that were asked for, and nothing is transcoded (PS3.18 §8.7.3)."""


@dataclass(frozen=True, slots=True)
class RetrieveInstances:
    """Whole objects: a signed URL for one that is an object by itself, else the bytes as far as they fit; what does not
    fit is laid by itself once."""

    open_study: OpenStudy
    reads: GrantedReads
    signer: Signer
    keep: KeepDerived

    def __call__(self, caller: Caller, named: Named, now: datetime) -> str | list[Part]:
        """Raises AccessDenied, AuditFailed, NothingThere, TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        rows = chosen(opened.manifest(), named)
        places = [place_of(row) for row in rows]
        if named.instance_uid and places[0].offset == 0:
            (url,) = self.signer.sign(opened.grant, places[:1], now)
            return url
        if sum(place.length for place in places) > MOST_BYTES:
            if named.instance_uid:
                return self._laid(opened.grant, places[0], now)
            raise TooLarge
        bodies = self.reads.read(opened.grant, places, now)
        return [
            Part("application/dicom", row["transfer_syntax_uid"], body) for row, body in zip(rows, bodies, strict=True)
        ]

    def _laid(self, grant: Grant, place: Place, now: datetime) -> str:
        if place.length > MOST_LAID:
            raise TooLarge
        derived = Derived(grant.study, key_of(grant.study, "instance", _named(place)), "application/dicom")
        return self.keep(grant, derived, lambda: read_long(self.reads, grant, place, now), now)


@dataclass(frozen=True, slots=True)
class RetrieveFrames:
    """Frames as they are stored: nothing is transcoded, only big endian is turned."""

    open_study: OpenStudy
    reads: GrantedReads
    keep: KeepDerived

    def __call__(
        self, caller: Caller, named: Named, numbers: Sequence[int], takes: Callable[[str, str], str], now: datetime
    ) -> str | Given:
        """`takes`: the media type in which one of a content type and transfer syntax may be given, "" for none. A
        signed URL where they do not fit an answer. Raises AccessDenied, AuditFailed, NothingThere, NotAcceptable,
        TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        place = place_of(chosen(opened.manifest(), named)[0])
        try:
            return self._given(opened.grant, place, numbers, takes, now)
        except NoSuchFrame:
            raise NothingThere from None

    def _given(
        self, grant: Grant, place: Place, numbers: Sequence[int], takes: Callable[[str, str], str], now: datetime
    ) -> str | Given:
        (header,) = each_header(self.reads, grant, [place], now)
        if header is None:
            raise NoSuchFrame
        syntax = transfer_syntax(header)
        own = "application/octet-stream" if syntax == NATIVE else IMAGE_TYPES.get(syntax, "application/octet-stream")
        kind = takes(own, syntax)
        if not kind:
            raise NotAcceptable
        key = key_of(grant.study, "frames", _named(place), list(numbers), kind)
        boundary = key.rpartition("/")[2]
        derived = Derived(grant.study, key, related.told(kind, boundary))
        may_not_fit = _most(header, place, numbers) > MOST_BYTES
        if may_not_fit and (url := self.keep.find(grant, derived, now)):
            return url
        bodies = frame_bodies(self.reads, grant, place, header, numbers, now)
        parts = [Part(own, syntax, body) for body in bodies]
        if sum(map(len, bodies)) <= MOST_BYTES:
            return Given(kind, parts)
        return self.keep.keep(grant, derived, related.body(kind, boundary, parts), now)


def frame_bodies(  # noqa: PLR0913, PLR0917 - what is read, of what, by whose leave
    reads: GrantedReads, grant: Grant, place: Place, header: WholeHeader, numbers: Sequence[int], now: datetime
) -> list[bytes]:
    """Frames of an instance whose header was read. Raises NoSuchFrame, TooLarge."""
    spans = native_spans(header, numbers)
    if spans is None:
        found = encapsulated(header, _pixels(reads, grant, place, header, now), numbers)
        if sum(map(len, found)) > MOST_LAID:  # one frame may be named again and again
            raise TooLarge
        return found
    if sum(span.length for span in spans) > MOST_LAID:
        raise TooLarge
    held = len(header.data) if header.deflated else place.length
    if any(span.start + span.length > held for span in spans):
        raise NoSuchFrame
    if header.deflated:
        return [header.data[span.start : span.start + span.length] for span in spans]
    wanted = [Place(place.key, place.version_id, place.offset + one.start, one.length) for one in spans]
    return [little_endian(header, body) for body in reads.read(grant, wanted, now)]


def read_long(reads: GrantedReads, grant: Grant, place: Place, now: datetime) -> bytes:
    """A whole place, in pieces at once."""
    pieces = [
        Place(place.key, place.version_id, place.offset + start, min(AT_ONCE, place.length - start))
        for start in range(0, place.length, AT_ONCE)
    ]
    return b"".join(reads.read(grant, pieces, now))


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


def _most(header: WholeHeader, place: Place, numbers: Sequence[int]) -> int:
    """No more bytes than these come of it; of encapsulated frames only reading tells. Raises NoSuchFrame."""
    spans = native_spans(header, numbers)
    if spans is None:
        return place.length * max(1, len(numbers))
    return sum(span.length for span in spans)


def _pixels(reads: GrantedReads, grant: Grant, place: Place, header: WholeHeader, now: datetime) -> bytes:
    """All of an encapsulated value: its fragments are found only by walking them."""
    assert header.pixels is not None  # noqa: S101 - for the type checker: else there is no transfer syntax
    start = header.pixels.start
    if header.deflated:
        return header.data[start:]
    if place.length - start > MOST_PIXELS:
        raise TooLarge
    rest = Place(place.key, place.version_id, place.offset + start, place.length - start)
    return read_long(reads, grant, rest, now)


def _named(place: Place) -> list[str | int]:
    return [place.key, place.version_id, place.offset, place.length]
