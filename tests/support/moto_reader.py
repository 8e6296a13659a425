"""Signed URLs used where AWS is moto in this process: it answers `requests`, and no socket."""

import requests

from chalicelib import wiring
from chalicelib.store.connections import Connections, Told
from chalicelib.store.granted_reader import GrantedReader
from chalicelib.store.signed_puts import SignedUrlPuts


class MotoConnections(Connections):
    def ask(self, method, url, headers, body=None):
        answer = requests.request(method, url, headers=headers, data=body, timeout=10)
        return Told(answer.status_code, answer.content, answer.headers.get("content-range", ""))


class MotoReader(GrantedReader):
    def __init__(self, signer):
        super().__init__(signer)
        self._connections = MotoConnections()


def moto_reads():
    return MotoReader(wiring.signer())


def moto_puts():
    return SignedUrlPuts(MotoConnections())
