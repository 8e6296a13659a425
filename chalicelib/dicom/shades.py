"""How the header says that stored values are to be shown: modality and VOI transformation (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.dicom.whole_header import value_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


@dataclass(frozen=True, slots=True)
class Window:
    """Which values are told apart (C.11.2.1.2)."""

    centre: float
    width: float
    function: str = "LINEAR"

    def at(self, value: float) -> float:
        """0 (black) to 1."""
        if self.function == "SIGMOID":
            return 1 / (1 + math.exp(min(700.0, -4 * (value - self.centre) / self.width)))
        centre, width = self.centre, self.width
        if self.function == "LINEAR":
            centre, width = centre - 0.5, width - 1
        if width <= 0:
            return float(value > centre)
        return min(1.0, max(0.0, (value - centre) / width + 0.5))


@dataclass(frozen=True, slots=True)
class Shades:
    """`window` None: as far as the values of the picture reach. `padding`: the stored value of what is no image."""

    slope: float = 1.0
    intercept: float = 0.0
    window: Window | None = None
    inverse: bool = False
    padding: int | None = None

    def of(self, stored: Sequence[float]) -> bytes:
        """A byte for each stored value."""
        values = [one * self.slope + self.intercept for one in stored]
        window = self.window or self._reach(stored, values)
        shades = [int(window.at(one) * 255 + 0.5) for one in values]
        return bytes(255 - one for one in shades) if self.inverse else bytes(shades)

    def _reach(self, stored: Sequence[float], values: Sequence[float]) -> Window:
        seen = [value for value, raw in zip(values, stored, strict=True) if raw != self.padding] or values
        least, most = min(seen), max(seen)
        return Window((least + most) / 2, most - least, "LINEAR_EXACT")


def read_shades(dataset: Dataset, frame: int) -> Shades:
    """What is not there, or is no number, is as the standard has it without. A lookup table is not looked into: then
    its input is shown, as far as it reaches."""
    found = list(_where(dataset, frame))
    inverse = value_of(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    padding = number_of(dataset, "PixelPaddingValue")
    padded = None if padding is None else int(padding)
    if "ModalityLUTSequence" in dataset:
        return Shades(inverse=inverse, padding=padded)
    slope, intercept = _first(found, "RescaleSlope"), _first(found, "RescaleIntercept")
    centre, width = _first(found, "WindowCenter"), _first(found, "WindowWidth")
    function = next((str(told) for one in found if (told := value_of(one, "VOILUTFunction"))), "LINEAR")
    window = None
    if centre is not None and width is not None and width >= (1 if function == "LINEAR" else 1e-9):
        window = Window(centre, width, function if function in ("SIGMOID", "LINEAR_EXACT") else "LINEAR")
    return Shades(slope or 1.0, intercept or 0.0, window, inverse, padded)


def number_of(dataset: Dataset, keyword: str) -> float | None:
    """The first value of an element as a number; None where there is none or it is not finite."""
    value = value_of(dataset, keyword)
    try:
        found = float(value if isinstance(value, str | int | float) else value[0])
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return found if math.isfinite(found) and abs(found) < 1e15 else None


def _where(dataset: Dataset, frame: int) -> Iterator[Dataset]:
    """The object itself, then in an enhanced one what is said of the frame, and of all frames (C.7.6.16)."""
    yield dataset
    for name, index in (("PerFrameFunctionalGroupsSequence", frame - 1), ("SharedFunctionalGroupsSequence", 0)):
        for group in _GROUPS:
            try:
                yield dataset[name].value[index][group].value[0]
            except Exception:  # noqa: BLE001, S112 - not there, or whatever a stranger's bytes make pydicom raise
                continue


def _first(found: Sequence[Dataset], keyword: str) -> float | None:
    return next((value for one in found if (value := number_of(one, keyword)) is not None), None)
