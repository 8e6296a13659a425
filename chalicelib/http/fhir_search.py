"""A FHIR search's parameters (R4, search), read strictly: one that is not known is refused, for a filter that is not
heeded answers more than was asked. Who says `Prefer: handling=lenient` is told what was not heeded instead. A patient's
number is taken from a form only, never from an address."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import parse_qsl, urlencode

from chalicelib.domain.consent_query import ConsentQuery
from chalicelib.domain.fhir_id import study_of
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.study import StudyRef
from chalicelib.domain.study_query import COMPARATORS, Days, StudyQuery
from chalicelib.http import fhir_types
from chalicelib.http.asked import BadRequest
from chalicelib.http.fhir_dates import span_of
from chalicelib.http.fhir_parameters import LONGEST

if TYPE_CHECKING:
    from chalicelib.domain.span import Span
    from chalicelib.http.asked import Asked

COUNT: Final = 50
MOST: Final = 100  # results of a page; who asks for more gets these
MOST_PARAMETERS: Final = 32
FORM: Final = "application/x-www-form-urlencoded"
FORMATS: Final = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
STATUSES: Final = frozenset({"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"})  # a consent's
PATIENT: Final = ("patient:identifier", "patient.identifier", "subject:identifier", "subject.identifier")
# What may stand in a page's links. The link to itself names no single thing, so that what is unknown and what is not
# open to the caller are one answer; the one to the next page does, for then something was shown. A patient's number
# stands in neither: the token says whose list it is.
_LINKED: Final = ("modality", "started", "status", "date", "category", "_count")
_LINKED_ON: Final = ("identifier", "_id", "study", "data")
_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9.:-]{0,40}")
_DATE: Final = re.compile(r"([a-z]{2})?(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_PLAIN: Final = re.compile(r"_?[A-Za-z][A-Za-z-]{0,40}")
_LENIENT: Final = re.compile(r"(?:^|[,;])\s*handling\s*=\s*\"?lenient\"?\s*(?:$|[,;])", re.IGNORECASE)
_ANY_JSON: Final = FORMATS | {"*/*", "application/*", "text/*"}


class NotAcceptable(Exception):  # noqa: N818 - named by the fact
    """No JSON is taken; there is nothing else."""


def parameters(asked: Asked) -> Parameters:
    """Of a GET in the address; of a POST in the form, and there only. Raises BadRequest, NotAcceptable."""
    headers, in_address = asked.request.headers, asked.pairs()
    is_get = asked.request.method == "GET"
    if in_address and not is_get:
        raise BadRequest("query")
    pairs = in_address if is_get else _in_form(asked.raw())
    given = Parameters(pairs, in_form=not is_get, lenient=bool(_LENIENT.search(headers.get("prefer", ""))))
    if not _takes_json(given.one("_format"), headers.get("accept", "")):
        raise NotAcceptable
    return given


def _takes_json(wished: str, accept: str) -> bool:
    """`_format` goes before the header (R4, http: mime-type)."""
    wanted = {part.partition(";")[0].strip().lower() for part in (wished or accept or "*/*").split(",")}
    return not wanted.isdisjoint(FORMATS if wished else _ANY_JSON)


class Parameters:
    """Each is taken by who knows it; `done` refuses what nobody took, or keeps its names in `unheeded`."""

    def __init__(self, pairs: Iterable[tuple[str, str]], *, in_form: bool, lenient: bool = False) -> None:
        self._in_form, self._lenient = in_form, lenient
        self.unheeded: tuple[str, ...] = ()
        self._left: dict[str, list[str]] = {}
        for name, value in pairs:
            self._left.setdefault(name, []).append(_clean(name, value))
        self._kept = {name: tuple(values) for name, values in self._left.items()}
        self.one("_pretty")
        # A whole resource answers both (R4, search: no server is obliged); a count alone is another answer.
        self.many("_elements")
        if self.one("_summary") == "count":
            _refuse("_summary")

    def many(self, name: str) -> list[str]:
        """As often as it is given: all must hold."""
        return self._left.pop(name, [])

    def one(self, name: str) -> str:
        """Empty where it is not given; given twice it means nothing."""
        given = self.many(name)
        return given[0] if len(given) == 1 else _refuse(name) if given else ""

    def any_of(self, name: str) -> list[str]:
        """Alternatives, divided by commas; [] where it is not given."""
        given = self.one(name)
        return [one or _refuse(name) for one in given.split(",")] if given else []

    def count(self) -> int:
        given = self.one("_count")
        if not given:
            return COUNT
        return min(int(given), MOST) if re.fullmatch(r"[1-9][0-9]{0,8}", given) else _refuse("_count")

    def ids(self, name: str, kind: str = "") -> list[str]:
        """Resource ids, as such or as references to a kind."""
        named = [one.removeprefix(f"{kind}/") if kind else one for one in self.any_of(name)]
        return [one if _ID.fullmatch(one) else _refuse(name) for one in named]

    def span(self, name: str) -> Span:
        """Of instants; given several times, all must hold."""
        try:
            return span_of(self.many(name))
        except ValueError:
            _refuse(name)

    def patient(self, own_hospital: str) -> IdentityKey | None:
        """system|value, or the value alone for the caller's own hospital's."""
        names = [name for name in PATIENT if name in self._left]
        if not names:
            return None
        if len(names) > 1 or not self._in_form:
            _refuse(names[0])
        system, bar, value = self.one(names[0]).rpartition("|")
        hospital_id = fhir_types.hospital_of(system, "patient") if bar else own_hospital
        return IdentityKey(hospital_id, value) if hospital_id and value else _refuse(names[0])

    def links(self, next_token: str) -> list[tuple[str, str]]:
        """(relation, query) of a page's links."""
        named = [(name, value) for name in _LINKED for value in self._kept.get(name, ())]
        links = [("self", urlencode(named))]
        if next_token:
            named += [(name, value) for name in _LINKED_ON for value in self._kept.get(name, ())]
            links.append(("next", urlencode([*named, ("token", next_token)])))
        return links

    def done(self) -> None:
        """A modifier or a chain that is not known is never passed over (R4, search: SHALL reject)."""
        left = sorted(self._left)
        for name in left:
            if not self._lenient or not _PLAIN.fullmatch(name):
                _refuse(name if _NAME.fullmatch(name) else "query")
        self.unheeded = tuple(left)


