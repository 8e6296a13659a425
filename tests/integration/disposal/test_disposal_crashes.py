"""The execution of a disposal, dying after each AWS call in turn: whoever runs it again ends in one truth.

To die before a call is to die after the one before it, and so is to die after one that only reads.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.disposal import Act, Disposal, Hold, Item, Stated, Verdict
from chalicelib.domain.human_facts import read_amendment
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import Hospital, StudyRef, Times
from chalicelib.domain.summary import destroyed
from chalicelib.store import clients
from tests.support.fakes_ingest import Crash
from tests.support.moto_state import Kept
from tests.support.settle_samples import entry

GONE, HELD = StudyRef("H1", "1.2.840.11"), StudyRef("H1", "1.2.840.12")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLIENTS = (clients.dynamodb, clients.s3)
READS = {"GetItem", "BatchGetItem", "Query", "GetObject", "HeadObject", "ListObjectVersions"}


class Dying:
    """Dies after the `number`-th AWS call (from 0)."""

    def __init__(self, number=None):
        self.number, self.made = number, []

    def __enter__(self):
        for client in CLIENTS:
            client().meta.events.register("after-call", self._count, unique_id="dying")
        return self

    def __exit__(self, kind, error, trace):
        for client in CLIENTS:
            client().meta.events.unregister("after-call", unique_id="dying")
        return kind is Crash

    def _count(self, model, **_):
        self.made.append(model.name)
        if len(self.made) - 1 == self.number:
            raise Crash


def upload(key):
    named = {"Bucket": wiring.settings().uploads_bucket, "Key": key}
    return clients.s3().put_object(**named, Body=b"x" * 10, ChecksumAlgorithm="SHA256")["VersionId"]


def receive(ref, *keys):
    """Images of 1990 of P1, each an object that is there."""
    long_ago = {"times": Times(acquired_at=datetime(1990, 2, 3, tzinfo=UTC), source="AcquisitionDateTime")}
    entries = [
        entry(number, upload(key), ref=ref, key=key, length=10, checksum=None, **long_ago)
        for number, key in enumerate(keys, 1)
    ]
    wiring.journal().write({ref: entries}, NOW)
    wiring.settle_study()(ref, NOW)


@pytest.fixture
def approved(cloud_settings):
    """Two studies of a known person, approved by both; one is held since. GONE lies in an archive of its own too."""
    wiring.hospitals().put(Hospital("H1", "省人民医院"))
    key = IdentityKey("H1", "P1")
    link = Link(key, "PERSON1", "confirmed", NOW)
    assert wiring.people().save(LinkChange(link, person=Person("PERSON1", name="张三")))
    version = upload("archives/H1/2026-11-24/a.zip")
    receive(GONE, "instances/H1/2026-11-24/1", f"unpacked/H1/2026-11-24/{version}/000000")
    receive(HELD, "instances/H1/2026-11-24/2")
    items = tuple(
        Item(Stated(ref.study_instance_uid, date(1990, 2, 3)), Verdict(ref.study_instance_uid, ""))
        for ref in (GONE, HELD)
    )
    made = Disposal("01A", "H1", Act("pacs", NOW), items, Act("o1", NOW), Act("r1", NOW))
    assert wiring.disposals().put(made)
    wiring.holds().put(Hold("01H", "H1", HELD.study_instance_uid, "", "诉讼", "o1", "privacy_officer", NOW))
    return made


def run(disposal_id="01A"):
    judge = replace(wiring.judge_disposal(), workers=1)
    settle = replace(wiring.settle_study(), workers=1)
    destroy = replace(wiring.destroy_studies(), judge=judge, settle=settle, clock=lambda: NOW + timedelta(hours=1))
    return destroy("H1", disposal_id, lambda: True)


def items(table, *, without=()):
    found = clients.dynamodb().scan(TableName=table, ConsistentRead=True)["Items"]
    return {
        (item["PK"]["S"], item["SK"]["S"]): {name: item[name] for name in sorted(item) if name not in without}
        for item in found
    }


def truth():
    """All tables, every object version of the uploads, and the certificate; the audit by what was done how often."""
    settings = wiring.settings()
    main = items(settings.main_table, without={"revision", "read_revision"})
    listed = clients.s3().list_object_versions(Bucket=settings.uploads_bucket)["Versions"]
    certificate = wiring.compliance_reports().get("disposals/H1/01A.json")
    acts = {(one["action"]["S"], one.get("statement", {}).get("S")) for one in items(settings.audit_table).values()}
    return main, sorted(one["Key"] for one in listed), certificate, acts


def test_a_death_after_any_aws_call_mends_itself_when_it_is_run_again(approved):
    kept = Kept()
    with Dying() as whole:
        run()
    expected = truth()
    assert {"PutObject", "DeleteObjects", "BatchWriteItem", "PutItem", "Query"} <= set(whole.made)
    assert not any(key.startswith(("archives/", "unpacked/")) for key in expected[1])
    writes = [number for number, name in enumerate(whole.made) if name not in READS]
    assert len(writes) > 12
    for number in (0, *writes):
        kept.restore()
        with Dying(number) as dying:
            run()
        assert len(dying.made) == number + 1
        run()
        assert truth() == expected, f"died after {number}: {whole.made[number]}"


def test_before_the_first_version_is_deleted_the_tombstone_lies_in_the_bucket(approved):
    with Dying() as whole:
        run()
    first = whole.made.index("DeleteObjects")
    (key,) = [one.key for one in wiring.uploads().versions("amendments/")]
    uid, fact = read_amendment(wiring.uploads().read(key, None, 0, 10_000).data)
    assert (uid, fact.kind) == (GONE.study_instance_uid, "destroy")
    assert "PutObject" in whole.made[:first]


def test_whoever_dies_after_the_tombstone_is_not_stopped_by_a_hold_any_more(approved):
    """Half a destruction is worse than either: the hold is told that it comes too late."""
    kept = Kept()
    with Dying() as whole:
        run()
    last_before = whole.made.index("DeleteObjects") - 1
    kept.restore()
    with Dying(last_before):
        run()
    wiring.holds().put(Hold("01J", "H1", GONE.study_instance_uid, "", "诉讼", "o1", "privacy_officer", NOW))
    assert run().destroyed == 1
    assert wiring.studies().summary(GONE) == destroyed(GONE)
    assert wiring.studies().summary(HELD).state == "served"


def test_another_proposal_of_the_same_study_takes_no_plan_from_one_that_died(approved):
    kept = Kept()
    with Dying() as whole:
        run()
    kept.restore()
    with Dying(whole.made.index("DeleteObjects") - 1):
        run()
    assert wiring.disposals().put(replace(approved, disposal_id="01B", items=approved.items[:1], revision=0))
    assert run("01B").spared == 1, "it is destroyed already, as far as anybody can see"
    assert run().destroyed == 1
    assert [one.key for one in wiring.uploads().versions("unpacked/")] == []
