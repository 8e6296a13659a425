"""S3, as this client needs it: objects that are put once, with checksums that S3 verifies over the whole object."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from awscrt import checksums
from botocore.exceptions import BotoCoreError, ClientError

from .api import CLOCK_IS_OFF
from .body import Body
from .faults import NotAllowedError, RefusedError, TryLaterError
from .passes import Pass
from .state import Part

PART: Final = 8 * 1024**2
"""Larger objects go in parts of this size: a cut costs one part at most."""

_LATER: Final = frozenset({"ConditionalRequestConflict", "OperationAborted", "RequestTimeout", "SlowDown"})
_EXPIRED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidToken", "AccessDenied"}
)


class ThereAlreadyError(Exception):
    """An object of that name, which is that content's, is in the bucket."""


class KeysRefusedError(Exception):
    """S3 does not take these keys (any more), for this at least."""


class MangledError(Exception):
    """What S3 received is not what the checksum tells."""


class NoUploadError(Exception):
    """S3 knows nothing (any more) of this multipart upload."""


def crc64(content: bytes, before: int = 0) -> int:
    return int(checksums.crc64nvme(content, before))


def together(parts: Sequence[tuple[int, int]]) -> int:
    """The checksum of a whole, from those of its parts and their lengths."""
    whole = 0
    for crc, length in parts:
        whole = checksums.combine_crc64nvme(whole, crc, length)
    return whole


@dataclass(frozen=True)
class Target:
    """One object to be. `sha256` (hex) of the file, "" for a pack: its index tells those of its images."""

    to: Pass
    key: str
    sha256: str = ""

    def put(self, body: Body, crc: int) -> None:
        with _understood():
            self.to.s3.put_object(**self._place(), **self._metadata(), **_checked(crc), Body=body, IfNoneMatch="*")

    def begin(self) -> str:
        checksum = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}
        with _understood():
            answer = self.to.s3.create_multipart_upload(**self._place(), **self._metadata(), **checksum)
        return str(answer["UploadId"])

    def part(self, multipart: str, number: int, body: Body, crc: int) -> Part:
        with _understood():
            answer = self.to.s3.upload_part(
                **self._place(), **_checked(crc), UploadId=multipart, PartNumber=number, Body=body
            )
        return Part(number, answer["ETag"], crc)

    def complete(self, multipart: str, parts: Sequence[Part], lengths: Sequence[int]) -> None:
        """`lengths` of the parts, in bytes: the whole's checksum follows from theirs."""
        whole = together([(part.crc, length) for part, length in zip(parts, lengths, strict=True)])
        told = [
            {"PartNumber": part.number, "ETag": part.etag, "ChecksumCRC64NVME": _base64(part.crc)} for part in parts
        ]
        with _understood():
            self.to.s3.complete_multipart_upload(
                **self._place(),
                UploadId=multipart,
                MultipartUpload={"Parts": told},
                ChecksumCRC64NVME=_base64(whole),
                ChecksumType="FULL_OBJECT",
                MpuObjectSize=sum(lengths),
                IfNoneMatch="*",
            )

    def _place(self) -> dict[str, Any]:
        return {"Bucket": self.to.bucket, "Key": self.key}

    def _metadata(self) -> dict[str, Any]:
        return {"Metadata": {"sha256": self.sha256}} if self.sha256 else {}


def _checked(crc: int) -> dict[str, Any]:
    """The value itself, so that what S3 verifies is what was read from the disk."""
    return {"ChecksumAlgorithm": "CRC64NVME", "ChecksumCRC64NVME": _base64(crc)}


def _base64(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(8, "big")).decode()


@contextmanager
def _understood() -> Iterator[None]:
    """S3's errors by what is to be done about them; without keys, addresses or names in their text."""
    try:
        yield
    except BotoCoreError as error:
        raise TryLaterError(type(error).__name__) from None
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        raise _meant(code, status) from None


_EXACTLY: Final[dict[str, type[Exception]]] = {
    "PreconditionFailed": ThereAlreadyError,
    "NoSuchUpload": NoUploadError,
    "BadDigest": MangledError,
}


def _meant(code: str, status: int) -> Exception:
    if code in _EXACTLY or status == 412:
        return _EXACTLY.get(code, ThereAlreadyError)()
    if code == "RequestTimeTooSkewed":
        return NotAllowedError(CLOCK_IS_OFF, {"seconds": "> 900"})
    if code in _LATER or status == 429 or (status >= 500 and status != 501):
        return TryLaterError(f"S3 {code or status}")
    if code in _EXPIRED or status in (401, 403):
        return KeysRefusedError()
    return RefusedError(f"S3 {code or status}", status)
