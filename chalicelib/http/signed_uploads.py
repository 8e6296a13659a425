"""Signed PUTs for hospitals' systems that speak HTTP and no AWS (infra/JOINING.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypedDict, cast, get_args

from chalicelib.domain.upload_offer import MOST_OFFERS, Offer, OfferedKind, SignedPut
from chalicelib.domain.upload_pass import ARCHIVE_BYTES
from chalicelib.http.asked import BadRequest
from chalicelib.http.json_types import Instant
from chalicelib.http.kinds import Kinds, listed, matching, one_of, thing, whole
from chalicelib.http.routes import Routes
from chalicelib.http.shapes import instant
from chalicelib.wiring import storing

if TYPE_CHECKING:
    from chalicelib.http.asked import Asked, Fields

_SHA256: Final = "[0-9a-f]{64}"
OBJECT: Final = thing(kind=one_of(get_args(OfferedKind)), bytes=whole(1, ARCHIVE_BYTES), sha256=matching(_SHA256, 64))
OFFERS: Final[Kinds] = {"objects": listed(OBJECT, MOST_OFFERS)}

routes = Routes()


class ToldPut(TypedDict):
    """A PUT of exactly this object, with exactly these headers, until then."""

    key: str
    url: str
    headers: Mapping[str, str]
    expires_at: Instant | None


class ToldPuts(TypedDict):
    """In the order of the objects that were named."""

    uploads: Sequence[ToldPut]


@routes.post("/hospital/uploads", body=OFFERS, tells=("too_large_for_one_put",))
def sign_uploads(asked: Asked) -> ToldPuts:
    """Signed PUTs for up to 100 objects, each by its kind, length in bytes and SHA-256."""
    offers = [_offer(one) for one in asked.fields().parts("objects")]
    return {"uploads": [_told(one) for one in storing.sign_uploads()(asked.caller, offers, asked.now)]}


def _offer(fields: Fields) -> Offer:
    kind, sha256 = cast(OfferedKind, fields.choice("kind")), fields.text("sha256")
    if not re.fullmatch(_SHA256, sha256):
        raise BadRequest("sha256")
    return Offer(kind, fields.number("bytes"), sha256)


def _told(signed: SignedPut) -> ToldPut:
    return {
        "key": signed.key,
        "url": signed.url,
        "headers": signed.offer.headers,
        "expires_at": instant(signed.expires_at),
    }
