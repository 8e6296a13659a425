"""Mutual recognition and what it gains (infra/RECOGNITION.md)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import authorize, find_visit, record_decision
from chalicelib.wiring.adapters import decision_facts, hospitals, mac, people, studies
from chalicelib.wiring.environment import settings
from chalicelib.wiring.oversight import audit_hours
from chalicelib.wiring.reminders import alerts

if TYPE_CHECKING:
    from chalicelib.services.count_gains import CountGains
    from chalicelib.services.read_gains import ReadGains
    from chalicelib.services.recognise_study import RecogniseStudy
    from chalicelib.store.gains import DynamoDueAlerts, DynamoGains
    from chalicelib.store.recognitions import DynamoRecognitions


@cache
def gains() -> DynamoGains:
    from chalicelib.store import clients
    from chalicelib.store.gains import DynamoGains

    return DynamoGains(clients.dynamodb(), settings().main_table)


@cache
def due_alerts() -> DynamoDueAlerts:
    from chalicelib.store import clients
    from chalicelib.store.gains import DynamoDueAlerts

    return DynamoDueAlerts(clients.dynamodb(), settings().main_table)


@cache
def recognitions() -> DynamoRecognitions:
    from chalicelib.store import clients
    from chalicelib.store.recognitions import DynamoRecognitions

    return DynamoRecognitions(clients.dynamodb(), settings().main_table)


@cache
def recognise_study() -> RecogniseStudy:
    from chalicelib.services.recognise_study import RecogniseStudy

    known = (find_visit(), hospitals(), people(), decision_facts(), authorize())
    return RecogniseStudy(*known, recognitions(), gains(), alerts(), record_decision())


@cache
def count_gains() -> CountGains:
    from chalicelib.services.count_gains import CountGains

    told = (alerts(), due_alerts(), gains(), recognitions())
    return CountGains(*told, studies(), people(), hospitals(), audit_hours())


@cache
def read_gains() -> ReadGains:
    from chalicelib.services.read_gains import ReadGains

    return ReadGains(gains(), hospitals(), mac())
