"""How DICOMweb's requests and answers look on the wire."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalice.app import Response

from chalicelib import wiring
from chalicelib.http.answers import answer
from chalicelib.http.asked import BadRequest
from chalicelib.http.errors import tell

if TYPE_CHECKING:
    from chalicelib.http.asked import Asked
    from chalicelib.services.retrieve_images import Part

ROOT = "/dicomweb"
DICOM_JSON = "application/dicom+json"
_JSON = (DICOM_JSON, "application/json")


def base_url(asked: Asked) -> str:
    """Beneath what URL DICOMweb answers, as the caller sees it: the stage may stand before it."""
    path = str(asked.request.context.get("path") or ROOT)
    before, root, _ = path.partition(ROOT)
    return f"{wiring.origin()}{before if root else ''}{ROOT}"


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


def multipart(asked: Asked, parts: Sequence[Part]) -> Response:
    """multipart/related (RFC 2387), every part with the transfer syntax that it is in; 406 where that was not asked
    for: nothing is transcoded (PS3.18 §8.7.3)."""
    kind = _acceptable(_said(asked), parts[0])
    if not kind:
        return tell("not_acceptable")
    boundary = secrets.token_hex(16)
    body = bytearray()
    for part in parts:
        head = f"--{boundary}\r\nContent-Type: {kind}; transfer-syntax={part.transfer_syntax}\r\n"
        body += f"{head}Content-Length: {len(part.data)}\r\n\r\n".encode() + part.data + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    told = f'multipart/related; type="{kind}"; boundary={boundary}'
    return Response(bytes(body), {"Content-Type": told}, 200)


def _said(asked: Asked) -> str:
    return str(asked.query("accept") or asked.request.headers.get("accept") or "*/*")


def _acceptable(said: str, part: Part) -> str:
    """In which media type the part may be given: its own, or as bytes; "" for none."""
    for wish in said.split(","):
        kind, *more = (one.strip() for one in wish.lower().split(";"))
        terms = dict(term.split("=", 1) for term in more if "=" in term)
        wanted = terms.get("type", "*/*").strip('"') if kind in ("multipart/related", "*/*", "multipart/*") else kind
        if terms.get("transfer-syntax", "*").strip('"') not in ("*", part.transfer_syntax):
            continue
        if wanted in ("*/*", part.content_type, f"{part.content_type.partition('/')[0]}/*"):
            return part.content_type
        if wanted == "application/octet-stream" and part.content_type != "application/dicom":
            return wanted
    return ""
