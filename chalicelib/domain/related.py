"""multipart/related (RFC 2387) as DICOM web services give it, and whether it is what was asked for (PS3.18 §8.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart answer."""

    content_type: str
    transfer_syntax: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """Parts, and the media type in which all of them were asked for."""

    kind: str
    parts: Sequence[Part]


def acceptable(said: str, content_type: str, transfer_syntax: str) -> str:
    """In which media type something of that type may be given: its own, or as bytes; "" for none. `said`: an Accept."""
    for wish in said.split(","):
        kind, *more = (one.strip() for one in wish.lower().split(";"))
        terms = dict(term.split("=", 1) for term in more if "=" in term)
        wanted = terms.get("type", "*/*").strip('"') if kind in ("multipart/related", "*/*", "multipart/*") else kind
        if terms.get("transfer-syntax", "*").strip('"') not in ("*", transfer_syntax):
            continue
        if wanted in ("*/*", content_type, f"{content_type.partition('/')[0]}/*"):
            return content_type
        if wanted == "application/octet-stream" and content_type != "application/dicom":
            return wanted
    return ""


def told(kind: str, boundary: str) -> str:
    """The Content-Type of the whole."""
    return f'multipart/related; type="{kind}"; boundary={boundary}'


def body(kind: str, boundary: str, parts: Sequence[Part]) -> bytes:
    """Every part with the transfer syntax that it is in."""
    made = bytearray()
    for part in parts:
        head = f"--{boundary}\r\nContent-Type: {kind}; transfer-syntax={part.transfer_syntax}\r\n"
        made += f"{head}Content-Length: {len(part.data)}\r\n\r\n".encode()
        made += part.data
        made += b"\r\n"
    return bytes(made + f"--{boundary}--\r\n".encode())
