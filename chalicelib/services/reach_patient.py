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
NOBODY = "NOBODY"  # no person's id has this length


@dataclass(frozen=True, slots=True)
class ReachPatient:
    """Where the patient of a visit can be asked. Only a confirmed identity leads to a person's list: else a hospital
    that names somebody's national id could fill it. For a child the phone is a proven guardian's. A number that a
    desk has just set opens no more than the hospitals that saw it.

    Whoever it is, the same is read, or how long it takes would tell what the answer does not: one person and the holder
    of one number, the guardianships, one guardian and the holder of one number, the identities. Only of a child whose
    first guardian cannot be asked more guardians are read."""

    people: People
    guardians: Guardians
    mac: Mac

    def __call__(self, visit: Visit, now: datetime) -> Reach:
        person = self.people.person(visit.owner)
        holds_phone = self._holds_phone(person)
        guardian = self._guardian(visit, person, now)
        links = self.people.links(visit.owner)
        link = visit.link
        if link is None:
            return UNREACHED
        route = code_route(link, person, holds_phone=holds_phone, now=now, guardian=guardian)
        if route is not None and route.scope == "person":
            route = _limited(route, link, guardian if route.guardian_id else person, links, now)
        frozen = person is not None and person.frozen_at is not None
        return Reach(route, in_app=link.status == "confirmed" and not frozen)

    def _guardian(self, visit: Visit, person: Person | None, now: datetime) -> Person | None:
        """Of a child's guardians with a verified phone, the one proven first. Where there is none to ask, nobody is
        read in their place."""
        held = sorted(self.guardians.of_ward(visit.owner), key=lambda one: one.proven_at)
        asked = [one.guardian_id for one in held if one.is_live(now)] if _is_child(visit, person, now) else []
        for guardian_id in asked or [NOBODY]:
            guardian = self.people.person(guardian_id)
            holds_phone = self._holds_phone(guardian)
            if guardian and guardian.frozen_at is None and guardian.has_phone(now) and holds_phone:
                return guardian
        return None

    def _holds_phone(self, person: Person | None) -> bool:
        """Whether there is a number, and it was not verified for somebody else since."""
        phone = person.phone if person else ""
        holder = self.people.phone_holder(self.mac("phone", phone).hex())
        return person is not None and bool(phone) and holder == person.person_id


def _is_child(visit: Visit, person: Person | None, now: datetime) -> bool:
    if visit.link is None:
        return False
    return needs_guardian(person.birth_date if person and person.birth_date else visit.link.birth_date, now)


def _limited(route: Route, link: Link, holder: Person | None, links: tuple[Link, ...], now: datetime) -> Route | None:
    if holder is not None and opens_all(holder, now):
        return route
    only = opened_hospitals(holder, links) if holder else ()
    if only:
        return replace(route, only=only)
    return Route(link.phone, "identity") if link.phone and not route.guardian_id else None
