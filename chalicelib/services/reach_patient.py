from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.code import Route, code_route
from chalicelib.domain.guardian import needs_guardian
from chalicelib.domain.identity import Link, Person
from chalicelib.domain.phone import opened_hospitals, opens_all
from chalicelib.services.access_ports import Guardians, People
from chalicelib.services.find_visit import Visit
from chalicelib.services.ports import Mac


@dataclass(frozen=True, slots=True)
class Reach:
    """How a patient can be asked: by a code to a phone, and in the list of their health app."""

    route: Route | None
    in_app: bool


UNREACHED = Reach(None, in_app=False)


@dataclass(frozen=True, slots=True)
class ReachPatient:
    """Where the patient of a visit can be asked. Only a confirmed identity leads to a person's list: else a hospital
    that names somebody's national id could fill it. For a child the phone is a proven guardian's. A number that a
    desk has just set opens no more than the hospitals that saw it."""

    people: People
    guardians: Guardians
    mac: Mac

    def __call__(self, visit: Visit, now: datetime) -> Reach:
        link = visit.link
        if link is None:
            return UNREACHED
        person = self.people.person(link.person_id)
        guardian = self._guardian(link, person, now)
        holds_phone = person is not None and self._holds_phone(person)
        route = code_route(link, person, holds_phone=holds_phone, now=now, guardian=guardian)
        if route is not None and route.scope == "person":
            route = self._limited(route, link, guardian if route.guardian_id else person, now)
        frozen = person is not None and person.frozen_at is not None
        return Reach(route, in_app=link.status == "confirmed" and not frozen)

    def _limited(self, route: Route, link: Link, holder: Person | None, now: datetime) -> Route | None:
        if holder is not None and opens_all(holder, now):
            return route
        only = opened_hospitals(holder, self.people.links(link.person_id)) if holder else ()
        if only:
            return replace(route, only=only)
        return Route(link.phone, "identity") if link.phone and not route.guardian_id else None

    def _guardian(self, link: Link, person: Person | None, now: datetime) -> Person | None:
        """Of a child's guardians with a verified phone, the one proven first."""
        if not needs_guardian(person.birth_date if person and person.birth_date else link.birth_date, now):
            return None
        held = sorted(self.guardians.of_ward(link.person_id), key=lambda one: one.proven_at)
        for each in held:
            guardian = self.people.person(each.guardian_id) if each.is_live(now) else None
            if guardian and guardian.frozen_at is None and guardian.has_phone(now) and self._holds_phone(guardian):
                return guardian
        return None

    def _holds_phone(self, person: Person) -> bool:
        """Whether there is a number, and it was not verified for somebody else since."""
        return bool(person.phone) and (
            self.people.phone_holder(self.mac("phone", person.phone).hex()) == person.person_id
        )
