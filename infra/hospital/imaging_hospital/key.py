"""The hospital's RSA key: its private half never leaves this machine. What is signed with it (infra/JOINING.md)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from .settings import SettingsError
from .tongue import Said

BITS: Final = 3072
LIFETIME: Final = timedelta(minutes=5)
SLACK: Final = timedelta(seconds=30)  # this machine's clock may be ahead of the cloud's
NO_KEY = Said("no key in {path}: run `imaging-cloud join` first", "{path} 中没有密钥：请先运行 `imaging-cloud join`")
NOT_A_KEY = Said("{path} holds no RSA key in PEM", "{path} 不是 PEM 格式的 RSA 私钥")
OPEN_TO_OTHERS = Said("{path} can be read by others: chmod 600 it", "{path} 可被其他用户读取：请执行 chmod 600")


def issuer_of(hospital_id: str) -> str:
    return f"urn:imaging-cloud:hospital:{hospital_id}"


def make(path: Path) -> Key:
    """A new key at `path`, 0600 from its first byte. FileExistsError when something is there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return Key(private)


def load(path: Path) -> Key:
    """Raises SettingsError when there is no key, or others on this machine could read it."""
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(NO_KEY, path=path) from None
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SettingsError(OPEN_TO_OTHERS, path=path)
    try:
        private = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        raise SettingsError(NOT_A_KEY, path=path) from None
    if not isinstance(private, RSAPrivateKey):
        raise SettingsError(NOT_A_KEY, path=path)
    return Key(private)


@dataclass(frozen=True)
class Key:
    private: RSAPrivateKey

    def public_jwk(self) -> dict[str, str]:
        """The members that RFC 7638 hashes, and no others."""
        jwk: Mapping[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"e": jwk["e"], "kty": "RSA", "n": jwk["n"]}

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint, SHA-256, base64url: what both sides compare by telephone."""
        canonical = json.dumps(self.public_jwk(), separators=(",", ":"), sort_keys=True).encode()
        return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()

    def proof(self, hospital_id: str, audience: str, now: datetime) -> str:
        """That who registers the public half holds the private one."""
        claims = {"iss": issuer_of(hospital_id), "aud": audience, **_times(now)}
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"typ": "key-proof+jwt", "kid": self.kid})

    def bearer(self, hospital_id: str, audience: str, now: datetime) -> str:
        """A token for one request: each is good once."""
        claims = {
            "iss": issuer_of(hospital_id),
            "aud": audience,
            "sub": f"imaging-hospital@{platform.node()}"[:100],
            "role": "hospital",
            "hospital_id": hospital_id,
            "nbf": int((now - SLACK).timestamp()),
            "jti": secrets.token_hex(16),
            **_times(now),
        }
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid})


@dataclass
class KeyFile:
    """The key as it lies on the disk now: `rekey` changes it under commands that run for months."""

    path: Path
    _read: tuple[int, Key] | None = None

    def current(self) -> Key:
        """Raises SettingsError as `load` does."""
        try:
            written = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            raise SettingsError(NO_KEY, path=self.path) from None
        if self._read is None or self._read[0] != written:
            self._read = written, load(self.path)
        return self._read[1]

    def bearer(self, hospital_id: str, audience: str, now: datetime) -> str:
        return self.current().bearer(hospital_id, audience, now)


def _times(now: datetime) -> dict[str, int]:
    """Five minutes at most, counted from a little before now."""
    begun = int((now - SLACK).timestamp())
    return {"iat": begun, "exp": begun + int(LIFETIME.total_seconds())}
