from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import AccessDenied, Caller
from chalicelib.domain.consent import Consent
from chalicelib.domain.consent_query import ConsentQuery
from chalicelib.domain.page import Page, opaque, place
from chalicelib.services.read_accesses import ReadConsents

MOST_STUDIES = 10_000  # named on one page: an answer holds 6 MB
LONGEST = 64  # characters of a consent's id


@dataclass(frozen=True, slots=True)
class FindConsents:
    """A page of a person's consents, or a ward's, that fit a query, newest first."""

    consents: ReadConsents

    def __call__(  # noqa: PLR0913 - a list's reader and its page
        self,
        caller: Caller,
        now: datetime,
        query: ConsentQuery,
        *,
        token: str = "",
        limit: int = 50,
        ward: str = "",
    ) -> Page[Consent]:
        """Raises ValueError for a token that is none of ours, and as `ReadConsents`."""
        before = place(token, LONGEST) if token else ""
        fitting = [
            one
            for one in self.consents(caller, now, ward)
            if (not before or one.consent_id < before) and query.fits(one, now)
        ]
        shown = _fitting(fitting[:limit])
        more = len(shown) < len(fitting)
        return Page(tuple(shown), opaque(shown[-1].consent_id) if more else "")

    def one(self, caller: Caller, consent_id: str, now: datetime, ward: str = "") -> Consent:
        """Raises AccessDenied, the same for another's and for none."""
        found = next((one for one in self.consents(caller, now, ward) if one.consent_id == consent_id), None)
        if found is None:
            raise AccessDenied("no_grant")
        return found


def _fitting(consents: Sequence[Consent]) -> Sequence[Consent]:
    """As many as an answer holds, one at least."""
    named = 0
    for number, one in enumerate(consents):
        named += len(one.studies)
        if number and named > MOST_STUDIES:
            return consents[:number]
    return consents
