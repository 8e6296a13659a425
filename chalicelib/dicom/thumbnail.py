"""A small picture of a frame (PS3.18 §10.4.1.1.5): out of what is stored uncompressed, a few samples of each place and
no more, whatever the frame's size; and a baseline JPEG as it is, where any browser shows it as it was meant.

No codec: what a stranger compressed is decompressed by the viewer, not by us.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import add, itemgetter
from typing import TYPE_CHECKING, Literal

from chalicelib.dicom.png import Picture
from chalicelib.dicom.scan import UNDEFINED
from chalicelib.dicom.shades import number_of, read_shades
from chalicelib.dicom.whole_header import WholeHeader, frames_of, value_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SIDE = 128  # pixels of the longer side
SAMPLES = 3  # a side of what becomes one pixel
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
MOST_JPEG = 512 * 1024
MOST_JPEG_SIDE = 2048
_Cast = Literal["B", "b", "H", "h"]
_CAST: dict[tuple[int, bool], _Cast] = {(8, False): "B", (8, True): "b", (16, False): "H", (16, True): "h"}
_COLOURS = ("RGB", "YBR_FULL")


class NotDrawable(Exception):  # noqa: N818 - named by the fact
    """It is compressed, or of a kind that is not drawn here."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """How samples lie in the frame's words (PS3.5 §8.1)."""

    allocated: int
    stored: int
    shift: int
    signed: bool

    def values(self, words: Iterable[int]) -> Iterable[int]:
        if self.stored == self.allocated:
            return words
        mask, sign = (1 << self.stored) - 1, (1 << self.stored >> 1) if self.signed else 0
        shift = self.shift
        return [((word >> shift & mask) ^ sign) - sign for word in words]

    @property
    def cast(self) -> _Cast:
        return _CAST[self.allocated, self.signed and self.stored == self.allocated]


def middle_frame(header: WholeHeader) -> int:
    """The number of the frame in the middle of those that are said to be there."""
    return (frames_of(header.dataset) + 1) // 2


def is_drawn(header: WholeHeader) -> bool:
    """True: uncompressed, to be drawn. False: a JPEG to be given as it is. Raises NotDrawable."""
    if header.pixels is None or header.pixels.tag != 0x7FE00010:
        raise NotDrawable
    if header.pixels.length != UNDEFINED:
        _measures(header.dataset)
        return True
    if header.transfer_syntax != JPEG_BASELINE:
        raise NotDrawable
    return False


def draw(dataset: Dataset, frame: int, body: bytes) -> Picture:
    """`body`: frame number `frame` in little endian. Raises NotDrawable."""
    rows, columns, stored, channels = _measures(dataset)
    if len(body) < rows * columns * channels * stored.allocated // 8:
        raise NotDrawable
    height, width = (max(1, side * min(SIDE, max(rows, columns)) // max(rows, columns)) for side in (rows, columns))
    words: memoryview[int] = memoryview(body).cast("B").cast(stored.cast)
    down, across = _places(rows, height), _places(columns, width)
    planar = channels == 3 and number_of(dataset, "PlanarConfiguration") == 1
    planes = []
    for channel in range(channels):
        start, step = (channel * rows * columns, 1) if planar else (channel, channels)
        lines = (
            words[start + row * columns * step : start + (row + 1) * columns * step] for group in down for row in group
        )
        planes.append(_averaged(lines, len(down[0]), [[one * step for one in group] for group in across], stored))
    if channels == 1:
        return Picture(width, height, 1, read_shades(dataset, frame).of(planes[0]))
    pixels: Iterable[tuple[float, ...]] = zip(*planes, strict=True)
    if value_of(dataset, "PhotometricInterpretation") == "YBR_FULL":
        pixels = starmap(_rgb, pixels)
    return Picture(width, height, 3, bytes(min(255, max(0, int(one + 0.5))) for pixel in pixels for one in pixel))


def check_jpeg(dataset: Dataset, data: bytes) -> bytes:
    """The frame itself, where it is small, a baseline JPEG, and in the colours that a JPEG is taken to be in. Raises
    NotDrawable."""
    if len(data) > MOST_JPEG or not data.startswith(b"\xff\xd8"):
        raise NotDrawable
    photometric, transform, at = str(value_of(dataset, "PhotometricInterpretation") or ""), None, 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if kind == 0xEE and segment.startswith(b"Adobe") and len(segment) >= 12:
            transform = segment[11]
        if kind == 0xC0 and len(segment) >= 6:
            sides = (int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big"))
            shown = _as_meant(photometric, segment[5], transform)
            if segment[0] == 8 and shown and min(sides) > 0 and max(sides) <= MOST_JPEG_SIDE:
                return data
            break
        at += 2 + max(2, length)
    raise NotDrawable


def _as_meant(photometric: str, components: int, transform: int | None) -> bool:
    """A reader takes three components for YCbCr unless Adobe's marker says otherwise, and one for brightness."""
    if components == 1:
        return photometric == "MONOCHROME2"
    if photometric == "RGB":
        return components == 3 and transform == 0
    return components == 3 and photometric in ("YBR_FULL_422", "YBR_FULL") and transform in (None, 1)


def _measures(of: Dataset) -> tuple[int, int, _Stored, int]:
    """Rows, columns, how samples are stored, and how many a pixel has. Raises NotDrawable."""
    numbers = [number_of(of, name) for name in ("Rows", "Columns", "BitsAllocated")]
    rows, columns, allocated = (int(one or 0) for one in numbers)
    kind = str(value_of(of, "PhotometricInterpretation") or "")
    channels = 3 if kind in _COLOURS else 1
    stored = int(number_of(of, "BitsStored") or allocated)
    shift = int(number_of(of, "HighBit") or stored - 1) + 1 - stored
    known = kind in ("MONOCHROME1", "MONOCHROME2", *_COLOURS) and int(number_of(of, "SamplesPerPixel") or 1) == channels
    depths = (8, 16) if channels == 1 else (8,)
    if not (known and allocated in depths and rows > 0 < columns and 0 < stored <= allocated):
        raise NotDrawable
    if not 0 <= shift <= allocated - stored or (channels == 3 and stored != 8):
        raise NotDrawable
    return rows, columns, _Stored(allocated, stored, shift, number_of(of, "PixelRepresentation") == 1), channels


def _places(size: int, wanted: int) -> list[list[int]]:
    """For each of the wanted places, which of `size` are looked at: up to SAMPLES, evenly over what it covers."""
    each = min(SAMPLES, -(-size // wanted))
    return [
        [(2 * (each * place + sample) + 1) * size // (2 * each * wanted) for sample in range(each)]
        for place in range(wanted)
    ]


def _averaged(lines: Iterable[memoryview], down: int, across: Sequence[Sequence[int]], stored: _Stored) -> list[float]:
    """The mean of what is looked at for each pixel: of `down` lines each, and in them of the places of `across`."""
    flat, each = [one for group in across for one in group], len(across[0])
    pick = itemgetter(*flat, flat[0])  # twice the first, so that one alone comes as a tuple too
    count, found = down * each, list[float]()
    total: list[int] = []
    for number, line in enumerate(lines, 1):
        values = stored.values(pick(line)[:-1])
        total = list(map(add, total, values)) if total else list(values)
        if number % down == 0:
            found += [sum(group) / count for group in zip(*(total[at::each] for at in range(each)), strict=True)]
            total = []
    return found


def _rgb(y: float, cb: float, cr: float) -> tuple[float, float, float]:
    """PS3.3 C.7.6.3.1.2, turned round."""
    cb, cr = cb - 128, cr - 128
    return y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb
