"""Thumbnails: each pixel against a few lines of numpy that know nothing of ours, and headers that lie."""

import io
import warnings

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from chalicelib.dicom.frames import NoSuchFrame, encapsulated, little_endian, native_spans
from chalicelib.dicom.jpeg import jpeg
from chalicelib.dicom.png import Picture, png
from chalicelib.dicom.scan import GoesOn, Unreadable
from chalicelib.dicom.thumbnail import (
    SAMPLES,
    SIDE,
    NotDrawable,
    check_jpeg,
    draw,
    is_drawn,
    middle_frame,
)
from chalicelib.dicom.whole_header import metadata, read_whole
from infra.local import samples
from tests.support.dicom_files import shipped


def grey(rows=2, columns=2, bits=16, **changed):
    made = Dataset()
    made.Rows, made.Columns, made.BitsAllocated, made.SamplesPerPixel = rows, columns, bits, 1
    made.BitsStored = changed.pop("BitsStored", bits)
    made.HighBit = changed.pop("HighBit", made.BitsStored - 1)
    made.PhotometricInterpretation, made.PixelRepresentation = "MONOCHROME2", 0
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def array_of(picture):
    shape = (picture.height, picture.width, picture.channels)
    return (
        np.frombuffer(picture.samples, np.uint8).reshape(shape).squeeze(axis=2)
        if picture.channels == 1
        else (np.frombuffer(picture.samples, np.uint8).reshape(shape))
    )


def averaged(pixels, height, width):
    """The mean of what is looked at, by the rule alone: evenly over what each pixel covers."""

    def seen(size, wanted):
        each = min(SAMPLES, int(np.ceil(size / wanted)))
        return [
            [int((place + (at + 0.5) / each) * size / wanted + 1e-9) for at in range(each)] for place in range(wanted)
        ]

    down, across = np.array(seen(pixels.shape[0], height)), np.array(seen(pixels.shape[1], width))
    return pixels[down[:, :, None, None], across[None, None]].astype(float).mean(axis=(1, 3))


def shown(values, *, window=None, slope=1.0, intercept=0.0, inverse=False):
    values = values * slope + intercept
    if window:
        centre, width = window
        shade = np.where(width > 1, (values - (centre - 0.5)) / max(width - 1, 1e-9) + 0.5, values > centre - 0.5)
    else:
        shade = (values - values.min()) / max(values.max() - values.min(), 1e-12)
    bytes_ = np.floor(np.clip(shade, 0, 1) * 255 + 0.5)
    return 255 - bytes_ if inverse else bytes_


