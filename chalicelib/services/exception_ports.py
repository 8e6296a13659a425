"""What assisted consents, break-glass and their reviews need of the world; the rest is in `services.access_ports`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from chalicelib.domain.assisted import AssistedRequest
from chalicelib.domain.consent import Doctor
from chalicelib.domain.hand_over import HandOver
from chalicelib.domain.page import Page
from chalicelib.domain.review import Review, Suspension


class AssistedRequests(Protocol):
    """Under their hospital: another one's witness finds none of them."""

    def ask(self, request: AssistedRequest) -> None: ...

    def get(self, hospital_id: str, request_id: str) -> AssistedRequest | None: ...

    def open_at(self, hospital_id: str, now: datetime) -> tuple[AssistedRequest, ...]:
        """Those that wait for a witness, newest first."""
        ...

    def confirm(self, request: AssistedRequest, witness: str, now: datetime) -> bool:
        """True for exactly one witness, ever, and only while the request is open."""
        ...


class HandOvers(Protocol):
    def open(self, paper: HandOver) -> None:
        """Keep it; one that is kept already stays as it is."""
        ...

    def get(self, hospital_id: str, consent_id: str) -> HandOver | None: ...

    def waiting(self, hospital_id: str, token: str, limit: int) -> Page[HandOver]:
        """Those not done yet, oldest first. A page may be shorter while more follow. ValueError: no token of ours."""
        ...

    def put(self, paper: HandOver) -> bool:
        """Under the revision it was read with."""
        ...


class Reviews(Protocol):
    def open(self, review: Review) -> None:
        """Keep it, on the due index too where something is due; one that is kept already stays as it is."""
        ...

    def get(self, hospital_id: str, review_id: str) -> Review | None: ...

    def put(self, review: Review, doctor: Doctor | None = None) -> bool:
        """Write under the revision it was read with and, in the same transaction, the doctor's account under its own,
        with the hospital's list of the suspended. False: someone else wrote either since; nothing is written."""
        ...

    def suspended(self, hospital_id: str) -> tuple[Suspension, ...]: ...

    def of_hospital(self, hospital_id: str, token: str, limit: int, *, undecided: bool = False) -> Page[Review]:
        """Newest first; a page is short only where nothing follows. ValueError: no token of ours."""
        ...

    def due(self, shard: int, until: datetime) -> Iterator[tuple[str, str]]:
        """Hospital and id of what is due in this shard, earliest first; eventually consistent: read it again."""
        ...
