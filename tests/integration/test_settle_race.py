"""Two settles of one study at once, on the real tables."""

import random

import pytest

from chalicelib import wiring
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import Hospital
from chalicelib.services.settle_study import SettleStudy
from chalicelib.store import clients
from tests.support.fakes_ingest import FakeRefeed
from tests.support.interleave import Turns
from tests.support.settle_samples import REF, T0, entry, exclude

ENTRIES = [entry(1), entry(2), entry(1, "other", at=1, checksum="x"), entry(3, "theirs", at=2, patient_id="P2")]


@pytest.fixture
def forget(cloud_settings):
    def forget():
        client = clients.dynamodb()
        for table in (wiring.settings().journal_table, wiring.settings().main_table):
            for item in client.scan(TableName=table)["Items"]:
                client.delete_item(TableName=table, Key={"PK": item["PK"], "SK": item["SK"]})
        wiring.hospitals().put(Hospital("H1", "省人民医院"))

    return forget


def settle(gate):
    ports = (wiring.journal(), wiring.studies(), wiring.uploads(), wiring.derive_exams(), FakeRefeed())
    SettleStudy(*map(gate, ports), workers=1)(REF, T0)


def truth():
    summary = wiring.studies().summary(REF)
    body = wiring.studies().manifest(REF, summary.manifest_digest, summary.manifest_parts)
    return summary, body, wiring.studies().hospitals_holding(REF.study_instance_uid)


def write_then_settle(gate):
    for one in ENTRIES:
        gate(wiring.journal()).write({REF: [one]}, T0)
    gate(wiring.studies()).amend(REF, exclude("theirs"))
    settle(gate)


@pytest.mark.parametrize("seed", range(12))
def test_two_settles_and_the_writes_between_them_end_in_one_truth(forget, seed):
    forget()
    write_then_settle(lambda port: port)
    expected = truth()
    forget()
    wiring.journal().write({REF: ENTRIES[:1]}, T0)
    chance = random.Random(seed)  # noqa: S311 - the same every time
    assert Turns(chance.randrange).run([settle, write_then_settle]) == []
    assert truth() == expected
    statuses = {found.place.version_id: status for found, status in Manifest.from_json(truth()[1]).entries()}
    assert statuses == {"v1-1": "served", "v1-2": "served", "other": "divergent", "theirs": "excluded"}
