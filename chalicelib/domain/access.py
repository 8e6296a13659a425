"""Who calls, and what lets them read: the words that the door, the decisions and the audit share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chalicelib.domain.study import StudyRef

Role = Literal[
    "doctor", "patient", "guardian", "hospital", "desk_clerk", "privacy_officer", "regulator", "administrator"
]
Basis = Literal["self", "guardian", "sms_code", "health_app", "dynamic_qr", "assisted", "break_glass"]
Purpose = Literal["treatment", "emergency"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a verified token says is calling. `hospital_id` is bound for doctors, clerks and hospitals; `person_id`
    for patients and guardians: their own. `session_epoch` must equal the account's: raising it there ends every
    session. `phone` is a number that the issuer vouches for: the real-name app's only. `signed_in_at` is when the human
    last proved who they are (`auth_time`, else `iat`), for what asks for a fresh login."""

    role: Role
    subject: str
    hospital_id: str = ""
    person_id: str = ""
    session_epoch: int = 0
    phone: str = field(default="", repr=False)
    signed_in_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """Proof that this caller may read this study now. Only `services.authorize` makes one; the signer takes one.
    `event_id`: the audit event that recorded it."""

    caller: Caller
    study: StudyRef
    basis: Basis
    consent_id: str
    expires_at: datetime
    event_id: str = field(default="", compare=False)


class AccessDenied(Exception):  # noqa: N818 - the design's word for the fact
    """The caller may not. `reason` is one of the words of DESIGN §6; only `no_grant` is ever told to strangers."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


OWN_ROUTINE = frozenset(
    {
        "close_session",
        "open_session",
        "read_accesses",
        "read_consents",
        "read_export",
        "read_guardians",
        "read_hidden",
        "read_identities",
        "read_notices",
        "read_phone",
        "read_requests",
        "read_timeline",
    }
)
IMAGE_BY_IMAGE = "view_images"  # hundreds in a study, each after an event that names the study
POLLS = frozenset({"assisted_outcome", "read_outcome", "remind_of_similar"})
TOLD_NOTHING = frozenset({"denied", "expired", "nothing_similar", "waiting"})


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One decision, allowed or not. Holds no name, phone, code, token or signed URL. `guardian_id` is the person who
    acted for `person_id`, where somebody did. `route` is what was asked for where the door itself answered; `role` and
    `subject` are empty where no token was believed. `statement`: the digest of what was stated to the caller, where
    that must be provable for years (`domain.receipt`)."""

    event_id: str
    at: datetime
    action: str
    role: str
    subject: str
    hospital_id: str
    allowed: bool
    reason: str
    person_id: str = ""
    study: StudyRef | None = None
    encounter_id: str = ""
    basis: str = ""
    consent_id: str = ""
    guardian_id: str = ""
    purpose: str = ""
    route: str = ""
    statement: str = ""

    @property
    def is_routine(self) -> bool:
        """What its person need not see to know who looked: their own lists and sessions, a viewer that fetches image
        after image, and a doctor who asks again and again whether there is an answer yet, or orders an exam that is
        like no other. A refusal never is."""
        own = (self.role == "patient" and self.action in OWN_ROUTINE) or self.action == IMAGE_BY_IMAGE
        return self.allowed and (own or (self.action in POLLS and self.reason in TOLD_NOTHING))


class AuditFailed(Exception):  # noqa: N818 - the design's word for the fact
    """The decision could not be recorded, so nothing is allowed (DESIGN §6). Ours to mend: try again later."""
