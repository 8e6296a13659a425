"""A hospital corrects, asks, and the commission decides; what is looked at again obeys the rules of every upload."""

import itertools
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.domain.access import AuditFailed, Caller
from chalicelib.domain.exam import ExamKey
from chalicelib.domain.release import QuarantineRefused
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.close_quarantined import CloseQuarantined, Sent
from chalicelib.services.decide_release import AskRelease, DecideRelease
from chalicelib.services.list_quarantine import ListQuarantine
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.replay_facts import ReplayAmendments
from chalicelib.services.step_quarantined import StandingContended, StepQuarantined
from tests.support.fakes_ingest import Crash, FakeRefeed, FakeSettleQueue
from tests.support.fakes_ledger import FakeLedger
from tests.support.fakes_people import FakeAudit, SeededRandomness
from tests.support.fakes_quarantine import FakeStandings
from tests.support.ingest_samples import CLOSED, DAY, Bench, fed, instance
from tests.support.ledger_world import notice
from tests.support.settle_samples import REF, T0, entry
from tests.support.settle_world import World

HOSPITAL = Caller("hospital", "gateway", CLOSED.hospital_id)
OTHER = Caller("hospital", "gateway", "H2")
REGULATOR = Caller("regulator", "r1")
GROUND = "registered_since"


class Office:
    """One upload that came while its hospital was closed; all who have a say in it."""

    def __init__(self, body=b""):
        self.bench = Bench()
        (self.uploaded,) = fed(self.bench, body or instance(), hospital=CLOSED.hospital_id)
        assert self.bench.ingest([self.uploaded]) == frozenset()
        (self.record,) = self.bench.quarantine.records.values()
        self.now = self.bench.clock()
        self.standings, self.audit, self.refeed = FakeStandings(), FakeAudit(), FakeRefeed()
        record = RecordDecision(self.audit, SeededRandomness())
        self.uploads, self.ids = self.bench.uploads, itertools.count(1)
        ports = (self.bench.quarantine, self.standings, record, self.uploads)
        self.step = StepQuarantined(*ports, lambda _: f"{next(self.ids):026}")
        self.world, self.ledger = World(), FakeLedger()
        self.list = ListQuarantine(self.bench.quarantine, self.standings)

    def ask(self, caller=HOSPITAL, ground=GROUND):
        return AskRelease(self.step)(caller, self.record.entry_id, ground, self.now)

    def decide(self, decision="grant", hospital_id=CLOSED.hospital_id):
        decide = DecideRelease(self.step, self.refeed)
        entry_id = self.record.entry_id
        return decide(REGULATOR, hospital_id, entry_id, decision=decision, note="看过", now=self.now)

    def close(self, sent, caller=HOSPITAL):
        return CloseQuarantined(self.step, self.world.studies, self.ledger)(
            caller, self.record.entry_id, sent, self.now
        )

    def arrive(self, at=None, **changes):
        """An entry of a study of the hospital; what closes the quarantined one with it."""
        ref = replace(REF, hospital_id=CLOSED.hospital_id)
        if self.record.sop_instance_uid:
            changes = {"sop_instance_uid": self.record.sop_instance_uid} | changes
        found = replace(entry(1, ref=ref, **changes), received_at=at or self.now)
        self.world.receive(found, ref=ref)
        self.world.settle(ref=ref)
        return Sent(ref.study_instance_uid, found.place.version_id)

    def rebuilt(self):
        """The standings that the bucket alone gives."""
        standings = FakeStandings()
        replay = ReplayAmendments(self.uploads, self.world.studies, FakeSettleQueue(), standings)
        kept = [Uploaded(one.key, one.version_id, one.size) for one in self.uploads.versions("amendments/")]
        assert replay(kept, lambda: True) == frozenset()
        return standings.items

    def state(self):
        ((_, standing),) = self.list(CLOSED.hospital_id, "", 9).items
        return standing.state

    def reasons(self):
        return [(event.action, event.allowed, event.reason) for event in self.audit.events.values()]


def refusal(act, *args, **named):
    with pytest.raises(QuarantineRefused) as refused:
        act(*args, **named)
    return refused.value.reason


# Releases


