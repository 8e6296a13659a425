"""Keys of hospitals in table and bucket. Of adding, the table comes first; of ending, the bucket: whatever is lost in
between, no key lives after a rebuild that should not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.hospital_key import HospitalKey
from chalicelib.domain.human_facts import key_body, key_fact_key
from chalicelib.services.joining_ports import HospitalKeys
from chalicelib.services.keep_fact import keep_fact
from chalicelib.services.ports import Uploads


@dataclass(frozen=True, slots=True)
class KeepKey:
    """`new_id` gives ULIDs."""

    keys: HospitalKeys
    uploads: Uploads
    new_id: Callable[[datetime], str]

    def add(self, key: HospitalKey, now: datetime, beside: str = "") -> bool:
        """False, and nothing was kept: the key was there before, or the one called `beside` does not live."""
        if not self.keys.add(key, beside):
            return False
        self.tell(key, now)
        return True

    def end(self, key: HospitalKey, now: datetime) -> None:
        """`key` says when and by whom."""
        self.tell(key, now)
        self.keys.end(key)

    def tell(self, key: HospitalKey, now: datetime) -> None:
        """Into the bucket; any number of times."""
        keep_fact(self.uploads, key_fact_key(key.hospital_id, now, self.new_id(now)), key_body(key))
