from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AuditFailed
from chalicelib.domain.exam import ExamKey
from chalicelib.domain.receipt import Statement
from chalicelib.domain.seal import hour_name
from chalicelib.services.view_manifest import ManifestChanged, TokenNotOurs
from tests.support.ledger_world import notice, study
from tests.support.receipts import NOW, OTHER, Desk
from tests.support.settle_samples import REF, T0, entry, exclude


def test_what_is_stated_is_on_record_before_it_is_told():
    desk = Desk(entry(1), entry(2))
    given = desk.ask()
    (event,) = desk.events()
    assert (event.event_id, event.statement, event.allowed) == (given.event_id, given.statement.digest, True)
    assert (event.action, event.study, event.hospital_id) == ("give_receipt", REF, "H1")
    assert hour_name(event.at) == hour_name(given.issued_at)
    desk.audit.broken = True
    with pytest.raises(AuditFailed):
        desk.ask()


def test_an_unknown_study_and_anothers_are_one_answer_and_each_is_on_record():
    desk = Desk(entry(1))
    unknown = replace(REF, study_instance_uid="9.9")
    assert (desk.ask(ref=OTHER), desk.ask(ref=unknown)) == (None, None)
    assert [(event.reason, event.allowed, event.statement) for event in desk.events()] == [("not_found", False, "")] * 2


def test_every_page_carries_the_same_root_and_all_pages_together_every_entry():
    desk = Desk(*(entry(number) for number in range(1, 2502)))
    pages = desk.pages()
    assert [(page["first"], len(page["entries"])) for page in pages] == [(0, 1000), (1000, 1000), (2000, 501)]
    assert len({page["statement"]["root"] for page in pages}) == 1
    assert {page["statement"]["entries"] for page in pages} == {2501}
    assert len({entry["arrived"]["version_id"] for page in pages for entry in page["entries"]}) == 2501


def test_images_that_arrive_between_two_pages_start_the_receipt_anew():
    desk = Desk(*(entry(number) for number in range(1, 1002)))
    token = desk.ask().next_token
    desk.receive(entry(2000))
    with pytest.raises(ManifestChanged):
        desk.ask(token)
    assert desk.events()[-1].reason == "manifest_changed"


@pytest.mark.parametrize("token", ["x", "7.abc", "0", "-1000.a", "1000", "１０００.a"])
def test_a_token_that_is_none_of_ours_is_refused(token):
    with pytest.raises(TokenNotOurs):
        Desk(entry(1)).ask(token)


def test_conflicts_and_what_became_of_each_entry_are_told():
    desk = Desk(entry(1), entry(1, "copy", 1), entry(1, "other", 2, length=7), entry(3, patient_id="P2"))
    desk.world.studies.amend(REF, exclude("v1-3"))
    (told,) = desk.pages()
    assert told["statuses"] == {"served": 2, "duplicate": 1, "divergent": 1}  # not settled since
    assert told["conflicts"] == {"several_patients": True, "divergent": 1}
    before = told["statement"]
    desk.world.settle()
    (told,) = desk.pages()
    assert told["statuses"] == {"served": 1, "duplicate": 1, "divergent": 1, "excluded": 1}
    assert told["conflicts"] == {"several_patients": False, "divergent": 1}
    after = told["statement"]
    assert (after["root"], after["entries"], after["instances"]) == (before["root"], 4, 2)
    assert (after["manifest"] != before["manifest"], after["revision"]) == (True, 2)


def test_it_says_whether_as_many_came_as_the_notice_declares():
    desk = Desk(entry(1), entry(2))
    assert (desk.ask().statement.declared, desk.ask().statement.complete) == (None, None)
    key, uid = ExamKey("H1", "A1"), REF.study_instance_uid
    desk.ledger.put_study(key, study((T0, 2), study_instance_uid=uid))
    desk.ledger.put_notice(key, notice(at=T0 - timedelta(hours=1), study_instance_uid=uid, declared_instances=3))
    (told,) = desk.pages()
    assert (told["statement"]["declared"], told["statement"]["complete"]) == (3, False)
    assert [(one["declared"], one["received"]) for one in told["exams"]] == [(3, 2)]


def test_two_receipts_of_one_set_differ_in_nothing_but_when_they_were_given():
    desk = Desk(entry(1), entry(2))
    one, other = desk.ask().statement, desk.ask(now=NOW + timedelta(days=9)).statement
    assert one.digest != other.digest
    assert replace(other, issued_at=one.issued_at) == one


def test_no_name_number_or_birth_date_of_a_patient_is_in_it():
    (told,) = Desk(entry(1)).pages()
    assert not [word for word in ("张三", "19700101") if word in str(told)]
    assert set(told["statement"]) == set(Statement.__slots__)
