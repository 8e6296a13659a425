"""Identities as hospitals know them, the persons behind them, and when a link between the two may be believed."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.names import name_key, names_agree
from chalicelib.domain.national_id import NationalId
from chalicelib.domain.ulid import LENGTH, base32

PHONE_LIFE = timedelta(days=365)  # DESIGN §5: a verified phone lapses after 12 months, for numbers are recycled
LONGEST_ID = 64  # characters of an LO (PS3.5 6.2), and of the ids in notices and at desks
MANY_NAMES = 3  # one local id under so many unlike names is nobody's

LinkStatus = Literal["unconfirmed", "confirmed", "contested"]
Confirmer = Literal["desk", "app", "rule"]
PhoneRuleName = Literal["app", "known", "told_others", "told_nobody"]  # domain.phone has the table
STRONG: frozenset[Confirmer] = frozenset({"desk", "app"})  # saw the human: a card in a reader, a real-name account

# Ids that name nobody, however often they are typed; compared in capitals without punctuation or blanks.
_PLACEHOLDER_ID = re.compile(
    r"0*|(\d)\1{5,}|1234567?8?9?0?|X+|[?]+"
    r"|(?:TEST|DEMO|ANON|ANONYMOUS|ANONYMIZED|UNKNOWN|NOID|NONE|NULL|NA|NAN|PHANTOM|QC|QA|UNNAMED|NONAME)\d*"
    r"|(?:无名氏?|匿名|未知|不详|测试|无)\d*"
)
_PLACEHOLDER_NAME = re.compile(
    r"(?:无名氏?|无名[男女](?:性|士)?|无名氏[男女]|匿名|佚名|未知|不详|姓名不详|三无人员|测试|测试病人|测试患者|质控|水模)\d*"
    r"|(?:TEST|TESTPATIENT|ANONYMOUS|UNKNOWN|NONAME|UNNAMED|PHANTOM|JOHNDOE|JANEDOE)\d*"
)


@dataclass(frozen=True, slots=True, order=True)
class IdentityKey:
    """One patient as one hospital knows them. `issuer` is the hospital's registration, never a tag or a notice."""

    issuer: str
    local_id: str


@dataclass(frozen=True, slots=True)
class PatientDetails:
    """What a hospital says of a patient, in a notice or at a desk. All text as received; "" where nothing was said."""

    patient_id: str
    name: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    national_id: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """The human behind identities. `phone` is a verified one: only a desk with a card reader or the app sets it.

    What it opens is said by `domain.phone`: `phone_rule` is the rule it came under, `phone_desks` the hospitals whose
    desks saw it, `phone_opens_at` when a wait ends, `phone_clerk` the clerk who set it. `phone_set_at` is when the
    number last changed: no code sent before counts any more. `former_phone` is the last one that opened everything.
    """

    person_id: str
    name: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    phone_verified_at: datetime | None = None
    frozen_at: datetime | None = None
    session_epoch: int = 0
    phone_rule: PhoneRuleName = "app"
    phone_desks: tuple[str, ...] = ()
    phone_set_at: datetime | None = None
    phone_opens_at: datetime | None = None
    phone_clerk: str = ""
    former_phone: str = field(default="", repr=False)
    former_phone_verified_at: datetime | None = None
    revision: int = field(default=0, compare=False)

    def has_phone(self, now: datetime) -> bool:
        """Whether the verified phone has not lapsed by age. (Whether another holds the number now is asked apart.)"""
        return bool(self.phone) and self.phone_verified_at is not None and now < self.phone_verified_at + PHONE_LIFE