def test_a_granted_release_feeds_the_object_version_to_its_own_queue():
    office = Office()
    office.ask()
    office.decide()
    assert office.refeed.fed == [Uploaded(office.uploaded.key, office.uploaded.version_id)]
    assert office.state() == "granted"
    assert office.reasons() == [
        ("ask_release", True, "own_hospital"),
        ("grant_release", True, CLOSED.hospital_id),
    ]
    assert [event.statement for event in office.audit.events.values()].count("") == 0


def test_what_still_cannot_be_indexed_stays_in_quarantine_and_is_served_to_nobody():
    office = Office()
    office.ask()
    office.decide()
    kept = dict(office.bench.quarantine.records)
    assert office.bench.ingest(office.refeed.fed) == frozenset()
    assert (office.bench.entries(), office.bench.quarantine.records) == ([], kept)


def test_what_can_be_indexed_by_now_is():
    office = Office()
    office.ask()
    office.decide()
    office.bench.hospitals.put(replace(CLOSED, active=True))
    assert office.bench.ingest(office.refeed.fed) == frozenset()
    (found,) = office.bench.entries()
    assert (found.place.key, found.place.version_id) == (office.uploaded.key, office.uploaded.version_id)
    assert office.bench.quarantine.records.keys() == {f"{CLOSED.hospital_id}/{office.record.entry_id}.json"}


def test_a_refused_release_feeds_nothing():
    office = Office()
    office.ask()
    office.decide("refuse")
    assert (office.refeed.fed, office.state()) == ([], "refused")


def test_what_nobody_asked_for_cannot_be_granted():
    office = Office()
    assert refusal(office.decide) == "not_asked"
    assert (office.refeed.fed, office.reasons()) == ([], [("grant_release", False, "not_asked")])


def test_a_grant_whose_queue_failed_is_carried_out_by_granting_again():
    office, fine = Office(), FakeRefeed()
    office.ask()

    class Broken:
        def feed(self, objects):
            raise ConnectionError

    office.refeed = Broken()
    with pytest.raises(ConnectionError):
        office.decide()
    office.refeed = fine
    office.decide()
    assert len(fine.fed) == 1


def test_another_hospitals_entry_is_one_that_does_not_exist():
    office = Office()
    assert office.ask(OTHER) is None
    assert office.decide(hospital_id="H2") is None
    assert office.close(office.arrive(), OTHER) is None
    assert {(allowed, reason) for _, allowed, reason in office.reasons()} == {(False, "not_found")}
    assert office.standings.items == {}


def test_without_the_audit_nothing_happens():
    office = Office()
    office.audit.broken = True
    with pytest.raises(AuditFailed):
        office.ask()
    assert office.standings.items == {}


def test_of_two_who_take_a_step_at_once_one_is_told_to_try_again():
    office = Office()
    office.ask()
    slow = office.standings.get(CLOSED.hospital_id, office.record.entry_id)
    office.decide("refuse")
    office.standings.get = lambda *_: slow
    with pytest.raises(StandingContended):
        office.decide()
    assert office.refeed.fed == []


# Corrections


def test_an_upload_that_arrived_since_closes_the_entry_and_is_named_there():
    office = Office()
    sent = office.arrive()
    record, standing = office.close(sent)
    assert (standing.state, standing.study_instance_uid, standing.version_id) == (
        "closed",
        sent.study_instance_uid,
        sent.version_id,
    )
    assert record == office.record
    assert office.state() == "closed"
    assert refusal(office.ask) == "entry_closed"


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        (Sent("1.2.840.1", "other"), None),
        (Sent("1.2.840.1", "v1-1", 512), None),
        (Sent("9.9", "v1-1"), None),
        (Sent(""), None),
        (Sent("1.2.840.1", "v1-1"), timedelta(days=-9)),  # there before the one that was refused
    ],
)
def test_what_never_arrived_or_was_there_before_closes_nothing(sent, at):
    office = Office()
    office.arrive(office.now + at if at else None)
    assert refusal(office.close, sent) == "not_received"
    assert office.state() == "open"


def test_another_instance_than_the_broken_file_claims_to_be_closes_nothing():
    office = Office()
    assert office.record.sop_instance_uid
    assert refusal(office.close, office.arrive(sop_instance_uid="1.9")) == "other_instance"
    office.close(office.arrive(version="v9"))
    assert office.state() == "closed"


