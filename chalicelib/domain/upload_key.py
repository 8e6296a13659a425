"""Keys of the uploads bucket. Hospital and date come from here, enforced by the credentials: a DICOM tag never
says who uploaded (DESIGN §4.1)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, Literal, get_args
from urllib.parse import quote

Kind = Literal["instances", "archives", "notices", "unpacked", "amendments", "registrations"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
# Whose events go to a queue. The others hold what people added (`domain.human_facts`), which is told by nobody.
TOLD: Final[tuple[Kind, ...]] = ("instances", "archives", "notices", "unpacked")
# Names of our own events beside S3's ObjectCreated:Put and its kin.
REFEED: Final = "ObjectCreated:Refeed"
UNPACK: Final = "ObjectCreated:Unpack"
_LAYOUT: Final = re.compile(
    r"(?P<kind>[a-z]+)/(?P<hospital>[A-Z0-9]{1,16})/(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<rest>.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class UploadKey:
    """`{kind}/{hospital_id}/{yyyy-mm-dd}/{rest}`; `rest` is the uploader's own, never empty."""

    kind: Kind
    hospital_id: str
    date: dt.date
    rest: str


@dataclass(frozen=True, slots=True, order=True)
class Uploaded:
    """One object version that an event names. `version_id` and `size` (bytes) are None where the event lacks them.
    `unpack`: an archive is to be unpacked even if it is a pack."""

    key: str
    version_id: str | None = None
    size: int | None = None
    unpack: bool = False


def parse(key: str) -> UploadKey | None:
    """The parts of a key; None when it has another layout."""
    found = _LAYOUT.fullmatch(key)
    if found is None:
        return None
    kind = next((known for known in KINDS if known == found["kind"]), None)
    day = _day(found["date"])
    if kind is None or day is None:
        return None
    return UploadKey(kind, found["hospital"], day, found["rest"])


def prefix(kind: Kind, hospital_id: str, day: dt.date) -> str:
    """What the keys of one kind, hospital and UTC date begin with."""
    return f"{kind}/{hospital_id}/{day.isoformat()}/"


def unpacked(archive: UploadKey, version_id: str, entry: int) -> str:
    """Where entry number `entry` of an archive version lies once unpacked; no hospital's credential reaches it."""
    return f"{unpacked_prefix(archive, version_id)}{entry:06d}"


def unpacked_prefix(archive: UploadKey, version_id: str) -> str:
    return f"{prefix('unpacked', archive.hospital_id, archive.date)}{quote(version_id, safe='')}/"


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
