"""Events are a hint, the bucket is the truth: what no receipt names is fed again (DESIGN §4.9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from chalicelib.domain import upload_key
from chalicelib.domain.upload_key import TOLD, Uploaded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import date, datetime

    from chalicelib.domain.study import Hospital
    from chalicelib.domain.upload_key import Kind
    from chalicelib.services.ports import Hospitals, Receipts, Refeed, Uploads

DATES: Final = 2  # the last two dates of upload
_CHUNK: Final = 1000


@dataclass(frozen=True)
class ReconcileUploads:
    uploads: Uploads
    receipts: Receipts
    hospitals: Hospitals
    refeed: Refeed
    replay_amendments: Callable[[Collection[Uploaded], Callable[[], bool]], object]
    settling: timedelta = timedelta(minutes=15)

    def __call__(self, now: datetime) -> int:
        """How many object versions were fed again. What came within `settling` is still on its way by itself;
        a version fed twice does no harm. Amendments are few and have no receipts: all are replayed."""
        today = now.astimezone(UTC).date()
        days = [today - timedelta(days=back) for back in range(DATES)]
        seen = self._seen(days)
        fed = 0
        for hospital in self.hospitals.list():
            missing = [found for found in self._versions(hospital, days, now, TOLD) if _name(found) not in seen]
            for start in range(0, len(missing), _CHUNK):
                self.refeed.feed(missing[start : start + _CHUNK])
            fed += len(missing)
            self.replay_amendments(tuple(self._versions(hospital, days, now, ("amendments",))), lambda: True)
        return fed

    def _seen(self, days: list[date]) -> set[bytes]:
        """A receipt is dated by its writing, which is never before the upload; clocks that name keys may differ from
        ours around midnight, so one date more is read."""
        dates = [*days, days[-1] - timedelta(days=1)]
        return {_digest(key, version) for day in dates for key, version in self.receipts.seen(day.isoformat())}

    def _versions(
        self, hospital: Hospital, days: list[date], now: datetime, kinds: Iterable[Kind]
    ) -> Iterator[Uploaded]:
        for kind in kinds:
            for day in days:
                for version in self.uploads.versions(upload_key.prefix(kind, hospital.hospital_id, day)):
                    if version.last_modified <= now - self.settling:
                        yield Uploaded(version.key, version.version_id, version.size)


def _name(uploaded: Uploaded) -> bytes:
    return _digest(uploaded.key, uploaded.version_id or "")


def _digest(key: str, version_id: str) -> bytes:
    """64 bits tell some tens of millions of versions apart, at a fraction of the memory of their keys."""
    return hashlib.blake2b(f"{key}\0{version_id}".encode(), digest_size=8).digest()
