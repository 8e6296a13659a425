"""Pixels that look like what they stand for when opened: a chest in a CT, a head in an MR, a chest film, an
ultrasound fan. Made of ellipses and noise from a seed; no patient was ever near them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.int16]

AIR, LUNG, FAT, WATER, MUSCLE, BLOOD, BONE = -1000, -860, -95, 0, 45, 60, 420


class Canvas:
    """A square grid from -1 to 1; ellipses are painted over each other."""

    def __init__(self, rows: int, columns: int, ground: int) -> None:
        self.y, self.x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        self.image = np.full((rows, columns), ground, dtype=np.int16)

    def paint(self, value: int, at: tuple[float, float], half: tuple[float, float]) -> None:
        """`value` wherever the ellipse with centre `at` (x, y) and half axes `half` covers the grid."""
        (rows, columns), (x, y), (width, height) = self.image.shape, at, half
        top, bottom = _span(y, height, rows)
        left, right = _span(x, width, columns)
        part_x, part_y = self.x[:, left:right], self.y[top:bottom]
        inside = ((part_x - x) / width) ** 2 + ((part_y - y) / height) ** 2 <= 1
        self.image[top:bottom, left:right][inside] = value


def _span(centre: float, half: float, count: int) -> tuple[int, int]:
    first = math.floor((centre - half + 1) / 2 * (count - 1))
    last = math.ceil((centre + half + 1) / 2 * (count - 1)) + 1
    return max(first, 0), min(max(last, 0), count)


def chest_slices(slices: int, seed: int, size: int = 512) -> Iterator[Image]:
    """Axial slices from apex to diaphragm in Hounsfield units, with a 9 mm nodule in the right lung."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 14, (size, size)).astype(np.int16)
    vessels = random.uniform((-0.9, -0.75, 0, 0.008), (0.9, 0.75, 1, 0.03), (160, 4))
    for number in range(slices):
        z = number / max(slices - 1, 1)
        canvas = Canvas(size, size, AIR)
        _trunk(canvas, z)
        for side in (-1, 1):
            _lung(canvas, z, side, vessels)
        canvas.paint(BONE, (0, 0.42), (0.09, 0.08))
        canvas.paint(FAT, (0, 0.47), (0.025, 0.02))
        canvas.paint(BLOOD, (0.1, 0.3), (0.05, 0.05))
        if abs(z - 0.45) < 0.015:
            canvas.paint(30, (-0.42, -0.1), (0.03, 0.03))
        yield canvas.image + np.roll(noise, (17 * number, 29 * number), (0, 1))


def _trunk(canvas: Canvas, z: float) -> None:
    width = 0.82 + 0.06 * math.sin(math.pi * z)
    canvas.paint(FAT, (0, 0), (width, 0.6))
    canvas.paint(MUSCLE, (0, 0), (width - 0.05, 0.55))
    for rib in range(-5, 6):
        angle = rib / 5 * 1.35 + 0.25 * math.sin(12 * z + rib)
        canvas.paint(BONE, ((width - 0.1) * math.sin(angle), -0.5 * math.cos(angle)), (0.035, 0.018))
    canvas.paint(-200, (0, 0.72), (0.95, 0.03))  # the table


def _lung(canvas: Canvas, z: float, side: int, vessels: NDArray[np.float64]) -> None:
    swell = math.sin(math.pi * min(0.15 + 0.8 * z, 0.9))
    half = (0.3 * swell + 0.02, 0.42 * swell + 0.02)
    centre = (side * 0.4, -0.02)
    canvas.paint(LUNG, centre, half)
    for x, y, depth, radius in vessels:
        near = 1 - abs(depth - z) * 12
        inside = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 < 0.85
        if near > 0.2 and inside:
            canvas.paint(MUSCLE, (x, y), (radius * near, radius * near))
    if side > 0 and z > 0.4:
        grown = math.sin(math.pi * (z - 0.4) / 0.75)
        canvas.paint(BLOOD, (0.14, -0.12), (0.02 + 0.27 * grown, 0.02 + 0.26 * grown))  # the heart


def head(rows: int, columns: int, seed: int) -> Image:
    """A T2-weighted axial slice: bright ventricles, dark skull; 12 bits."""
    canvas = Canvas(rows, columns, 8)
    for value, half in ((700, (0.72, 0.86)), (60, (0.68, 0.82)), (900, (0.63, 0.77)), (420, (0.6, 0.74))):
        canvas.paint(value, (0, 0), half)
    for side in (-1, 1):
        canvas.paint(330, (side * 0.25, 0.05), (0.2, 0.45))
        canvas.paint(1000, (side * 0.1, -0.08), (0.06, 0.22))
    noise = np.random.default_rng(seed).normal(0, 12, canvas.image.shape).astype(np.int16)
    return _grey(canvas.image + noise, 12)


def film(rows: int, columns: int, seed: int) -> Image:
    """A chest film, 14 bits, lungs dark as MONOCHROME2 shows them."""
    canvas = Canvas(rows, columns, 1500)
    canvas.paint(9000, (0, 0.1), (0.9, 1.1))
    for side in (-1, 1):
        canvas.paint(3200, (side * 0.42, 0), (0.33, 0.68))
        for rib in range(8):
            canvas.paint(5200, (side * 0.42, -0.55 + rib * 0.16), (0.31, 0.02))
    canvas.paint(11000, (0, 0), (0.07, 1))
    canvas.paint(10500, (0.15, 0.25), (0.3, 0.32))
    noise = np.random.default_rng(seed).normal(0, 90, canvas.image.shape).astype(np.int16)
    return _grey(canvas.image + noise, 14)


def fan(rows: int, columns: int, seed: int) -> NDArray[np.uint8]:
    """An abdominal ultrasound fan with a dark vessel, in RGB."""
    y, x = np.mgrid[0 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    reach = np.hypot(x, y + 0.15)
    speckle = np.random.default_rng(seed).gamma(2, 28, (rows, columns))
    grey = np.where((reach < 1.05) & (reach > 0.2) & (np.abs(x) < 0.75 * (y + 0.15)), speckle * (1.2 - y), 0)
    grey[((x + 0.1) / 0.12) ** 2 + ((y - 0.55) / 0.08) ** 2 < 1] *= 0.1
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def _grey(image: Image, bits: int) -> Image:
    clipped: Image = np.clip(image, 0, 2**bits - 1).astype(np.int16)
    return clipped
