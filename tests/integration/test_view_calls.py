"""What a view costs (DESIGN §9): at most five DynamoDB calls beside the audit's."""

from __future__ import annotations

import contextlib
from collections import Counter

from chalicelib.store import clients
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]


@contextlib.contextmanager
def counted():
    calls, events = Counter(), clients.dynamodb().meta.events
    events.register("before-call.dynamodb", lambda model, **_: calls.update([model.name]), unique_id="view-calls")
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", unique_id="view-calls")


def test_a_doctors_view_takes_five_calls_and_the_patients_four(served):
    person_id = served.prepare()
    served.consent()
    for role, claims, reads in (("doctor", {}, 5), ("patient", {"person_id": person_id}, 4)):
        with counted() as calls:
            answer = served.manifest(role, **claims)
        assert answer.status_code == 200, answer.body
        assert calls.pop("PutItem") == 1
        assert calls.total() <= reads, calls
