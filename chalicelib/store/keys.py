"""Keys of the three tables; those of hospitals' days and of recognition stand in `day_keys` and `gain_keys`.

Free text is percent-encoded.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import quote

from chalicelib.domain.study import StudyRef

SHARDS = 16
GSI1 = "GSI1"
GSI2 = "GSI2"


def text(value: str) -> str:
    """Percent-encode free text for a key, so that `#` separates parts and nothing else."""
    return quote(value, safe="")


def shard(value: str) -> int:
    """Spread owners over the shards of an index, the same owner always to the same one."""
    return hashlib.sha256(value.encode()).digest()[0] % SHARDS


def instant(at: datetime) -> str:
    """An instant as sortable text: UTC, fixed width."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# The journal table


def journal(ref: StudyRef) -> str:
    return f"{ref.hospital_id}#{ref.study_instance_uid}"


def journal_instance(sop_instance_uid: str, version_id: str, offset: int) -> str:
    return f"{sop_instance_uid}#{version_id}#{offset}"


def journal_pack(version_id: str, part: int) -> str:
    return f"PACK#{version_id}#{part:04d}"


# Studies


def study(ref: StudyRef) -> str:
    return f"STUDY#{ref.hospital_id}#{ref.study_instance_uid}"


SUMMARY = "SUMMARY"
AMEND = "AMEND#"
DIGEST = "DIGEST#"


def manifest(digest: str, part: int) -> str:
    return f"MANIFEST#{digest}#{part:04d}"


def amend(ulid: str) -> str:
    return f"{AMEND}{ulid}"


def digest(version_id: str, offset: int) -> str:
    """The SHA-256 fact of a place; the offset tells instances of one pack apart."""
    return f"{DIGEST}{version_id}#{offset}"


def pointer(study_instance_uid: str) -> str:
    return f"UID#{study_instance_uid}"


# People


def identity(issuer: str, local_id: str) -> str:
    return f"IDENTITY#{text(issuer)}#{text(local_id)}"


IDENTITIES = "IDENTITY#"
IDENTITY_PERSON = "PERSON"
FORMER_LINKS = "WAS#"
PROFILE = "PROFILE"
CONSENTS = "CONSENT#"
REQUESTS = "REQUEST#"
HOLDER = "HOLDER"  # of a licence
ENCOUNTER = "ENCOUNTER"


def former_link(revision: int) -> str:
    return f"{FORMER_LINKS}{revision:09d}"


def person(person_id: str) -> str:
    return f"PERSON#{person_id}"


def phone(phone_key: str) -> str:
    """Who holds a verified number; `phone_key` is its keyed hash, for keys turn up in error texts."""
    return f"PHONE#{phone_key}"


def consents_of(doctor_id: str) -> str:
    return f"{CONSENTS}{text(doctor_id)}#"


def consent(doctor_id: str, ulid: str) -> str:
    return f"{consents_of(doctor_id)}{ulid}"


HOLDINGS = "HOLDING#"


def holding(ends_at: datetime, consent_id: str) -> str:
    """Under the doctor, in the order in which the consents end."""
    return f"{HOLDINGS}{instant(ends_at)}#{consent_id}"


def request(ulid: str) -> str:
    return f"{REQUESTS}{ulid}"


def code(request_id: str) -> str:
    return f"CODE#{request_id}"


GUARDIANS = "GUARDIAN#"
WARDS = "WARD#"
TOLD = "TOLD#"
QR = "QR"


def guardian(guardian_id: str) -> str:
    """Under the ward."""
    return f"{GUARDIANS}{guardian_id}"


def ward(reference: str) -> str:
    """Under the guardian; the reference is random and says nothing of the ward."""
    return f"{WARDS}{text(reference)}"


def told(ulid: str) -> str:
    return f"{TOLD}{ulid}"


EXPORT = "EXPORT"  # the person's latest archive

HIDDEN = "HIDDEN#"


def hidden(ref: StudyRef) -> str:
    return f"{HIDDEN}{ref.hospital_id}#{ref.study_instance_uid}"


def pairs(month: str) -> str:
    return f"PAIR#{month}#"


def pair(month: str, kind: str, helper: str, doctor_id: str) -> str:
    return f"{pairs(month)}{kind}#{text(helper)}#{text(doctor_id)}"


ASSISTED = "ASSISTED#"
HAND_OVERS = "HANDOVER#"
REVIEWS = "REVIEW#"
SUSPENDED = "SUSPENDED#"