SIDES = st.integers(1, 300)
NUMBERS = st.integers(-3000, 3000)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_grey_pixels_are_the_mean_of_what_they_cover_rescaled_and_windowed(data):
    rows, columns, bits = data.draw(SIDES), data.draw(SIDES), data.draw(st.sampled_from([8, 16]))
    stored, signed = data.draw(st.integers(1, bits)), data.draw(st.booleans())
    high = data.draw(st.integers(stored - 1, bits - 1))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    words = random.integers(0, 1 << bits, (rows, columns), dtype=np.uint32)
    value = words >> (high + 1 - stored) & ((1 << stored) - 1)
    value = np.where(value >> (stored - 1), value.astype(int) - (1 << stored), value) if signed else value
    told = {"slope": data.draw(st.sampled_from([1.0, 0.5, 2.0])), "intercept": float(data.draw(NUMBERS))}
    window = data.draw(st.none() | st.tuples(NUMBERS, st.integers(1, 4000)))
    header = grey(rows, columns, bits, BitsStored=stored, HighBit=high, PixelRepresentation=int(signed))
    header.RescaleSlope, header.RescaleIntercept = told["slope"], told["intercept"]
    if window:
        header.WindowCenter, header.WindowWidth = window
    inverse = data.draw(st.booleans())
    header.PhotometricInterpretation = "MONOCHROME1" if inverse else "MONOCHROME2"
    got = array_of(draw(header, 1, words.astype(f"<u{bits // 8}").tobytes()))
    longest = max(rows, columns, SIDE)
    assert got.shape == (max(1, rows * SIDE // longest), max(1, columns * SIDE // longest))
    wanted = shown(averaged(value, *got.shape), window=window, inverse=inverse, **told)
    assert np.abs(wanted - got).max() <= 1, "a shade is a rounded number"


@settings(max_examples=30, deadline=None)
@given(SIDES, SIDES, st.booleans(), st.integers(0, 2**32))
def test_colours_are_the_mean_of_what_they_cover_however_they_lie(rows, columns, by_plane, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    header = grey(rows, columns, 8, PhotometricInterpretation="RGB", SamplesPerPixel=3)
    header.PlanarConfiguration = int(by_plane)
    got = array_of(draw(header, 1, (pixels.transpose(2, 0, 1) if by_plane else pixels).tobytes()))
    for channel in range(3):
        wanted = np.floor(averaged(pixels[:, :, channel], *got.shape[:2]) + 0.5)
        assert np.abs(wanted - got[:, :, channel]).max() <= 1


def test_luminance_and_colour_become_red_green_and_blue():
    picture = Image.effect_noise((60, 40), 90).convert("RGB").rotate(7)
    header = grey(40, 60, 8, PhotometricInterpretation="YBR_FULL", SamplesPerPixel=3, PlanarConfiguration=0)
    got = array_of(draw(header, 1, picture.convert("YCbCr").tobytes()))
    assert np.abs(got.astype(int) - np.array(picture)).max() <= 3


def test_an_enhanced_object_says_of_each_frame_how_it_is_shown():
    def frame(slope, centre):
        group, transformed, window = Dataset(), Dataset(), Dataset()
        transformed.RescaleSlope, transformed.RescaleIntercept = slope, 0
        window.WindowCenter, window.WindowWidth = centre, 101
        group.PixelValueTransformationSequence = Sequence([transformed])
        group.FrameVOILUTSequence = Sequence([window])
        return group

    header = grey(1, 1, PerFrameFunctionalGroupsSequence=Sequence([frame(1, 50), frame(2, 100)]))
    body = np.array([50], "<u2").tobytes()
    assert [draw(header, number, body).samples[0] for number in (1, 2)] == [128 + 1, 128 + 1]
    del header.PerFrameFunctionalGroupsSequence
    header.SharedFunctionalGroupsSequence = Sequence([frame(1, 1000)])
    assert draw(header, 2, body).samples == b"\0"


def test_what_is_no_image_does_not_stretch_the_greys():
    header = grey(1, 4, PixelRepresentation=1, PixelPaddingValue=-2000)
    body = np.array([-2000, 0, 50, 100], "<i2").tobytes()
    assert list(draw(header, 1, body).samples) == [0, 0, 128, 255]


@pytest.mark.parametrize(("window", "shade"), [(("nan", "10"), 255), (("5", "-1"), 255), (("1e400", "1"), 255)])
def test_a_window_that_is_none_is_as_if_it_were_not_there(window, shade):
    header = grey(1, 2)
    header.add_new(0x00281050, "LO", window[0])
    header.add_new(0x00281051, "LO", window[1])
    assert list(draw(header, 1, np.array([3, 9], "<u2").tobytes()).samples) == [0, shade]


@pytest.mark.parametrize("function", ["SIGMOID", "LINEAR_EXACT"])
def test_the_other_functions_of_the_standard(function):
    header = grey(1, 3, WindowCenter=100, WindowWidth=200, VOILUTFunction=function)
    low, middle, high = draw(header, 1, np.array([0, 100, 200], "<u2").tobytes()).samples
    assert (middle, low + high) == (128, 255)
    assert low == (round(255 / (1 + np.exp(2))) if function == "SIGMOID" else 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"bits": 12},
        {"bits": 32},
        {"Rows": 0},
        {"Rows": 65535, "Columns": 65535},
        {"BitsStored": 17},
        {"BitsStored": 12, "HighBit": 15 + 1},
        {"BitsStored": 12, "HighBit": 5},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"PhotometricInterpretation": "RGB"},
        {"SamplesPerPixel": 3},
        {"PhotometricInterpretation": "YBR_FULL_422", "SamplesPerPixel": 3},
    ],
)
def test_what_is_not_drawn_is_said(changed):
    with pytest.raises(NotDrawable):
        draw(grey(**changed), 1, bytes(8))


# The pictures themselves


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_any_reader_sees_the_png_as_it_was_drawn(width, height, channels, seed):
    samples_ = np.random.default_rng(seed).bytes(width * height * channels)
    read = Image.open(io.BytesIO(png(Picture(width, height, channels, samples_))))
    assert (read.size, read.tobytes()) == ((width, height), samples_)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 2**32), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_jpeg_is_as_near_as_pillows_own_of_the_same_quality(width, height, channels, seed, noisy):
    random = np.random.default_rng(seed)
    levels = (
        random.integers(0, 256, (height, width, channels)) if noisy else np.indices((height, width, channels)).sum(0)
    )
    picture = levels.astype(np.uint8).squeeze(axis=2) if channels == 1 else levels.astype(np.uint8)
    theirs = io.BytesIO()
    Image.fromarray(picture).save(theirs, "JPEG", quality=90, subsampling=0)
    ours = jpeg(Picture(width, height, channels, picture.tobytes()))
    near = [
        np.abs(np.array(Image.open(io.BytesIO(one))).astype(int) - picture).mean() for one in (ours, theirs.getvalue())
    ]
    assert near[0] <= near[1] * 1.1 + 0.5


