"""What an ordering system sends (CDS Hooks 2.0, FHIR R4) → `domain.order`. Only what the request itself carries is
read: `fhirServer` is never called, for whoever names an address for us to fetch chooses what we reach."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from chalicelib.domain.body_region import Part, of_code, of_term
from chalicelib.domain.order import Draft, Ordering, is_follow_up, is_modality, ordered
from chalicelib.http.asked import BadRequest, Fields
from chalicelib.http.cds_hooks import HOOK_INSTANCE, LONGEST_ID

MOST_ORDERS: Final = 20  # of one call
MOST_TEXTS: Final = 8  # of one order
MOST_IDS: Final = 4  # of a visit; each that is unknown costs a read
SNOMED: Final = ("http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96")
DICOM: Final = ("http://dicom.nema.org/resources/ontology/DCM", "urn:oid:1.2.840.10008.2.16.4")
_TYPE = re.compile("(Patient|Encounter|Practitioner|PractitionerRole|ServiceRequest)/")
URGENT: Final = frozenset({"stat", "asap"})

Resource = Mapping[str, Any]


def read_ordering(fields: Fields, hook: str, hospital_id: str) -> Ordering:
    """Raises BadRequest for what the hook's specification requires and is not there."""
    if fields.choice("hook") != hook:
        raise BadRequest("hook")
    if not re.fullmatch(HOOK_INSTANCE, fields.text("hookInstance")):
        raise BadRequest("hookInstance")
    context = fields.part("context")
    user, patient, encounter = context.text("userId"), context.text("patientId"), context.text("encounterId")
    prefetch = fields.values.get("prefetch")
    fetched = prefetch if isinstance(prefetch, dict) else {}
    visit = [*([encounter] if encounter else []), *_identifiers(fetched.get("encounter"))]
    return Ordering(
        hospital_id=hospital_id,
        doctor_id=_id(user),
        encounter_ids=tuple(dict.fromkeys(map(_id, visit)))[:MOST_IDS],
        patient_ids=frozenset(map(_id, [patient, *_identifiers(fetched.get("patient"))])),
        drafts=tuple(map(_draft, _requests(context, hook)))[:MOST_ORDERS],
    )


def _id(reference: str) -> str:
    """Practitioner/d1 names d1; a hospital's own number may have a stroke in it."""
    return _TYPE.sub("", reference, count=1) if _TYPE.match(reference) else reference


def _identifiers(resource: Any) -> list[str]:
    """A prefetched resource's own id and its business identifiers: hospitals' systems number in their own way."""
    if not isinstance(resource, dict):
        return []
    named = [_text(resource, "id"), *(_text(one, "value") for one in _objects(resource.get("identifier")))]
    return [one for one in named if 0 < len(one) <= LONGEST_ID]


def _requests(context: Fields, hook: str) -> Iterable[Resource]:
    """The draft ServiceRequests; at order-select those that were just selected."""
    bundle = context.part("draftOrders").values
    resources = [
        entry["resource"] for entry in _objects(bundle.get("entry")) if isinstance(entry.get("resource"), dict)
    ]
    drafts = [one for one in resources if one.get("resourceType") == "ServiceRequest"]
    if hook != "order-select":
        return drafts
    selections = context.values.get("selections")
    if not isinstance(selections, list) or not all(isinstance(one, str) for one in selections):
        raise BadRequest("selections")
    selected = {_id(one) for one in selections}
    return [one for one in drafts if _text(one, "id") in selected]


def _draft(request: Resource) -> Draft:
    sites = _objects(request.get("bodySite"))
    codes = [request["code"]] if isinstance(request.get("code"), dict) else []
    kinds = [*codes, *_objects(request.get("category")), *_objects(request.get("orderDetail"))]
    texts = tuple(chain.from_iterable(map(_texts, [*codes, *_objects(request.get("orderDetail")), *sites])))[
        :MOST_TEXTS
    ]
    codings = [coding for kind in kinds for coding in _objects(kind.get("coding"))]
    reasons = chain.from_iterable(map(_texts, _objects(request.get("reasonCode"))))
    notes = (_text(note, "text") for note in _objects(request.get("note")))
    numbers = (_text(one, "value") for one in _objects(request.get("identifier")))
    return Draft(
        exam=ordered(texts, tuple(filter(None, map(_modality, codings))), tuple(_coded(sites))),
        numbers=frozenset(filter(None, numbers)),
        is_follow_up=any(map(is_follow_up, [*texts, *reasons, *notes])),
        is_urgent=_text(request, "priority") in URGENT,
    )


def _texts(concept: Resource) -> list[str]:
    """A CodeableConcept's own words, then those of its codes."""
    said = [_text(concept, "text"), *(_text(coding, "display") for coding in _objects(concept.get("coding")))]
    return list(filter(None, said))


def _modality(coding: Resource) -> str:
    code = _text(coding, "code")
    return code if _text(coding, "system") in DICOM and is_modality(code) else ""


def _coded(sites: Iterable[Resource]) -> Iterable[Part]:
    for coding in chain.from_iterable(_objects(site.get("coding")) for site in sites):
        code, system = _text(coding, "code"), _text(coding, "system")
        yield from of_code("SCT" if system in SNOMED else "", code) or (of_term(code) if system not in SNOMED else ())


def _objects(value: Any) -> list[Resource]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(resource: Resource, name: str) -> str:
    value = resource.get(name)
    return value.strip() if isinstance(value, str) else ""
