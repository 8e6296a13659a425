"""The ledger on its real tables: races, crashes at each AWS call, and what a sweep reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.store.days import DynamoDays, DynamoWarnings
from chalicelib.store.exams import DynamoExams
from chalicelib.store.flags import DynamoFlags
from chalicelib.store.outages import DynamoExcuses, DynamoOutages
from tests.support.ledger_world import GRACE, HOUR, NOON, World, notice, study

OLD = timedelta(days=31)
AFTER = NOON + 12 * HOUR + GRACE


READS = frozenset({"get_item", "query", "batch_get_item"})


class Killed(BaseException):
    pass


class Metered:
    """A client that counts calls and items, and dies once AWS has taken one that writes."""

    def __init__(self, client, *, dies_at=0):
        self._client = client
        self.exceptions = client.exceptions
        self.spent = Counter()
        self.dies_at = dies_at

    def __getattr__(self, name):
        def call(**given):
            self.spent["calls"] += 1
            answer = getattr(self._client, name)(**given)
            self.spent[name] += 1
            self.spent["items"] += len(answer.get("Items", [])) + ("Item" in answer)
            self.spent["writes"] += name not in READS
            if name not in READS and self.spent["writes"] == self.dies_at:
                raise Killed
            return answer

        return call


def world_on(cloud, **meter):
    client, table = Metered(cloud.client("dynamodb"), **meter), cloud.settings["MAIN_TABLE"]
    stores = {"ledger": DynamoExams, "excuses": DynamoExcuses, "flags": DynamoFlags}
    stores |= {"days": DynamoDays, "outages": DynamoOutages, "warnings": DynamoWarnings}
    return World(**{name: store(client, table) for name, store in stores.items()}), client


def story(world):
    """Late, then corrected across midnight, then excused in part; one missing, one on time."""
    yield lambda: world.tell(notice(declared_instances=2))
    yield lambda: world.tell(study((NOON + HOUR, 2)))
    yield lambda: world.tell(notice(accession_number="A2", declared_instances=3))
    yield lambda: world.tell(study((NOON + 13 * HOUR, 3), accession_number="A2", study_instance_uid="1.2.4"))
    yield lambda: world.tell(notice(accession_number="A3"))
    yield lambda: world.sweep(AFTER)
    yield lambda: world.tell(notice(at=NOON + 12 * HOUR, sent_at=AFTER, accession_number="A3", notice_id="moved"))
    yield lambda: world.excuse(NOON + 20 * HOUR, NOON + 22 * HOUR)
    yield lambda: world.sweep(AFTER + 13 * HOUR)


def detours(world):
    """A study without an accession number that a notice names, the notice moved to another number, and an import."""
    yield lambda: world.tell(study(NOON + HOUR, accession_number="", study_instance_uid="1.4"))
    yield lambda: world.tell(notice(accession_number="A4", study_instance_uid="1.4", notice_id="N4"))
    yield lambda: world.tell(notice(accession_number="A5", notice_id="N4", sent_at=NOON + HOUR))
    yield lambda: world.tell(study(NOON, accession_number="A6", study_instance_uid="1.6", exam_ended_at=NOON - OLD))
    yield lambda: world.sweep(AFTER)


def outcome(world):
    days = ("2026-11-20", "2026-11-21")
    return [(world.exams(day), replace(flag, raised_at=NOON) if (flag := world.flag(day)) else None) for day in days]


def told_of(tale):
    world = World()
    for step in tale(world):
        step()
    return outcome(world)


def test_the_real_tables_tell_the_story_as_the_fakes_do(cloud):
    world, _ = world_on(cloud)
    for step in story(world):
        step()
    truth = outcome(world)
    assert truth == told_of(story)
    assert [exam.standing for exam in truth[0][0]] == ["on_time", "late"]
    assert [exam.standing for exam in truth[1][0]] == ["excused"]


def test_the_real_tables_tell_of_detours_as_the_fakes_do(cloud):
    world, _ = world_on(cloud)
    for step in detours(world):
        step()
    truth = outcome(world)
    assert truth == told_of(detours)
    stands = [(exam.key.accession, exam.standing) for exam in truth[0][0]]
    assert stands == [("A4", "cancelled"), ("A5", "on_time"), ("A6", "imported")]
    assert truth[0][1] is None


@pytest.mark.parametrize("tale", [story, detours])
def test_dying_at_each_call_in_turn_and_delivery_again_end_the_same(cloud, tale):
    world, meter = world_on(cloud)
    for step in tale(world):
        step()
    writes, truth = meter.spent["writes"], told_of(tale)
    assert writes > 20
    for number in range(1, writes + 1):  # to die after a call is to die before the next; a read leaves all as it was
        empty(cloud)
        world, _ = world_on(cloud, dies_at=number)
        for step in tale(world):
            try:
                step()
            except Killed:
                step()
        assert outcome(world) == truth, number


def empty(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    keys = [{name: item[name] for name in ("PK", "SK")} for item in client.scan(TableName=table)["Items"]]
    for start in range(0, len(keys), 25):
        deletes = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + 25]]
        client.batch_write_item(RequestItems={table: deletes})


def test_what_a_sweep_reads_follows_what_is_due_and_not_the_archive(cloud):
    spent = []
    for size in (1, 10):
        empty(cloud)
        world, meter = world_on(cloud)
        for number in range(size * 5):
            at = NOON - timedelta(days=20 + number)
            world.tell(notice(at=at, accession_number=f"old{number}", declared_instances=1))
            world.tell(study(at, accession_number=f"old{number}", study_instance_uid=f"1.2.{number}"))
        for number in range(6):
            world.tell(notice(accession_number=f"new{number}"))
        meter.spent.clear()
        assert world.sweep(AFTER).judged == 6
        spent.append({name: meter.spent[name] for name in ("calls", "query", "get_item", "items")})
        meter.spent.clear()
        assert world.sweep(AFTER + HOUR).judged == 0
        idle = {name: meter.spent[name] for name in ("calls", "query", "get_item", "items")}
        assert idle == {"calls": 36, "query": 35, "get_item": 1, "items": 1}  # until when the days are open
    assert spent[0] == spent[1]
