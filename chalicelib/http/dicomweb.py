"""DICOMweb (PS3.18): what the caller's grants cover, as any viewer or script that speaks the standard asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chalicelib.domain.related import Given
from chalicelib.http.answers import answer
from chalicelib.http.dicomweb_shapes import (
    ACCEPT,
    DICOM_JSON,
    accepts,
    base_url,
    dicom_json,
    frame_numbers,
    moved,
    multipart,
    single_part,
    takes_multipart,
    taking,
)
from chalicelib.http.errors import tell
from chalicelib.http.kinds import UID, Kind, Kinds, optional, text
from chalicelib.http.routes import Routes
from chalicelib.services.open_study import Named
from chalicelib.wiring import dicomweb

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.http.asked import Asked
    from chalicelib.services.search_images import Search

Level = Literal["study", "series", "instance"]
FOUND = {200: (DICOM_JSON,), 204: ()}
HEADERS = {200: (DICOM_JSON,), 307: ()}
RETRIEVED = {200: ("multipart/related",), 307: ()}
INSTANCE = {200: ("multipart/related", "application/dicom"), 307: ()}
ELSE = ("not_acceptable", "not_found", "too_large", "study_conflicted", "break_glass_suspended")
ANY_TEXT = optional(Kind({"type": "string"}))  # `dicom.query` reads it
URI: Kinds = {
    **dict.fromkeys(("studyUID", "seriesUID", "objectUID"), UID),
    "requestType": optional(text(64), ""),  # WADO; any other is not acceptable, as a type that is rendered is not
    "contentType": optional(text(256), ""),
}

routes = Routes()


def _keys(level: Level) -> Kinds:
    """What a search is told to use; whatever else is named is not used, and a Warning says so."""
    names = ("limit", "offset", "fuzzymatching", "includefield")
    return {**ACCEPT, **dict.fromkeys((*names, *dicomweb.keywords(level)), ANY_TEXT)}


# QIDO-RS


@routes.get("/dicomweb/studies", query=_keys("study"), answers=FOUND, tells=ELSE)
def search_studies(asked: Asked) -> Response:
    return _search(asked, "study")


@routes.get("/dicomweb/series", query=_keys("series"), answers=FOUND, tells=ELSE)
def search_series(asked: Asked) -> Response:
    return _search(asked, "series")


@routes.get("/dicomweb/instances", query=_keys("instance"), answers=FOUND, tells=ELSE)
def search_instances(asked: Asked) -> Response:
    return _search(asked, "instance")


@routes.get("/dicomweb/studies/{uid}/series", query=_keys("series"), answers=FOUND, tells=ELSE)
def search_series_of_study(asked: Asked) -> Response:
    return _search_within(asked, "series")


@routes.get("/dicomweb/studies/{uid}/instances", query=_keys("instance"), answers=FOUND, tells=ELSE)
def search_instances_of_study(asked: Asked) -> Response:
    return _search_within(asked, "instance")


@routes.get("/dicomweb/studies/{uid}/series/{series}/instances", query=_keys("instance"), answers=FOUND, tells=ELSE)
def search_instances_of_series(asked: Asked) -> Response:
    return _search_within(asked, "instance", asked.uid("series"))


def _search(asked: Asked, level: Level) -> Response:
    """Over all that the caller may see; a guardian's ward by X-Ward."""
    if not accepts(asked):
        return tell("not_acceptable")
    search, ward = _what(asked, level), asked.ward() if asked.caller.role == "guardian" else ""
    found = dicomweb.search_images()(asked.caller, search, asked.now, ward)
    return dicom_json(found.results, found.warnings, search.base)


def _search_within(asked: Asked, level: Level, series_uid: str = "") -> Response:
    if not accepts(asked):
        return tell("not_acceptable")
    search, named = _what(asked, level), (asked.uid(), series_uid)
    found = dicomweb.search_images().within(asked.caller, search, named, asked.now)
    return dicom_json(found.results, found.warnings, search.base)


def _what(asked: Asked, level: Level) -> Search:
    from chalicelib.services.search_images import Search

    keys = [(name, value) for name, value in asked.pairs() if name != "accept"]
    return Search(level, keys, base_url(asked))


# WADO-RS


@routes.get("/dicomweb/studies/{uid}/metadata", query=ACCEPT, answers=HEADERS, tells=ELSE)
def study_metadata(asked: Asked) -> Response:
    return _metadata(asked, Named(asked.uid()))


@routes.get("/dicomweb/studies/{uid}/series/{series}/metadata", query=ACCEPT, answers=HEADERS, tells=ELSE)
def series_metadata(asked: Asked) -> Response:
    return _metadata(asked, Named(asked.uid(), asked.uid("series")))


