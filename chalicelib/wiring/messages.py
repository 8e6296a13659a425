"""The end of the queue of SMS."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.adapters import sms_gateway

if TYPE_CHECKING:
    from chalicelib.services.send_message import SendMessage


@cache
def send_message() -> SendMessage:
    from chalicelib.services.send_message import SendMessage

    return SendMessage(sms_gateway())
