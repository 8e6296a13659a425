from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.upload_key import prefix
from chalicelib.services.ports import Uploads


class NoticeNotStored(Exception):  # noqa: N818 - named by the fact
    """The key existed, which a ULID's never does: something else writes there."""


@dataclass(frozen=True, slots=True)
class AcceptNotice:
    """A notice by API goes the one path in: under the hospital's prefix, whose event brings it to the ledger
    (DESIGN §4.1). It is read there, so what is wrong with it stands in quarantine, not in this answer."""

    uploads: Uploads
    new_id: Callable[[datetime], str]

    def __call__(self, caller: Caller, body: bytes, now: datetime) -> str:
        """The key it now lies under, in the calling hospital's own prefix."""
        key = f"{prefix('notices', caller.hospital_id, now.astimezone(UTC).date())}{self.new_id(now)}.json"
        if not self.uploads.put_new(key, body, {}):
            raise NoticeNotStored("the key exists")
        return key
