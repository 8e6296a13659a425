"""Whoever destroys a study finds every place outside it that names it; what was counted stays."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.domain.alert import Prior
from chalicelib.domain.gains import Happening, decided_key
from chalicelib.domain.recognition import Judgement, Recognition
from chalicelib.domain.study import StudyRef
from chalicelib.store.alerts import DynamoAlerts
from chalicelib.store.destruction import DynamoRemains
from chalicelib.store.gains import DynamoGains
from chalicelib.store.recognitions import DynamoRecognitions
from tests.integration.store.test_alerts_port import PRIORS, alert
from tests.support.interleave import Crash

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
GONE, STAYS = PRIORS[0].study, StudyRef("H2", "1.2.77")
VISIT = ("H2", "就诊 1")


@pytest.fixture
def table(cloud):
    client, name = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    for one in (alert(), alert("E2"), alert("E3", priors=(Prior(STAYS, "duplicate", 3, recognisable=True),))):
        DynamoAlerts(client, name).keep(one)
        DynamoAlerts(client, name).answer("H2", one.alert_id, "overridden", "3", NOW)
    recognitions = DynamoRecognitions(client, name)
    for study in (GONE, STAYS):
        said = Recognition("H2", VISIT[1], "d1", study, Judgement("refuse", "3"), NOW, "2026-11-24")
        assert recognitions.put(said)
        recognitions.viewed([(VISIT, study)], NOW)
    key = decided_key(VISIT[1], "d1", GONE)
    DynamoGains(client, name).put(Happening("refused_3", key, "2026-11-24", NOW, "H2", "H1", VISIT[1]), NOW)
    return client, name


def naming(table, word):
    client, name = table
    pages = client.get_paginator("scan").paginate(TableName=name)
    return sorted(item["SK"]["S"] for page in pages for item in page["Items"] if word in str(item))


def test_no_item_names_a_destroyed_study_and_no_other_is_touched(table):
    client, name = table
    before = naming(table, STAYS.study_instance_uid)
    assert len(naming(table, GONE.study_instance_uid)) >= 8
    for _ in range(2):
        DynamoRemains(client, name).forget(GONE)
    assert naming(table, GONE.study_instance_uid) == []
    assert naming(table, STAYS.study_instance_uid) == before
    assert DynamoAlerts(client, name).of_visit("H2", "E1") == ()
    assert len(DynamoAlerts(client, name).of_visit("H2", "E3")) == 1
    assert [len(answers) for _, answers in DynamoAlerts(client, name).of_day("H2", "2026-11-24")] == [1]
    assert [one.measure for one in DynamoGains(client, name).of_day("H2", "2026-11-24")] == ["refused_3"]


def test_what_died_half_way_is_finished_by_the_next_run(table, monkeypatch):
    client, name = table
    remains = DynamoRemains(client, name)
    wrote = client.batch_write_item
    calls = iter([wrote, wrote])

    def dies(**asked):
        try:
            return next(calls)(**asked)
        except StopIteration:
            raise Crash from None

    monkeypatch.setattr(client, "batch_write_item", dies)
    with pytest.raises(Crash):
        remains.forget(GONE)
    monkeypatch.setattr(client, "batch_write_item", wrote)
    remains.forget(GONE)
    assert naming(table, GONE.study_instance_uid) == []
