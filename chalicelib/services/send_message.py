from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.message import Message
from chalicelib.services.ports import SmsGateway

Outcome = Literal["sent", "late", "nobody"]


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Hands a queued message to the gateway, under an id that stays the same however often the queue brings it.

    A code that has run out is dropped, and so is what is for nobody. Raises what the gateway raises: then the queue
    brings it again."""

    gateway: SmsGateway

    def __call__(self, message: Message, now: datetime) -> Outcome:
        if not message.phone:
            return "nobody"
        if message.is_useless(now):
            return "late"
        self.gateway.send(message.phone, message.template, message.values, message.message_id)
        return "sent"
