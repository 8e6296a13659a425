import pytest

from chalicelib.services.amend_study import AmendStudy, UnknownEntry
from chalicelib.services.settle_study import SettleStudy
from tests.support.fakes_ingest import FakeSettleQueue
from tests.support.fakes_settle import FakeBytes, FakeExams, FakeReceived, FakeStudies
from tests.support.settle_samples import REF, T0, entry


@pytest.fixture
def studies():
    return FakeStudies()


@pytest.fixture
def queue():
    return FakeSettleQueue()


@pytest.fixture
def amend(studies, queue):
    return AmendStudy(studies, queue, lambda at: f"ULID-{at:%H%M}").exclude


@pytest.fixture
def settle(studies):
    journal = FakeReceived()
    journal.write({REF: [entry(1), entry(2, "theirs", at=1, patient_id="P2")]})
    return lambda: SettleStudy(journal, studies, FakeBytes(), FakeExams())(REF, T0)


def test_an_exclusion_is_kept_with_who_and_why_and_a_settle_is_asked_for(amend, settle, studies, queue):
    assert settle().state == "conflicted"
    made = amend(REF, "theirs", 0, reason="another patient's", made_by="dr-9", now=T0)
    assert studies.amendments(REF) == (made,)
    assert (made.amendment_id, made.reason, made.made_by, made.made_at) == (
        "ULID-0100",
        "another patient's",
        "dr-9",
        T0,
    )
    assert [ref for ref, _ in queue.sent] == [REF]
    assert settle().state == "served"


@pytest.mark.parametrize("place", [("theirs", 5), ("nobody's", 0)])
def test_an_entry_that_the_study_does_not_have_cannot_be_excluded(amend, settle, studies, queue, place):
    settle()
    with pytest.raises(UnknownEntry):
        amend(REF, *place, reason="", made_by="dr-9", now=T0)
    assert (studies.amendments(REF), queue.sent) == ((), [])


def test_a_study_that_nobody_sent_cannot_be_amended(amend):
    with pytest.raises(UnknownEntry):
        amend(REF, "theirs", 0, reason="", made_by="dr-9", now=T0)
