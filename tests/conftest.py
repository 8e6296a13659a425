"""For every test: no network beyond loopback, and no deadline for an example of a property."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

from hypothesis import settings

from tests.support.cloud import cloud, cloud_settings

__all__ = ["cloud", "cloud_settings"]


# A deadline would make the speed of a loaded machine a test's result; speed goes into the bench.
settings.register_profile("no deadline", settings.default, deadline=None)
settings.load_profile("no deadline")


class NetworkBeyondLoopbackError(RuntimeError):
    pass


def _refuse_beyond_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    text = host.decode() if isinstance(host, bytes) else host
    if text in {None, "", "localhost"}:
        return
    try:
        allowed = ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_unspecified
    except ValueError:
        allowed = False
    if not allowed:
        raise NetworkBeyondLoopbackError(f"{event} to {text}")


sys.addaudithook(_refuse_beyond_loopback)
