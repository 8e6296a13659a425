"""A small picture of a study, series or instance: drawn once, when it is first asked for (PS3.18 §10.4.1.1.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chalicelib.dicom.frames import NoSuchFrame
from chalicelib.dicom.jpeg import jpeg
from chalicelib.dicom.png import Picture, png
from chalicelib.dicom.thumbnail import NotDrawable, check_jpeg, draw, is_drawn, middle_frame
from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.derived import Derived, key_of
from chalicelib.domain.manifest import Manifest, place_of
from chalicelib.domain.study import Place
from chalicelib.services.keep_derived import KeepDerived
from chalicelib.services.open_study import Named, OpenStudy
from chalicelib.services.read_headers import GrantedReads, each_header
from chalicelib.services.retrieve_images import NotAcceptable, NothingThere, Row, frame_bodies

ENCODERS: Final[Mapping[str, Callable[[Picture], bytes]]] = {"image/jpeg": jpeg, "image/png": png}  # the default first


@dataclass(frozen=True, slots=True)
class ShowThumbnail:
    open_study: OpenStudy
    reads: GrantedReads
    keep: KeepDerived

    def __call__(self, caller: Caller, named: Named, takes: Callable[[str, str], str], now: datetime) -> str:
        """A signed URL of the picture of the middle frame of the middle image. Raises AccessDenied, AuditFailed,
        NothingThere, NotAcceptable, NotDrawable, TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        place, ref = place_of(middle(opened.manifest(), named)), opened.grant.study
        kind = next((kind for kind in ENCODERS if takes(kind, "") == kind), None)
        if kind is None:
            raise NotAcceptable
        key = key_of(ref, "thumbnail", kind, place.key, place.version_id, place.offset, place.length)
        return self.keep(opened.grant, Derived(ref, key, kind), lambda: self._made(opened.grant, place, kind, now), now)

    def _made(self, grant: Grant, place: Place, kind: str, now: datetime) -> bytes:
        (header,) = each_header(self.reads, grant, [place], now)
        if header is None:
            raise NotDrawable
        is_jpeg, number = not is_drawn(header), middle_frame(header)
        if is_jpeg and kind != "image/jpeg":
            raise NotAcceptable
        try:
            (body,) = frame_bodies(self.reads, grant, place, header, [number], now)
        except NoSuchFrame:
            raise NotDrawable from None
        return check_jpeg(header.dataset, body) if is_jpeg else ENCODERS[kind](draw(header.dataset, number, body))


def middle(manifest: Manifest, named: Named) -> Row:
    """The instance in the middle of those with an image, by the order of the manifest; where none has one, of all.
    Raises NothingThere."""
    found = [
        (row, "Rows" in series.viewer or "Rows" in row.get("viewer", {}))
        for series in manifest.series
        for row in series.instances()
        if named.series_uid in ("", row["series_instance_uid"]) and named.instance_uid in ("", row["sop_instance_uid"])
    ]
    rows = [row for row, has_image in found if has_image] or [row for row, _ in found]
    if not rows:
        raise NothingThere
    return rows[len(rows) // 2]
