"""From S3's events to the ledger's rows, on ports in memory: order, repetition, batches and deaths never matter."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.derive_exams import DeriveExams
from chalicelib.services.ingest_batch import IngestBatch
from chalicelib.services.look_at_day import LookAtDay
from chalicelib.services.reindex_studies import TouchedStudies
from chalicelib.services.settle_study import SettleStudy
from tests.support.fakes_days import FakeDays, FakeExcuses
from tests.support.fakes_ingest import Crash, FakeRefeed, OurFaultError
from tests.support.fakes_ledger import FakeLedger
from tests.support.fakes_settle import FakeStudies
from tests.support.ingest_samples import DAY, Bench, instance
from tests.support.interleave import Gate, crash_at

# Two studies of one hospital and one of another with the same UID; a copy, a re-sent image with other bytes, an image
# that arrives with another accession number, a file that is no DICOM.
UPLOADS = [
    ("H1", instance(1, 1)),
    ("H1", instance(1, 2)),
    ("H1", instance(1, 2)),
    ("H1", instance(1, 1, pixels=128)),
    ("H1", instance(1, 3, AccessionNumber="A7")),
    ("H1", instance(2, 1)),
    ("H1", instance(2, 2, PatientID="P2", PatientName="李^四")),
    ("H2", instance(1, 1)),
    ("H2", b"no DICOM at all"),
]


class Cloud(Bench):
    """Queues that bring what was not done again, and everything between them."""

    def __init__(self):
        super().__init__()
        self.studies, self.ledger, self.excuses, self.days = FakeStudies(), FakeLedger(), FakeExcuses(), FakeDays()
        self.to_settle = TouchedStudies()
        self.to_ingest = [
            Uploaded(key, self.uploads.upload(key, body), len(body))
            for number, (hospital, body) in enumerate(UPLOADS)
            for key in [f"instances/{hospital}/{DAY}/{number}.dcm"]
        ]

    def ingest_some(self, objects, gate):
        stand = (self.uploads, self.hospitals, self.journal, self.quarantine, self.receipts, self.to_settle)
        undone = IngestBatch(*map(gate, stand), self.clock, workers=1)(objects, lambda: True)
        self.to_ingest = [left for left in self.to_ingest if left not in objects or left in undone]

    def settle_one(self, ref, gate):
        look = LookAtDay(*map(gate, (self.days, self.excuses, self.hospitals)))
        exams = DeriveExams(*map(gate, (self.ledger, self.excuses, self.hospitals)), look)
        settle = SettleStudy(*map(gate, (self.journal, self.studies, self.uploads)), exams, FakeRefeed(), workers=1)
        settle(ref, self.clock())
        self.to_settle.refs.discard(ref)

    def drain(self):
        while self.to_ingest:
            self.ingest_some(list(self.to_ingest), Gate())
        for ref in sorted(self.to_settle.refs):
            self.settle_one(ref, Gate())
        return self.truth()

    def truth(self):
        manifests = {
            ref: self.studies.manifest(ref, found.manifest_digest, found.manifest_parts)
            for ref, found in self.studies.summaries.items()
        }
        return (
            self.journal.everything(),
            manifests,
            self.studies.summaries,
            self.studies.pointers,
            self.ledger.standing(),
            self.quarantine.reasons(),
        )


EXPECTED = Cloud().drain()


def survive(work, *given):
    try:
        work(*given)
    except (Crash, OurFaultError):
        return


def gates():
    """No fault, or a death or a fault of AWS before or after the effect of some call."""
    faults = st.builds(crash_at, st.integers(0, 40), after=st.booleans(), fault=st.sampled_from([Crash, OurFaultError]))
    return st.one_of(st.builds(Gate), faults)


def test_the_sample_holds_every_kind_of_trouble():
    journal, _, summaries, _, rows, quarantined = EXPECTED
    found = {(ref.hospital_id, ref.study_instance_uid[-1]): one for ref, one in summaries.items()}
    assert len(journal) == 3
    first = found["H1", "1"]
    assert (first.instances, first.duplicates, first.divergent) == (3, 1, 1)
    assert (found["H1", "2"].state, found["H2", "1"].state) == ("conflicted", "served")
    assert sorted(exam.key.accession for exam in rows.values() if exam.received) == ["A1", "A1", "A2"]
    assert len(quarantined) == 1


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_any_order_repetition_batching_and_crash_ends_in_one_truth(data):
    cloud = Cloud()
    events = list(cloud.to_ingest)
    for _ in range(data.draw(st.integers(1, 5))):
        batch = data.draw(st.lists(st.sampled_from(events), min_size=1, max_size=5))
        survive(cloud.ingest_some, batch, data.draw(gates()))
        if cloud.to_settle.refs:
            survive(cloud.settle_one, data.draw(st.sampled_from(sorted(cloud.to_settle.refs))), data.draw(gates()))
    assert cloud.drain() == EXPECTED
