"""The ledger's ports, as the fakes and AWS keep them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.compliance import Figures
from chalicelib.domain.exam import ExamKey, Excuse, Report
from chalicelib.domain.flag import LISTED, Behind, Flag, FlaggedExam
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.ledger import Breach, Docket, Move, derive
from chalicelib.store import keys
from chalicelib.store.exams import DynamoExams
from chalicelib.store.figures import DynamoFigures, DynamoOwedReports
from chalicelib.store.flags import DynamoFlags
from chalicelib.store.outages import DynamoExcuses
from chalicelib.store.reports import S3Reports
from chalicelib.store.topics import SnsTopic
from tests.support.fakes_days import FakeExcuses
from tests.support.fakes_ledger import FakeFigures, FakeFlags, FakeLedger, FakeOwedReports, FakeReports
from tests.support.ledger_world import HOUR, NOON, notice, study

KEY = ExamKey("H1", "A#1 号/x")
DAY = "2026-11-20"
DUE = NOON + 12 * HOUR
SHARD = keys.shard(keys.accession(KEY.hospital_id, KEY.accession, ""))


def port(request, fake, real, setting="MAIN_TABLE", service="dynamodb"):
    if request.param == "fake":
        return fake()
    cloud = request.getfixturevalue("cloud")
    return real(cloud.client(service), cloud.settings[setting])


@pytest.fixture(params=["fake", "dynamo"])
def ledger(request):
    return port(request, FakeLedger, DynamoExams)


@pytest.fixture(params=["fake", "dynamo"])
def flags(request):
    return port(request, FakeFlags, DynamoFlags)


@pytest.fixture(params=["fake", "dynamo"])
def excuses(request):
    return port(request, FakeExcuses, DynamoExcuses)


@pytest.fixture(params=["fake", "s3"])
def reports(request):
    return port(request, FakeReports, S3Reports, "REPORTS_BUCKET", "s3")


@pytest.fixture(params=["fake", "dynamo"])
def day_figures(request):
    return port(request, FakeFigures, DynamoFigures)


@pytest.fixture(params=["fake", "dynamo"])
def owed(request):
    return port(request, FakeOwedReports, DynamoOwedReports)


def exams(ledger, *facts):
    for told in facts:
        fact = replace(told, accession_number=KEY.accession)
        (ledger.put_study if hasattr(fact, "entry_count") else ledger.put_notice)(KEY, fact)
    return derive(KEY, ledger.read(KEY).facts, (), NOON.tzinfo)


def test_an_unknown_accession_number_has_no_facts_and_no_docket(ledger):
    held = ledger.read(KEY)
    assert (held.facts.count, held.docket, held.docket.revision) == (0, Docket(), 0)


def test_facts_come_back_as_they_were_put_each_once(ledger):
    report = Report("d", "application/pdf", "reports/H1/A1/d.pdf", "v1", 5)
    told = notice(procedure="胸部CT平扫", report=report), notice("cancelled")
    settled = study((NOON, 3), NOON + timedelta(seconds=7), exam_ended_at=NOON), study(NOON, withdrawn=True)
    for _ in range(2):
        exams(ledger, *told, *settled)
        ledger.put_judged(KEY, DUE)
        ledger.put_judged(KEY, DUE - HOUR)
    facts = ledger.read(KEY).facts
    assert set(facts.notices) == {replace(fact, accession_number=KEY.accession) for fact in told}
    assert set(facts.studies) == {replace(fact, accession_number=KEY.accession) for fact in settled}
    assert (facts.judged_until, facts.count) == (DUE, 6)


def test_notices_of_one_id_and_patient_are_found_together(ledger):
    told = [
        notice(status, notice_id="N", accession_number=f"A{n}") for n, status in enumerate(("performed", "cancelled"))
    ]
    for fact in (*told, *told, notice(patient_id="P2", notice_id="N"), notice(notice_id="N/#2")):
        ledger.put_notice_id("H1", fact)
    ledger.put_notice_id("H2", notice(notice_id="N"))
    assert ledger.of_notice_id("H1", told[0]) == tuple(sorted(told, key=lambda fact: fact.digest))
    assert ledger.of_notice_id("H1", notice(notice_id="N/#2")) == (notice(notice_id="N/#2"),)
    assert ledger.of_notice_id("H9", told[0]) == ()


def test_where_a_patient_was_named_is_found_by_their_number_alone(ledger):
    other = ExamKey("H1", "A2")
    for _ in range(2):
        ledger.put_patient(other, "P1/#")
        ledger.put_patient(KEY, "P1/#")
    ledger.put_patient(ExamKey("H2", "A9"), "P1/#")
    ledger.put_patient(ExamKey("H1", "A3"), "P1")
    assert set(ledger.of_patient(IdentityKey("H1", "P1/#"))) == {KEY, other}
    assert ledger.of_patient(IdentityKey("H9", "P1/#")) == ()


def test_the_rows_of_a_docket_are_those_that_stand(ledger):
    (row,) = exams(ledger, notice())
    docket = Docket(((DAY, 1), ("2026-11-21", 1), ("2026-11-22", 1)))
    assert ledger.rows_of(KEY, docket) == ()
    assert ledger.put_exam(row, 1)
    assert ledger.bury(KEY, "2026-11-21", 1, 1)
    assert ledger.rows_of(KEY, docket) == (row,)
    assert ledger.rows_of(KEY, Docket()) == ()


def test_a_docket_is_put_by_whoever_read_the_last_and_saw_no_fewer_facts(ledger):
    docket = Docket(((DAY, 1),), (Breach(DAY, 1, "late", DUE, DUE + HOUR),), DUE, fact_count=2)
    assert ledger.put_docket(KEY, docket)
    assert not ledger.put_docket(KEY, docket)
    held = ledger.read(KEY).docket
    assert (held, held.revision) == (docket, 1)
    assert not ledger.put_docket(KEY, replace(held, fact_count=1))
    assert ledger.put_docket(KEY, replace(held, due_at=None, fact_count=2))
    assert ledger.read(KEY).docket.revision == 2


def test_a_row_is_never_overwritten_by_who_saw_fewer_facts(ledger):
    (early,) = exams(ledger, notice())
    (late,) = exams(ledger, notice(declared_instances=4), study((NOON, 2)))
    assert ledger.put_exam(late, 3)
    assert not ledger.put_exam(early, 2)
    assert ledger.put_exam(late, 3)
    assert list(ledger.of_day("H1", DAY)) == [late]
    assert list(ledger.of_day("H1", "2026-11-21")) == []
    assert list(ledger.of_day("H2", DAY)) == []


def test_a_buried_row_is_not_brought_back_by_who_saw_fewer_facts(ledger):
    (exam,) = exams(ledger, notice())
    ledger.put_exam(exam, 1)
    assert ledger.bury(KEY, DAY, 1, 2)
    assert list(ledger.of_day("H1", DAY)) == []
    assert not ledger.put_exam(exam, 1)
    assert ledger.put_exam(exam, 2)
    assert list(ledger.of_day("H1", DAY)) == [exam]


def test_a_move_is_all_or_nothing(ledger):
    (exam,) = exams(ledger, notice())
    ledger.put_docket(KEY, Docket(((DAY, 1),), fact_count=1))
    ledger.put_exam(exam, 1)
    moved = replace(exam, day="2026-11-21")
    move = Move(Docket((("2026-11-21", 1),), fact_count=2, revision=1), (moved,), ((DAY, 1),))
    assert not ledger.move(KEY, replace(move, docket=replace(move.docket, revision=7)))
    assert list(ledger.of_day("H1", DAY)) == [exam]
    assert ledger.move(KEY, move)
    assert not ledger.move(KEY, move)
    assert list(ledger.of_day("H1", DAY)) == []
    assert list(ledger.of_day("H1", "2026-11-21")) == [moved]
    assert ledger.read(KEY).docket.revision == 2


def test_a_move_against_a_row_that_saw_more_writes_nothing(ledger):
    (exam,) = exams(ledger, notice())
    ledger.put_exam(replace(exam, day="2026-11-21"), 9)
    move = Move(Docket((("2026-11-21", 1),), fact_count=2), (replace(exam, day="2026-11-21"),), ((DAY, 1),))
    assert not ledger.move(KEY, move)
    assert ledger.read(KEY).docket.revision == 0


def test_what_is_due_is_found_in_its_shard_until_it_is_cleared(ledger):
    other = ExamKey("H2", next(f"B{n}" for n in range(99) if keys.shard(f"ACC#H2#B{n}") == SHARD))
    ledger.put_docket(KEY, Docket(due_at=DUE, fact_count=1))
    ledger.put_docket(other, Docket(due_at=DUE - HOUR, fact_count=1))
    assert list(ledger.due(SHARD, DUE)) == [other, KEY]
    assert list(ledger.due(SHARD, DUE - timedelta(microseconds=1))) == [other]
    assert list(ledger.due((SHARD + 1) % 16, DUE)) == []
    ledger.put_docket(other, Docket(due_at=None, fact_count=1, revision=1))
    assert list(ledger.due(SHARD, DUE)) == [KEY]


def test_rows_of_a_day_stand_in_key_order(ledger):
    (exam,) = exams(ledger, notice())
    for accession in ("B", "A", "C"):
        ledger.put_exam(replace(exam, key=ExamKey("H1", accession)), 1)
    assert [found.key.accession for found in ledger.of_day("H1", DAY)] == ["A", "B", "C"]


def flag(**changes):
    exams = FlaggedExam("A#1", 1, "late", DUE, DUE + HOUR), FlaggedExam("A2", 1, "missing", DUE, None)
    behind = Behind((("late", 1), ("missing", 1)), exams, 2, "digest")
    return replace(Flag("H1", DAY, "missed_deadline", "raised", behind, NOON), **changes)


def test_a_flag_is_put_by_whoever_read_the_last(flags):
    assert flags.get("H1", DAY, "missed_deadline") is None
    assert flags.put(flag())
    assert not flags.put(flag())
    held = flags.get("H1", DAY, "missed_deadline")
    assert (held, held.revision, held.figures) == (flag(), 1, {"late": 1, "missing": 1})
    assert flags.put(replace(held, published=1))
    assert not flags.put(held)


def test_flags_of_a_hospital_by_day(flags):
    for day in ("2026-11-21", DAY, "2026-11-22"):
        flags.put(flag(day=day))
    flags.put(flag(hospital_id="H2"))
    assert [found.day for found in flags.of_hospital("H1", DAY, "2026-11-21")] == [DAY, "2026-11-21"]


def test_open_flags_come_page_by_page_and_withdrawn_ones_not(flags):
    for number in range(5):
        flags.put(flag(hospital_id=f"H{number}"))
    flags.put(replace(flag(hospital_id="H3"), state="withdrawn", behind=Behind(), revision=1))
    seen, token = [], ""
    while True:
        page = flags.open(token, 2)
        seen += [found.hospital_id for found in page.items]
        if not (token := page.next_token):
            break
    assert seen == ["H0", "H1", "H2", "H4"]


@pytest.mark.parametrize("token", ["!", "YQ==", "äö"])
def test_a_strange_token_is_refused(flags, token):
    with pytest.raises(ValueError, match="token"):
        flags.open(token, 2)


def test_a_flag_holds_all_the_exams_that_it_may_name(flags):
    exams = tuple(FlaggedExam(f"{number:064d}", 1, "missing", DUE, None) for number in range(LISTED))
    behind = Behind((("missing", 90_000),), exams, 90_000, "digest")
    assert flags.put(flag(behind=behind))
    assert flags.get("H1", DAY, "missed_deadline").behind == behind


def test_excuses_that_touch_a_span(excuses):
    def excuse(first, last, hospital="H1", by="r1"):
        return Excuse(hospital, NOON + first * HOUR, NOON + last * HOUR, "停电", by, NOON)

    for one in (excuse(0, 1), excuse(5, 9), excuse(20, 30), excuse(0, 99, "H2"), excuse(5, 9, by="r2")):
        excuses.put(one)
    found = excuses.overlapping("H1", NOON + HOUR, NOON + 5 * HOUR)
    assert [(one.from_at, one.reason) for one in found] == [(NOON, "停电"), (NOON + 5 * HOUR, "停电")]
    assert excuses.overlapping("H1", NOON + 31 * HOUR, NOON + 40 * HOUR) == ()


def test_reports_are_read_as_written(reports):
    assert reports.get("compliance/x.csv") is None
    reports.put("compliance/x.csv", "甲".encode(), "text/csv; charset=utf-8")
    assert reports.get("compliance/x.csv") == "甲".encode()


def test_a_message_reaches_the_topic_as_json(cloud):
    arn = cloud.settings["FLAGS_TOPIC_ARN"]
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    listening = cloud.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    SnsTopic(cloud.client("sns"), arn).publish("s" * 150, {"event": "flag_raised", "name": "医院"})
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    cloud.client("sns").unsubscribe(SubscriptionArn=listening["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)
    told = json.loads(message["Body"])
    assert json.loads(told["Message"]) == {"event": "flag_raised", "name": "医院"}
    assert told["MessageAttributes"]["event"]["Value"] == "flag_raised"
    assert len(told["Subject"]) == 99


def test_a_days_figures_are_those_seen_last(day_figures):
    first, later = Figures(due=1, on_time=1, delays=((5, 1),)), Figures(due=2, on_time=1, delays=((5, 1), (900, 1)))
    day_figures.put("H1", DAY, first, 3)
    day_figures.put("H1", DAY, later, 4)
    day_figures.put("H1", DAY, first, 3)
    day_figures.put("H1", "2026-11-21", first, 1)
    day_figures.put("H2", DAY, first, 1)
    assert day_figures.between("H1", DAY, DAY) == {DAY: later}
    assert day_figures.between("H1", DAY, "2026-11-30") == {DAY: later, "2026-11-21": first}
    assert day_figures.between("H3", DAY, DAY) == {}


def test_a_report_is_owed_until_it_is_made_as_it_was_last_owed(owed):
    for period, token in ((DAY, "a"), ("2026-W47", "a"), (DAY, "b")):
        owed.owe(period, token)
    assert list(owed.owed()) == [(DAY, "b"), ("2026-W47", "a")]
    owed.made(DAY, "a")
    owed.made("2026-W47", "a")
    assert list(owed.owed()) == [(DAY, "b")]
    owed.made(DAY, "b")
    owed.made(DAY, "b")
    assert list(owed.owed()) == []
