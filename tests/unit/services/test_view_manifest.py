"""A granted study becomes what a viewer needs, each object signed once and nothing of another study."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.access import AccessDenied, Caller, Grant
from chalicelib.domain.settle import settle
from chalicelib.domain.study import Place, StudyRef
from chalicelib.services.inspect_study import InspectStudy
from chalicelib.services.view_manifest import ManifestChanged, StoredReport, TokenNotOurs, ViewManifest
from tests.support.settle_samples import REF, entry, exclude

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
CALLER = Caller("patient", "p1", person_id="P")
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"
SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.11"


class CountingSigner:
    def __init__(self):
        self.signed = []

    def sign(self, grant, places, now, content_type="application/dicom"):
        assert grant.study == REF
        self.signed += [(place, content_type) for place in places]
        return tuple(f"signed:{place.key}@{place.version_id}" for place in places)


class World:
    """One settled study, a caller with a grant that ends after `minutes` (None: without one)."""

    def __init__(self, *entries, amendments=(), minutes=15, reports=()):
        self.settled = settle(REF, entries, amendments, {}, issuer="H1")
        self.minutes = minutes
        self.stored = reports
        self.signer = CountingSigner()

    def with_manifest(self, caller, study, now, lap):
        if self.minutes is None:
            raise AccessDenied("no_grant")
        grant = Grant(caller, study, "self", "", now + timedelta(minutes=self.minutes))
        return grant, self.settled.summary, self.manifest(study, self.settled.summary.manifest_digest, 1)

    def summary(self, ref):
        return self.settled.summary if ref == REF else None

    def manifest(self, ref, digest, parts):
        assert (ref, digest) == (REF, self.settled.summary.manifest_digest)
        return self.settled.body

    def reports(self, ref, accession_number):
        assert (ref, accession_number) == (REF, self.settled.summary.accession_number)
        return self.stored

    def view(self, token=""):
        return ViewManifest(self, self.reports, self.signer)(CALLER, REF, token, NOW)


def test_an_instance_carries_its_url_and_only_what_differs_from_its_series():
    seen = World(entry(2), entry(1)).view()
    (series,) = seen["series"]
    assert series["metadata"] == {"Rows": 512, "Columns": 512}
    assert (series["modality"], series["series_number"], series["series_description"]) == ("CT", 1, "序列 1")
    first, second = series["instances"]
    assert first == {
        "sop_instance_uid": "1.2.840.1.1.1",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "instance_number": 1,
        "length": 1000,
        "url": "signed:instances/H1/2026-11-24/1-1.dcm@v1-1",
        "metadata": {"ImagePositionPatient": ["0", "0", "1"]},
    }
    assert second["instance_number"] == 2


def test_the_study_says_whose_it_is_for_the_overlay():
    study = World(entry(1), entry(2)).view()["study"]
    assert (study["patient_id"], study["patient_name"], study["patient_sex"]) == ("P1", "张三", "M")
    assert (study["patient_birth_date"], study["accession_number"], study["instances"]) == ("19700101", "A1", 2)


def test_a_pack_is_signed_once_and_its_instances_are_ranges_of_it():
    pack = {"key": "archives/H1/2026-11-24/ct.zip", "checksum": None}
    world = World(*(entry(sop, "vp", offset=500 + 1000 * sop, **pack) for sop in range(1, 301)))
    (series,) = world.view()["series"]
    assert len(world.signer.signed) == 1
    assert {one["url"] for one in series["instances"]} == {"signed:archives/H1/2026-11-24/ct.zip@vp"}
    assert series["instances"][0]["range"] == "bytes=1500-2499"
    assert [one["range"] for one in series["instances"]][-1] == "bytes=300500-301499"


def test_a_single_object_has_no_range():
    (series,) = World(entry(1)).view()["series"]
    assert "range" not in series["instances"][0]


def test_series_and_instances_come_in_the_manifests_order():
    seen = World(entry(1, series=10), entry(2, series=2), entry(1, series=2)).view()
    assert [one["series_number"] for one in seen["series"]] == [2, 10]
    assert [one["instance_number"] for one in seen["series"][0]["instances"]] == [1, 2]


def test_what_is_not_served_is_neither_shown_nor_signed():
    world = World(entry(1), entry(2), amendments=[exclude("v1-2")])
    (series,) = world.view()["series"]
    assert [one["instance_number"] for one in series["instances"]] == [1]
    assert len(world.signer.signed) == 1


def test_a_series_of_which_nothing_is_served_is_left_out():
    world = World(entry(1), entry(1, series=2), amendments=[exclude("v2-1")])
    assert [one["series_number"] for one in world.view()["series"]] == [1]


def test_reports_among_the_instances_and_from_notices_are_listed():
    stored = StoredReport(Place("reports/H1/A1/x.pdf", "v9", 0, 77), "application/pdf")
    world = World(
        entry(1),
        entry(1, series=5, modality="DOC", sop_class_uid=PDF_CLASS, series_description="报告"),
        entry(1, series=6, modality="SR", sop_class_uid=SR_CLASS),
        reports=[stored],
    )
    seen = world.view()
    told = [(one["content_type"], one["title"], one["url"]) for one in seen["reports"]]
    assert told == [
        ("application/dicom", "报告", "signed:instances/H1/2026-11-24/5-1.dcm@v5-1"),
        ("application/dicom", "序列 6", "signed:instances/H1/2026-11-24/6-1.dcm@v6-1"),
        ("application/pdf", "", "signed:reports/H1/A1/x.pdf@v9"),
    ]
    assert (stored.place, "application/pdf") in world.signer.signed
    assert len(world.signer.signed) == 4


@pytest.mark.parametrize(("minutes", "ends"), [(15, 5), (3, 3)])
def test_the_answer_says_until_when_its_urls_hold(minutes, ends):
    assert World(entry(1), minutes=minutes).view()["expires_at"] == (NOW + timedelta(minutes=ends)).isoformat()


def test_without_a_grant_nothing_is_read_or_signed():
    world = World(entry(1), minutes=None)
    with pytest.raises(AccessDenied):
        world.view()
    assert world.signer.signed == []


def test_pages_are_cut_across_series_and_reports_come_once():
    world = World(*(entry(sop, series=1) for sop in range(900)), *(entry(sop, series=2) for sop in range(900)))
    first = world.view()
    second = world.view(first["next_token"])
    counted = [[len(series["instances"]) for series in page["series"]] for page in (first, second)]
    assert counted == [[900, 100], [800]]
    shown = [
        one["sop_instance_uid"] for page in (first, second) for part in page["series"] for one in part["instances"]
    ]
    assert len(set(shown)) == len(shown) == 1800
    assert second["next_token"] == ""


def test_exactly_a_thousand_instances_are_one_page():
    assert World(*(entry(sop) for sop in range(1000))).view()["next_token"] == ""


def test_pages_of_instances_that_say_much_of_themselves_are_shorter_and_none_is_lost():
    """A function's answer holds 6 MB, and a cine may have 16 KB of frame times."""
    world = World(*(entry(sop, viewer={"FrameTimeVector": [f"{sop}.{n}" for n in range(1500)]}) for sop in range(600)))
    seen, token = [], ""
    while token or not seen:
        page = world.view(token)
        assert len(json.dumps(page)) < 4_000_000
        seen += [one["instance_number"] for part in page["series"] for one in part["instances"]]
        token = page["next_token"]
    assert seen == list(range(600))


