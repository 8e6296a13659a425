"""A hospital asks that an upload be looked at again; the commission grants or refuses; what is granted is fed again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chalicelib.domain.access import Caller
from chalicelib.domain.release import Decision, Ground, Standing, asked, decided, grounds
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.list_quarantine import Quarantined
from chalicelib.services.ports import QuarantineRecord, Refeed
from chalicelib.services.step_quarantined import StepQuarantined, Which


@dataclass(frozen=True, slots=True)
class AskRelease:
    step: StepQuarantined

    def __call__(self, caller: Caller, entry_id: str, ground: Ground, now: datetime) -> Quarantined | None:
        """None for an entry that is not of the caller's hospital. Raises QuarantineRefused, and as StepQuarantined."""

        def ask(found: QuarantineRecord, before: Standing) -> Standing:
            return asked(before, grounds(found.key, found.reason), ground, caller.subject, now)

        return self.step(caller, Which("ask_release", caller.hospital_id, entry_id), ask, now)


@dataclass(frozen=True, slots=True)
class DecideRelease:
    """A grant opens nothing by itself: the object takes the way of every upload again, and what cannot be indexed is
    served to nobody. Whoever dies between the decision and the queue grants again."""

    step: StepQuarantined
    refeed: Refeed

    def __call__(  # noqa: PLR0913 - the decision's own fields
        self, caller: Caller, hospital_id: str, entry_id: str, *, decision: Decision, note: str, now: datetime
    ) -> Quarantined | None:
        """None for an entry that does not exist. Raises QuarantineRefused, and as StepQuarantined."""
        which = Which(f"{decision}_release", hospital_id, entry_id)
        decide = partial(_decide, decision=decision, note=note, by=caller.subject, now=now)
        done = self.step(caller, which, decide, now)
        if done is not None and decision == "grant":
            self.refeed.feed([Uploaded(done[0].key, done[0].version_id or None)])
        return done


def _decide(
    _: QuarantineRecord, before: Standing, *, decision: Decision, note: str, by: str, now: datetime
) -> Standing:
    return decided(before, decision, note, by, now)
