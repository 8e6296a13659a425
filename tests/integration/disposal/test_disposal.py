"""From a hospital's list to a certificate of destruction, over the routes, the stores and the function."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.exam import ExamKey
from chalicelib.domain.recognition import Judgement, Recognition
from chalicelib.domain.summary import destroyed
from chalicelib.wiring.gains import gains, recognitions
from tests.support import old_studies as old
from tests.support.cloud import forget_cached
from tests.support.every_path import reconcile
from tests.support.moto_state import Kept
from tests.support.old_studies import COMMISSION, OFFICER, PACKED, RECENT, SINGLE, ZIPPED
from tests.support.ordering import reminder
from tests.support.served_app import NO_GRANT, jwks_url, served
from tests.support.stage import Stage

__all__ = ["jwks_url", "served"]

ALL = (SINGLE, PACKED, ZIPPED)
HOLDS = {OFFICER: "/privacy/holds", COMMISSION: "/hospitals/H1/holds"}


@pytest.fixture
def stage(served, cloud_settings, monkeypatch):
    made = Stage(cloud_settings, served, monkeypatch)
    made.person_id = _uploaded(made)
    return made


_kept = []


def _uploaded(stage):
    """Once, and then as it was."""
    if not _kept:
        _kept[:] = [old.upload_all(stage), Kept()]
    _kept[1].restore()
    return _kept[0]


def place(served, role=OFFICER, **over):
    answer = served.ask("POST", HOLDS[role], role, {"reason": "医疗纠纷", **over})
    assert answer.status_code == 201, answer.body
    return answer.json_body


def lift(served, hold_id, role=OFFICER):
    return served.ask("POST", f"{HOLDS[role]}/lift", role, {"hold_id": hold_id, "reason": "已结案"})


def outcomes(served):
    (found,) = served.ask("GET", "/hospital/disposals", "hospital").json_body["disposals"]
    return {one["study_instance_uid"]: one["outcome"] for one in found["studies"]}


# What is proposed


def test_what_may_go_is_proposed_and_of_the_rest_it_is_said_why_and_until_when(stage):
    made = old.propose(stage.served, SINGLE, RECENT, old.StudyRef("H1", "1.9")).json_body
    assert [one["study_instance_uid"] for one in made["studies"]] == [SINGLE.study_instance_uid]
    assert {one["study_instance_uid"]: one["why"] for one in made["refused"]} == {
        RECENT.study_instance_uid: "identity_unsettled",
        "1.9": "unknown_study",
    }
    assert (made["state"], made["studies"][0]["keep_through"]) == ("proposed", "2005-02-03")


def test_what_the_hospital_states_extends_this_study_and_all_that_is_the_patients(stage):
    answer = old.propose(stage.served, SINGLE, last_visit="2012-05-06")
    assert answer.status_code == 422
    assert answer.json_body["refused"] == [
        {
            "study_instance_uid": SINGLE.study_instance_uid,
            "why": "not_over",
            "keep_through": "2027-05-06",
            "rule": "outpatient",
        }
    ]
    other = old.propose(stage.served, PACKED).json_body["refused"]
    assert [(one["why"], one["keep_through"]) for one in other] == [("not_over", "2027-05-06")]


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"last_visit": "2199-01-01"}, "last_visit"),
        ({"last_discharge": "2199-01-01"}, "last_discharge"),
        ({"last_visit": "1990"}, "last_visit"),
    ],
)
def test_a_day_to_come_or_none_is_refused_for_it_would_keep_others_records(stage, stated, field):
    answer = old.propose(stage.served, SINGLE, **stated)
    assert (answer.status_code, answer.json_body["field"]) == (400, field)


def test_a_list_is_neither_empty_nor_double_nor_endless(stage):
    one = {"study_instance_uid": SINGLE.study_instance_uid, **old.STATED}
    for studies in ([], [one, one], [{**one, "study_instance_uid": f"1.{n}"} for n in range(201)], ["x"], None):
        answer = stage.served.ask("POST", "/hospital/disposals", "hospital", {"studies": studies})
        assert answer.status_code == 400, studies


# Who approves


def test_the_commission_sees_days_kinds_and_counts_and_no_study_or_person(stage):
    old.propose(stage.served, *ALL)
    place(stage.served, patient_id="P1")
    for path in ("/disposals", "/hospitals/H1/disposals", "/hospitals/H1/holds"):
        answer = stage.served.ask("GET", path, COMMISSION)
        assert answer.status_code == 200, answer.body
        for word in ("1.2.3.1", '"P1"', "欧阳", "小明", '"A11"', stage.person_id):
            assert word not in answer.body.decode(), path
    told = stage.served.ask("GET", "/disposals", COMMISSION).json_body["disposals"]
    assert [(one["exam_day"], one["modalities"], one["instances"]) for one in told[0]["studies"]] == [
        ("1990-02-03", ["CT"], 2)
    ] * 3


def test_neither_the_proposer_nor_one_person_in_two_roles_approves(stage):
    made = old.propose(stage.served, SINGLE).json_body["disposal_id"]
    decide = stage.served
    assert old.decide(decide, made, OFFICER, subject="H1").json_body["error"] == "own_part"
    assert old.decide(decide, made, OFFICER, subject="o1").status_code == 200
    assert old.decide(decide, made, COMMISSION, subject="o1").json_body["error"] == "own_part"
    assert old.decide(decide, made, COMMISSION, subject="H1").json_body["error"] == "own_part"
    with pytest.raises(Exception, match="proposed"):
        old.dispose(stage, made)
    assert old.decide(decide, made, COMMISSION, subject="r1").json_body["state"] == "approved"


def test_approving_again_changes_nothing(stage):
    made = old.approved(stage.served, SINGLE)
    before = wiring.disposals().get("H1", made)
    assert old.decide(stage.served, made, OFFICER, subject="o2").status_code == 200
    after = wiring.disposals().get("H1", made)
    assert (after, after.revision) == (before, before.revision)


def test_another_hospitals_officer_and_an_unknown_proposal_are_alike(stage):
    made = old.propose(stage.served, SINGLE).json_body["disposal_id"]
    foreign = old.decide(stage.served, made, OFFICER, hospital_id="H2", subject="o9")
    unknown = old.decide(stage.served, "01ARZ3NDEKTSV4RRFFQ69G5FAV", OFFICER)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.body == unknown.body


def test_a_refusal_with_a_reason_ends_it(stage):
    made = old.approved(stage.served, SINGLE)
    refused = old.decide(stage.served, made, COMMISSION, "refuse", subject="r2").json_body
    assert (refused["state"], refused["refusal"]) == ("refused", "核对")
    assert old.decide(stage.served, made, OFFICER).json_body["error"] == "disposal_closed"
    with pytest.raises(Exception, match="refused"):
        old.dispose(stage, made)


def test_after_thirty_days_it_has_lapsed(stage):
    made = old.approved(stage.served, SINGLE)
    stage.later(days=30)
    with pytest.raises(Exception, match="lapsed"):
        _destroy_now(stage, made)
    assert wiring.studies().summary(SINGLE).state == "served"


def _destroy_now(stage, made):
    forget_cached()
    later = wiring.now()
    stage.patch.setattr("chalicelib.wiring.disposal.now", lambda: later)
    return old.dispose(stage, made)


# What is executed


def test_all_that_was_approved_is_gone_and_nothing_else(stage):
    before = {(one["Key"], one["VersionId"]) for one in old.versions(stage)}
    made = old.approved(stage.served, *ALL)
    assert stage.functions("dispose", {})["waiting"] == [
        {"hospital_id": "H1", "disposal_id": made, "state": "approved"}
    ]
    done = old.dispose(stage, made)
    assert (done["done"], done["destroyed"], done["spared"]) == (True, 3, 0)
    left = {(one["Key"], one["VersionId"]) for one in old.versions(stage)}
    gone = sorted(key.split("/")[0] for key, _ in before - left)
    assert gone == ["archives", "archives", "instances", "instances", "notices", "reports", "unpacked", "unpacked"]
    assert any(key.endswith("shared.zip") for key, _ in left), "a study that must be kept lies in it"
    assert not any(key.endswith("own.zip") for key, _ in left)
    assert sum(key.startswith("notices/") for key, _ in left) == 2, "that of a shared number, and one that is none"
    assert [key for key, _ in left if key.startswith("reports/")] != []
    for ref in ALL:
        assert wiring.studies().summary(ref) == destroyed(ref)
        assert wiring.studies().hospitals_holding(ref.study_instance_uid) == ()
    assert wiring.studies().summary(RECENT).state == "served"
    assert stage.functions("dispose", {})["waiting"] == []


def test_nothing_of_the_patient_is_left_with_the_study_in_the_tables(stage):
    old.dispose(stage, old.approved(stage.served, *ALL))
    found = stage.cloud.client("dynamodb").scan(TableName=stage.cloud.settings["MAIN_TABLE"])["Items"]
    for ref in ALL:
        mine = [one for one in found if one["PK"]["S"] == f"STUDY#H1#{ref.study_instance_uid}"]
        assert sorted(one["SK"]["S"].split("#")[0] for one in mine) == ["AMEND", "SUMMARY"]
        assert "'P1'" not in str(mine)
        assert "小明" not in str(mine)


def test_reminders_and_judgements_that_name_it_go_with_it_and_what_was_counted_stays(stage):
    now, patient = datetime.now(UTC), "Q1"
    for ref, visit in ((SINGLE, "E1"), (RECENT, "E2")):
        shown = reminder(ref, ("H2", "d1", visit), patient, now)
        wiring.alerts().keep(shown)
        assert wiring.alerts().answer("H2", shown.alert_id, "overridden", "3", now)
        said = Recognition("H2", visit, "d1", ref, Judgement("refuse", "3"), now, "2026-11-24")
        assert recognitions().put(said)
        recognitions().viewed([(("H2", visit), ref)], now)
    assert wiring.count_gains()(now, lambda: True).alerts == 2
    old.dispose(stage, old.approved(stage.served, SINGLE))
    assert [wiring.alerts().of_visit("H2", visit) == () for visit in ("E1", "E2")] == [True, False]
    assert [recognitions().judged(("H2", visit), "d1") for visit in ("E1", "E2")] == [frozenset(), {RECENT}]
    assert [recognitions().opened(("H2", visit)) for visit in ("E1", "E2")] == [frozenset(), {RECENT}]
    day = f"{now + timedelta(hours=8):%Y-%m-%d}"
    counted = [one.measure for one in gains().of_day("H2", day)]
    assert sorted(counted) == ["alerts", "alerts", "answered", "answered"]


def test_what_was_made_of_its_images_goes_with_it_in_all_versions_and_its_neighbours_stay(stage):
    """What the lifecycle had marked as gone is still there until it is deleted for good."""
    s3, bucket = stage.cloud.client("s3"), stage.cloud.settings["REPORTS_BUCKET"]
    neighbour = f"derived/H1/{SINGLE.study_instance_uid}1/metadata/0"
    s3.put_object(Bucket=bucket, Key=neighbour, Body=b"x", IfNoneMatch="*")
    for ref in (SINGLE, PACKED):
        assert old.look(stage.served, ref, stage.person_id).status_code == 307
    (single,) = (one["Key"] for one in _derived(s3, bucket) if f"/{SINGLE.study_instance_uid}/" in one["Key"])
    s3.delete_object(Bucket=bucket, Key=single)
    assert old.look(stage.served, SINGLE, stage.person_id).status_code == 307
    assert len(_derived(s3, bucket)) == 5
    old.dispose(stage, old.approved(stage.served, SINGLE, PACKED))
    assert [one["Key"] for one in _derived(s3, bucket)] == [neighbour]


def _derived(s3, bucket):
    found = s3.list_object_versions(Bucket=bucket, Prefix="derived/")
    return [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]


def test_a_destroyed_study_is_to_everybody_as_one_that_never_was(stage):
    asked = {"person_id": stage.person_id}
    assert stage.served.manifest("patient", SINGLE, **asked).status_code == 200
    old.dispose(stage, old.approved(stage.served, SINGLE))
    assert stage.served.manifest("patient", SINGLE, **asked).body == NO_GRANT
    mine = stage.served.ask("GET", "/me/studies", "patient", **asked).body.decode()
    assert SINGLE.study_instance_uid not in mine
    assert PACKED.study_instance_uid in mine
    path = f"/hospital/studies/{SINGLE.study_instance_uid}"
    assert stage.served.ask("GET", path, "hospital").json_body["study"]["state"] == "destroyed"
    assert stage.served.ask("GET", f"{path}/retention", "hospital").status_code == 404
    wrong = {"kind": "exclude", "version_id": "v", "offset": 0, "reason": "核对"}
    assert stage.served.ask("POST", f"{path}/amendments", "hospital", wrong).status_code == 404


def test_the_patient_is_told_once_in_the_app(stage):
    made = old.approved(stage.served, *ALL)
    old.dispose(stage, made)
    old.dispose(stage, made)
    told = stage.served.ask("GET", "/me/notices", "patient", person_id=stage.person_id).json_body["notices"]
    assert [one["kind"] for one in told if one["kind"] == "studies_destroyed"] == ["studies_destroyed"]


def test_the_certificate_is_the_one_whose_digest_the_audit_has_and_names_no_patient(stage):
    made = old.approved(stage.served, *ALL)
    done = old.dispose(stage, made)
    told = stage.served.ask("GET", f"/hospital/disposals/{made}/certificate", OFFICER).json_body
    assert hashlib.sha256(told["text"].encode()).hexdigest() == told["sha256"] == done["certificate"]
    assert told["certificate"]["total"] == {
        "studies": 3,
        "versions": 8,
        "bytes": told["certificate"]["total"]["bytes"],
        "spared": 0,
        "kept": {"shared_archive": 1, "shared_notice": 1},
    }
    for word in ('"P1"', "小明", "欧阳", '"A11"', "19700101", stage.person_id, "instances/"):
        assert word not in told["text"]
    events = stage.cloud.client("dynamodb").scan(TableName=stage.cloud.settings["AUDIT_TABLE"])["Items"]
    assert [one["statement"]["S"] for one in events if one["action"]["S"] == "certify_disposal"] == [told["sha256"]]
    assert sum(one["action"]["S"] == "destroy_study" for one in events) == 3
    page = wiring.compliance_reports().get(f"disposals/H1/{made}.html").decode()
    assert told["sha256"] in page
    assert SINGLE.study_instance_uid not in page
    stage.served.ask("GET", f"/hospital/disposals/{made}/certificate", OFFICER, hospital_id="H2")
    assert stage.served.said[-1].status_code == 404


# Holds


def test_a_hold_keeps_a_study_from_being_proposed_until_it_is_lifted(stage):
    hold = place(stage.served, study_instance_uid=SINGLE.study_instance_uid)
    assert old.propose(stage.served, SINGLE).json_body["refused"][0]["why"] == "held"
    assert lift(stage.served, hold["hold_id"]).json_body["lifted_at"]
    assert old.propose(stage.served, SINGLE).status_code == 201
    listed = stage.served.ask("GET", HOLDS[OFFICER], OFFICER).json_body["holds"]
    assert [(one["reason"], one["lifted_reason"]) for one in listed] == [("医疗纠纷", "已结案")]


def test_a_hold_over_nothing_is_placed_and_said_to_be_so_to_its_own_hospital_only(stage):
    assert place(stage.served, patient_id=" P1 ")["known"], "as images spell the number, without blanks"
    assert old.propose(stage.served, SINGLE).json_body["refused"][0]["why"] == "held"
    assert not place(stage.served, patient_id="P404")["known"]
    assert not place(stage.served, study_instance_uid="1.9")["known"]
    assert "known" not in place(stage.served, COMMISSION, patient_id="P1")


def test_what_the_commission_holds_no_hospital_lifts(stage):
    hold = place(stage.served, COMMISSION, patient_id="P1")
    assert "patient_id" not in hold
    assert lift(stage.served, hold["hold_id"]).json_body["error"] == "placed_above"
    assert old.propose(stage.served, SINGLE).json_body["refused"][0]["why"] == "held"
    assert lift(stage.served, hold["hold_id"], COMMISSION).status_code == 200
    assert lift(stage.served, hold["hold_id"], COMMISSION).status_code == 200, "again"
    assert lift(stage.served, "01ARZ3NDEKTSV4RRFFQ69G5FAV").status_code == 404


@pytest.mark.parametrize("over", [{"study_instance_uid": PACKED.study_instance_uid}, {"patient_id": "P1"}])
def test_a_hold_between_approval_and_execution_spares(stage, over):
    made = old.approved(stage.served, SINGLE, PACKED)
    place(stage.served, **over)
    done = old.dispose(stage, made)
    spared = {PACKED.study_instance_uid: "held"}
    rest = "destroyed" if "study_instance_uid" in over else "held"
    assert outcomes(stage.served) == {SINGLE.study_instance_uid: rest, **spared}
    assert done["done"]
    assert wiring.studies().summary(PACKED).state == "served"
    assert wiring.plans().get(PACKED) is None


def test_a_hold_before_the_second_approval_takes_the_study_out_of_the_proposal(stage):
    made = old.propose(stage.served, SINGLE, PACKED).json_body["disposal_id"]
    old.decide(stage.served, made, OFFICER)
    place(stage.served, study_instance_uid=PACKED.study_instance_uid)
    assert len(old.decide(stage.served, made, COMMISSION).json_body["studies"]) == 1
    assert old.dispose(stage, made)["destroyed"] == 1


def test_a_hold_that_comes_too_late_is_told_so(stage):
    old.dispose(stage, old.approved(stage.served, SINGLE))
    assert place(stage.served, study_instance_uid=SINGLE.study_instance_uid)["too_late"]
    assert not place(stage.served, study_instance_uid=PACKED.study_instance_uid)["too_late"]


# What comes later


def test_a_visit_that_is_told_between_approval_and_execution_spares(stage):
    made = old.approved(stage.served, SINGLE)
    stage.served.open_encounter("H1", "E7", "P1")
    assert old.dispose(stage, made)["spared"] == 1
    assert wiring.studies().summary(SINGLE).state == "served"


def test_a_rebuild_from_the_bucket_brings_none_back(stage):
    made = old.approved(stage.served, *ALL)
    old.dispose(stage, made)
    for table in ("JOURNAL_TABLE", "MAIN_TABLE"):
        client, name = stage.cloud.client("dynamodb"), stage.cloud.settings[table]
        for item in client.scan(TableName=name)["Items"]:
            client.delete_item(TableName=name, Key={"PK": item["PK"], "SK": item["SK"]})
    forget_cached()
    assert stage.functions("reindex", {"after": ""})["done"]
    for ref in ALL:
        assert wiring.studies().summary(ref) == destroyed(ref)
    assert wiring.studies().summary(RECENT).state == "served"
    assert wiring.exam_ledger().read(ExamKey("H1", "A11")).facts.notices == (), "or the exam would be missing"


def test_reconcile_brings_a_tombstone_to_a_table_that_lost_it(stage):
    old.dispose(stage, old.approved(stage.served, SINGLE))
    client, name = stage.cloud.client("dynamodb"), stage.cloud.settings["MAIN_TABLE"]
    for item in client.scan(TableName=name)["Items"]:
        if item["PK"]["S"].startswith("STUDY#"):
            client.delete_item(TableName=name, Key={"PK": item["PK"], "SK": item["SK"]})
    stage.later(minutes=20)
    reconcile(stage)
    assert [one.kind for one in wiring.studies().amendments(SINGLE)] == ["destroy"]


def test_a_late_upload_of_a_destroyed_study_is_served_to_nobody(stage):
    old.dispose(stage, old.approved(stage.served, SINGLE))
    stage.upload("ingest", stage.key("instances"), old.old(old.number(SINGLE), 3))
    stage.settle(SINGLE)
    assert wiring.studies().summary(SINGLE) == destroyed(SINGLE)
    assert stage.served.manifest("patient", SINGLE, person_id=stage.person_id).body == NO_GRANT


def test_what_a_page_of_the_open_list_does_not_hold_comes_on_the_next(stage):
    made = [old.propose(stage.served, ref).json_body["disposal_id"] for ref in ALL]
    found, token = [], ""
    while True:
        page = wiring.disposals().open(token, 1)
        found += [one.disposal_id for one in page.items]
        if not (token := page.next_token):
            break
    assert found == made[::-1]
    for bad in ("x", "Iw==", json.dumps({})):
        answer = stage.served.ask("GET", f"/disposals?token={bad}", COMMISSION)
        assert answer.status_code == 400
