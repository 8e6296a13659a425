"""All that a settle touches, in memory, and what must not depend on the way there."""

from __future__ import annotations

from chalicelib.domain.manifest import Manifest
from chalicelib.services.settle_study import SettleStudy
from tests.support.fakes_ingest import FakeRefeed
from tests.support.fakes_settle import FakeBytes, FakeExams, FakeReceived, FakeStudies
from tests.support.interleave import Gate
from tests.support.settle_samples import REF, T0


class World:
    """One cloud: what hospitals uploaded, and what settle made of it."""

    def __init__(self, contents=None):
        self.journal, self.studies, self.exams = FakeReceived(), FakeStudies(), FakeExams()
        self.uploads, self.refeed = FakeBytes(), FakeRefeed()
        for place, content in (contents or {}).items():
            self.uploads.held[place] = content

    def settle(self, gate=None, ref=REF, workers=1):
        gate = gate or Gate()
        ports = (self.journal, self.studies, self.uploads, self.exams, self.refeed)
        return SettleStudy(*(gate(port) for port in ports), workers=workers)(ref, T0)

    def receive(self, *entries, ref=REF):
        self.journal.write({ref: entries})

    def manifest(self, ref=REF):
        summary = self.studies.summary(ref)
        return Manifest.from_json(self.studies.manifest(ref, summary.manifest_digest, summary.manifest_parts))

    def statuses(self, ref=REF):
        return {found.place.version_id: status for found, status in self.manifest(ref).entries()}

    def truth(self):
        """All that must not depend on the way: manifest bytes, summary but for its revision, pointers, facts."""
        return (
            {ref: self.manifest(ref).to_json() for ref in self.studies.summaries},
            self.studies.summaries,
            self.studies.pointers,
            self.exams.standing(),
        )
