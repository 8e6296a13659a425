"""Entries of made-up studies, short enough to read in a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.domain.study import Amendment, Checksum, Entry, Header, Place, StudyRef, Times

REF = StudyRef("H1", "1.2.840.1")
T0 = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def header(sop=1, series=1, ref=REF, **changes):
    values = {
        "sop_instance_uid": f"{ref.study_instance_uid}.{series}.{sop}",
        "series_instance_uid": f"{ref.study_instance_uid}.{series}",
        "study_instance_uid": ref.study_instance_uid,
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "modality": "CT",
        "patient_id": "P1",
        "patient_name": "张三",
        "patient_birth_date": "19700101",
        "patient_sex": "M",
        "accession_number": "A1",
        "study_date": "20261124",
        "study_time": "080000",
        "study_description": "胸部CT平扫",
        "series_description": f"序列 {series}",
        "body_part_examined": "CHEST",
        "series_number": series,
        "instance_number": sop,
        "times": Times(acquired_at=T0 - timedelta(hours=1) + timedelta(seconds=sop), source="AcquisitionDateTime"),
        "viewer": {"Rows": 512, "Columns": 512, "ImagePositionPatient": ["0", "0", str(sop)]},
    }
    return Header(**values | changes)


def entry(  # noqa: PLR0913 - each test names the two or three that matter to it
    sop=1, version="", at=0, *, series=1, ref=REF, offset=0, length=1000, checksum="", key="", **changes
):
    """`at`: seconds after T0. Without `version` and `checksum` they follow from the instance: the same bytes."""
    name = f"{series}-{sop}"
    return Entry(
        header(sop, series, ref, **changes),
        Place(key or f"instances/{ref.hospital_id}/2026-11-24/{name}.dcm", version or f"v{name}", offset, length),
        T0 + timedelta(seconds=at),
        None if checksum is None else Checksum("CRC64NVME", checksum or f"crc-{name}"),
    )


def exclude(version, offset=0, number=1):
    return Amendment(f"01A{number:023d}", "exclude", version, offset, "other patient", "clerk-7", T0)
