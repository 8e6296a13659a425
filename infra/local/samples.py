"""DICOM that nobody was ever scanned for: made from a seed, with Chinese text and headers like those of real devices.

`sample_headers.csv` gives each modality's attributes; who, where and when are filled in here. The same arguments give
the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from chalicelib.dicom.pack import INDEX_NAME, describe
from infra.local import phantom
from infra.local.personas import HOSPITALS, PATIENT, RIVER, DemoPatient

SLICES = 300
BEIJING = timezone(timedelta(hours=8))
CHARSETS = {"CT": "GB18030", "MR": "GB18030", "DX": "GBK", "US": "ISO_IR 192"}
ENHANCED = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}
PATIENT_BORN = date.fromisoformat(PATIENT.birth_date)
_STEPS = (("InstanceCreation", -1), ("PerformedProcedureStepStart", 5), ("PerformedProcedureStepEnd", -2))
SOP_INSTANCE_UID = 0x00080018
_LOCAL_HEADER = 30  # bytes before an entry's name, APPNOTE.TXT 4.3.7
_NUMBERS = {"US": int, "SS": int, "UL": int, "FD": float, "FL": float}


def chest_ct(
    *,
    hospital: str = RIVER.hospital_id,
    accession_number: str = "SYN2503100001",
    slices: int = SLICES,
    seed: int = 1,
    taken_at: datetime | None = None,
) -> list[bytes]:
    """One series of 512×512 slices, first to last from the apex down. `taken_at` (aware) is when it ended; by default
    half an hour ago, for it must be near the exam's notice."""
    header = study("CT", hospital=hospital, accession_number=accession_number, seed=seed, taken_at=taken_at)
    files = []
    for number, image in enumerate(phantom.chest_slices(slices, seed), 1):
        z = f"{-120 - (number - 1) * 1.0:.1f}"
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = _uid(header.SeriesInstanceUID, number)
        header.InstanceNumber = number
        header.ImagePositionPatient = ["-175.0", "-175.0", z]
        header.SliceLocation = z
        files.append(_written(header, np.clip(image + 1024, 0, 2047).astype("<i2")))
    return files


def single(modality: str, **details: Any) -> bytes:
    """One image: "MR" (a head), "DX" (a chest film) or "US" (a fan in colour). `details` as of `study`."""
    header = study(modality, **details)
    seed = int(details.get("seed", 1))
    if modality == "US":
        return _written(header, phantom.fan(720, 960, seed))
    image = phantom.head(320, 280, seed) if modality == "MR" else phantom.film(1500, 1250, seed)
    return _written(header, image.astype("<u2"))


def head_of(
    patient: DemoPatient, hospital: str, accession_number: str, taken_at: datetime | None = None
) -> tuple[bytes, str]:
    """One MR image of a head, of somebody else than the story's patient, and its study's UID."""
    header = study("MR", hospital=hospital, accession_number=accession_number, taken_at=taken_at)
    header.PatientName = f"={patient.name}"
    header.PatientID = patient.patient_ids[hospital]
    header.PatientBirthDate = patient.birth_date.replace("-", "")
    header.PatientSex = patient.sex
    return _written(header, phantom.head(320, 280, 1).astype("<u2")), str(header.StudyInstanceUID)


def enhanced(modality: str = "CT", *, frames: int = SLICES, size: int = 32, **details: Any) -> bytes:
    """A multi-frame object (Enhanced CT or MR) with functional groups of undefined length, as devices write them."""
    header = study(modality, **details)
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = UID(ENHANCED[modality])
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "WindowCenter", "WindowWidth"):
        if keyword in header:
            del header[keyword]
    header.NumberOfFrames = frames
    header.SharedFunctionalGroupsSequence = [_shared()]
    header.PerFrameFunctionalGroupsSequence = [_frame(number, frames) for number in range(1, frames + 1)]
    for element in header:
        _leave_lengths_undefined(element)
    return _written(header, np.zeros((frames, size, size), dtype="<i2"))


def study(
    modality: str,
    *,
    hospital: str = RIVER.hospital_id,
    accession_number: str = "SYN2503100001",
    seed: int = 1,
    taken_at: datetime | None = None,
) -> FileDataset:
    """The header of one instance of `modality`, to be changed and written. Deterministic but for the default of
    `taken_at`."""
    end = (taken_at or datetime.now(BEIJING).replace(microsecond=0) - timedelta(minutes=30)).astimezone(BEIJING)
    header = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    header.SpecificCharacterSet = CHARSETS[modality]
    for keyword, text in _template(modality).items():
        setattr(header, keyword, _value(keyword, text))
    _identify(header, modality, hospital, accession_number, seed)
    _date(header, end)
    return header


def make_pack(files: Iterable[bytes]) -> bytes:
    """A ZIP with stored entries that begins with their index (DESIGN §4.8). `files` are of one series."""
    files = list(files)
    items = [_indexed(file) for file in files]
    names = [f"{number:05d}.dcm" for number in range(1, len(files) + 1)]
    index, before = b"", -1
    while len(index) != before:  # offsets depend on the index's own length: its digits settle after a round or two
        before = len(index)
        start = _entry_size(INDEX_NAME, before)
        for item, name, file in zip(items, names, files, strict=True):
            item["offset"] = start + _entry_size(name, 0)
            start += _entry_size(name, len(file))
        index = json.dumps({"instances": items}, ensure_ascii=False, separators=(",", ":")).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, body in ((INDEX_NAME, index), *zip(names, files, strict=True)):
            archive.writestr(zipfile.ZipInfo(name), body)
    return out.getvalue()


