"""What a hospital's S3 credentials reach, and until when (DESIGN §4.1, §8): its own prefixes of today, in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from chalicelib.domain.upload_key import Kind, prefix

LIFETIME: Final = timedelta(hours=1)  # what AWS gives at most to a role that another role assumes
KINDS: Final[tuple[Kind, ...]] = ("instances", "archives")  # notices come through the API, the rest is ours
# What ingest reads at most, told beforehand: beyond it an upload ends in quarantine.
INSTANCE_BYTES: Final = 4 * 1024**3
ARCHIVE_BYTES: Final = 64 * 1024**3
ARCHIVE_INSTANCES: Final = 20_000
# Full-object checksums that tell a copy from another image (DESIGN §4.7), the best first.
CHECKSUMS: Final = ("CRC64NVME", "SHA256", "SHA1", "CRC32C", "CRC32")

Prefixes = Mapping[date, Mapping[Kind, str]]


@dataclass(frozen=True, slots=True)
class UploadKeys:
    """Temporary keys to S3, until `expires_at`."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Depot:
    """Where uploads go: the bucket, and the key it encrypts with."""

    bucket: str
    region: str
    endpoint: str
    key_arn: str


@dataclass(frozen=True, slots=True)
class UploadPass:
    """The keys, and where what may be put with them: `prefixes[UTC date][kind]`."""

    keys: UploadKeys
    prefixes: Prefixes


def prefixes(hospital_id: str, now: datetime) -> Prefixes:
    """Of today; and of tomorrow, where keys made now outlive today."""
    first, last = (at.astimezone(UTC).date() for at in (now, now + LIFETIME))
    return {day: {kind: prefix(kind, hospital_id, day) for kind in KINDS} for day in sorted({first, last})}
