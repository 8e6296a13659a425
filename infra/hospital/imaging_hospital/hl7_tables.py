"""What HL7 v2 codes say of an exam, and where a message holds what a notice needs.

Chapters are those of HL7 v2.5.1: 2 (MSH, data types), 3 (PID, PV1), 4 (ORC, OBR, TQ1, IPC), 7 (ORU, OBX); fields that
moved are also looked for where v2.3 to v2.4 and IHE Radiology TF-2 (RAD-2 to RAD-4, RAD-13) have them.
"""

from __future__ import annotations

from typing import Final, Literal

from .tongue import Said

Status = Literal["scheduled", "performed", "cancelled"]

ORDERS: Final = frozenset({"ORM", "OMI", "OMG"})  # 4.4
RESULTS: Final = frozenset({"ORU"})  # 7.3

# Table 0119, order control (4.5.1.1)
CANCELLING: Final = frozenset({"CA", "OC", "CR", "DC", "OD", "DR", "RP", "RU"})
"""Cancelled or discontinued, asked or told, and the order that another replaces (its RO follows)."""
ORDERING: Final = frozenset(
    {"NW", "SN", "NA", "SC", "SS", "OK", "OE", "XO", "XX", "XR", "RO", "RE", "PA", "CH", "HD", ""}
)
SILENT: Final = frozenset({"UA", "UC", "UD", "UF", "UH", "UM", "UN", "UR", "UX", "DE", "DF", "HR", "OH", "OR", "LI"})
"""Answers that something could not be done, notes and requests that change nothing about when the exam is."""

# Table 0038, order status (4.5.1.5)
CANCELLED_ORDER: Final = frozenset({"CA", "DC", "RP"})
COMPLETED_ORDER: Final = frozenset({"CM"})

# Table 0123, result status (4.5.3.25)
CANCELLED_RESULT: Final = frozenset({"X"})
PERFORMED_RESULT: Final = frozenset({"F", "P", "R", "C"})
PENDING_RESULT: Final = frozenset({"O", "I", "S"})
NO_SUCH_RESULT: Final = frozenset({"Y", "Z"})
REPORT_STATUS: Final = {"F": "final", "C": "corrected", "P": "preliminary", "R": "preliminary"}  # FHIR R4 as 0123 maps

# User-defined table 0004 (3.4.3.2): a hospital's own codes are added in its settings.
PATIENT_CLASSES: Final = {
    "O": "outpatient",
    "R": "outpatient",
    "P": "outpatient",
    "I": "inpatient",
    "B": "inpatient",
    "E": "emergency",
}
# Table 0001 (3.4.2.8), and GB/T 2261.1, which many Chinese systems send instead. Unknown is absent.
SEXES: Final = {"M": "M", "F": "F", "O": "O", "A": "O", "1": "M", "2": "F", "男": "M", "女": "F"}
# Table 0074, diagnostic service section (4.5.3.24); IHE has the DICOM modality there itself.
MODALITIES: Final = {
    "NMR": "MR",
    "NMS": "NM",
    "RUS": "US",
    "CUS": "US",
    "OUS": "US",
    "VUS": "US",
    "RX": "DX",
    "XRC": "XA",
    "CTH": "XA",
    "EN": "ES",
}
NOT_IMAGING: Final = frozenset(
    {"AU", "BG", "BLB", "CH", "CP", "EC", "HM", "ICU", "IMM", "LAB", "MB", "MCB", "MYC", "NRS", "OSL", "PAR"}
    | {"PAT", "PF", "PHR", "PHY", "RC", "SP", "SR", "TX", "VR"}
)
"""Laboratory, physiotherapy and the like: they share the feed with imaging, and are no exam of ours."""

# Table 0203, identifier type: the hospital's own numbers of a patient, best first; and those of the state.
OWN_NUMBER: Final = ("MR", "PI", "PT", "PN")
STATE_NUMBER: Final = frozenset({"NI", "NNCHN", "SS"})

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "notice_id": ("ORC-3", "OBR-3", "ORC-2", "OBR-2"),  # the filler's number, else the placer's; see notice_hl7
    "accession_number": ("IPC-1.1", "OBR-18.1", "OBR-3.1", "ORC-3.1"),
    "study_instance_uid": ("IPC-3.1", "ZDS-1.1"),
    "patient.patient_id": ("PID-3.1", "PID-2.1"),
    "patient.name": ("PID-5",),
    "patient.sex": ("PID-8.1",),
    "patient.birth_date": ("PID-7.1",),
    "patient.national_id": ("PID-19.1",),
    "patient.phone": ("PID-13.12", "PID-13.1"),
    "patient_class": ("PV1-2.1",),
    "modality": ("IPC-5.1", "OBR-24.1"),
    "procedure": ("OBR-44.2", "OBR-4.2", "OBR-4.5", "OBR-4.1"),
    "scheduled_at": ("TQ1-7.1", "OBR-36.1", "OBR-27.4", "ORC-7.4", "OBR-6.1", "OBR-7.1"),
    "performed_at": ("OBR-8.1", "OBR-7.1"),
    "performed_at of an order": ("OBR-8.1", "OBR-22.1", "ORC-9.1", "OBR-7.1"),
    "declared_instances": (),
    "sent_at": ("MSH-7.1",),
}
"""Where each field of a notice is looked for, first found first; `performed_at of an order` where ORC-5 is CM: OBR-22
and ORC-9 then say when that status was entered, while in a result OBR-22 is when it was reported (4.5.3.22). In a
result without OBR-8, OBR-7 is the exam's own time (4.5.3.7)."""

ADVICE: Final[dict[str, Said]] = {
    "notice_id": Said("send the filler's or placer's order number", "请发送执行方或申请方的医嘱号"),
    "accession_number": Said(
        "send the accession number, as in the images' (0008,0050)", "请发送检查号，与影像 (0008,0050) 相同"
    ),
    "study_instance_uid": Said("send it as in the images' (0020,000D)", "请与影像 (0020,000D) 一致"),
    "patient.patient_id": Said(
        "send the hospital's patient id, as in the images' (0010,0020), of type MR or PI or without a type",
        "请发送本院患者号，与影像 (0010,0020) 相同，类型为 MR、PI 或不写",
    ),
    "patient_class": Said(
        "send O, I or E (table 0004), or add your code under [notice.patient_classes] in the settings",
        "请发送 O、I 或 E（表 0004），或在配置 [notice.patient_classes] 中加入贵院的代码",
    ),
    "modality": Said("send the DICOM modality, such as CT, MR, DX, US", "请发送 DICOM 设备类型，如 CT、MR、DX、US"),
    "scheduled_at": Said("send when the exam is to take place, YYYYMMDDHHMM", "请发送预约检查时间，YYYYMMDDHHMM"),
    "performed_at": Said(
        "send when the last image was taken, YYYYMMDDHHMM[SS]", "请发送最后一幅图像的采集时间，YYYYMMDDHHMM[SS]"
    ),
    "sent_at": Said("send when the message was made, YYYYMMDDHHMMSS", "请发送消息生成时间，YYYYMMDDHHMMSS"),
    "patient.birth_date": Said("send YYYYMMDD, or nothing", "请发送 YYYYMMDD，或留空"),
}
