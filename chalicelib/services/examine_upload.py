"""What one object under `instances/` or `unpacked/` is: an entry for the journal, or a record for the quarantine.

Ingest and reindex ask here, so both see the same: everything comes from the object version itself and its key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from chalicelib.dicom.header import FIRST_RANGE, NeedMore, Unreadable, read_header
from chalicelib.dicom.part10 import claimed_instance
from chalicelib.domain import upload_key
from chalicelib.domain.quarantine import UNKNOWN
from chalicelib.domain.study import Entry, Header, Place, StudyRef
from chalicelib.services.ports import QuarantineRecord

if TYPE_CHECKING:
    from chalicelib.domain.study import Hospital
    from chalicelib.domain.upload_key import Kind, Uploaded, UploadKey
    from chalicelib.services.ports import Hospitals, ObjectPart, Uploads

MAX_OBJECT: Final = 4 * 1024**3  # one instance; larger than any single PUT of a modality we know of
RECEIVED_AT: Final = "received-at"  # metadata of what we unpacked: when its archive came
SHA256: Final = "sha256"  # metadata by which an uploader declares the digest of the bytes, in lower-case hex
DOTS: Final = frozenset({".", ".."})  # clients take these out of a URL's path: no signed URL would open the object
DELETED: Final = "deleted"
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Examined:
    """The version that was read, and what it is. `version_id` is "" when nothing could be read."""

    version_id: str
    found: tuple[StudyRef, Entry] | QuarantineRecord


class Refused(Exception):  # noqa: N818 - the fact: it goes to quarantine and is not tried again
    """An upload that cannot be indexed, whoever reads it and whenever. `reason` is a word of REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class ExamineUpload:
    uploads: Uploads
    hospitals: Hospitals

    def __call__(self, uploaded: Uploaded, now: datetime) -> Examined:
        """One ranged GET, a second only where the header goes on. Raises only for faults of ours."""
        part: ObjectPart | None = None
        try:
            refuse_declared(uploaded, MAX_OBJECT)
            part = first_part(self.uploads, uploaded, FIRST_RANGE)
            key, hospital = owner(uploaded.key, ("instances", "unpacked"), self.hospitals, part)
            refuse_size(part.size, MAX_OBJECT)
            entry = self._entry(uploaded.key, key, part, hospital)
        except Refused as refused:
            return Examined(
                part.version_id if part else uploaded.version_id or "", refusal(uploaded, part, refused, now)
            )
        return Examined(part.version_id, (StudyRef(hospital.hospital_id, entry.header.study_instance_uid), entry))

    def _entry(self, name: str, key: UploadKey, part: ObjectPart, hospital: Hospital) -> Entry:
        return Entry(
            header=self._header(name, part, zone(hospital)),
            place=Place(name, part.version_id, 0, part.size),
            received_at=_received_at(key, part),
            checksum=part.checksum,
            declared_sha256=_declared(part),
        )

    def _header(self, name: str, part: ObjectPart, local: timezone) -> Header:
        data = part.data
        while True:
            try:
                header = read_header(data, part.size, local)
            except Unreadable as fault:
                raise Refused(fault.reason, fault.detail) from None
            if not isinstance(header, NeedMore):
                return header
            more = self.uploads.read(name, part.version_id, len(data), header.length - len(data))
            if more is None:
                raise Refused(DELETED)
            if not more.data:
                raise RuntimeError("S3 answered a range inside the object with nothing")
            data += more.data


def first_part(uploads: Uploads, uploaded: Uploaded, length: int) -> ObjectPart:
    """The leading bytes of a version; Refused when it is gone."""
    part = uploads.read(uploaded.key, uploaded.version_id, 0, length)
    if part is None:
        raise Refused(DELETED)
    return part


def owner(name: str, kinds: tuple[Kind, ...], hospitals: Hospitals, part: ObjectPart) -> tuple[UploadKey, Hospital]:
    """The parts of a key and the hospital it belongs to; Refused when there is none, or it was closed by then."""
    key = upload_key.parse(name)
    if key is None or key.kind not in kinds:
        raise Refused("bad_key")
    if not DOTS.isdisjoint(key.rest.split("/")):
        raise Refused("bad_key", "a part of the key is . or ..")
    hospital = hospitals.get(key.hospital_id)
    if hospital is None:
        raise Refused("unknown_hospital")
    if not hospital.takes(_received_at(key, part)):
        raise Refused("hospital_closed")
    return key, hospital


def zone(hospital: Hospital) -> timezone:
    """Where a hospital's times without a zone of their own stand."""
    return timezone(timedelta(minutes=hospital.utc_offset_minutes))


def refuse_declared(uploaded: Uploaded, cap: int) -> None:
    """Refuse by the size that the event declares, before any byte is read."""
    if uploaded.size is not None and uploaded.size > cap:
        raise Refused("too_large", f"{uploaded.size} bytes, at most {cap}")


def refuse_size(size: int, cap: int) -> None:
    if size == 0:
        raise Refused("empty")
    if size > cap:
        raise Refused("too_large", f"{size} bytes, at most {cap}")


def refusal(uploaded: Uploaded, part: ObjectPart | None, refused: Refused, now: datetime) -> QuarantineRecord:
    """The record of an object version that is refused whole."""
    key = upload_key.parse(uploaded.key)
    return QuarantineRecord(
        hospital_id=key.hospital_id if key else UNKNOWN,
        key=uploaded.key,
        version_id=part.version_id if part else uploaded.version_id or "",
        size=part.size if part else uploaded.size or 0,
        received_at=part.last_modified if part else None,
        reason=refused.reason,
        detail=refused.detail,
        recorded_at=now,
        sop_instance_uid=claimed_instance(part.data) if part else "",
    )


def _declared(part: ObjectPart) -> str:
    """What the uploader says the SHA-256 is; "" for nothing, and for what is none."""
    told = (part.metadata or {}).get(SHA256, "")
    return told if _HEX.fullmatch(told) else ""


def _received_at(key: UploadKey, part: ObjectPart) -> datetime:
    """LastModified of the version; of the archive, for what we unpacked (DESIGN §4.5, 4.8)."""
    if key.kind == "unpacked" and part.metadata and RECEIVED_AT in part.metadata:
        return datetime.fromisoformat(part.metadata[RECEIVED_AT]).astimezone(UTC)
    return part.last_modified