@dataclass(frozen=True, slots=True)
class Link:
    """That an identity is a person's, and how well that is known. `phone` is the hospital's own, unverified, told
    first at `phone_told_at`.

    `names` are the unlike names this identity appeared under, first seen first. `by_national_id` says whether the
    person was found by a national id; otherwise the person stands for this one identity alone. `contested_by` is who
    contested it, "" where a rule did.
    """

    identity: IdentityKey
    person_id: str
    status: LinkStatus
    linked_at: datetime
    confirmed_by: Confirmer | None = None
    confirmed_at: datetime | None = None
    contested_because: str = ""
    contested_by: str = ""
    by_national_id: bool = False
    names: tuple[str, ...] = field(default=(), repr=False)
    sex: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    phone_told_at: datetime | None = None
    revision: int = field(default=0, compare=False)

    @property
    def strong(self) -> bool:
        """Confirmed by someone who saw the human."""
        return self.status == "confirmed" and self.confirmed_by in STRONG


@dataclass(frozen=True, slots=True)
class FormerLink:
    """That a number of a hospital was taken for this person's, and until when. The number itself may be somebody
    else's, so it is not kept here."""

    issuer: str
    linked_at: datetime
    until: datetime


def is_placeholder(local_id: str, name: str = "") -> bool:
    """Whether an id or a name stands for nobody ("0", 无名氏, TEST, what is too long for an id): such a patient gets no
    timeline and no link.

    One id under many names is the third kind; it shows only over time: see `with_name`.
    """
    key = name_key(name)
    return bool(
        len(local_id) > LONGEST_ID
        or _PLACEHOLDER_ID.fullmatch(_bare(local_id))
        or (key.han and _PLACEHOLDER_NAME.fullmatch(key.han))
        or (key.latin and not key.han and _PLACEHOLDER_NAME.fullmatch(key.latin))
    )


def person_of(mac: bytes) -> str:
    """A person's id: 130 bits of the keyed hash of the national id, so that every hospital finds the same person."""
    return base32(int.from_bytes(mac) >> (8 * len(mac) - 5 * LENGTH), LENGTH)


def stand_in(identity: IdentityKey) -> str:
    """Where requests and counters of an identity without a person are kept. No person's id has this length."""
    digest = hashlib.sha256(f"{identity.issuer}\0{identity.local_id}".encode()).digest()
    return f"NOBODY{person_of(digest)}"


def confirms_itself(patient: PatientDetails, national_id: NationalId, links: Iterable[Link]) -> bool:
    """DESIGN §5: a link made from a notice is confirmed at once where birth date and sex agree with the national id,
    and the name with an identity of that person which a desk or the app has confirmed."""
    return (
        normal_date(patient.birth_date) == national_id.birth_date
        and normal_sex(patient.sex) == national_id.sex
        and any(names_agree(patient.name, name) for link in links if link.strong for name in link.names)
    )


def with_name(link: Link, name: str) -> Link:
    """The link after its identity appeared under a name; the third unlike name contests it."""
    key = name_key(name)
    if not (key.han or key.latin) or any(names_agree(name, known) for known in link.names):
        return link
    link = replace(link, names=(*link.names, name)[:MANY_NAMES])
    return contested(link, "many_names") if len(link.names) >= MANY_NAMES else link


def contested(link: Link, because: str, by: str = "") -> Link:
    """The link giving nothing any more, until a desk looks at the human."""
    if link.status == "contested":
        return link
    return replace(link, status="contested", contested_because=because, contested_by=by)


def normal_date(text: str) -> str:
    """YYYYMMDD of 1980-01-02, 1980/1/2 or 19800102; "" of anything else."""
    parts = re.fullmatch(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|(\d{2})(\d{2}))", text.strip())
    return "".join(part.zfill(2) for part in parts.groups() if part) if parts else ""


def normal_sex(text: str) -> str:
    """M, F or O (DICOM PS3.3 C.7.1.1); "" of anything else."""
    return {"M": "M", "MALE": "M", "男": "M", "F": "F", "FEMALE": "F", "女": "F", "O": "O", "OTHER": "O"}.get(
        text.strip().upper(), ""
    )


def _bare(text: str) -> str:
    return re.sub(r"[\s\W_]", "", unicodedata.normalize("NFKC", text)).upper()
