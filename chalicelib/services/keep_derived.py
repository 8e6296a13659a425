"""What is made of a study's bytes: made when it is first asked for, kept, and given by a signed URL from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.access import Grant
from chalicelib.domain.derived import Derived


class DerivedSigner(Protocol):
    def sign_derived(self, grant: Grant, derived: Derived, now: datetime) -> str:
        """A GET URL, valid ≤ 5 minutes and never past the grant. Raises AccessDenied where the grant has ended."""
        ...


class DerivedObjects(Protocol):
    def put_new(self, derived: Derived, body: bytes) -> None:
        """What lies there already stays: it is the same."""
        ...


class Looks(Protocol):
    def is_there(self, url: str) -> bool:
        """Whether the signed URL opens something."""
        ...


@dataclass(frozen=True, slots=True)
class KeepDerived:
    """The function may write what it made and not read it: whether it is there already, the very URL tells that the
    caller is then given."""

    signer: DerivedSigner
    objects: DerivedObjects
    looks: Looks

    def __call__(self, grant: Grant, derived: Derived, make: Callable[[], bytes], now: datetime) -> str:
        """The signed URL of what `make` gives, or gave once. Whatever `make` raises is raised, and nothing is kept."""
        found = self.find(grant, derived, now)
        return found or self.keep(grant, derived, make(), now)

    def find(self, grant: Grant, derived: Derived, now: datetime) -> str:
        """The signed URL; "" where it was not made yet, or its days are over."""
        url = self.signer.sign_derived(grant, derived, now)
        return url if self.looks.is_there(url) else ""

    def keep(self, grant: Grant, derived: Derived, body: bytes, now: datetime) -> str:
        self.objects.put_new(derived, body)
        return self.signer.sign_derived(grant, derived, now)
