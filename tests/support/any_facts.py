"""Any facts a decision may meet, for properties; and those that allow, for edges."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import (
    CONSENT_LIVES,
    Consent,
    Doctor,
    Facts,
)
from chalicelib.domain.guardian import Guardianship, birthday
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.study import StudyRef
from tests.support.clinic import NOW, summary

SECOND = timedelta(seconds=1)
STUDIES = [StudyRef("H1", "1.1"), StudyRef("H1", "1.2"), StudyRef("H2", "1.1")]
IDENTITIES = [IdentityKey("H1", "A"), IdentityKey("H2", "B")]

small_times = st.integers(-3, 3).map(lambda seconds: NOW + seconds * SECOND)


def consents_on(basis):
    """Consents of a basis with edges around NOW: written ones, and those of the longest life of the basis."""
    longest = CONSENT_LIVES[basis].longest
    return st.builds(
        _consent,
        basis=st.just(basis),
        granted_at=small_times | small_times.map(lambda at: at - longest),
        expires_at=small_times | st.just(NOW + timedelta(days=60)),
        **CONSENT_FIELDS,
    )


def _consent(**fields):
    return Consent(**fields)


CONSENT_FIELDS = {
    "consent_id": st.text("0123456789", min_size=4, max_size=4),
    "person_id": st.sampled_from(["P", "Q"]),
    "doctor_id": st.sampled_from(["li", "wang"]),
    "hospital_id": st.sampled_from(["H1", "H2"]),
    "encounter_id": st.just("E"),
    "scope": st.sampled_from(["person", "identity"]),
    "identity": st.sampled_from(IDENTITIES),
    "purpose": st.just("treatment"),
    "notice_version": st.just("v"),
    "studies": st.frozensets(st.sampled_from(STUDIES)),
    "revoked_at": st.none() | small_times,
    "given_by": st.sampled_from(["", "G"]),
}
consents = st.sampled_from(sorted(CONSENT_LIVES)).flatmap(consents_on)
guardianships = st.builds(
    Guardianship,
    ward_id=st.sampled_from(["P", "P", "Q"]),
    guardian_id=st.sampled_from(["G", "G", "Q"]),
    ward=st.just("W"),
    kind=st.sampled_from(["minor", "incapacity"]),
    document=st.just("court_decision"),
    ward_birth_date=st.sampled_from(["20100101", "20200101", "19700101"]),
    hospital_id=st.just("H1"),
    proven_by=st.just("clerk"),
    proven_at=st.just(NOW),
    starts_at=small_times,
    ends_at=small_times,
    objected_at=st.none() | st.none() | small_times,
    ended_at=st.none() | st.none() | small_times,
)
doctors = st.builds(
    Doctor,
    doctor_id=st.just("li"),
    hospital_id=st.sampled_from(["H1", "H1", "H2"]),
    licence_number=st.just("1"),
    name=st.just("李"),
    status=st.sampled_from(["active", "active", "suspended", "left"]),
    session_epoch=st.sampled_from([0, 0, 1]),
    break_glass_stops=st.sampled_from([(), (), ("a review",)]),
)
links = st.builds(
    Link,
    identity=st.sampled_from(IDENTITIES),
    person_id=st.sampled_from(["P", "Q"]),
    status=st.sampled_from(["confirmed", "confirmed", "unconfirmed", "contested"]),
    linked_at=st.just(NOW),
)
persons = st.builds(
    Person,
    person_id=st.sampled_from(["P", "Q"]),
    frozen_at=st.none() | st.just(NOW),
    session_epoch=st.sampled_from([0, 0, 1]),
)
summaries = st.builds(
    summary, st.sampled_from(STUDIES), st.just("A"), state=st.sampled_from(["served", "served", "conflicted", "empty"])
)
callers = st.builds(
    Caller,
    role=st.sampled_from(["doctor", "doctor", "doctor", "patient", "guardian", "guardian", "regulator", "hospital"]),
    subject=st.sampled_from(["li", "wang"]),
    hospital_id=st.sampled_from(["H1", "H2"]),
    person_id=st.sampled_from(["P", "Q", "G", "G", ""]),
    session_epoch=st.sampled_from([0, 0, 1]),
)
any_facts = st.builds(
    Facts,
    caller=callers,
    study=st.sampled_from(STUDIES),
    summary=st.none() | summaries,
    link=st.none() | links,
    person=st.none() | persons,
    doctor=st.none() | doctors,
    consents=st.lists(consents, max_size=4).map(tuple),
    guardian=st.none()
    | st.builds(
        Person, person_id=st.just("G"), frozen_at=st.none() | st.just(NOW), session_epoch=st.sampled_from([0, 0, 1])
    ),
    guardianship=st.none() | guardianships,
)


LI = Caller("doctor", "li", "H1")
LINK = Link(IDENTITIES[0], "P", "confirmed", NOW)
CONSENT = Consent(
    consent_id="0001",
    person_id="P",
    doctor_id="li",
    hospital_id="H1",
    encounter_id="E",
    basis="sms_code",
    scope="person",
    identity=IDENTITIES[0],
    purpose="treatment",
    notice_version="v",
    studies=frozenset(STUDIES),
    granted_at=NOW,
    expires_at=NOW + timedelta(hours=24),
)
ALLOWED = Facts(LI, STUDIES[0], summary(STUDIES[0], "A"), LINK, Person("P"), Doctor("li", "H1", "1", "李"), (CONSENT,))
GUARDIAN = Caller("guardian", "g", person_id="G")
HELD = Guardianship(
    ward_id="P",
    guardian_id="G",
    ward="W",
    kind="minor",
    document="birth_certificate",
    ward_birth_date="20120301",
    hospital_id="H1",
    proven_by="clerk",
    proven_at=NOW - timedelta(days=9),
    starts_at=NOW - timedelta(days=9),
    ends_at=birthday("20120301", 18),
)
GUARDED = Facts(
    GUARDIAN, STUDIES[0], summary(STUDIES[0], "A"), LINK, Person("P"), guardian=Person("G"), guardianship=HELD
)
