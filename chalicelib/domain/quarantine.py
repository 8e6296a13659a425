"""Why an upload can go to quarantine, in words for the hospital that sent it and what it can do about it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Final, NamedTuple

from chalicelib.domain import upload_key

UNKNOWN: Final = "unknown"  # stands for the hospital where the key names none; never a hospital's id


class Reason(NamedTuple):
    """`en`, `zh`: what is wrong; `remedy_en`, `remedy_zh`: what the hospital should do."""

    en: str
    zh: str
    remedy_en: str
    remedy_zh: str


_RESEND = (
    "Export the image again at its source and upload it once more.",
    "请在设备或 PACS 上重新导出该影像后再次上传。",
)
_VENDOR = (
    "Ask the device's or PACS's vendor to correct the file, then upload it again.",
    "请联系设备或 PACS 厂商修正文件后重新上传。",
)
_REPACK = ("Build the archive again and upload it.", "请重新打包后上传。")
_SUPPORT = ("Check the address it was uploaded to; ask the platform's support.", "请核对上传路径，并联系平台支持人员。")

REASONS: dict[str, Reason] = {
    # the object itself
    "empty": Reason("The object holds no bytes.", "文件为空（0 字节）。", *_RESEND),
    "too_large": Reason(
        "The object is larger than what the platform reads.",
        "文件超过平台允许的大小。",
        "Upload instances one by one, or in smaller archives.",
        "请按单个实例或较小的压缩包上传。",
    ),
    "deleted": Reason(
        "The object was gone before it could be read.",
        "文件在读取之前已被删除。",
        "Upload it again and leave it in place.",
        "请重新上传，上传后不要删除。",
    ),
    "bad_key": Reason("The object's key is not of a known layout.", "上传路径不符合约定的格式。", *_SUPPORT),
    "unknown_hospital": Reason(
        "No registered hospital has the id in the object's key.", "上传路径中的医院编号未登记。", *_SUPPORT
    ),
    "hospital_closed": Reason(
        "The hospital's registration was ended before the object was received.",
        "该医院的登记已停用，停用之后的上传不再接收。",
        "Ask the health commission to open the registration again, then upload it once more.",
        "请联系卫生健康主管部门恢复登记后重新上传。",
    ),
    # DICOM
    "not_dicom": Reason(
        "Not a DICOM file: no preamble with the DICM prefix (PS3.10 7.1).",
        "不是 DICOM 文件：缺少文件前导和 DICM 标识（PS3.10 7.1）。",
        "Upload DICOM files (Part 10) only; export again if this should be one.",
        "仅上传 DICOM（Part 10）文件；若本应是 DICOM 文件，请重新导出。",
    ),
    "dicomdir": Reason(
        "A DICOMDIR: the directory of a disc, not an image.",
        "这是光盘目录文件 DICOMDIR，不是影像。",
        "Nothing to do: upload the images it lists, not the directory.",
        "无需处理：请上传目录所列的影像，目录本身不必上传。",
    ),
    "truncated": Reason(
        "The file is cut off: an element reaches beyond its end.", "文件不完整：有数据元素超出了文件末尾。", *_RESEND
    ),
    "malformed": Reason(
        "The file's encoding is broken: its elements cannot be told apart.",
        "文件编码损坏，无法解析数据元素。",
        *_VENDOR,
    ),
    "missing_uid": Reason(
        "A UID without which an instance cannot be indexed is missing.", "缺少建立索引所必需的 UID。", *_VENDOR
    ),
    "bad_uid": Reason(
        "A UID is longer than 64 characters or holds others than digits and dots (PS3.5 9.1).",
        "UID 超过 64 个字符，或含有数字和点以外的字符（PS3.5 9.1）。",
        *_VENDOR,
    ),
    "nested_too_deep": Reason(
        "Sequences are nested deeper than any real object's.", "序列嵌套层数超过正常 DICOM 对象。", *_VENDOR
    ),
    "header_too_long": Reason(
        "The header is longer than any real object's.", "文件头长度超过正常 DICOM 对象。", *_VENDOR
    ),
    # archives and packs
    "bad_archive": Reason("The archive is damaged or is no ZIP file.", "压缩包已损坏，或不是 ZIP 文件。", *_REPACK),
    "encrypted_entry": Reason(
        "An entry of the archive is encrypted.",
        "压缩包中有加密的文件。",
        "Build the archive without a password and upload it.",
        "请不设密码重新打包后上传。",
    ),
    "damaged_entry": Reason(
        "An entry of the archive is cut off or fails its checksum.", "压缩包中有文件不完整或校验失败。", *_REPACK
    ),
    "nested_archive": Reason(
        "An entry of the archive is an archive itself.",
        "压缩包中嵌套了压缩包。",
        "Upload the inner archive by itself.",
        "请将内层压缩包单独上传。",
    ),
    "duplicate_entry": Reason(
        "Two entries of the archive have one name; the first was taken.",
        "压缩包中有同名文件，仅接收第一个。",
        *_REPACK,
    ),
    "unsupported_compression": Reason(
        "An entry is compressed by a method other than Deflate.",
        "压缩包中有文件使用了 Deflate 以外的压缩方法。",
        "Build the archive with Deflate or without compression and upload it.",
        "请使用 Deflate 或不压缩方式重新打包后上传。",
    ),
    "archive_bomb": Reason("The archive inflates beyond the limits.", "压缩包解压后超过允许的大小。", *_REPACK),
    "path_trick": Reason(
        "An entry's name leads outside the archive or names no plain file.",
        "压缩包中有越界路径或非普通文件。",
        *_REPACK,
    ),
    "too_many_entries": Reason(
        "The archive has more entries than the platform unpacks.",
        "压缩包内文件数超过允许的数量。",
        "Upload one archive per study or series.",
        "请按检查或序列分别打包上传。",
    ),
    "bad_pack_index": Reason(
        "The pack's index.json cannot be read, or breaks a rule of packs.",
        "影像包的 index.json 无法解析，或不符合影像包规则。",
        *_REPACK,
    ),
    "pack_mismatch": Reason(
        "The pack's index does not agree with the images in it.", "影像包的索引与其中的影像不一致。", *_REPACK
    ),
    # notices
    "bad_notice": Reason(
        "The notice is not valid JSON, or a known field holds what it may not.",
        "通知不是有效的 JSON，或字段取值不合规定。",
        "Correct the notice and send it again under a new key.",
        "请修正通知内容后重新发送。",
    ),
    "notice_too_large": Reason(
        "The notice is larger than the limit.",
        "通知超过允许的大小。",
        "Send the report as a DICOM object, or make it smaller.",
        "请将报告作为 DICOM 对象上传，或减小其大小。",
    ),
}


def entry_id(key: str, version_id: str, received_at: datetime | None) -> str:
    """`{date}/{sha256(key, version)}`: the date is the key's own, else that of receipt. It tells nothing of the key."""
    named = json.dumps([key, version_id]).encode()
    return f"{_date(key, received_at)}/{hashlib.sha256(named).hexdigest()}"


def _date(key: str, received_at: datetime | None) -> str:
    parts = upload_key.parse(key)
    if parts is not None:
        return parts.date.isoformat()
    return received_at.date().isoformat() if received_at else "undated"
