"""Who may act for somebody else, from when to when: ages, guardianships, and what a desk must have seen.

Minors are under 18 (Civil Code Art. 17) and their parents or others guard them (Art. 27); an adult is a ward only as
far as a court or an appointment says so (Art. 24, 28). A person under 14 consents through a guardian (PIPL Art. 31);
from 14 on a minor decides too, so they are told of each act and may object (Civil Code Art. 35: their wishes count).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

from chalicelib.domain.national_id import NationalId

CONSENTS_FROM = 14  # years, PIPL Art. 31
ADULT_FROM = 18  # years, Civil Code Art. 17
ADULT_WARD_LIFE = timedelta(days=365)  # an adult's guardianship is proven anew every year
WAIT = timedelta(hours=72)  # [A] whoever could object is told first: a clerk alone opens no such record
_CHINA = timezone(timedelta(hours=8))  # birthdays begin in Beijing time

WardKind = Literal["minor", "incapacity"]
Document = Literal[
    "birth_certificate", "household_register", "adoption_certificate", "court_decision", "appointment_certificate"
]
# What proves which: kinship for minors, a decision over the person for adults (Civil Code Art. 24, 27, 28, 31)
DOCUMENTS: dict[WardKind, frozenset[Document]] = {
    "minor": frozenset(
        {
            "birth_certificate",
            "household_register",
            "adoption_certificate",
            "court_decision",
            "appointment_certificate",
        }
    ),
    "incapacity": frozenset({"court_decision", "appointment_certificate"}),
}


class GuardianRefused(Exception):  # noqa: N818 - the fact is the name
    """A desk may not record this. `reason`: same_person, guardian_minor, ward_adult, ward_minor, document,
    name_differs, objected, {ward,guardian}_national_id_{length,characters,birth_date,check_digit,legacy}."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Guardianship:
    """That one person may act for another. `ward` is how the guardian names the ward to us: random, it says nothing.

    `proven_by` and `hospital_id` are the desk's, the names those on the cards. It counts from `starts_at` to `ends_at`
    unless the ward objected or a desk ended it.
    """

    ward_id: str
    guardian_id: str
    ward: str
    kind: WardKind
    document: Document
    ward_birth_date: str = field(repr=False)
    hospital_id: str
    proven_by: str
    proven_at: datetime
    starts_at: datetime
    ends_at: datetime
    objected_at: datetime | None = None
    ended_at: datetime | None = None
    ward_name: str = field(default="", repr=False)
    guardian_name: str = field(default="", repr=False)
    revision: int = field(default=0, compare=False)

    def is_live(self, now: datetime) -> bool:
        """An objection and an end have no clock: they stand at once."""
        return self.objected_at is None and self.ended_at is None and self.starts_at <= now < self.ends_at

    def waits(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.starts_at

    def was_live(self, now: datetime) -> bool:
        """Whether it counted once: it began, and was not stopped while it still waited."""
        stops = [at for at in (self.objected_at, self.ended_at) if at is not None]
        return self.starts_at <= min([now, *stops])

    def tells_ward(self, now: datetime) -> bool:
        """Whether the ward is told of each act: from 14 on, adults too."""
        return not is_under(self.ward_birth_date, CONSENTS_FROM, now)


def birthday(birth_date: str, years: int) -> datetime:
    """The instant a person of that birth date (YYYYMMDD) becomes so old. 29 February falls on the 28th in other years
    (Civil Code Art. 202: the month's last day where the day is lacking). ValueError for what is no date."""
    born = date(int(birth_date[:4]), int(birth_date[4:6]), int(birth_date[6:]))
    try:
        day = born.replace(year=born.year + years)
    except ValueError:
        day = date(born.year + years, 2, 28)
    return datetime(day.year, day.month, day.day, tzinfo=_CHINA).astimezone(UTC)


def is_under(birth_date: str, years: int, now: datetime) -> bool:
    """Whether somebody is younger than that. Of unknown birth date: no, for only a card says who is a child."""
    try:
        return now < birthday(birth_date, years)
    except ValueError:
        return False


def needs_guardian(birth_date: str, now: datetime) -> bool:
    """A person under 14 allows nothing by themself (PIPL Art. 31)."""
    return is_under(birth_date, CONSENTS_FROM, now)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a desk saw: whose cards, and the document that makes one the other's guardian. `has_another`: somebody else
    may act for the ward already."""

    ward_id: str
    ward: NationalId
    guardian_id: str
    guardian: NationalId
    kind: WardKind
    document: Document
    hospital_id: str
    proven_by: str
    ward_present: bool = False
    has_another: bool = False
    ward_name: str = field(default="", repr=False)
    guardian_name: str = field(default="", repr=False)


def proven(former: Guardianship | None, proof: Proof, reference: str, now: datetime) -> Guardianship:
    """The guardianship that a proof makes or renews. Raises GuardianRefused.

    An objection is lifted only before a desk that has the ward there as well. A guardian waits who is an adult's, or
    not the first: somebody is there to object. A renewal does not wait again while the former still counts.
    """
    if proof.ward_id == proof.guardian_id:
        raise GuardianRefused("same_person")
    if is_under(proof.guardian.birth_date, ADULT_FROM, now):
        raise GuardianRefused("guardian_minor")
    is_minor = is_under(proof.ward.birth_date, ADULT_FROM, now)
    if is_minor != (proof.kind == "minor"):
        raise GuardianRefused("ward_minor" if is_minor else "ward_adult")
    if proof.document not in DOCUMENTS[proof.kind]:
        raise GuardianRefused("document")
    if former is not None and former.objected_at is not None and not proof.ward_present:
        raise GuardianRefused("objected")
    goes_on = former is not None and former.kind == proof.kind and former.is_live(now)
    waits = not goes_on and (not is_minor or proof.has_another)
    return Guardianship(
        ward_id=proof.ward_id,
        guardian_id=proof.guardian_id,
        ward=former.ward if former else reference,
        kind=proof.kind,
        document=proof.document,
        ward_birth_date=proof.ward.birth_date,
        hospital_id=proof.hospital_id,
        proven_by=proof.proven_by,
        proven_at=now,
        starts_at=now + WAIT if waits else now,
        ends_at=birthday(proof.ward.birth_date, ADULT_FROM) if is_minor else now + ADULT_WARD_LIFE,
        ward_name=proof.ward_name,
        guardian_name=proof.guardian_name,
        revision=former.revision if former else 0,
    )
