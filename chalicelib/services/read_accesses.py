"""What a person may see about themself: who looked, what they allowed, and which identities are called theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import AuditEvent, Caller
from chalicelib.domain.consent import Consent
from chalicelib.domain.identity import IdentityKey, LinkStatus
from chalicelib.domain.page import Page
from chalicelib.domain.phone import masked_phone
from chalicelib.domain.span import ALWAYS, Span
from chalicelib.services.access_ports import Consents, People
from chalicelib.services.act_as import ActAs
from chalicelib.services.own_account import OwnAccount
from chalicelib.services.ports import Audit


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """One identity as its person sees it. `phone` is the hospital's unverified number, masked."""

    identity: IdentityKey
    status: LinkStatus
    confirmed_by: str
    contested_because: str
    linked_at: datetime
    confirmed_at: datetime | None
    phone: str


@dataclass(frozen=True, slots=True)
class ReadAccesses:
    """The audit events of a person, or of a guardian's ward, newest first: who, where, when, which study, on what
    basis, allowed or not.

    What is routine is a list of its own (`AuditEvent.is_routine`): else it would bury what others did. `limit` counts
    events; all continue by the page's token. Raises AccessDenied, AuditFailed.
    """

    act_as: ActAs
    audit: Audit

    def __call__(  # noqa: PLR0913 - a list's reader and its page
        self,
        caller: Caller,
        now: datetime,
        token: str = "",
        limit: int = 50,
        ward: str = "",
        *,
        routine: bool = False,
        span: Span = ALWAYS,
    ) -> Page[AuditEvent]:
        person = self.act_as.to_read(caller, "read_accesses", now, ward).person
        return self.audit.of_person(person.person_id, token, limit, routine=routine, span=span)


@dataclass(frozen=True, slots=True)
class ReadConsents:
    """All consents a person, or a guardian's ward, ever gave, newest first, ended ones too. Raises AccessDenied."""

    act_as: ActAs
    consents: Consents

    def __call__(self, caller: Caller, now: datetime, ward: str = "") -> tuple[Consent, ...]:
        return self.consents.of_person(self.act_as.to_read(caller, "read_consents", now, ward).person.person_id)


@dataclass(frozen=True, slots=True)
class ReadIdentities:
    """The person's identities, unconfirmed and contested ones too: a wrong one can be seen. Raises AccessDenied."""

    own_account: OwnAccount
    people: People

    def __call__(self, caller: Caller, now: datetime) -> tuple[OwnIdentity, ...]:
        person = self.own_account.to_read(caller, "read_identities", now)
        return tuple(
            OwnIdentity(
                link.identity,
                link.status,
                link.confirmed_by or "",
                link.contested_because,
                link.linked_at,
                link.confirmed_at,
                masked_phone(link.phone),
            )
            for link in sorted(self.people.links(person.person_id), key=lambda link: link.identity)
        )
