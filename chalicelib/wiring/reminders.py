"""Reminders of similar exams, for ordering systems (infra/REMINDERS.md)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import find_visit, record_decision
from chalicelib.wiring.adapters import consents, counters, decision_facts, hidden_studies, hospitals, people, studies
from chalicelib.wiring.door import registered_keys, spent_tokens
from chalicelib.wiring.environment import settings

if TYPE_CHECKING:
    from chalicelib.services.answer_reminder import AnswerReminder
    from chalicelib.services.remind_of_similar import RemindOfSimilar
    from chalicelib.services.reminder_ports import ClientTokens
    from chalicelib.store.alerts import DynamoAlerts


@cache
def client_tokens() -> ClientTokens:
    from chalicelib.store.client_tokens import RegisteredClientTokens

    return RegisteredClientTokens(registered_keys, spent_tokens)


@cache
def alerts() -> DynamoAlerts:
    from chalicelib.store import clients
    from chalicelib.store.alerts import DynamoAlerts

    return DynamoAlerts(clients.dynamodb(), settings().main_table)


@cache
def remind_of_similar() -> RemindOfSimilar:
    from chalicelib.services.remind_of_similar import RemindOfSimilar

    stores = (people(), studies(), decision_facts(), hidden_studies(), consents(), counters(), alerts())
    return RemindOfSimilar(find_visit(), hospitals(), *stores, record_decision())


@cache
def answer_reminder() -> AnswerReminder:
    from chalicelib.services.answer_reminder import AnswerReminder

    return AnswerReminder(alerts(), record_decision())
