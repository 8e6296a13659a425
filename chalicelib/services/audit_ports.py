"""What sealing and verifying the audit need of the world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.seal import Kept, Record


class AuditHours(Protocol):
    """The audit table by the hour; every read is strongly consistent."""

    def of_hour(self, hour: datetime) -> tuple[Record, ...]:
        """All that stands in the hour's partitions, in no particular order."""
        ...

    def in_order(self, hour: datetime) -> Iterator[Record]:
        """The same in the order of a sealed file, one after the other."""
        ...

    def holds_any(self, hour: datetime) -> bool: ...


@dataclass(frozen=True, slots=True)
class Oddity:
    """A key of the archive that was written more than once, hidden by a delete marker, or is none of ours."""

    key: str
    hour: str
    is_stray: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What the archive holds, by key: for each hour where its seal and file lie, and what should not be so."""

    first: datetime | None
    last: datetime | None
    versions: Mapping[str, str]
    oddities: tuple[Oddity, ...]


class SealArchive(Protocol):
    """The locked bucket. What was put first under a key is what counts, whatever came after it."""

    def latest(self, until: datetime) -> tuple[datetime, str] | None:
        """The last sealed hour that is not after `until`, and its seal's digest (SHA-256, hex)."""
        ...

    def put_file(self, hour: datetime, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Put the hour's lines unless some stand already; those that stand."""
        ...

    def put_seal(self, hour: datetime, body: bytes) -> bytes:
        """Put the hour's seal unless one stands already; what stands."""
        ...

    def survey(self) -> Survey: ...

    def kept(self, survey: Survey, hour: datetime) -> Kept:
        """Seal and file of an hour, in the versions that the survey found."""
        ...

    def files(self, first: datetime, last: datetime) -> Iterator[bytes | None]:
        """The lines of each hour's file; None where the hour is not sealed."""
        ...
