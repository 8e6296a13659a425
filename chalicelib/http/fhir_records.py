"""A person's consents, and who looked, as FHIR R4 resources, for that person or their guardian. What is told is what
`http.shapes` tells them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from chalicelib.domain.access_words import BASES, DEEDS, ROLES, said
from chalicelib.domain.fhir_id import study_id
from chalicelib.http.fhir_types import (
    DCM,
    HL7,
    OURS,
    Element,
    coding,
    concept,
    filled,
    identifier,
    instant,
    named,
    narrative,
    numbers,
    text,
)

if TYPE_CHECKING:
    from chalicelib.domain.access_log import Access
    from chalicelib.domain.consent import Consent

# Consent.category: what a consent is of; an emergency's is given by the rules, not by the patient.
_DISCLOSURE: Final = coding(f"{HL7}v3-ActCode", "IDSCL", "information disclosure")
_EMERGENCY: Final = coding(f"{HL7}consentcategorycodes", "emrgonly", "Emergency Only")
_PURPOSES: Final = {
    "treatment": coding(f"{HL7}v3-ActReason", "TREAT", "treatment"),
    "emergency": coding(f"{HL7}v3-ActReason", "ETREAT", "Emergency Treatment"),
}
_KINDS: Final = {
    "doctor": "Practitioner",
    "patient": "Patient",
    "guardian": "RelatedPerson",
    "hospital": "Organization",
}
_SEEN: Final = coding(DCM, "110103", "DICOM Instances Accessed")
_OTHER: Final = coding(f"{HL7}audit-event-type", "rest", "RESTful Operation")


def consent(given: Consent, now: datetime) -> Element:
    """`status` is as of now: nothing is written when a consent ends by itself."""
    return filled(
        resourceType="Consent",
        id=given.consent_id,
        status="active" if given.is_live(now) else "inactive",
        scope=concept(coding(f"{HL7}consentscope", "patient-privacy", "Privacy Consent")),
        category=[concept(one) for one in ([_DISCLOSURE, _EMERGENCY] if _is_emergency(given) else [_DISCLOSURE])],
        patient=filled(
            type="Patient", identifier=identifier(numbers(given.identity.issuer, "patient"), given.identity.local_id)
        ),
        dateTime=instant(given.granted_at),
        performer=[named("RelatedPerson", "person", given.given_by)] if given.given_by else [],
        organization=[named("Organization", "hospital", given.hospital_id)],
        policyRule=concept(
            coding(f"{OURS}basis", given.basis, said(BASES, given.basis).en),
            says=text(f"{said(BASES, given.basis).zh} {given.notice_version}"),
        ),
        provision=_provision(given),
    )


def _is_emergency(given: Consent) -> bool:
    return given.basis == "break_glass"


def _provision(given: Consent) -> Element:
    """What the doctor may read, and until when. One of no studies says so: without `data` it would permit all."""
    ends_at = min(given.ends_at, given.revoked_at) if given.revoked_at else given.ends_at
    studies = [_instance({"reference": f"ImagingStudy/{study_id(ref)}"}) for ref in sorted(given.studies)]
    return filled(
        type="permit",
        period={"start": instant(given.granted_at), "end": instant(max(ends_at, given.granted_at))},
        actor=[
            {
                "role": concept(coding(f"{HL7}v3-ParticipationType", "IRCP", "information recipient")),
                "reference": named("Practitioner", "doctor", given.doctor_id),
            }
        ],
        purpose=[_PURPOSES[given.purpose]] if given.purpose in _PURPOSES else [],
        data=studies or [_instance({"display": "无 none"})],
    )


def _instance(reference: Element) -> Element:
    return {"meaning": "instance", "reference": reference}


def audit_event(told: Access) -> Element:
    """One event of who looked; `text` is the sentence in Chinese and in English."""
    event = told.event
    deed = DEEDS.get(event.action)
    return filled(
        resourceType="AuditEvent",
        id=event.event_id,
        text=narrative([("zh-CN", told.sentence.zh), ("en", told.sentence.en)]),
        type=_SEEN if event.action == "view_study" else _OTHER,
        subtype=[coding(f"{OURS}act", event.action, deed.done.en.replace("{study}", "a study") if deed else "")],
        recorded=instant(event.at),
        outcome="0" if event.allowed else "4",
        outcomeDesc=text(event.reason),
        purposeOfEvent=[concept(_PURPOSES[told.purpose])] if told.purpose in _PURPOSES else [],
        agent=[_agent(told)],
        source={
            "site": text(event.hospital_id) or "imaging-cloud",
            "observer": {"type": "Device", "display": "影像云 Imaging Cloud"},
        },
        entity=_entities(told),
    )


def _agent(told: Access) -> Element:
    event = told.event
    kind = _KINDS.get(event.role, "Person")
    return filled(
        role=[concept(coding(f"{OURS}role", event.role), says=said(ROLES, event.role).zh)] if event.role else [],
        who=named(kind, event.role or "nobody", event.guardian_id or event.subject, told.who),
        requestor=True,
    )


def _entities(told: Access) -> list[Element]:
    event, found = told.event, told.summary
    entities = []
    if event.study:
        what = {"reference": f"ImagingStudy/{study_id(event.study)}"}
        entities.append(filled(what=what, name=text(found.study_description) if found else ""))
    if event.consent_id:
        entities.append({"what": {"reference": f"Consent/{event.consent_id}"}})
    return entities
