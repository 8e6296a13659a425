"""The generated studies are what they claim to be."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pydicom
import pytest

from infra.local import samples
from infra.local.personas import LAKE, PATIENT
from tests.support.dicom_files import read

TAKEN = datetime(2026, 3, 10, 1, 5, 12, tzinfo=UTC)


def test_the_same_arguments_give_the_same_bytes():
    assert samples.chest_ct(slices=3, taken_at=TAKEN) == samples.chest_ct(slices=3, taken_at=TAKEN)
    assert samples.chest_ct(slices=3, seed=2, taken_at=TAKEN) != samples.chest_ct(slices=3, taken_at=TAKEN)


def test_a_chest_ct_is_one_series_in_order_with_chinese_text():
    files = samples.chest_ct(hospital=LAKE.hospital_id, accession_number="A1", slices=5, taken_at=TAKEN)
    headers = [read(file) for file in files]
    assert [header.instance_number for header in headers] == [1, 2, 3, 4, 5]
    assert len({header.sop_instance_uid for header in headers}) == 5
    assert len({header.series_instance_uid for header in headers}) == 1
    first = headers[0]
    assert first.patient_name.endswith("=" + PATIENT.name)
    assert (first.institution_name, first.accession_number) == (LAKE.name, "A1")
    assert first.patient_id == PATIENT.patient_ids[LAKE.hospital_id]
    assert not first.repaired
    assert abs(first.times.acquired_at - TAKEN) < timedelta(seconds=1)
    assert set(samples.by_uid(files)) == {header.sop_instance_uid for header in headers}


def test_a_header_is_as_long_as_a_real_one():
    (file,) = samples.chest_ct(slices=1)
    assert 2000 < len(file) - 512 * 512 * 2 < 3000


def test_without_a_moment_it_was_taken_half_an_hour_ago():
    (file,) = samples.chest_ct(slices=1)
    age = datetime.now(UTC) - read(file).times.acquired_at
    assert timedelta(minutes=29) < age < timedelta(minutes=35)


def test_a_slice_opens_as_a_chest():
    dataset = pydicom.dcmread(io.BytesIO(samples.chest_ct(slices=5, taken_at=TAKEN)[2]))
    units = np.frombuffer(dataset.PixelData, "<i2").reshape(512, 512) - 1024
    assert abs(units[5, 5] + 1000) < 100  # air
    assert abs(np.median(units[240:270, 140:170]) + 860) < 100  # the right lung
    assert np.median(units[355:370, 248:264]) > 300  # the spine


@pytest.mark.parametrize("modality", ["MR", "DX", "US"])
def test_single_images(modality):
    file = samples.single(modality, taken_at=TAKEN)
    dataset = pydicom.dcmread(io.BytesIO(file))
    assert read(file).modality == modality
    assert (
        len(dataset.PixelData) == dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated // 8
    )
    assert str(dataset.PatientName).endswith(PATIENT.name)


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_enhanced_objects_have_a_functional_group_per_frame(modality):
    dataset = pydicom.dcmread(io.BytesIO(samples.enhanced(modality, frames=7, taken_at=TAKEN)))
    assert dataset.NumberOfFrames == len(dataset.PerFrameFunctionalGroupsSequence) == 7
    assert dataset.SOPClassUID == samples.ENHANCED[modality]
