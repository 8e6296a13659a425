"""What the door asks: whose tokens are believed, and by which keys."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.environment import settings

if TYPE_CHECKING:
    from chalicelib.services import joining_ports, ports
    from chalicelib.store.registered_keys import RegisteredKeys


@cache
def tokens() -> ports.Tokens:
    from chalicelib.store.tokens import Joined, Tokens, parse_issuers

    joined = Joined(settings().origin, registered_keys)
    return Tokens(parse_issuers(settings().issuers), spent_tokens, joined=joined)


@cache
def registered_keys() -> RegisteredKeys:
    from chalicelib.store.registered_keys import RegisteredKeys

    return RegisteredKeys(hospital_keys())


@cache
def hospital_keys() -> joining_ports.HospitalKeys:
    from chalicelib.store import clients
    from chalicelib.store.hospital_keys import DynamoHospitalKeys

    return DynamoHospitalKeys(clients.dynamodb(), settings().main_table)


@cache
def spent_tokens() -> ports.SpentTokens:
    from secrets import token_bytes

    from chalicelib.store import clients
    from chalicelib.store.spent_tokens import DynamoSpentTokens

    return DynamoSpentTokens(clients.dynamodb(), settings().main_table, token_bytes)