def test_a_quarantined_notice_is_closed_by_a_later_one_of_the_same_exam():
    office = Office()
    key = f"notices/{CLOSED.hospital_id}/{DAY}/1.json"
    bad = replace(office.record, key=key, reason="bad_notice", sop_instance_uid="", received_at=T0)
    office.bench.quarantine.put(bad)
    office.record = bad
    place, sent = ExamKey(CLOSED.hospital_id, "A1"), Sent("", accession_number="A1")
    assert refusal(office.close, sent) == "not_received"
    office.ledger.put_notice(place, notice(at=T0 - timedelta(hours=9)))
    assert refusal(office.close, sent) == "not_received"
    office.ledger.put_notice(place, notice(at=T0, notice_id="n2"))
    _, standing = office.close(sent)
    assert (standing.state, len(standing.notice)) == ("closed", 32)


# The list


def test_closed_entries_stay_listed_and_pages_go_on_by_token():
    office = Office(b"not an image" * 100)
    fed_again = fed(office.bench, b"", b"nothing" * 40, b"none" * 99, hospital=CLOSED.hospital_id)
    office.bench.ingest(fed_again)
    office.record = next(iter(office.bench.quarantine.records.values()))
    office.close(office.arrive())
    found, token = [], ""
    while True:
        page = office.list(CLOSED.hospital_id, token, 2)
        found += page.items
        token = page.next_token
        if not token:
            break
    assert len(found) == len(office.bench.quarantine.records)
    assert sorted(standing.state for _, standing in found) == ["closed", *["open"] * (len(found) - 1)]


# The bucket alone


def die(_):
    raise Crash


def test_every_step_comes_back_from_the_bucket_alone():
    office = Office()
    sent = office.arrive()
    steps = (office.ask, partial(office.decide, "refuse"), office.ask, office.decide, partial(office.close, sent))
    for step in steps:
        step()
        assert office.rebuilt() == office.standings.items
    (found,) = office.rebuilt().values()
    assert (found.state, found.version_id, found.revision) == ("closed", sent.version_id, 5)


def test_a_refused_step_leaves_nothing_in_the_bucket():
    office = Office()
    refusal(office.decide)
    assert office.rebuilt() == {}


def test_a_step_that_died_after_the_bucket_is_brought_to_the_table_by_the_night():
    office = Office()
    office.ask()
    put = office.standings.put
    office.standings.put = die
    with pytest.raises(Crash):
        office.decide("refuse")
    assert office.state() == "asked"
    office.standings.put = put
    for standing in office.rebuilt().values():
        office.standings.restore(standing, settled=False)
    assert office.state() == "refused"


def test_a_step_taken_again_after_it_died_counts_as_it_was_told_last():
    office = Office()
    put = office.standings.put
    office.standings.put = die
    with pytest.raises(Crash):
        office.ask()
    office.standings.put, office.now = put, office.now + timedelta(seconds=30)
    office.ask()
    assert office.rebuilt() == office.standings.items


def test_of_two_steps_at_once_the_bucket_gives_the_one_that_counted():
    office = Office()
    office.ask()
    read = office.standings.get
    slow = read(CLOSED.hospital_id, office.record.entry_id)
    office.decide("refuse")
    office.standings.get = lambda *_: slow

    def put(standing):
        office.standings.get = read
        return FakeStandings.put(office.standings, standing)

    office.standings.put = put
    with pytest.raises(StandingContended):
        office.decide("grant")
    assert office.rebuilt() == office.standings.items
    assert office.state() == "refused"


def test_a_standing_under_another_hospitals_key_is_left():
    office = Office()
    office.ask()
    (kept,) = office.uploads.versions("amendments/")
    body = office.uploads.read(kept.key, kept.version_id, 0, 1 << 20).data
    office.uploads.upload(kept.key.replace(CLOSED.hospital_id, "H2"), body)
    replay = ReplayAmendments(office.uploads, office.world.studies, FakeSettleQueue(), office.standings)
    (strange,) = [Uploaded(one.key, one.version_id) for one in office.uploads.versions("amendments/H2/")]
    assert replay([strange], lambda: True) == {strange}
