"""What a hospital says beforehand of one object, and how it is then put: by whoever can send an HTTP PUT."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from chalicelib.domain.upload_key import prefix
from chalicelib.domain.upload_pass import ARCHIVE_BYTES, INSTANCE_BYTES

OfferedKind = Literal["instances", "archives"]

MOST_OFFERS: Final = 100  # in one request
ONE_PUT_BYTES: Final = 5 * 1024**3  # S3's own limit; larger ones go in parts, with credentials
SIGNED_FOR: Final = timedelta(minutes=5)  # the bucket refuses s3:signatureAge above 300,000 ms
_ENDS: Final[Mapping[OfferedKind, str]] = {"instances": ".dcm", "archives": ".zip"}
_LIMITS: Final[Mapping[OfferedKind, int]] = {"instances": INSTANCE_BYTES, "archives": ARCHIVE_BYTES}


@dataclass(frozen=True, slots=True)
class Offer:
    """`size` in bytes; `sha256` of them all, in lower-case hex."""

    kind: OfferedKind
    size: int
    sha256: str

    @classmethod
    def of(cls, instance: bytes) -> Offer:
        return cls("instances", len(instance), sha256(instance).hexdigest())

    @property
    def fits(self) -> bool:
        """Whether ingest would read it at all: beyond that it would end in quarantine."""
        return self.size <= _LIMITS[self.kind]

    @property
    def fits_one_put(self) -> bool:
        return self.size <= ONE_PUT_BYTES

    def key(self, hospital_id: str, now: datetime) -> str:
        """Named by its content, as the hospital's client names single images: so the same object under one date is one
        object however often it is sent, and no name can tell of a patient."""
        return f"{prefix(self.kind, hospital_id, now.date())}{self.sha256}{_ENDS[self.kind]}"

    @property
    def headers(self) -> Mapping[str, str]:
        """What S3 holds the body to: its length, that nothing stands there yet, its checksum, which a locked bucket
        wants to be named; and what the journal keeps of it."""
        return {
            "content-length": str(self.size),
            "if-none-match": "*",
            "x-amz-checksum-sha256": b64encode(bytes.fromhex(self.sha256)).decode(),
            "x-amz-meta-sha256": self.sha256,
            "x-amz-sdk-checksum-algorithm": "SHA256",
        }


@dataclass(frozen=True, slots=True)
class SignedPut:
    """A PUT that `url` allows until `expires_at`, of this object alone. The URL is a secret until then."""

    offer: Offer
    key: str
    url: str = field(repr=False)
    expires_at: datetime
