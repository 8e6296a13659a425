"""Starts and stops one MiniStack: on loopback, with TLS, IAM enforced, ports and data of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
REGION = "cn-north-1"
ACCOUNT_ID = "123456789012"
# MiniStack's root; they open nothing anywhere else.
OPERATOR = {"access_key_id": "test", "secret_access_key": "test"}
ENVIRONMENT = Path("build") / "venv-ministack-{}.{}".format(*sys.version_info[:2])
START_SECONDS = 60
STOP_SECONDS = 10


class NotStartedError(RuntimeError):
    """MiniStack did not come up; the message says what to do or what it said."""


@dataclass(frozen=True)
class Emulator:
    """A running MiniStack. `endpoint` speaks TLS under `certificate` (and its `key`), `plain_endpoint` does not."""

    endpoint: str
    plain_endpoint: str
    certificate: Path
    key: Path
    log: Path


@contextlib.contextmanager
def running(directory: Path, environment: Path = ENVIRONMENT) -> Iterator[Emulator]:
    """MiniStack as long as the context lasts; its functions' processes end with it. NotStartedError."""
    python = (environment / "bin" / "python").absolute()
    if not python.exists():
        raise NotStartedError(
            f"{environment} is missing: `make rehearse` makes it, once, and needs the package registry"
        )
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    certificate, key = _make_certificate(directory)
    port, plain = _free_ports()
    endpoints = f"https://{HOST}:{port}", f"http://{HOST}:{plain}"
    emulator = Emulator(*endpoints, certificate, key, directory / "ministack.log")
    binds = ["--bind", f"{HOST}:{port}", "--insecure-bind", f"{HOST}:{plain}", "--keep-alive", "75"]
    files = ["--certfile", str(certificate), "--keyfile", str(key)]
    with emulator.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the environment of ours
            [python, "-m", "hypercorn", *binds, *files, "ministack.app:app"],
            cwd=directory,
            env=_environment(directory, port, certificate, key),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own: its functions are its children
        )
    try:
        _await(process, emulator)
        yield emulator
    finally:
        _stop(process)


def _environment(directory: Path, port: int, certificate: Path, key: Path) -> dict[str, str]:
    """Nothing of the desk's AWS settings, proxies or home: a rehearsal reaches nothing but itself."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory.absolute()),
        "TMPDIR": str((directory / "tmp").absolute()),
        "LANG": "C.UTF-8",
        "AUTH": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(key),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "INFO",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind((HOST, 0))
        second.bind((HOST, 0))
        return first.getsockname()[1], second.getsockname()[1]


def _make_certificate(directory: Path) -> tuple[Path, Path]:
    """For 127.0.0.1 and one day, so that what a policy says of plain HTTP is truly tried."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imaging-cloud rehearsal")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        # Its own authority, with all that the strict check of Python 3.13 asks of one.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_uses(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = (directory / "certificate.pem").absolute(), (directory / "key.pem").absolute()
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(mode=0o600)
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _uses() -> x509.KeyUsage:
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        encipher_only=False,
        decipher_only=False,
        **dict.fromkeys(others, False),
    )


def _await(process: subprocess.Popen[bytes], emulator: Emulator) -> None:
    give_up = time.monotonic() + START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(OSError):
            opener.open(f"{emulator.plain_endpoint}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.1)
    said = emulator.log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise NotStartedError(f"MiniStack did not start:\n{said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The whole group, the functions' processes too."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    process.wait()