def assisted(request_id: str) -> str:
    """Under the hospital, as the three that follow."""
    return f"{ASSISTED}{text(request_id)}"


def hand_over(consent_id: str) -> str:
    return f"{HAND_OVERS}{text(consent_id)}"


def review(review_id: str) -> str:
    return f"{REVIEWS}{text(review_id)}"


def suspended(doctor_id: str) -> str:
    return f"{SUSPENDED}{text(doctor_id)}"


def qr(qr_hash: str) -> str:
    return f"QR#{qr_hash}"


def count(kind: str, window: str) -> str:
    return f"COUNT#{kind}#{window}"


def doctor(doctor_id: str) -> str:
    return f"DOCTOR#{text(doctor_id)}"


def licence(number: str) -> str:
    """Which account stands for a practising licence."""
    return f"LICENCE#{text(number)}"


def encounter(hospital_id: str, encounter_id: str) -> str:
    return f"ENCOUNTER#{hospital_id}#{text(encounter_id)}"


def hospital(hospital_id: str) -> str:
    return f"HOSPITAL#{hospital_id}"


QUARANTINED = "QUARANTINE#"
ASKED_RELEASES = "RELEASES#ASKED"


def quarantined(entry_id: str) -> str:
    """Under the hospital: what became of a quarantined upload since."""
    return f"{QUARANTINED}{text(entry_id)}"


HOSPITALS = "HOSPITALS"  # the directory: one item per registered hospital, sorted by id

# Exams


def accession(hospital_id: str, accession_number: str, study_instance_uid: str) -> str:
    """Where an exam's facts gather: by accession number, or by study where the hospital gave none."""
    return f"ACC#{hospital_id}#{text(accession_number) or study_instance_uid}"


NOTICE = "NOTICE#"
STUDY_FACT = "STUDY#"
JUDGED = "JUDGED#"
EXCUSE = "EXCUSE#"


def notice(notice_id: str) -> str:
    return f"{NOTICE}{text(notice_id)}"


def notice_id(hospital_id: str, notice_id: str, patient_id: str) -> str:
    """Where the facts of one notice id and patient gather. The patient's id is hashed, for keys turn up in error texts;
    it is here so that a hospital which gives all its notices one id does not gather them all."""
    patient = hashlib.sha256(patient_id.encode()).hexdigest()[:16]
    return f"NOTICEID#{hospital_id}#{text(notice_id)}#{patient}"


def study_fact(study_instance_uid: str, fact_digest: str) -> str:
    return f"{STUDY_FACT}{study_instance_uid}#{fact_digest}"


def judged(due_at: datetime) -> str:
    return f"{JUDGED}{instant(due_at)}"


def excuses_from(at: datetime) -> str:
    """Where the excuses begin that had not ended before an instant."""
    return f"{EXCUSE}{instant(at)}"


def excuse(to_at: datetime, digest: str, *, withdrawn: bool = False) -> str:
    return f"{excuses_from(to_at)}#{digest}{'#WITHDRAWN' if withdrawn else ''}"


def ledger(hospital_id: str, day: str) -> str:
    return f"LEDGER#{hospital_id}#{day}"


def exam(accession_or_study: str, use: int) -> str:
    return f"{text(accession_or_study)}#{use:03d}"


def due(kind: str) -> str:
    return f"DUE#{kind}"


def due_shard(kind: str, number: int) -> str:
    return f"DUE#{kind}#{number:02d}"


def due_order(due_at: datetime, owner: str) -> str:
    return f"{instant(due_at)}#{owner}"


def flag(day: str, rule: str) -> str:
    return f"FLAG#{day}#{rule}"


OPEN_FLAGS = "FLAGS#OPEN"


# Tokens


def spent_token(issuer: str, jti: str) -> str:
    """A digest: an issuer chooses its ids, of any length and with anything in them."""
    return f"JTI#{hashlib.sha256(f'{text(issuer)}#{jti}'.encode()).hexdigest()}"


SPENT = "SPENT"


# Audit


def audit(at: datetime, event_id: str) -> str:
    return f"{at.strftime('%Y-%m-%dT%H')}#{shard(event_id):02d}"


def audit_hour(at: datetime) -> tuple[str, ...]:
    """All partitions of an instant's hour."""
    return tuple(f"{at.strftime('%Y-%m-%dT%H')}#{number:02d}" for number in range(SHARDS))
