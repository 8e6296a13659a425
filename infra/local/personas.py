"""The made-up people and hospitals of the local cloud: who can log in, and who the story is about.

All are invented. The national ids carry a right check digit (ISO 7064 MOD 11-2) and a region code that was never
given out; the phone numbers are of a range that no operator uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Login:
    """A name that the development issuer knows, and the claims it puts into that caller's token."""

    name: str
    role: str
    hospital_id: str = ""
    shown_as: str = ""

    def claims(self) -> dict[str, Any]:
        return {"sub": self.name, "role": self.role, "hospital_id": self.hospital_id}


@dataclass(frozen=True)
class DemoHospital:
    hospital_id: str
    name: str
    name_en: str
    level: str = "三级甲等"
    region: str = "320000"


@dataclass(frozen=True)
class DemoPatient:
    """A patient as the desk registers them. `patient_ids`: the number each hospital has given them."""

    name: str
    national_id: str
    sex: str
    birth_date: str
    phone: str
    patient_ids: dict[str, str] = field(default_factory=dict)


RIVER = DemoHospital("JB001", "江北人民医院", "Jiangbei People's Hospital")
LAKE = DemoHospital("HB002", "湖滨医院", "Lakeside Hospital")
HOSPITALS = (RIVER, LAKE)


def national_id(region: str, birth_date: str, order: str) -> str:
    """18 characters with the check digit of GB 11643."""
    digits = f"{region}{birth_date.replace('-', '')}{order}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


PATIENT = DemoPatient(
    name="张晓明",
    national_id=national_id("329999", "1962-03-14", "001"),
    sex="M",
    birth_date="1962-03-14",
    phone="19900000001",
    patient_ids={RIVER.hospital_id: "P0000001", LAKE.hospital_id: "HB-77001"},
)

ELDER = DemoPatient(
    name="王秀兰",
    national_id=national_id("329999", "1938-05-02", "002"),
    sex="F",
    birth_date="1938-05-02",
    phone="",
    patient_ids={RIVER.hospital_id: "P0000002", LAKE.hospital_id: "HB-77002"},
)
CHILD = DemoPatient(
    name="张小雨",
    national_id=national_id("329999", "2018-06-01", "004"),
    sex="F",
    birth_date="2018-06-01",
    phone="",
    patient_ids={RIVER.hospital_id: "P0000003", LAKE.hospital_id: "HB-77003"},
)

LOGINS = (
    Login("regulator", "regulator", shown_as="省卫生健康委 / health commission"),
    Login("administrator", "administrator", shown_as="平台管理员 / platform administrator"),
    Login("clerk-jb001", "desk_clerk", RIVER.hospital_id, "江北窗口 / desk at Jiangbei"),
    Login("clerk-hb002", "desk_clerk", LAKE.hospital_id, "湖滨窗口 / desk at Lakeside"),
    Login("officer-jb001", "privacy_officer", RIVER.hospital_id, "江北隐私保护负责人 / privacy officer of Jiangbei"),
    Login("officer-hb002", "privacy_officer", LAKE.hospital_id, "湖滨隐私保护负责人 / privacy officer of Lakeside"),
    Login("doctor-li", "doctor", LAKE.hospital_id, "李医生 / Dr Li"),
    Login("doctor-wang", "doctor", RIVER.hospital_id, "王医生 / Dr Wang"),
    Login("hospital-jb001", "hospital", RIVER.hospital_id, RIVER.name),
    Login("hospital-hb002", "hospital", LAKE.hospital_id, LAKE.name),
    Login("patient-zhang", "patient", shown_as="张晓明 (patient)"),
    Login("guardian-zhang", "guardian", shown_as="张晓明，为其女儿 (as his daughter's guardian)"),
)
