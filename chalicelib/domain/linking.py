"""What a notice and a desk may do to a link. Pure: the link as it should become, and the word for the audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.identity import (
    IdentityKey,
    Link,
    PatientDetails,
    Person,
    confirms_itself,
    contested,
    normal_date,
    normal_sex,
    with_name,
)
from chalicelib.domain.names import names_agree, names_conflict
from chalicelib.domain.national_id import NationalId
from chalicelib.domain.phone import normal_phone


class RegistrationRefused(Exception):  # noqa: N818 - the fact is the name
    """A desk may not register this. `reason`: placeholder, name_missing, phone, birth_date_differs, sex_differs,
    name_differs, identity_taken, same_clerk, national_id_{length,characters,birth_date,check_digit,legacy}."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Evidence:
    """Whom an identity is said to be: the person, the checked national id if there was a good one, all links that
    the person has already, and the clerk at whose desk."""

    person_id: str
    national_id: NationalId | None
    links: tuple[Link, ...] = ()
    clerk: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """`link` as it should be written; `reason` names what happened, for the audit."""

    link: Link
    reason: str


@dataclass(frozen=True, slots=True)
class LinkChange:
    """One write of a link. `former` is the link as read (None: there was none); it may be another person's.

    `person` is written with it when given, under the revision it was read with; `phone_key`, the keyed hash of the
    phone just verified, makes that person the number's holder, whoever held it before.
    """

    link: Link
    former: Link | None = None
    person: Person | None = None
    phone_key: str = ""


def link_from_notice(
    former: Link | None, identity: IdentityKey, patient: PatientDetails, evidence: Evidence, now: datetime
) -> Linked:
    """A notice never moves an identity that was found by a national id or seen by a desk: it can only contest what is
    weaker than a desk. It may give a person to an identity that had none, unconfirmed unless the rule confirms."""
    if former is None:
        linked = _new(identity, patient, evidence, now)
    elif evidence.national_id is None or evidence.person_id == former.person_id:
        linked = _confirmed_by_rule(former, patient, evidence, now) or Linked(former, "known")
    elif former.by_national_id or former.status != "unconfirmed":
        linked = Linked(former if former.strong else contested(former, "national_id"), "link_conflict")
    else:
        linked = _new(identity, patient, evidence, now)
        linked = replace(linked, link=replace(linked.link, names=former.names, revision=former.revision))
    return _with_details(linked, patient, now)


def _new(identity: IdentityKey, patient: PatientDetails, evidence: Evidence, now: datetime) -> Linked:
    link = Link(identity, evidence.person_id, "unconfirmed", now, by_national_id=evidence.national_id is not None)
    return _confirmed_by_rule(link, patient, evidence, now) or Linked(link, "linked")


def _confirmed_by_rule(link: Link, patient: PatientDetails, evidence: Evidence, now: datetime) -> Linked | None:
    national_id = evidence.national_id
    if link.status != "unconfirmed" or national_id is None:
        return None
    if not confirms_itself(patient, national_id, evidence.links):
        return None
    return Linked(replace(link, status="confirmed", confirmed_by="rule", confirmed_at=now), "confirmed_by_rule")


def _with_details(linked: Linked, patient: PatientDetails, now: datetime) -> Linked:
    """The notice's phone, sex and birth date beside the identity; what it leaves out stays."""
    phone = normal_phone(patient.phone) or linked.link.phone
    link = replace(
        linked.link,
        phone=phone,
        phone_told_at=linked.link.phone_told_at if phone == linked.link.phone else now,
        sex=normal_sex(patient.sex) or linked.link.sex,
        birth_date=normal_date(patient.birth_date) or linked.link.birth_date,
    )
    named = with_name(link, patient.name)
    reason = "many_names" if named.status == "contested" != link.status else linked.reason
    return Linked(named, reason)


def link_at_desk(
    former: Link | None, identity: IdentityKey, patient: PatientDetails, evidence: Evidence, now: datetime
) -> Link:
    """A confirmed link for the holder of the card. Raises RegistrationRefused.

    A desk confirms whom an identity was said to be, and gives a person to one that had none, or to one that is
    contested, if name or birth date speak for it. It never takes an identity from another person that nobody
    contests, nor may one clerk both contest and move it: a clerk with a card of their own would.
    """
    national_id = evidence.national_id
    if national_id is None:
        raise RegistrationRefused("national_id_length")
    if former is not None and former.person_id != evidence.person_id:
        if former.status == "contested":
            if evidence.clerk and former.contested_by == evidence.clerk:
                raise RegistrationRefused("same_clerk")
        elif former.by_national_id or former.status != "unconfirmed":
            raise RegistrationRefused("identity_taken")
        if not _may_be(former, patient.name, national_id.birth_date):
            raise RegistrationRefused("name_differs")
    elif former is not None and _unlike(former.names, patient.name):
        raise RegistrationRefused("name_differs")
    return Link(
        identity,
        evidence.person_id,
        "confirmed",
        former.linked_at if former is not None and former.person_id == evidence.person_id else now,
        confirmed_by="desk",
        confirmed_at=now,
        by_national_id=True,
        names=(patient.name,),
        sex=national_id.sex,
        birth_date=national_id.birth_date,
        phone=former.phone if former else "",
        phone_told_at=former.phone_told_at if former else None,
        revision=former.revision if former else 0,
    )


def name_at_desk(known: str, link: Link, links: Iterable[Link]) -> str:
    """The person's name after a desk confirmed `link`; `links` are the person's, with or without it.

    A clerk can type any name beside a national id. So one that cannot be the known one replaces it only where desks of
    more hospitals have it on numbers that stand: that ends a wrong first registration, and takes up a changed name."""
    (name,) = link.names
    if not names_conflict(known, name):
        return name
    strong = [link, *(one for one in links if one.strong and one.identity != link.identity)]
    return name if _desks(strong, name) > _desks(strong, known) else known


def _desks(links: Iterable[Link], name: str) -> int:
    return len({one.identity.issuer for one in links if any(names_agree(name, other) for other in one.names)})


def _may_be(former: Link, name: str, birth_date: str) -> bool:
    if any(names_agree(name, known) for known in former.names):
        return True
    return not _unlike(former.names, name) and former.birth_date == birth_date


def _unlike(known: Iterable[str], name: str) -> bool:
    names = tuple(known)
    return bool(names) and all(names_conflict(name, other) for other in names)
