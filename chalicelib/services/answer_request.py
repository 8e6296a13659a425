from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.consent import Consent
from chalicelib.domain.guardian import Guardianship
from chalicelib.domain.request import Answer, Request
from chalicelib.services.access_ports import Consents
from chalicelib.services.register_patient import ATTEMPTS, Contended


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """The one answer of a request, by code or app, with its consent. False when it had another before or is over.

    The consent bears the request's id: two of one request cannot be. `under` is the guardianship it is given by, as
    read. Raises Contended: others wrote each time, or the guardianship has changed since.
    """

    consents: Consents

    def __call__(
        self,
        request: Request,
        answer: Answer,
        consent: Consent | None,
        now: datetime,
        under: Guardianship | None = None,
    ) -> bool:
        for _ in range(ATTEMPTS):
            if self.consents.answer(request, answer, consent, now, under):
                return True
            found = self.consents.asked(request.owner, request.request_id)
            if found is None or found[0].outcome(now) != "waiting":
                return False
        raise Contended
