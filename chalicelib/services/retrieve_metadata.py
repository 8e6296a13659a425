"""WADO-RS metadata (PS3.18 §10.4.1.1.2): the complete headers beneath what is named."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chalicelib.dicom.json_model import element
from chalicelib.dicom.tags import INDEXED
from chalicelib.dicom.whole_header import Memo, WholeHeader, metadata
from chalicelib.domain.access import Caller
from chalicelib.domain.derived import Derived, key_of
from chalicelib.domain.manifest import place_of
from chalicelib.services.keep_derived import KeepDerived
from chalicelib.services.open_study import Named, Opened, OpenStudy
from chalicelib.services.read_headers import GrantedReads, TooLarge, each_header
from chalicelib.services.retrieve_images import Row, chosen

MOST_HEADERS: Final = 5000  # read one by one from S3 within an answer's 29 seconds (tests/bench/derived.py)
DICOM_JSON: Final = "application/dicom+json"
_GZIP: Final = 31  # zlib's word for gzip with its widest window


@dataclass(frozen=True, slots=True)
class RetrieveMetadata:
    """All headers beneath a study or series, as they are kept once they were asked for; those of one instance are read
    each time, for keeping them costs twelve times what reading them does."""

    open_study: OpenStudy
    reads: GrantedReads
    keep: KeepDerived

    def __call__(self, caller: Caller, named: Named, base: str, now: datetime) -> str | list[dict[str, Any]]:
        """A signed URL, or one header in the DICOM JSON Model. Raises AccessDenied, AuditFailed, NothingThere,
        TooLarge."""
        opened = self.open_study(caller, named.study_uid, now)
        rows = chosen(opened.manifest(), named)
        if named.instance_uid:
            return list(self._told(opened, rows, base, now))
        if len(rows) > MOST_HEADERS:
            raise TooLarge
        ref = opened.grant.study
        derived = Derived(ref, key_of(ref, "metadata", base, rows), DICOM_JSON, "gzip")
        return self.keep(opened.grant, derived, lambda: _packed(self._told(opened, rows, base, now)), now)

    def _told(self, opened: Opened, rows: Sequence[Row], base: str, now: datetime) -> Iterator[dict[str, Any]]:
        uid, memos = opened.grant.study.study_instance_uid, dict[str, Memo]()
        headers = each_header(self.reads, opened.grant, [place_of(row) for row in rows], now)
        for row, header in zip(rows, headers, strict=True):
            yield _one(row, header, (base, uid), memos.setdefault(row["series_instance_uid"], {}))


def _one(row: Row, header: WholeHeader | None, where: tuple[str, str], memo: Memo) -> dict[str, Any]:
    base, uid = where
    if header is None:
        return _indexed(row, uid)
    series, instance = row["series_instance_uid"], row["sop_instance_uid"]
    return metadata(header, f"{base}/studies/{uid}/series/{series}/instances/{instance}", memo)


def _packed(told: Iterator[dict[str, Any]]) -> bytes:
    """A JSON array in gzip, written as it comes: the whole text of thousands never stands in memory."""
    packer = zlib.compressobj(wbits=_GZIP)
    packed, before = bytearray(), "["
    for one in told:
        text = json.dumps(one, ensure_ascii=False, separators=(",", ":"))
        packed += packer.compress((before + text).encode())
        before = ","
    return bytes(packed + packer.compress(b"]") + packer.flush())


def _indexed(row: Row, study_uid: str) -> dict[str, Any]:
    """What is known of an instance without its header."""
    known = {**row, "study_instance_uid": study_uid}
    return {f"{tag.tag:08X}": element(tag.vr, known[name]) for name, tag in INDEXED.items() if name in known}