def study_query(given: Parameters, own_hospital: str, refs: frozenset[StudyRef] | None = None) -> StudyQuery:
    """What ImagingStudy is searched by, and DiagnosticReport too."""
    uid, accession_of, accession = _identifier(given.one("identifier"))
    return StudyQuery(
        refs=refs,
        study_instance_uid=uid,
        accession_number=accession,
        accession_of=accession_of,
        modalities=frozenset(_code(one) for one in given.any_of("modality")),
        started=tuple(_days(one) for one in given.many("started")),
        patient=given.patient(own_hospital),
    )


def consent_query(given: Parameters) -> ConsentQuery:
    """What Consent is searched by."""
    ids, of = given.ids("_id"), given.ids("data", "ImagingStudy")
    status, category = given.any_of("status"), [one.rpartition("|")[2] for one in given.any_of("category")]
    if not STATUSES.issuperset(status):
        _refuse("status")
    return ConsentQuery(
        only=frozenset(ids) if ids else None,
        live=frozenset(one == "active" for one in status if one in ("active", "inactive")) if status else None,
        emergency=_emergency(category) if category else None,
        studies=studies_of(of) if of else None,
        given=given.span("date"),
    )


def _emergency(category: Iterable[str]) -> frozenset[bool]:
    """Every consent discloses; those of emergencies say so too (`fhir_records`)."""
    named: dict[str, set[bool]] = {"IDSCL": {True, False}, "emrgonly": {True}}
    return frozenset[bool]().union(*(named.get(one, set()) for one in category))


def studies_of(ids: Iterable[str]) -> frozenset[StudyRef]:
    """Those that the ids lead to."""
    return frozenset(ref for one in ids if (ref := study_of(one)))


def _identifier(given: str) -> tuple[str, str, str]:
    """urn:dicom:uid|urn:oid:1.2.3, {accession system}|A1, or a value alone: a UID where it is written as one."""
    system, bar, value = given.rpartition("|")
    if not given:
        return "", "", ""
    if not value:
        _refuse("identifier")
    if system == fhir_types.UID or (not bar and value.startswith(fhir_types.OID)):
        return value.removeprefix(fhir_types.OID), "", ""
    if not system:
        return "", "", value
    hospital_id = fhir_types.hospital_of(system, "accession")
    return ("", hospital_id, value) if hospital_id else _refuse("identifier")


def _code(given: str) -> str:
    """DCM's code, with its system or without."""
    system, _, code = given.rpartition("|")
    return code if code and system in ("", fhir_types.DCM) else _refuse("modality")


def _days(given: str) -> Days:
    """A day, a month or a year, with a prefix or without."""
    found = _DATE.fullmatch(given)
    how = (found[1] or "eq") if found else ""
    if found is None or how not in COMPARATORS:
        _refuse("started")
    year, month, day = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    try:
        first = date(year, month or 1, day or 1)
        return Days(how, first, date(year, month or 12, day or monthrange(year, month or 12)[1]))
    except ValueError:
        _refuse("started")


def _in_form(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        _refuse("body")


def _clean(name: str, value: str) -> str:
    if not value.strip() or len(value) > LONGEST or not value.isprintable():
        _refuse(name if _NAME.fullmatch(name) else "query")
    return value


def _refuse(name: str) -> NoReturn:
    raise BadRequest(name) from None
