from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsMac:
    """The keyed hash by a KMS key that cannot leave KMS: ids of a province cannot be tried without being noticed."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def __call__(self, domain: str, message: str) -> bytes:
        answer = self._client.generate_mac(
            KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=f"{domain}:{message}".encode()
        )
        return answer["Mac"]
