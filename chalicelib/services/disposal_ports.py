"""What disposal needs of the world. Reads are strongly consistent unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.destruction import Plan, Planned
from chalicelib.domain.disposal import Disposal, Hold
from chalicelib.domain.page import Page
from chalicelib.domain.study import StudyRef


class Holds(Protocol):
    def put(self, hold: Hold) -> None: ...

    def get(self, hospital_id: str, hold_id: str) -> Hold | None: ...

    def lift(self, hold: Hold) -> bool:
        """Write a hold as lifted if it is not so already. False: it was."""
        ...

    def standing(self, hospital_id: str) -> tuple[Hold, ...]:
        """All that are not lifted."""
        ...

    def of_hospital(self, hospital_id: str, token: str, limit: int) -> Page[Hold]:
        """Newest first, lifted ones too. ValueError when `token` is none of ours."""
        ...


class Disposals(Protocol):
    def get(self, hospital_id: str, disposal_id: str) -> Disposal | None: ...

    def put(self, disposal: Disposal) -> bool:
        """Write under the revision it was read with (0: new). False: someone else wrote since."""
        ...

    def of_hospital(self, hospital_id: str, token: str, limit: int) -> Page[Disposal]:
        """Newest first. ValueError when `token` is none of ours."""
        ...

    def open(self, token: str, limit: int) -> Page[Disposal]:
        """Of all hospitals, what is neither refused nor executed, newest first (an index: eventually consistent).
        ValueError when `token` is none of ours."""
        ...


class Plans(Protocol):
    """What is to be deleted of a study, kept under it until it is: the manifest goes before."""

    def get(self, ref: StudyRef) -> Plan | None: ...

    def put(self, ref: StudyRef, plan: Plan) -> None: ...

    def drop(self, ref: StudyRef) -> None: ...


class Remains(Protocol):
    """What is left of a study in the tables beside its tombstone."""

    def forget(self, ref: StudyRef) -> None:
        """Manifests, digests, the pointer, and the reminders, judgements and views that name it. SUMMARY, amendments
        and the plan stay."""
        ...


class Shredder(Protocol):
    """The uploads bucket in the hands of the one role that may delete from it."""

    def delete(self, versions: Sequence[Planned]) -> None:
        """All of them, whatever lock holds them; what is gone already is no fault. Raises when one is still there."""
        ...


class DerivedRemains(Protocol):
    """What was made of studies' bytes and is kept beside them (`domain.derived`)."""

    def destroy(self, ref: StudyRef) -> None:
        """All of it, in all its versions. Raises when one is still there."""
        ...