def test_a_token_of_another_manifest_says_start_again():
    token = World(*(entry(sop) for sop in range(1001))).view()["next_token"]
    with pytest.raises(ManifestChanged):
        World(*(entry(sop) for sop in range(1002))).view(token)


@pytest.mark.parametrize("token", ["x", "1000", "1000.", ".abc", "-1000.abc", "99999999999.abc", "１000.abc"])
def test_a_token_of_nobodys_is_refused(token):
    with pytest.raises(TokenNotOurs):
        World(entry(1)).view(token)


def test_a_manifest_of_another_study_is_never_shown():
    world = World(entry(1))
    other = settle(StudyRef("H1", "9.9"), [entry(1, ref=StudyRef("H1", "9.9"))], (), {}, issuer="H1")
    world.manifest = lambda *named: other.body
    with pytest.raises(ManifestChanged):
        world.view()
    assert world.signer.signed == []


def test_a_hospital_sees_every_entry_with_its_status_and_no_name():
    found = InspectStudy(World(entry(1), entry(2), amendments=[exclude("v1-2")]))(REF, "")
    assert found.statuses == {"served": 1, "excluded": 1}
    assert [(one["version_id"], one["status"]) for one in found.entries] == [("v1-1", "served"), ("v1-2", "excluded")]
    assert "张三" not in str(found.entries)


def test_a_hospital_pages_through_a_long_study():
    world = World(*(entry(sop) for sop in range(1500)))
    first = InspectStudy(world)(REF, "")
    second = InspectStudy(world)(REF, first.next_token)
    assert (len(first.entries), len(second.entries), second.next_token) == (1000, 500, "")


def test_a_study_that_was_never_sent_is_not_there():
    assert InspectStudy(World(entry(1)))(StudyRef("H1", "9.9"), "") is None
