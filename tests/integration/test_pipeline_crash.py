"""Ingest and settle on the real stores, dying before or after each AWS call in turn: redelivery ends in one truth."""

from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.store import clients
from tests.support.fakes_ingest import Crash
from tests.support.ingest_samples import DAY, instance

REF = StudyRef("H1", "1.2.3.1")
CLIENTS = (clients.dynamodb, clients.s3, clients.sqs)


class Wire:
    """Stands at every AWS call of this process; dies at the `number`-th one (from 0), before or after its effect."""

    def __init__(self, moment, number=None):
        self.moment, self.number, self.made = moment, number, []

    def __enter__(self):
        for client in CLIENTS:
            client().meta.events.register(self.moment, self._count, unique_id="wire")
        return self

    def __exit__(self, kind, error, trace):
        for client in CLIENTS:
            client().meta.events.unregister(self.moment, unique_id="wire")
        return kind is Crash

    def _count(self, model, **_):
        self.made.append(model.name)
        if len(self.made) - 1 == self.number:
            raise Crash


@pytest.fixture
def objects(cloud_settings):
    """One small study in two batches; the second brings a re-sent image with other bytes, a copy and a broken file."""
    wiring.hospitals().put(Hospital("H1", "省人民医院"))
    bodies = [instance(1, 1), instance(1, 2), instance(1, 1, pixels=128), instance(1, 2), b"no DICOM at all"]
    return [_upload(f"instances/H1/{DAY}/{number}.dcm", body) for number, body in enumerate(bodies)]


def _upload(key, body):
    answer = clients.s3().put_object(Bucket=wiring.settings().uploads_bucket, Key=key, Body=body)
    return Uploaded(key, answer["VersionId"], len(body))


def pipeline(objects):
    """What the queues would have done: two batches, each with its settle."""
    ingest, settle = replace(wiring.ingest_batch(), workers=1), replace(wiring.settle_study(), workers=1)
    for batch in (objects[:2], objects[2:]):
        assert ingest(batch, lambda: True) == frozenset()
        settle(REF, wiring.now())


def items(table, *, without):
    found = clients.dynamodb().scan(TableName=table, ConsistentRead=True)["Items"]
    return {
        (item["PK"]["S"], item["SK"]["S"]): {name: item[name] for name in sorted(item) if name not in without}
        for item in found
    }


def truth():
    settings = wiring.settings()
    journal = items(settings.journal_table, without={"expires_at"})
    main = items(settings.main_table, without={"revision", "read_revision"})
    standing = f"MANIFEST#{wiring.studies().summary(REF).manifest_digest}#"
    main = {  # a crash may leave a superseded manifest for ever
        (partition, order): item
        for (partition, order), item in main.items()
        if not order.startswith("MANIFEST#") or order.startswith(standing)
    }
    records = clients.s3().list_objects_v2(Bucket=settings.quarantine_bucket).get("Contents", [])
    return journal, main, [record["Key"] for record in records]


def forget():
    settings, client = wiring.settings(), clients.dynamodb()
    for table in (settings.journal_table, settings.main_table):
        for partition, order in items(table, without=()):
            if not partition.startswith("HOSPITAL"):
                client.delete_item(TableName=table, Key={"PK": {"S": partition}, "SK": {"S": order}})


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_death_at_any_aws_call_mends_itself_by_the_redelivery(objects, moment):
    with Wire(moment) as wire:
        pipeline(objects)
    expected = truth()
    assert {"GetObject", "BatchWriteItem", "SendMessageBatch", "PutObject", "PutItem", "Query"} <= set(wire.made)
    for number in range(len(wire.made)):
        forget()
        with Wire(moment, number) as dying:
            pipeline(objects)
        assert len(dying.made) == number + 1
        pipeline(objects)
        assert truth() == expected, f"died {moment} {number}: {wire.made[number]}"


def test_what_the_pipeline_ends_in_is_what_was_uploaded(objects):
    pipeline(objects)
    found = wiring.studies().summary(REF)
    assert (found.instances, found.entries, found.duplicates, found.divergent) == (2, 4, 1, 1)
    assert found.state == "served"
    _, main, quarantined = truth()
    assert len(quarantined) == 1
    assert any(partition.startswith("ACC#H1#A1") for partition, _ in main)
    assert ("UID#1.2.3.1", "H1") in main
