"""Signed PUTs: SigV4 in the query, with all that S3 shall hold the body to among the signed headers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from chalicelib.domain.upload_offer import SIGNED_FOR, Offer, SignedPut
from chalicelib.domain.upload_pass import UploadKeys, prefixes
from chalicelib.services.joining_ports import Uploader
from chalicelib.store.signer import Bucket, auth_query, signing_key

# A URL dies with the keys that signed it: none is signed with those that have less than this to live.
RENEW_BEFORE: Final = timedelta(minutes=10)
_SECONDS: Final = int(SIGNED_FOR.total_seconds())


class KeptUploader:
    """A hospital's keys, kept until ten minutes before their end and never used for another's."""

    def __init__(self, uploader: Uploader) -> None:
        self._uploader = uploader
        self._kept: dict[str, UploadKeys] = {}

    def __call__(self, hospital_id: str, now: datetime) -> UploadKeys:
        """They reach the hospital's prefixes from the day on which they were made through that on which they end."""
        kept = self._kept.get(hospital_id)
        if kept is None or kept.expires_at - now < RENEW_BEFORE:
            kept = self._kept[hospital_id] = self._uploader(hospital_id, prefixes(hospital_id, now))
        return kept


class S3UploadSigner:
    """The `UploadSigner` port."""

    def __init__(self, bucket: Bucket, keys: KeptUploader) -> None:
        self._bucket = bucket
        self._keys = keys

    def __call__(self, hospital_id: str, offers: Sequence[Offer], now: datetime) -> tuple[SignedPut, ...]:
        keys, stamp = self._keys(hospital_id, now), now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self._bucket.region}/s3/aws4_request"
        secret = signing_key(keys.secret_access_key, stamp[:8], self._bucket.region)
        expires_at = now.replace(microsecond=0) + SIGNED_FOR
        signed = []
        for offer in offers:
            headers = dict(sorted({**offer.headers, "host": self._bucket.host}.items()))
            names, key = ";".join(headers), offer.key(hospital_id, now)
            query = auth_query(f"{keys.access_key_id}/{scope}", stamp, _SECONDS, keys.session_token, names).canonical
            path = f"{self._bucket.path}/{quote(key, safe='/')}"
            told = "".join(f"{name}:{value}\n" for name, value in headers.items())
            canonical = f"PUT\n{path}\n{query}\n{told}\n{names}\nUNSIGNED-PAYLOAD"
            to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
            signature = hmac.digest(secret, to_sign.encode(), "sha256").hex()
            url = f"{self._bucket.scheme}://{self._bucket.host}{path}?{query}&X-Amz-Signature={signature}"
            signed.append(SignedPut(offer, key, url, expires_at))
        return tuple(signed)
