"""Archives: packs are indexed in place, any other ZIP is unpacked into objects that take the normal path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from chalicelib.domain import upload_key
from chalicelib.domain.study import Entry, Place, StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.examine_upload import (
    DELETED,
    RECEIVED_AT,
    SHA256,
    Refused,
    first_part,
    owner,
    refusal,
    refuse_declared,
    refuse_size,
    zone,
)
from chalicelib.services.faults import note
from chalicelib.services.leave_receipt import Outcome, leave_receipt
from chalicelib.services.open_archive import Archive, Limits, open_archive
from chalicelib.services.open_pack import HEAD, open_pack
from chalicelib.services.ranged_file import RangedFile
from chalicelib.services.watch_ports import Handled, Watch, unwatched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from chalicelib.dicom.pack import PackItem
    from chalicelib.domain.study import Hospital
    from chalicelib.domain.upload_key import UploadKey
    from chalicelib.services.ports import (
        Clock,
        Hospitals,
        Journal,
        ObjectPart,
        Quarantine,
        Receipts,
        SettleQueue,
        Uploads,
    )

MAX_ARCHIVE: Final = 64 * 1024**3
_BLOCK: Final = 8 * 1024**2  # read ahead by this much while unpacking


@dataclass(frozen=True)
class UnpackArchive:
    """Every write can be made again, and what was unpacked before is not read again: when time runs out, the next
    receive goes on from there."""

    uploads: Uploads
    hospitals: Hospitals
    journal: Journal
    quarantine: Quarantine
    receipts: Receipts
    settle_queue: SettleQueue
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    watch: Watch = unwatched

    def __call__(self, objects: Collection[Uploaded], keep_going: Callable[[], bool]) -> frozenset[Uploaded]:
        """The archives not done yet, because time ran out or by a fault of ours: they are to be tried again."""
        return frozenset(uploaded for uploaded in objects if not self._attempt(uploaded, keep_going))

    def _attempt(self, uploaded: Uploaded, keep_going: Callable[[], bool]) -> bool:
        try:
            return keep_going() and self._archive(uploaded, keep_going)
        except Exception as fault:  # noqa: BLE001 - whatever it was, it is ours: this archive alone is tried again
            note(fault)
            return False

    def _archive(self, uploaded: Uploaded, keep_going: Callable[[], bool]) -> bool:
        now = self.clock()
        part: ObjectPart | None = None
        try:
            refuse_declared(uploaded, MAX_ARCHIVE)
            part = first_part(self.uploads, uploaded, HEAD)
            key, hospital = owner(uploaded.key, ("archives",), self.hospitals, part)
            refuse_size(part.size, MAX_ARCHIVE)
            outcome = self._take(uploaded, key, hospital, part, keep_going)
        except Refused as refused:
            self.quarantine.put(refusal(uploaded, part, refused, now))
            outcome = refused.reason
        if not outcome:
            return False
        version_id = part.version_id if part else uploaded.version_id or ""
        end = self.clock()
        leave_receipt(self.receipts, [Outcome(uploaded.key, version_id, outcome)], end)
        self.watch([Handled(outcome, part.last_modified if part else None)], end)
        return True

    def _take(
        self, uploaded: Uploaded, key: UploadKey, hospital: Hospital, part: ObjectPart, keep_going: Callable[[], bool]
    ) -> str:
        """`pack`, `unpacked`, or "" when time ran out before all was unpacked."""
        name = uploaded.key
        file = RangedFile(self.uploads, name, part.version_id, part.size, _BLOCK)
        file.keep(0, part.data)
        items = open_pack(file, zone(hospital), self.limits)
        if items is not None:
            self._index(name, hospital, part, items)
            if not uploaded.unpack:
                return "pack"
        archive, is_pack = open_archive(file, self.limits), items is not None
        return "unpacked" if self._unpack(name, key, part, archive, keep_going, is_pack=is_pack) else ""

    def _index(self, name: str, hospital: Hospital, part: ObjectPart, items: tuple[PackItem, ...]) -> None:
        ref = StudyRef(hospital.hospital_id, items[0].header.study_instance_uid)
        entries = [
            Entry(
                header=item.header,
                place=Place(name, part.version_id, item.offset, item.length),
                received_at=part.last_modified,
                declared_sha256=item.sha256,
            )
            for item in items
        ]
        self.journal.write({ref: entries}, self.clock())
        self.settle_queue.send([ref])

    def _unpack(  # noqa: PLR0913 - the archive by its parts
        self,
        name: str,
        key: UploadKey,
        part: ObjectPart,
        archive: Archive,
        keep_going: Callable[[], bool],
        *,
        is_pack: bool,
    ) -> bool:
        """All entries but folders and a pack's index. False when time ran out."""
        prefix = upload_key.unpacked_prefix(key, part.version_id)
        there = {version.key for version in self.uploads.versions(prefix)}
        metadata = {RECEIVED_AT: part.last_modified.isoformat()}
        for number, info in enumerate(archive.entries):
            target = upload_key.unpacked(key, part.version_id, number)
            is_folder = info.filename.endswith("/") and not info.file_size
            is_index = is_pack and info.header_offset == 0
            if is_folder or is_index or target in there:
                continue
            if not keep_going():
                return False
            try:
                body = archive.body(number)
            except Refused as refused:
                if refused.reason == DELETED:  # the archive itself went while it was read
                    raise
                # Named as the archive, `#`, and the entry's number in the directory, counted from 0.
                record = refusal(Uploaded(f"{name}#{number}"), part, refused, self.clock())
                self.quarantine.put(replace(record, size=info.file_size))
            else:
                self.uploads.put_new(target, body, metadata | {SHA256: hashlib.sha256(body).hexdigest()})
        return True
