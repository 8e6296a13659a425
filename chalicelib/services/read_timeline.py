"""Lists of studies: a person's own over all their identities, and what a doctor's live consents cover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import REMEMBERED, Denied, closed_to, covers
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.page import Page, opaque
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.domain.timeline import Lane, merge, order, read_token
from chalicelib.services.access_ports import Consents, DecisionFacts, People, Timeline
from chalicelib.services.act_as import ActAs
from chalicelib.services.find_visit import FindVisit, Visit
from chalicelib.services.record_decision import About, RecordDecision

ACTION = "read_timeline"
LIMIT = 50


@dataclass(frozen=True, slots=True)
class ReadOwnTimeline:
    """The studies of a person, or of a guardian's ward, from all hospitals, newest first, by confirmed identities only;
    conflicted ones left out.

    A page may be shorter than `limit` while more follow. Raises AccessDenied (session_ended, frozen), AuditFailed,
    ValueError for a token that is not ours.
    """

    act_as: ActAs
    people: People
    timeline: Timeline
    record: RecordDecision

    def __call__(
        self, caller: Caller, now: datetime, token: str = "", limit: int = LIMIT, ward: str = ""
    ) -> Page[Summary]:
        acting = self.act_as(caller, ACTION, now, ward)
        person, basis = acting.person, "guardian" if acting.guardianship else "self"
        about = About(person.person_id, basis=basis, guardian_id=acting.guardian_id)
        if person.frozen_at is not None:
            self.record.deny(caller, ACTION, Denied("frozen", "frozen"), now, about)
        before = read_token(token)
        links = [link for link in self.people.links(person.person_id) if link.status == "confirmed"]
        lanes = [self._lane(link.identity, before, limit) for link in links]
        self.record.allow(caller, ACTION, basis, now, about)
        self.act_as.tell(acting, "guardian_read", now)  # of every page: a token can be made up
        items, last = merge(lanes, limit)
        return Page(tuple(item for item in items if item.state != "conflicted"), opaque(last))

    def _lane(self, identity: IdentityKey, before: str, limit: int) -> Lane:
        """Enough of one identity to fill a page."""
        page = self.timeline.timeline(identity.issuer, identity.local_id, before, limit)
        while page.next_token and not page.items:
            page = self.timeline.timeline(identity.issuer, identity.local_id, page.next_token, limit)
        return Lane(page.items, bool(page.next_token))


@dataclass(frozen=True, slots=True)
class ReadEncounterTimeline:
    """What a doctor may list in an open visit: the studies that a live consent of theirs covers, newest first.

    Without a consent the page is empty, as for an unknown patient. Raises AccessDenied (doctor_inactive,
    session_ended, no_encounter), AuditFailed, ValueError for a token that is not ours.
    """

    find_visit: FindVisit
    facts: DecisionFacts
    people: People
    consents: Consents
    record: RecordDecision

    def __call__(
        self, caller: Caller, encounter_id: str, now: datetime, token: str = "", limit: int = LIMIT
    ) -> Page[Summary]:
        visit = self.find_visit(caller, encounter_id, now)
        if isinstance(visit, Denied):
            self.record.deny(caller, ACTION, visit, now, About(encounter_id=encounter_id))
        before = read_token(token)
        summaries = self._covered(caller, visit, now)
        about = About(visit.person_id, encounter_id=encounter_id)
        if summaries:
            self.record.allow(caller, ACTION, "consent", now, about)
        else:
            self.record.note(caller, ACTION, "no_consent", now, about)
        shown = [one for one in summaries if not before or order(one) < before]
        items, last = merge([Lane(shown, has_more=False)], limit)
        return Page(items, opaque(last))

    def _covered(self, caller: Caller, visit: Visit, now: datetime) -> list[Summary]:
        if visit.link is None:
            return []
        person = self.people.person(visit.link.person_id)
        consents = self.consents.of_doctor(visit.link.person_id, caller.subject, now - REMEMBERED)
        mine = [one for one in consents if one.is_live(now) and one.hospital_id == caller.hospital_id]
        live = [one for one in mine if not closed_to(one, person, visit.doctor)]
        refs: set[StudyRef] = set().union(*(one.studies for one in live))
        links = {link.identity: link for link in self.people.links(visit.link.person_id)} if refs else {}
        summaries = self.facts.summaries(sorted(refs))
        return sorted(
            (
                summary
                for summary in summaries
                if summary.state != "conflicted"
                and (link := links.get(IdentityKey(summary.issuer, summary.patient_id)))
                and any(covers(one, link, summary.ref) for one in live)
            ),
            key=order,
            reverse=True,
        )
