"""Who may decide on a proposal, how long it lives, and what a certificate says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.destruction import archive_prefixes, certificate, digest, figures, last_at, tombstone
from chalicelib.domain.destruction_page import page
from chalicelib.domain.disposal import (
    LIFE,
    Act,
    Disposal,
    Hold,
    Item,
    Outcome,
    Stated,
    Verdict,
    approved,
    barred,
    judged_again,
)
from chalicelib.domain.study import Hospital, StudyRef

NOW = datetime(2045, 1, 2, 3, tzinfo=UTC)
REF = StudyRef("H1", "1.2.3")


def item(uid="1.2.3", **changes):
    verdict = Verdict(uid, "", date(2040, 5, 6), "outpatient", date(2010, 5, 6), ("CT",), 300)
    return Item(Stated(uid, date(2025, 5, 6)), replace(verdict, **changes))


def proposal(**changes):
    return replace(Disposal("01A", "H1", Act("pacs", NOW), (item(), item("1.2.4"))), **changes)


def both():
    found = approved(proposal(), "privacy_officer", Act("o1", NOW))
    return approved(found, "regulator", Act("r1", NOW))


def test_two_people_approve_and_neither_is_the_proposer():
    found = proposal()
    assert found.state(NOW) == "proposed"
    assert barred(found, "privacy_officer", "pacs", NOW) == "own_part"
    assert barred(found, "regulator", "pacs", NOW) == "own_part"
    found = approved(found, "privacy_officer", Act("o1", NOW))
    assert (found.state(NOW), barred(found, "regulator", "o1", NOW)) == ("proposed", "own_part")
    assert approved(found, "regulator", Act("r1", NOW)).state(NOW) == "approved"


@given(st.lists(st.tuples(st.sampled_from(["privacy_officer", "regulator"]), st.sampled_from("abp"))))
def test_whoever_tries_in_whatever_order_it_is_approved_only_by_two_others(tries):
    found = proposal(proposed=Act("p", NOW))
    for role, subject in tries:
        if not barred(found, role, subject, NOW):
            found = approved(found, role, Act(subject, NOW))
    if found.state(NOW) == "approved":
        assert len({found.proposed.by, found.officer.by, found.regulator.by}) == 3


def test_the_first_approval_of_a_role_stands():
    found = approved(proposal(), "regulator", Act("r1", NOW))
    assert approved(found, "regulator", Act("r2", NOW + LIFE)) == found


def test_a_proposal_lapses_unless_it_has_begun():
    over = NOW + LIFE
    assert both().state(over - timedelta(seconds=1)) == "approved"
    assert (both().state(over), barred(both(), "regulator", "r9", over)) == ("lapsed", "closed")
    assert replace(both(), begun_at=NOW).state(over) == "executing"


def test_a_refusal_ends_it():
    found = replace(both(), refused=Act("o1", NOW), refusal="纠纷")
    assert (found.state(NOW), barred(found, "privacy_officer", "o2", NOW)) == ("refused", "closed")


def test_what_must_be_kept_meanwhile_leaves_a_proposal_and_the_last_ends_it():
    verdicts = {"1.2.3": Verdict("1.2.3", "held"), "1.2.4": item("1.2.4").verdict}
    found = judged_again(both(), verdicts, Act("r1", NOW))
    assert [one.stated.study_instance_uid for one in found.items] == ["1.2.4"]
    ended = judged_again(found, {"1.2.4": Verdict("1.2.4", "not_over")}, Act("r1", NOW))
    assert (ended.state(NOW), ended.refusal) == ("refused", "nothing_left")


def hold(**changes):
    return replace(Hold("01H", "H1", "1.2.3", "", "诉讼", "o1", "privacy_officer", NOW), **changes)


def test_a_hold_is_over_its_study_or_its_patients_studies_there_until_it_is_lifted():
    assert hold().holds(REF, "P1")
    assert not hold().holds(StudyRef("H1", "1.2.4"), "P1")
    assert not hold().holds(StudyRef("H2", "1.2.3"), "P1")
    over_patient = hold(study_instance_uid="", patient_id="P1")
    assert over_patient.holds(REF, "P1")
    assert not over_patient.holds(REF, "P2")
    assert not over_patient.holds(REF, "")
    assert not hold(lifted_at=NOW).holds(REF, "P1")


@pytest.mark.parametrize(
    ("placed_as", "role", "may"),
    [
        ("privacy_officer", "privacy_officer", True),
        ("privacy_officer", "regulator", True),
        ("regulator", "privacy_officer", False),
        ("regulator", "regulator", True),
    ],
)
def test_a_hospital_does_not_lift_what_the_commission_placed(placed_as, role, may):
    assert hold(placed_as=placed_as).may_lift(role) is may


def executed():
    outcomes = (
        Outcome("1.2.3", NOW, "", 3, 4000, {"shared_archive": 1}),
        Outcome("1.2.4", NOW + timedelta(1), "held"),
    )
    return replace(both(), begun_at=NOW, outcomes=outcomes)


def test_a_certificate_is_the_same_whenever_it_is_written_and_says_what_went_and_what_stayed():
    hospital = Hospital("H1", "省人民医院")
    body = certificate(executed(), hospital)
    assert certificate(executed(), hospital) == body
    told = json.loads(body)
    assert told["total"] == {
        "studies": 1,
        "versions": 3,
        "bytes": 4000,
        "spared": 1,
        "kept": {"shared_archive": 1},
    }
    assert [one["study_instance_uid"] for one in told["destroyed"]] == ["1.2.3"]
    assert [(one["study_instance_uid"], one["why"]) for one in told["spared"]] == [("1.2.4", "held")]
    assert [(one["role"], one["by"]) for one in told["approved"]] == [("privacy_officer", "o1"), ("regulator", "r1")]
    assert told["executed_at"] == last_at(executed()).isoformat()


def test_the_page_names_no_study_escapes_what_it_is_told_and_names_the_list_by_its_digest():
    body = page(executed(), Hospital("H1", "<b>医院"), digest(b"x")).decode()
    assert "1.2.3" not in body
    assert "<b>" not in body
    assert digest(b"x") in body
    assert "Certificate of destruction" in body


def test_figures_name_nothing_and_stand_in_no_order_that_could():
    rows = figures([item("9", exam_day=date(2011, 1, 1)), item("1", exam_day=date(2010, 1, 1))])
    assert [row["exam_day"] for row in rows] == ["2010-01-01", "2011-01-01"]
    assert "study_instance_uid" not in rows[0]


def test_a_tombstone_is_the_same_however_often_it_is_made_and_names_nobody():
    fact = tombstone(executed(), 1)
    assert fact == tombstone(executed(), 1)
    assert (fact.kind, fact.amendment_id, fact.made_by, fact.made_at) == ("destroy", "01A-001", "01A", NOW)
    with pytest.raises(ValueError, match="not begun"):
        tombstone(both(), 1)


def test_what_was_unpacked_leads_to_its_archive():
    keys = ["unpacked/H1/2026-11-24/v%2F1/000000", "unpacked/H1/2026-11-24/v%2F1/000001", "instances/H1/2026-11-24/a"]
    assert list(archive_prefixes(keys)) == [("unpacked/H1/2026-11-24/v%2F1/", "archives/H1/2026-11-24/", "v%2F1")]
