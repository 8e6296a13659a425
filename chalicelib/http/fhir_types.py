"""FHIR R4's own types, and the names of what is ours: code systems, and systems of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from chalicelib.http.addresses import outside
from chalicelib.http.answers import answer

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.http.asked import Asked

FHIR_JSON: Final = "application/fhir+json"
ROOT: Final = "/fhir"
UID: Final = "urn:dicom:uid"
OID: Final = "urn:oid:"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
HL7: Final = "http://terminology.hl7.org/CodeSystem/"
OURS: Final = "urn:imaging-cloud:"  # code systems, and {hospital}:{what} for numbers that a hospital gives
LARGEST: Final = 2**31 - 1  # of an unsignedInt
_NUMBERS: Final = re.compile(r"urn:imaging-cloud:hospital:([A-Z0-9]{1,16}):([a-z]+)")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

Element = dict[str, Any]


def base_url(asked: Asked) -> str:
    return f"{outside(asked, ROOT)}{ROOT}"


def resource(body: Element, status: int = 200) -> Response:
    return answer(body, status, {"Content-Type": f"{FHIR_JSON}; charset=utf-8"})


def filled(**elements: Any) -> Element:
    """Without what is empty, which FHIR forbids."""
    return {name.rstrip("_"): value for name, value in elements.items() if value not in (None, "", [], {}, ())}


def text(value: str) -> str:
    """A `string`: no controls, no blanks around it."""
    return _CONTROLS.sub(" ", value).strip()


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unsigned(number: int | None) -> int | None:
    """None for what an unsignedInt cannot hold."""
    return number if number is not None and 0 <= number <= LARGEST else None


def coding(system: str, code: str, display: str = "") -> Element:
    return filled(system=system, code=code, display=display)


def concept(*codings: Element, says: str = "") -> Element:
    return filled(coding=list(codings), text=says)


def identifier(system: str, value: str, **more: Any) -> Element:
    return filled(system=system, value=text(value), **more) if text(value) else {}


def numbers(hospital_id: str, what: str) -> str:
    """The system of the numbers that a hospital gives: `patient`, `accession`."""
    return f"{OURS}hospital:{hospital_id}:{what}"


def hospital_of(system: str, what: str) -> str:
    """The hospital whose numbers a system is of; "" for none of ours."""
    found = _NUMBERS.fullmatch(system)
    return found[1] if found and found[2] == what else ""


def named(kind: str, system: str, value: str, display: str = "") -> Element:
    """A reference to what is no resource here, by its number."""
    return filled(type=kind, identifier=identifier(f"{OURS}{system}", value), display=text(display))


def bundle(resources: Sequence[Element], address: str, links: Iterable[tuple[str, str]], said: Element) -> Response:
    """A page of what was found at an address. `links`: (relation, query); `said`: an OperationOutcome, or {}."""
    told = [{"relation": relation, "url": f"{address}{'?' if query else ''}{query}"} for relation, query in links]
    entries = [_entry(one, address) for one in resources]
    if said:
        entries.append({"resource": said, "search": {"mode": "outcome"}})
    return resource(filled(resourceType="Bundle", type="searchset", link=told, entry=entries))


def _entry(one: Element, address: str) -> Element:
    return {"fullUrl": f"{address}/{one['id']}", "resource": one, "search": {"mode": "match"}}


def narrative(lines: Iterable[tuple[str, str]]) -> Element:
    """(language, sentence) each as a paragraph of its own."""
    said = "".join(f'<p lang="{language}">{_escaped(sentence)}</p>' for language, sentence in lines)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{said}</div>'}


def _escaped(sentence: str) -> str:
    escaped = text(sentence).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;")


SUBSETTED: Final = {"tag": [coding(f"{HL7}v3-ObservationValue", "SUBSETTED", "subsetted")]}
