"""STOW-RS (PS3.18 §10.5): a hospital's own system stores its instances, where they fit a function's payload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.multipart import MediaType, NotMultipart, media_type, parts
from chalicelib.domain.storing import MOST_BYTES, MOST_INSTANCES, Failure, Reference, StoreOutcome
from chalicelib.http.answers import answer
from chalicelib.http.asked import BadRequest
from chalicelib.http.dicomweb_shapes import ACCEPT, DICOM_JSON, accepts, base_url
from chalicelib.http.errors import tell
from chalicelib.http.routes import Routes, Said
from chalicelib.wiring import storing

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.http.asked import Asked

DICOM: Final = "application/dicom"
MULTIPART: Final = "multipart/related"
TAKES: Final = (MULTIPART, DICOM)
_ANSWERS: Final = dict.fromkeys((200, 202, 409), (DICOM_JSON,))
SAID: Final[Said] = {
    "query": ACCEPT,
    "tells": ("not_acceptable", "too_large_to_store"),
    "answers": _ANSWERS,
}

routes = Routes()


class NotInstances(Exception):  # noqa: N818 - named by the fact
    """A part is something else: metadata, bulk data, a picture."""


class TooLargeToStore(Exception):  # noqa: N818 - named by the fact
    """More than one request can carry."""


class BodyAsText(Exception):  # noqa: N818 - named by the fact
    """API Gateway handed bytes on as text, in which it replaces whatever is no UTF-8: our deployment is broken."""


@routes.post("/dicomweb/studies", *TAKES, **SAID)
def store_instances(asked: Asked) -> Response:
    """Store instances of any study of the own hospital.

    multipart/related with one application/dicom part each, or one instance as application/dicom by itself.
    """
    return _store(asked)


@routes.post("/dicomweb/studies/{uid}", *TAKES, **SAID)
def store_instances_of_study(asked: Asked) -> Response:
    """Store instances, all of which are of this study."""
    return _store(asked, asked.uid())


def _store(asked: Asked, study_uid: str = "") -> Response:
    try:
        told = media_type(str(asked.request.headers.get("content-type", "")))
    except NotMultipart:
        raise BadRequest("content-type") from None
    if told.kind not in TAKES or told.parameters.get("type", DICOM).lower() != DICOM:
        return tell("unsupported_media_type")
    if not accepts(asked):
        return tell("not_acceptable")
    instances = _instances(_bytes(asked), told)
    found = storing.store_instances()(asked.caller, instances, study_uid, asked.now)
    return tell("try_again") if found.is_ours else _answered(found, base_url(asked))


def _bytes(asked: Asked) -> bytes:
    event = asked.request.to_original_event()
    sent = event["body"]
    if isinstance(sent, str) and not event.get("isBase64Encoded") and not sent.isascii():
        raise BodyAsText
    body = asked.request.raw_body
    return body.encode() if isinstance(body, str) else body


def _instances(body: bytes, told: MediaType) -> Iterator[bytes]:
    """Read when whoever sends them was let in, so that what is wrong with them is an answer to a caller on record."""
    if len(body) > MOST_BYTES:
        raise TooLargeToStore
    if told.kind == DICOM:
        yield body
        return
    try:
        for part in parts(body, told, MOST_INSTANCES):
            if part.kind not in ("", DICOM):
                raise NotInstances
            yield part.data
    except NotMultipart as wrong:
        if wrong.where == "parts":
            raise TooLargeToStore from None
        raise


def _answered(found: StoreOutcome, base: str) -> Response:
    """200: all are stored. 202: some. 409: none (Table 10.5.3-1)."""
    status = 200 if not found.failed else 202 if found.stored else 409
    return answer(_module(found, base), status, {"Content-Type": DICOM_JSON})


# The Store Instances Response Module (Table I.1-1) as DICOM JSON (Annex F)


def _module(found: StoreOutcome, base: str) -> dict[str, Any]:
    studies = {one.study_uid for one in found.stored}
    named = [one for one in found.failed if one.sop_uid and one.sop_class_uid]
    other = [one for one in found.failed if one not in named]
    return {
        "00081190": _element("UR", f"{base}/studies/{studies.pop()}" if len(studies) == 1 else ""),
        **_sequence("00081198", map(_failed, named)),
        **_sequence("00081199", (_referenced(one, base) for one in found.stored)),
        **_sequence("0008119A", ({"00081197": _element("US", one.reason)} for one in other)),
    }


def _referenced(one: Reference, base: str) -> dict[str, Any]:
    url = f"{base}/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}"
    return {**_named(one.sop_class_uid, one.sop_uid), "00081190": _element("UR", url)}


def _failed(one: Failure) -> dict[str, Any]:
    return {**_named(one.sop_class_uid, one.sop_uid), "00081197": _element("US", one.reason)}


def _named(sop_class_uid: str, sop_uid: str) -> dict[str, Any]:
    return {"00081150": _element("UI", sop_class_uid), "00081155": _element("UI", sop_uid)}


def _sequence(tag: str, items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Nothing where it has no item: each is required only where there is something to say."""
    found: Sequence[Any] = list(items)
    return {tag: {"vr": "SQ", "Value": found}} if found else {}


def _element(vr: str, value: str | int) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value != "" else {"vr": vr}
