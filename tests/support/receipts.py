"""Receipts over all their pages, as a hospital that asks over HTTP gets them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.study import StudyRef
from chalicelib.http.upload_shapes import receipt
from chalicelib.services.give_receipt import GiveReceipt
from chalicelib.services.record_decision import RecordDecision
from tests.support.fakes_ledger import FakeLedger
from tests.support.fakes_people import FakeAudit, SeededRandomness
from tests.support.settle_samples import REF
from tests.support.settle_world import World

NOW = datetime(2026, 11, 24, 5, 10, tzinfo=UTC)
HOSPITAL = Caller(role="hospital", subject="gateway", hospital_id=REF.hospital_id)


class Desk:
    """A cloud that gives receipts of one study."""

    def __init__(self, *entries):
        self.world, self.ledger, self.audit = World(), FakeLedger(), FakeAudit()
        if entries:
            self.receive(*entries)
        self.give = GiveReceipt(self.world.studies, self.ledger, RecordDecision(self.audit, SeededRandomness()))

    def receive(self, *entries):
        self.world.receive(*entries)
        self.world.settle()

    def ask(self, token="", ref=REF, now=NOW):
        return self.give(HOSPITAL, ref, token, now)

    def pages(self, now=NOW):
        """All of a receipt as JSON."""
        found = [self.ask(now=now)]
        while found[-1].next_token:
            found.append(self.ask(found[-1].next_token, now=now))
        return [json.loads(json.dumps(receipt(page), ensure_ascii=False)) for page in found]

    def events(self):
        return list(self.audit.events.values())


OTHER = StudyRef("H2", REF.study_instance_uid)
