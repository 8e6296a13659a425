import pytest

from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.amend_study import AmendStudy, UnknownEntry
from chalicelib.services.keep_fact import FactNotKept
from chalicelib.services.replay_facts import ReplayAmendments
from chalicelib.services.settle_study import SettleStudy
from tests.support.fakes_ingest import FakeRefeed, FakeSettleQueue, FakeUploads
from tests.support.fakes_quarantine import FakeStandings
from tests.support.fakes_settle import FakeBytes, FakeExams, FakeReceived, FakeStudies
from tests.support.settle_samples import REF, T0, entry


@pytest.fixture
def studies():
    return FakeStudies()


@pytest.fixture
def queue():
    return FakeSettleQueue()


@pytest.fixture
def uploads():
    return FakeUploads()


@pytest.fixture
def amend(uploads, studies, queue):
    return AmendStudy(uploads, studies, queue, lambda at: f"ULID-{at:%H%M}").exclude


@pytest.fixture
def replay(uploads, studies, queue):
    """All amendments that the bucket holds; answers the keys that are left."""

    def run():
        objects = [Uploaded(one.key, one.version_id) for one in uploads.versions("amendments/")]
        return [one.key for one in ReplayAmendments(uploads, studies, queue, FakeStandings())(objects, lambda: True)]

    return run


@pytest.fixture
def settle(studies):
    journal = FakeReceived()
    journal.write({REF: [entry(1), entry(2, "theirs", at=1, patient_id="P2")]})
    return lambda: SettleStudy(journal, studies, FakeBytes(), FakeExams(), FakeRefeed())(REF, T0)


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


def test_the_bucket_has_an_amendment_before_the_table_and_gives_it_back(amend, settle, uploads, studies, replay):
    settle()
    lasting, studies.amend = studies.amend, None
    with pytest.raises(TypeError):  # it died here
        amend(REF, "theirs", 0, reason="another patient's", made_by="dr-9", now=T0)
    (kept,) = uploads.versions("amendments/H1/2026-11-24/")
    assert kept.key == "amendments/H1/2026-11-24/ULID-0100.json"
    studies.amend = lasting
    assert (replay(), replay()) == ([], [])
    (made,) = studies.amendments(REF)
    assert (made.version_id, made.reason, made.made_by, made.made_at) == ("theirs", "another patient's", "dr-9", T0)
    assert settle().state == "served"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"kind": "include"}'])
def test_an_object_that_is_no_amendment_is_left_and_stops_nothing(amend, settle, uploads, replay, body):
    settle()
    amend(REF, "theirs", 0, reason="", made_by="dr-9", now=T0)
    uploads.upload("amendments/H1/2026-11-24/0.json", body)
    assert replay() == ["amendments/H1/2026-11-24/0.json"]
    assert settle().state == "served"


def test_a_replayed_amendment_is_settled_again(amend, settle, queue, replay):
    settle()
    amend(REF, "theirs", 0, reason="", made_by="dr-9", now=T0)
    replay()
    assert [ref for ref, _ in queue.sent] == [REF, REF]


def test_an_amendment_that_is_not_kept_does_not_count(amend, settle, uploads, studies, queue):
    settle()
    uploads.upload("amendments/H1/2026-11-24/ULID-0100.json", b"somebody's")
    with pytest.raises(FactNotKept):
        amend(REF, "theirs", 0, reason="", made_by="dr-9", now=T0)
    assert (studies.amendments(REF), queue.sent) == ((), [])


@pytest.mark.parametrize("place", [("theirs", 5), ("nobody's", 0)])
def test_an_entry_that_the_study_does_not_have_cannot_be_excluded(amend, settle, studies, queue, place):
    settle()
    with pytest.raises(UnknownEntry):
        amend(REF, *place, reason="", made_by="dr-9", now=T0)
    assert (studies.amendments(REF), queue.sent) == ((), [])


def test_a_study_that_nobody_sent_cannot_be_amended(amend):
    with pytest.raises(UnknownEntry):
        amend(REF, "theirs", 0, reason="", made_by="dr-9", now=T0)
