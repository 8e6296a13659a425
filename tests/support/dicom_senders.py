"""Those who send to `listen`: pynetdicom as a modality, and dcmtk's programs as a PACS."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

STUDY, SERIES = "1.2.156.112536.7.1", "1.2.156.112536.7.2"


def dataset(number=1, *, study=STUDY, series=SERIES, rows=16, **tags):
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "GB18030"
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, f"{series}.{number}"
    made.StudyDate, made.StudyTime, made.AccessionNumber, made.Modality = "20261120", "113000", "CT20261120001", "CT"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = "张^小明", "P000123", "19800102", "M"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.InstanceNumber = study, series, number
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    made.Rows = made.Columns = rows
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.add_new(0x7FE00010, "OW", os.urandom(rows * rows * 2))
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def write(folder: Path, datasets: Sequence[Dataset]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(datasets):
        path = folder / f"{number:04d}.dcm"
        one.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def body(path: Path) -> bytes:
    """The dataset's bytes, without preamble and file meta information."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[140:144], "little")
    return raw[144 + length :]


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install dcmtk")
    return found


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - dcmtk's own program, found on the path
        [program(name), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@contextmanager
def association(  # noqa: PLR0913 - so many sides has a sender
    port: int, contexts: Sequence[str], *, ae="PACS1", called="IMAGINGCLOUD", syntaxes=None, patience=10, **more
) -> Iterator:
    entity = AE(ae_title=ae)
    for sop_class in contexts:
        entity.add_requested_context(sop_class, syntaxes)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = patience
    line = entity.associate("127.0.0.1", port, ae_title=called, **more)
    own = line.dul.socket.socket
    try:
        yield line
    finally:
        if line.is_established:
            line.release()
        if own is not None:
            own.close()  # pynetdicom leaves it open when the other side was first
