"""How DICOMweb's requests and answers look on the wire."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalice.app import Response

from chalicelib.domain import related
from chalicelib.http.addresses import outside
from chalicelib.http.answers import answer
from chalicelib.http.asked import BadRequest
from chalicelib.http.kinds import Kinds, optional, text

if TYPE_CHECKING:
    from chalicelib.domain.related import Given, Part
    from chalicelib.http.asked import Asked

ROOT = "/dicomweb"
DICOM_JSON = "application/dicom+json"
ACCEPT: Kinds = {"accept": optional(text(256), "")}  # in place of the header (PS3.18 §8.7.7)
_JSON = (DICOM_JSON, "application/json")


def base_url(asked: Asked) -> str:
    """Beneath what URL DICOMweb answers, as the caller sees it."""
    return f"{outside(asked, ROOT)}{ROOT}"


def accepts(asked: Asked, types: Collection[str] = _JSON) -> bool:
    """Whether one of the types is acceptable; a query's `accept` goes before the header (PS3.18 §8.3.3)."""
    said = asked.query("accept") or asked.request.headers.get("accept") or "*/*"
    wanted = {part.partition(";")[0].strip().lower() for part in said.split(",")}
    return any(one in wanted or f"{one.partition('/')[0]}/*" in wanted for one in types) or "*/*" in wanted


def dicom_json(results: Sequence[Any], warnings: Sequence[str], base: str) -> Response:
    """200, or 204 where there is nothing, with each warning under code 299 (§8.3.4, §10.6.3)."""
    headers = {"Content-Type": DICOM_JSON}
    if warnings:
        headers["Warning"] = ", ".join(f'299 {base} "{one}"' for one in warnings)
    made = answer(list(results), 200 if results else 204, headers)
    if not results:
        made.body = ""
    return made


def frame_numbers(asked: Asked) -> list[int]:
    """{frames} of the path: 1 or 1,5,9."""
    told = unquote(asked.path["frames"])
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6}){0,999}", told):
        raise BadRequest("frames")
    return [int(number) for number in told.split(",")]


def moved(url: str) -> Response:
    """307: the same request, there. The URL is good for five minutes at most."""
    return Response("", {"Location": url, "Content-Type": "text/plain"}, 307)


def takes_multipart(asked: Asked) -> bool:
    return "multipart/related" in _said(asked).lower() or "application/dicom" not in _said(asked).lower()


def single_part(part: Part) -> Response:
    return Response(part.data, {"Content-Type": part.content_type}, 200)


def multipart(given: Given) -> Response:
    """multipart/related, every part with the transfer syntax that it is in."""
    boundary = secrets.token_hex(16)
    made = related.body(given.kind, boundary, given.parts)
    return Response(made, {"Content-Type": related.told(given.kind, boundary)}, 200)


def taking(asked: Asked) -> Callable[[str, str], str]:
    """In which media type the caller takes one of a content type and transfer syntax; "" for none."""
    return partial(related.acceptable, _said(asked))


def _said(asked: Asked) -> str:
    return str(asked.query("accept") or asked.request.headers.get("accept") or "*/*")
