"""Everything again from the bucket alone."""

import itertools
from dataclasses import replace

import pytest

from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import StudyRef
from chalicelib.services import reindex_studies
from chalicelib.services.amend_study import AmendStudy
from chalicelib.services.ingest_batch import IngestBatch
from chalicelib.services.reindex_studies import Reindexed, ReindexStudies, TouchedStudies
from chalicelib.services.replay_facts import ReplayAmendments, ReplayRegistrations
from chalicelib.services.settle_study import SettleStudy
from chalicelib.services.unpack_archive import UnpackArchive
from tests.support.fakes_ingest import FakeJournal, FakeRefeed, FakeSettleQueue
from tests.support.fakes_joining import FakeHospitalKeys
from tests.support.fakes_quarantine import FakeStandings
from tests.support.fakes_settle import FakeExams, FakeStudies
from tests.support.ingest_samples import DAY, H1, Bench, archive, instance


class Cloud(Bench):
    """A bucket, and all that is derived from it."""

    def __init__(self):
        super().__init__()
        self.notices, self.refeed = [], FakeRefeed()
        self.forget()

    def forget(self):
        self.journal, self.studies, self.exams = FakeJournal(self.clock), FakeStudies(), FakeExams()
        self.notices.clear()

    def reindex(self, after="", keep_going=lambda: True, progress=lambda _: None):
        touched = TouchedStudies()
        ports = (self.uploads, self.hospitals, self.journal, self.quarantine, self.receipts, touched, self.clock)
        ingest = IngestBatch(*ports, workers=1)

        def note(objects, _):
            self.notices += sorted(uploaded.key for uploaded in objects)
            return frozenset()

        take_up = {"instances": ingest, "unpacked": ingest, "archives": UnpackArchive(*ports), "notices": note}
        take_up["amendments"] = ReplayAmendments(self.uploads, self.studies, touched, FakeStandings())
        registrations = ReplayRegistrations(self.uploads, self.hospitals, FakeHospitalKeys())
        settle = SettleStudy(self.journal, self.studies, self.uploads, self.exams, self.refeed, workers=1)
        return ReindexStudies(self.uploads, self.hospitals, registrations, take_up, touched, settle, self.clock)(
            after, keep_going, progress
        )

    def exclude(self, ref, version_id):
        amend = AmendStudy(self.uploads, self.studies, FakeSettleQueue(), lambda at: f"{at:%H%M%S%f}")
        amend.exclude(ref, version_id, 0, reason="another patient's", made_by="dr-9", now=self.clock())

    def truth(self):
        manifests = {
            ref: Manifest.from_json(self.studies.manifest(ref, found.manifest_digest, found.manifest_parts)).to_json()
            for ref, found in self.studies.summaries.items()
        }
        return manifests, self.studies.summaries, self.studies.pointers, self.exams.standing(), set(self.notices)


@pytest.fixture
def cloud(monkeypatch):
    """Two hospitals, four studies, a second version of an object, an archive, a notice and a file that is no DICOM."""
    monkeypatch.setattr(reindex_studies, "BATCH", 3)
    cloud = Cloud()
    put = cloud.uploads.upload
    for study, number in itertools.product((1, 2, 3), (1, 2, 3)):
        put(f"instances/H1/{DAY}/{study}-{number}.dcm", instance(study, number))
    put(f"instances/H1/{DAY}/1-1.dcm", instance(1, 1, pixels=128))
    put(f"instances/H1/{DAY}/readme.txt", b"no DICOM at all")
    put(f"instances/H2/{DAY}/a.dcm", instance(1, 1))
    put(f"archives/H2/{DAY}/study.zip", archive([("a", instance(4, 1)), ("b", instance(4, 2))]))
    put(f"notices/H1/{DAY}/n.json", b"{}")
    put("instances/H7/2026-11-23/x.dcm", instance(9, 1))
    return cloud


def test_the_bucket_alone_gives_every_manifest(cloud):
    found = cloud.reindex()
    assert found.done
    assert found.left == 0
    assert (len(cloud.studies.summaries), len(cloud.studies.pointers)) == (5, 5)
    assert cloud.notices == [f"notices/H1/{DAY}/n.json"]
    counts = {(ref.hospital_id, ref.study_instance_uid[-1]): s for ref, s in cloud.studies.summaries.items()}
    assert counts["H2", "4"].instances == 2
    assert (counts["H1", "1"].instances, counts["H1", "1"].divergent) == (3, 1)


def test_after_all_derived_data_is_lost_the_same_manifests_come_back(cloud):
    cloud.reindex()
    before = cloud.truth()
    cloud.forget()
    cloud.reindex()
    assert cloud.truth() == before


def test_what_was_excluded_stays_so_when_the_bucket_alone_is_left(cloud):
    cloud.reindex()
    first = StudyRef("H1", "1.2.3.1")
    cloud.exclude(first, next(cloud.uploads.versions(f"instances/H1/{DAY}/1-2.dcm")).version_id)
    cloud.reindex()
    assert cloud.studies.summary(first).instances == 2
    before, served = cloud.truth(), []
    cloud.forget()
    flip = cloud.studies.flip
    cloud.studies.flip = lambda summary, read: flip(summary, read) and (served.append(summary) or True)
    cloud.reindex()
    assert cloud.truth() == before
    assert {found.instances for found in served if found.ref == first} == {2}, "not served even for a moment"


def test_a_second_run_over_what_stands_changes_nothing(cloud):
    cloud.reindex()
    before = cloud.truth()
    cloud.reindex()
    assert cloud.truth() == before
    assert {found.revision for found in cloud.studies.summaries.values()} == {1}


def test_a_hospital_that_was_closed_since_gets_its_studies_back(cloud):
    cloud.reindex()
    before = cloud.truth()
    cloud.hospitals.put(replace(H1, active=False, closed_at=cloud.clock()))
    cloud.uploads.upload(f"instances/H1/{DAY}/late.dcm", instance(8, 1))
    cloud.reindex()
    assert cloud.truth() == before
    cloud.forget()
    cloud.reindex()
    assert cloud.truth() == before


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_run_that_stops_for_time_goes_on_where_it_stopped(cloud, batches):
    cloud.reindex()
    expected = cloud.truth()
    cloud.forget()
    found, runs = Reindexed(), 0
    while not found.done:
        left = itertools.count()
        found = cloud.reindex(found.after, keep_going=lambda left=left: next(left) < batches * 4)
        runs += 1
        assert runs < 50
    assert runs > 1
    assert cloud.truth() == expected


def test_a_run_that_died_may_go_on_from_what_it_last_told(cloud, monkeypatch):
    monkeypatch.setattr(reindex_studies, "SETTLE_AT", 2)
    cloud.reindex()
    expected = cloud.truth()
    cloud.forget()
    told = []

    def die(progress):
        told.append(progress)
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cloud.reindex(progress=die)
    assert told[-1].after
    cloud.reindex(told[-1].after)
    assert cloud.truth() == expected


def test_objects_that_a_fault_of_ours_kept_back_are_counted(cloud):
    journal = cloud.journal
    monkey = journal.write

    def fail_once(received, now):
        journal.write = monkey
        raise OSError

    journal.write = fail_once
    found = cloud.reindex()
    assert (found.done, found.left > 0) == (True, True)
