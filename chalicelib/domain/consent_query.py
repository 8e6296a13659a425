"""What a search asks of a person's consents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.consent import Consent
from chalicelib.domain.span import ALWAYS, Span
from chalicelib.domain.study import StudyRef


@dataclass(frozen=True, slots=True)
class ConsentQuery:
    """None and ALWAYS ask for nothing. `live`: of those that are, that are not, or both; `emergency`: of those that no
    patient gave; `studies`: that name one of these; `given`: when it was."""

    only: frozenset[str] | None = None
    live: frozenset[bool] | None = None
    emergency: frozenset[bool] | None = None
    studies: frozenset[StudyRef] | None = None
    given: Span = ALWAYS

    def fits(self, consent: Consent, now: datetime) -> bool:
        return (
            (self.only is None or consent.consent_id in self.only)
            and (self.live is None or consent.is_live(now) in self.live)
            and (self.emergency is None or (consent.basis == "break_glass") in self.emergency)
            and (self.studies is None or not self.studies.isdisjoint(consent.studies))
            and self.given.holds(consent.granted_at)
        )