def encoded(mode="L", size=(20, 10), **how):
    out = io.BytesIO()
    Image.new(mode, size, 128).save(out, "JPEG", **how)
    return out.getvalue()


@pytest.mark.parametrize(
    ("photometric", "data", "fits"),
    [
        ("MONOCHROME2", encoded(), True),
        ("MONOCHROME1", encoded(), False),
        ("YBR_FULL_422", encoded("RGB"), True),
        ("YBR_FULL_422", encoded(), False),
        ("RGB", encoded("RGB"), False),
        ("RGB", encoded("RGB", keep_rgb=True), True),
        ("MONOCHROME2", encoded(progressive=True), False),
        ("MONOCHROME2", encoded(size=(2049, 1)), False),
        ("MONOCHROME2", encoded() + bytes(600_000), False),
        ("MONOCHROME2", encoded()[:20], False),
        ("MONOCHROME2", b"\xff\xd8" + b"\xff\xe0\0\0" * 1000, False),
        ("MONOCHROME2", b"GIF89a", False),
        ("MONOCHROME2", b"", False),
    ],
)
def test_a_jpeg_is_passed_on_where_a_browser_shows_it_as_it_was_meant(photometric, data, fits):
    header = grey(PhotometricInterpretation=photometric)
    if fits:
        assert check_jpeg(header, data) == data
    else:
        with pytest.raises(NotDrawable):
            check_jpeg(header, data)


# Whole files


def thumbnail(file):
    header = read_whole(file, len(file))
    number = middle_frame(header)
    if not is_drawn(header):
        return check_jpeg(header.dataset, encapsulated(header, header.data[header.pixels.start :], [number])[0])
    (span,) = native_spans(header, [number])
    if span.start + span.length > len(header.data):
        raise NoSuchFrame
    return draw(header.dataset, number, little_endian(header, header.data[span.start : span.start + span.length]))


def test_files_that_pydicom_ships_are_drawn_as_it_reads_them():
    drawn = 0
    for path in shipped():
        try:
            picture = thumbnail(path.read_bytes())
        except (GoesOn, Unreadable, NoSuchFrame, NotDrawable):
            continue
        if not isinstance(picture, Picture):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            of = pydicom.dcmread(path, force=True)
            pixels = of.pixel_array
        frames = int(of.get("NumberOfFrames") or 1)
        pixels = pixels[(frames + 1) // 2 - 1] if frames > 1 else pixels
        got = array_of(picture)
        if pixels.ndim == 3:
            wanted = np.floor(averaged(pixels, *got.shape[:2]) + 0.5)
        else:
            centre, width = of.get("WindowCenter"), of.get("WindowWidth")
            window = None if centre is None else tuple(float(np.atleast_1d(one)[0]) for one in (centre, width))
            slope, intercept = (float(of.get(name) or 0) for name in ("RescaleSlope", "RescaleIntercept"))
            told = {"slope": slope or 1.0, "intercept": intercept, "window": window}
            inverse = of.PhotometricInterpretation == "MONOCHROME1"
            wanted = shown(averaged(pixels, *got.shape), inverse=inverse, **told)
        assert np.abs(wanted - got).max() <= 1, path.name
        drawn += 1
    assert drawn > 40


HOSTILE = {path.stem: path.read_bytes() for path in shipped() if path.stem in ("CT_small", "examples_rgb_color")}
HOSTILE["us"] = samples.single("US")


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(HOSTILE)), st.lists(st.tuples(st.integers(132, 3000), st.integers(0, 255)), max_size=12))
def test_whatever_a_header_says_the_answer_is_a_picture_or_that_there_is_none(name, changes):
    file = bytearray(HOSTILE[name])
    for at, value in changes:
        file[at] = value
    try:
        made = thumbnail(bytes(file))
    except (GoesOn, Unreadable, NoSuchFrame, NotDrawable):
        return
    assert max(made.width, made.height) <= SIDE
    assert metadata(read_whole(bytes(file), len(file)), "u")
