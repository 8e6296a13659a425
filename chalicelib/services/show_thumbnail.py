"""A small picture of a study, series or instance: drawn once, when it is first asked for (PS3.18 §10.4.1.1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.dicom.frames import NoSuchFrame
from chalicelib.dicom.png import png
from chalicelib.dicom.thumbnail import JPEG_BASELINE, NotDrawable, check_jpeg, draw, is_drawn, middle_frame
from chalicelib.domain.access import Caller, Grant
from chalicelib.domain.derived import Derived, key_of
from chalicelib.domain.manifest import Manifest, place_of
from chalicelib.domain.study import Place
from chalicelib.services.keep_derived import KeepDerived
from chalicelib.services.open_study import Named, OpenStudy
from chalicelib.services.read_headers import GrantedReads, each_header
from chalicelib.services.retrieve_images import NotAcceptable, NothingThere, Row, frame_bodies


@dataclass(frozen=True, slots=True)
class ShowThumbnail:
    open_study: OpenStudy
    reads: GrantedReads
    keep: KeepDerived

    def __call__(self, caller: Caller, named: Named, takes: Callable[[str, str], str], now: datetime) -> str:
        """A signed URL of the picture of the middle frame of the middle image. Raises AccessDenied, AuditFailed,
        NothingThere, NotAcceptable, NotDrawable, TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        row = middle(opened.manifest(), named)
        kind = "image/jpeg" if row["transfer_syntax_uid"] == JPEG_BASELINE else "image/png"
        if takes(kind, "") != kind:
            raise NotAcceptable
        place, ref = place_of(row), opened.grant.study
        key = key_of(ref, "thumbnail", place.key, place.version_id, place.offset, place.length)
        return self.keep(opened.grant, Derived(ref, key, kind), lambda: self._made(opened.grant, place, kind, now), now)

    def _made(self, grant: Grant, place: Place, kind: str, now: datetime) -> bytes:
        (header,) = each_header(self.reads, grant, [place], now)
        if header is None or is_drawn(header) != (kind == "image/png"):
            raise NotDrawable
        number = middle_frame(header)
        try:
            (body,) = frame_bodies(self.reads, grant, place, header, [number], now)
        except NoSuchFrame:
            raise NotDrawable from None
        return png(draw(header.dataset, number, body)) if kind == "image/png" else check_jpeg(header.dataset, body)


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
