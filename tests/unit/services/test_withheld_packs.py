"""From an exclusion in a pack to its images served one by one: nobody is handed a URL that opens the excluded one."""

from __future__ import annotations

import pytest

from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.amend_study import AmendStudy
from chalicelib.services.settle_study import SettleStudy
from infra.local.samples import make_pack
from tests.support.fakes_ingest import FakeRefeed, FakeSettleQueue
from tests.support.fakes_settle import FakeExams, FakeStudies
from tests.support.ingest_samples import ARCHIVED_AT, Bench, instance, sent, unpacked

IMAGES = [instance(1, number) for number in range(1, 4)]


class Cloud(Bench):
    def __init__(self):
        super().__init__()
        self.studies, self.exams, self.refeed = FakeStudies(), FakeExams(), FakeRefeed()
        assert self.unpack([sent(self, make_pack(IMAGES))]) == frozenset()
        (self.ref,) = self.journal.everything()
        self.settle()

    def settle(self):
        ports = (self.journal, self.studies, self.uploads, self.exams, self.refeed)
        return SettleStudy(*ports, workers=1)(self.ref, self.clock())

    def manifest(self):
        found = self.studies.summary(self.ref)
        return Manifest.from_json(self.studies.manifest(self.ref, found.manifest_digest, found.manifest_parts))

    def exclude(self, number):
        place = next(one.place for one, _ in self.manifest().entries() if one.header.instance_number == number)
        amend = AmendStudy(self.uploads, self.studies, FakeSettleQueue(), lambda at: f"{at:%H%M%S%f}")
        amend.exclude(self.ref, place.version_id, place.offset, reason="theirs", made_by="dr-9", now=self.clock())

    def served(self):
        return {
            one.header.instance_number: one.place for one, status in self.manifest().entries() if status == "served"
        }

    def ingest_unpacked(self):
        assert self.ingest([Uploaded(one.key) for one in self.uploads.versions("unpacked/")]) == frozenset()


@pytest.fixture
def cloud():
    cloud = Cloud()
    assert isinstance(cloud.ref, StudyRef)
    assert len(cloud.served()) == 3
    cloud.exclude(2)
    return cloud


def test_no_place_of_the_pack_is_served_from_the_next_settle_on(cloud):
    cloud.settle()
    assert cloud.served() == {}
    (fed,) = cloud.refeed.fed
    assert (fed.key.split("/")[0], fed.unpack) == ("archives", True)


def test_the_others_are_then_served_by_themselves_with_the_time_at_which_the_pack_came(cloud):
    cloud.settle()
    assert cloud.unpack(cloud.refeed.fed) == frozenset()
    assert sorted(unpacked(cloud).values()) == sorted(IMAGES)  # and no index.json
    cloud.ingest_unpacked()
    cloud.settle()
    assert {number: place.key.split("/")[0] for number, place in cloud.served().items()} == {
        1: "unpacked",
        3: "unpacked",
    }
    assert {entry.received_at for entry in cloud.entries()} == {ARCHIVED_AT}
    assert len(cloud.refeed.fed) == 1
    assert cloud.quarantine.records == {}


def test_a_settle_that_died_before_it_asked_is_made_good_by_the_next(cloud):
    cloud.settle()
    cloud.refeed.fed.clear()
    cloud.settle()
    assert len(cloud.refeed.fed) == 1
