"""What requests add to the audit table of a moto cloud, and a cloud whose audit takes nothing."""

from __future__ import annotations

import contextlib
import json

from moto.backends import get_backend

from chalicelib import wiring
from chalicelib.store import clients
from infra.local.provision import ACCOUNT_ID, REGION

MOST = 2  # events of one request: an act, and the read that tells what came of it


class Watch:
    """Events added since the last look, as text."""

    def __init__(self):
        self._known = set()
        self.added()

    def added(self):
        hours = _tables()[wiring.settings().audit_table].items.values()
        new = {sk.value: item for hour in hours for sk, item in hour.items() if sk.value not in self._known}
        self._known |= new.keys()
        return [json.dumps(new[event_id].to_json(), ensure_ascii=False) for event_id in sorted(new)]

    def wrong(self, words=()):
        """What is wrong with the events of the request since the last look: too few, too many, or a word in them."""
        new = self.added()
        if not 1 <= len(new) <= MOST:
            yield f"leaves {len(new)} events"
        for event in new:
            yield from (f"keeps {word!r}" for word in words if word in event)
            if "eyJ" in event:  # how every token begins
                yield "keeps a token"


@contextlib.contextmanager
def audit_down(made=None):
    """No put into the audit table gets through, and every other call does. `made` gets the names of the items that
    are new all the same, but of counters."""

    def refuse(params, **_):
        if json.loads(params["body"])["TableName"] == wiring.settings().audit_table:
            raise OSError

    before, events = _names(), clients.dynamodb().meta.events
    events.register("before-call.dynamodb.PutItem", refuse, unique_id="audit-down")
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb.PutItem", unique_id="audit-down")
        (set() if made is None else made).update(_names() - before)


def _tables():
    return get_backend("dynamodb")[ACCOUNT_ID][REGION].tables


def _names():
    rows = ((pk.value, sk.value) for table in _tables().values() for pk, of in table.items.items() for sk in of)
    return {(pk, sk) for pk, sk in rows if not sk.startswith("COUNT#")}