@routes.get(
    "/dicomweb/studies/{uid}/series/{series}/instances/{instance}/metadata", query=ACCEPT, answers=HEADERS, tells=ELSE
)
def instance_metadata(asked: Asked) -> Response:
    return _metadata(asked, _instance(asked))


@routes.get("/dicomweb/studies/{uid}", query=ACCEPT, answers=RETRIEVED, tells=ELSE)
def retrieve_study(asked: Asked) -> Response:
    return _retrieve(asked, Named(asked.uid()))


@routes.get("/dicomweb/studies/{uid}/series/{series}", query=ACCEPT, answers=RETRIEVED, tells=ELSE)
def retrieve_series(asked: Asked) -> Response:
    return _retrieve(asked, Named(asked.uid(), asked.uid("series")))


@routes.get("/dicomweb/studies/{uid}/series/{series}/instances/{instance}", query=ACCEPT, answers=INSTANCE, tells=ELSE)
def retrieve_instance(asked: Asked) -> Response:
    return _retrieve(asked, _instance(asked))


@routes.get(
    "/dicomweb/studies/{uid}/series/{series}/instances/{instance}/frames/{frames}",
    query=ACCEPT,
    answers=RETRIEVED,
    tells=ELSE,
)
def retrieve_frames(asked: Asked) -> Response:
    asked_for = (_instance(asked), frame_numbers(asked), taking(asked))
    given = dicomweb.retrieve_frames()(asked.caller, *asked_for, asked.now)
    return moved(given) if isinstance(given, str) else multipart(given)


# Thumbnails (PS3.18 §10.4.1.1.5)


@routes.get("/dicomweb/studies/{uid}/thumbnail", query=ACCEPT, answers={307: ()}, tells=(*ELSE, "not_drawable"))
def study_thumbnail(asked: Asked) -> Response:
    return _thumbnail(asked, Named(asked.uid()))


@routes.get(
    "/dicomweb/studies/{uid}/series/{series}/thumbnail", query=ACCEPT, answers={307: ()}, tells=(*ELSE, "not_drawable")
)
def series_thumbnail(asked: Asked) -> Response:
    return _thumbnail(asked, Named(asked.uid(), asked.uid("series")))


@routes.get(
    "/dicomweb/studies/{uid}/series/{series}/instances/{instance}/thumbnail",
    query=ACCEPT,
    answers={307: ()},
    tells=(*ELSE, "not_drawable"),
)
def instance_thumbnail(asked: Asked) -> Response:
    return _thumbnail(asked, _instance(asked))


# WADO-URI


@routes.get("/dicomweb/wado", query=URI, answers={200: ("application/dicom",), 307: ()}, tells=ELSE)
def retrieve_by_uri(asked: Asked) -> Response:
    """One instance as it is stored (PS3.18 §9): nothing is rendered."""
    named = Named(asked.uid_asked("studyUID"), asked.uid_asked("seriesUID"), asked.uid_asked("objectUID"))
    rendered = asked.query("contentType") not in ("", "application/dicom")
    if asked.query("requestType") != "WADO" or rendered:
        return tell("not_acceptable")
    given = dicomweb.retrieve_instances()(asked.caller, named, asked.now)
    return moved(given) if isinstance(given, str) else single_part(given[0])


# OHIF


@routes.get("/dicomweb/studies/{uid}/dicomjson", answers={200: ("application/json",)}, tells=ELSE)
def ohif_json(asked: Asked) -> Response:
    """What OHIF's dicomjson data source reads; its images come by WADO-URI, so that each is asked for anew."""
    return answer(dicomweb.show_to_ohif()(asked.caller, asked.uid(), base_url(asked), asked.now))


def _metadata(asked: Asked, named: Named) -> Response:
    if not accepts(asked):
        return tell("not_acceptable")
    base = base_url(asked)
    found = dicomweb.retrieve_metadata()(asked.caller, named, base, asked.now)
    return moved(found) if isinstance(found, str) else dicom_json(found, (), base)


def _retrieve(asked: Asked, named: Named) -> Response:
    given = dicomweb.retrieve_instances()(asked.caller, named, asked.now)
    if isinstance(given, str):
        return moved(given)
    if named.instance_uid and not takes_multipart(asked):
        return single_part(given[0])
    kind = taking(asked)(given[0].content_type, given[0].transfer_syntax)
    return multipart(Given(kind, given)) if kind else tell("not_acceptable")


def _thumbnail(asked: Asked, named: Named) -> Response:
    return moved(dicomweb.show_thumbnail()(asked.caller, named, taking(asked), asked.now))


def _instance(asked: Asked) -> Named:
    return Named(asked.uid(), asked.uid("series"), asked.uid("instance"))
