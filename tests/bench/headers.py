"""Reading a header: ours beside pydicom's own, and an enhanced object of 300 frames."""

from __future__ import annotations

import io
from datetime import timedelta, timezone

import pydicom

from chalicelib.dicom.header import FIRST_RANGE, NeedMore, read_header
from infra.local import samples
from tests.bench.rows import Row, cpu_ms

ZONE = timezone(timedelta(hours=8))
TIMES = 200


def read(file):
    """As ingest does: the first range, then what the header needs more."""
    length = FIRST_RANGE
    while isinstance(header := read_header(file[:length], len(file), ZONE), NeedMore):
        length = header.length
    return header


def rows():
    (slice_,) = samples.chest_ct(slices=1)
    enhanced = samples.enhanced(frames=300)
    ours = cpu_ms(lambda: [read(slice_) for _ in range(TIMES)]) / TIMES
    theirs = cpu_ms(lambda: [_dcmread(slice_) for _ in range(TIMES)]) / TIMES
    whole = cpu_ms(lambda: [read(enhanced) for _ in range(20)]) / 20
    return [
        Row(
            "header of a CT slice / dcmread(stop_before_pixels)", ours / theirs, "x", 0.6, f"{ours:.2f}/{theirs:.2f} ms"
        ),
        Row(
            "header of an enhanced object of 300 frames",
            whole,
            "ms",
            2,
            f"dcmread {cpu_ms(lambda: _dcmread(enhanced)):.0f} ms",
        ),
    ]


def _dcmread(file):
    return pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True)
