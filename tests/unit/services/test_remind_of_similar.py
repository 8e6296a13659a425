"""Reminders over ports in memory: what they cost, whom they tell what, and when nothing may be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import AuditFailed
from chalicelib.domain.body_region import Part
from chalicelib.domain.order import Draft, Ordering
from chalicelib.domain.similarity import Exam, exam_of
from chalicelib.domain.study import Hospital
from chalicelib.http.asked import BadRequest, Fields
from chalicelib.http.cds_cards import cards
from chalicelib.http.cds_hooks import CALL
from chalicelib.http.cds_orders import read_ordering
from chalicelib.services.remind_of_similar import PAGE, RemindOfSimilar
from tests.support.clinic import NOW, clinic_in_memory, zhang
from tests.support.clinic_acts import events
from tests.support.fakes_reminders import FakeAlerts
from tests.support.ordering import SELECT, SIGN, call, faults, order

CHEST = Exam("CT", (Part("CHEST"),), "plain")
WEEK_AGO = f"{NOW - timedelta(days=7):%Y%m%d}"


class CountedTimeline:
    """How many pages were read, and how long each was."""

    def __init__(self, studies):
        self.studies = studies
        self.pages = []

    def timeline(self, *asked):
        page = self.studies.timeline(*asked)
        self.pages.append(len(page.items))
        return page


@pytest.fixture
def ward():
    return Ward()


class Ward:
    """Zhang is in a visit at H1, and known at H2, where a chest CT was made."""

    def __init__(self):
        self.clinic = clinic = clinic_in_memory()
        for hospital_id, level in (("H1", "三级甲等"), ("H2", "三级乙等")):
            clinic.hospitals.put(Hospital(hospital_id, f"{hospital_id}医院", level=level))
        self.doctor = clinic.doctor()
        self.person_id = clinic.patient("H1").person_id
        clinic.patient("H2", zhang("B7"))
        clinic.visit()
        self.alerts, self.timeline = FakeAlerts(), CountedTimeline(clinic.studies)
        stores = (clinic.people, self.timeline, clinic.facts, clinic.hidden, clinic.consents, clinic.counters)
        self.remind = RemindOfSimilar(clinic.find_visit, clinic.hospitals, *stores, self.alerts, clinic.record)

    def study(self, uid="1.2.3", **changes):
        values = {"study_date": WEEK_AGO, "regions": ("CHEST",), "contrast": "plain", **changes}
        return self.clinic.study(uid, "H2", "B7", **values)

    def ask(self, *drafts, now=NOW, **changes):
        asked = Ordering("H1", "li", ("E1",), frozenset({"A1"}), drafts or (Draft(CHEST),))
        return self.remind(replace(asked, **changes), now)


def test_a_thousand_studies_cost_one_page_of_each_timeline(ward):
    for number in range(1000):
        ward.study(f"1.2.{number}", study_date=f"{NOW - timedelta(days=number // 10 + 1):%Y%m%d}")
    assert ward.ask()
    assert sorted(ward.timeline.pages) == [0, PAGE]


def test_before_consent_no_place_and_after_it_only_for_that_doctor(ward):
    ref = ward.study()
    ((told,),) = [one.told for one in ward.ask()]
    assert (told.place, told.study, told.days, told.recognisable) == ("", None, 7, True)
    ward.clinic.consent(ward.doctor)
    ((told,),) = [one.told for one in ward.ask()]
    assert (told.place, told.study) == ("H2医院", ref)


@pytest.mark.parametrize(
    ("own", "source", "recognised"),
    [
        ("三级甲等", "三级甲等", True),
        ("二级甲等", "三级甲等", True),
        ("三级甲等", "二级甲等", True),
        ("三级甲等", "二级乙等", False),
        ("二级乙等", "一级", True),
        ("一级", "三级甲等", True),
        ("三级甲等", "一级甲等", False),
        ("", "一级", True),
        ("三级甲等", "", True),
    ],
)
def test_levels_decide_what_may_be_recognised(ward, own, source, recognised):
    ward.clinic.hospitals.put(Hospital("H1", "甲", level=own))
    ward.clinic.hospitals.put(Hospital("H2", "乙", level=source))
    ward.study()
    ((told,),) = [one.told for one in ward.ask()]
    assert told.recognisable == recognised


@pytest.mark.parametrize(
    "changes",
    [
        {"rejected": True},
        {"state": "conflicted"},
        {"state": "destroyed"},
        {"regions": ()},
        {"modalities": ("SR",)},
        {"study_date": ""},
        {"study_date": "20261399"},
        {"study_date": "20200101"},
        {"study_date": "20270101"},
    ],
)
def test_a_study_that_says_too_little_or_may_not_be_served_is_passed_over(ward, changes):
    ward.study(**changes)
    assert ward.ask() == ()


def test_a_study_that_moved_since_the_index_named_it_is_not_told(ward):
    ref = ward.study()
    ((one,),) = [one.told for one in ward.ask()]
    assert one.days == 7
    stale = ward.clinic.studies.timeline("H2", "B7", "", 5)
    ward.timeline.studies = type("Stale", (), {"timeline": lambda self, *asked: stale})()
    now_held = ward.clinic.studies.summary(ref)
    ward.clinic.studies.flip(replace(now_held, patient_id="B9"), now_held.revision)
    assert ward.ask() == ()


@pytest.mark.parametrize("written", ["20261117", "2026.11.17", "2026-11-17"])
def test_a_date_is_read_as_devices_write_it(ward, written):
    ward.study(study_date=written)
    ((told,),) = [one.told for one in ward.ask()]
    assert told.days == 7


def test_days_are_those_of_the_calendar_of_who_asks(ward):
    ended = NOW.replace(hour=15, minute=59) - timedelta(days=8)  # one minute to midnight in China
    ward.study(exam_ended_at=ended)
    assert [one.told[0].days for one in ward.ask()] == [8]
    ward.study("1.2.4", exam_ended_at=ended + timedelta(minutes=1))
    assert [one.told[0].days for one in ward.ask()] == [7]


def test_the_best_comes_first_and_five_are_enough(ward):
    ward.study("1.2.1", regions=("ABDOMEN",), study_date=f"{NOW - timedelta(days=1):%Y%m%d}")
    for number in range(2, 9):
        ward.study(f"1.2.{number}", study_date=f"{NOW - timedelta(days=number):%Y%m%d}")
    both = Exam("CT", (Part("CHEST"), Part("ABDOMEN")), "plain")
    chest, whole = ward.ask(Draft(CHEST), Draft(both))
    assert [one.days for one in chest.told] == [2, 3, 4, 5, 6]
    assert {one.likeness for one in whole.told} == {"related"}


def test_while_the_audit_is_down_nothing_is_told_or_kept(ward):
    ward.study()

    def put(event):
        raise ConnectionError

    ward.clinic.audit.put = put
    with pytest.raises(AuditFailed):
        ward.ask()
    assert not ward.alerts.kept


def test_each_call_leaves_one_event_with_its_reason(ward):
    ward.ask()
    ward.study()
    ward.ask()
    ward.ask(Draft(CHEST, is_follow_up=True))
    ward.ask(Draft(CHEST, is_urgent=True))
    ward.ask(Draft(Exam("", ())))
    found = events(ward.clinic, ward.person_id, "remind_of_similar")
    assert sorted(one.reason for one in found) == [
        "nothing_asked",
        "reminded",
        "suppressed_emergency",
        "suppressed_follow_up",
    ]  # that nothing was similar is routine, in a list of its own


# What ordering systems send

FIELDS = ("id", "code", "coding", "text", "system", "display", "bodySite", "identifier", "value", "note")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "resourceType",
    "id",
    "code",
    "coding",
    "text",
    "system",
    "display",
    "bodySite",
    "identifier",
    "value",
    "note",
)


@given(st.fixed_dictionaries(dict.fromkeys(FIELDS, JSON)), JSON, st.sampled_from([SELECT, SIGN]))
def test_any_order_is_read_or_refused(resource, prefetch, service):
    sent = call(service, {**resource, "resourceType": "ServiceRequest"})
    sent["prefetch"] = prefetch
    try:
        read = read_ordering(Fields(sent, CALL), sent["hook"], "H1")
    except BadRequest:
        return
    assert len(read.drafts) <= 1


def test_a_number_with_a_stroke_in_it_stays_whole():
    sent = call(SIGN, order("胸部CT"), patient="Patient/A/1", encounter="2026/7", doctor="li")
    read = read_ordering(Fields(sent, CALL), "order-sign", "H1")
    assert (read.patient_ids, read.encounter_ids, read.doctor_id) == ({"A/1"}, ("2026/7",), "li")


def test_a_card_has_the_published_shape_however_much_it_names(ward):
    parts = ("CHEST", "ABDOMEN", "PELVIS", "NECK", "KNEE:B", "HIP:L", "SHOULDER:R", "VESSEL_LOWER_LIMB:B")
    ward.study(regions=parts, contrast="both")
    reminders = ward.ask(Draft(Exam("CT", tuple(map(Part.of, parts)), "both")))
    told = cards(reminders, "https://yun.example.test")
    assert not faults("answer", told)
    assert told["cards"][0]["summary"].startswith("7天前已做胸部、腹部、盆腔等CT")


def test_words_of_an_order_name_machine_region_side_and_contrast():
    assert exam_of("CT", "左膝关节CT平扫") == Exam("CT", (Part("KNEE", "L"),), "plain")
    wanted = order("", code={"coding": [{"display": "左膝关节MRI增强"}]}, bodySite=[{"text": "膝关节"}])
    (draft,) = read_ordering(Fields(call(SIGN, wanted), CALL), "order-sign", "H1").drafts
    assert draft.exam == Exam("MR", (Part("KNEE", "L"),), "contrast")