def _indexed(file: bytes) -> dict[str, Any]:
    header = describe(file)
    sop_uid = header[f"{SOP_INSTANCE_UID:08X}"]["Value"][0]
    return {"sop_uid": sop_uid, "length": len(file), "sha256": hashlib.sha256(file).hexdigest(), "header": header}


def by_uid(files: Iterable[bytes]) -> dict[str, bytes]:
    """The files by their SOP Instance UID."""
    return {_sop_uid(file): file for file in files}


def _sop_uid(file: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(file), specific_tags=["SOPInstanceUID"]).SOPInstanceUID)


def _entry_size(name: str, length: int) -> int:
    return _LOCAL_HEADER + len(name) + length


@cache
def _template(modality: str) -> Mapping[str, str]:
    path = Path(__file__).with_name("sample_headers.csv")
    with path.open(encoding="utf-8", newline="") as rows:
        return {row["keyword"]: row[modality] for row in csv.DictReader(rows) if row[modality]}


def _value(keyword: str, text: str) -> Any:
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        return [_item(item) for item in json.loads(text)]
    parts = text.split("\\")
    values = [_NUMBERS[vr](part) for part in parts] if vr in _NUMBERS else parts
    return values[0] if len(values) == 1 else values


def _item(values: Mapping[str, Any]) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _identify(header: FileDataset, modality: str, hospital: str, accession_number: str, seed: int) -> None:
    root = (modality, hospital, accession_number, seed)
    names = {one.hospital_id: one.name for one in HOSPITALS}
    header.StudyInstanceUID = _uid(*root)
    header.SeriesInstanceUID = _uid(*root, "series")
    if modality in ("CT", "MR"):
        header.FrameOfReferenceUID = _uid(*root, "frame of reference")
    header.SOPInstanceUID = _uid(header.SeriesInstanceUID, 1)
    header.InstanceNumber = 1
    header.AccessionNumber = accession_number
    header.InstitutionName = names.get(hospital, "虚构省立第一医院（演示）")
    header.PatientName = f"Zhang^XiaoMing={PATIENT.name}"
    header.PatientID = PATIENT.patient_ids.get(hospital, "SYN0000001")
    header.PatientBirthDate = PATIENT.birth_date.replace("-", "")
    header.PatientSex = PATIENT.sex
    meta = header.file_meta
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _date(header: FileDataset, end: datetime) -> None:
    """Registered 12 minutes before the last acquisition, reconstructed soon after it."""
    for name, before in (("Study", 12), ("Series", 4), ("Acquisition", 0), ("Content", -1), *_STEPS):
        at = end - timedelta(minutes=before)
        setattr(header, f"{name}Date", f"{at:%Y%m%d}")
        setattr(header, f"{name}Time", f"{at:%H%M%S}.125000")
    header.AcquisitionDateTime = f"{end:%Y%m%d%H%M%S}.125000"
    header.PatientAge = f"{(end.date() - PATIENT_BORN).days // 365:03d}Y"
    if "TimezoneOffsetFromUTC" in header:
        header.TimezoneOffsetFromUTC = "+0800"


def _shared() -> Dataset:
    spacing = _item({"PixelSpacing": ["0.7", "0.7"], "SliceThickness": "1.0"})
    return _item({"PixelMeasuresSequence": [spacing]})


def _frame(number: int, frames: int) -> Dataset:
    content = {"FrameAcquisitionNumber": number, "DimensionIndexValues": [1, number], "TemporalPositionIndex": 1}
    window = {"WindowCenter": "40", "WindowWidth": "400", "WindowCenterWidthExplanation": "纵隔窗"}
    return _item(
        {
            "FrameContentSequence": [_item(content)],
            "PlanePositionSequence": [_item({"ImagePositionPatient": ["-175", "-175", f"{number - frames}.0"]})],
            "PlaneOrientationSequence": [_item({"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]})],
            "FrameVOILUTSequence": [_item(window)],
            "PixelValueTransformationSequence": [_item({"RescaleIntercept": "-1024", "RescaleSlope": "1"})],
        }
    )


def _leave_lengths_undefined(element: Any) -> None:
    if isinstance(element.value, Sequence):
        element.is_undefined_length = True
        for item in element.value:
            item.is_undefined_length_sequence_item = True
            for inner in item:
                _leave_lengths_undefined(inner)


def _written(header: FileDataset, pixels: np.ndarray[Any, Any]) -> bytes:
    """The file with these pixels: (rows, columns), (frames, rows, columns), or (rows, columns, 3) in 8 bits."""
    header.Rows, header.Columns = pixels.shape[:2] if pixels.dtype == np.uint8 else pixels.shape[-2:]
    header.PixelData = pixels.tobytes()
    header["PixelData"].VR = "OB" if pixels.dtype == np.uint8 else "OW"
    out = io.BytesIO()
    header.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _uid(*parts: Any) -> UID:
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:15], 'big')}")
