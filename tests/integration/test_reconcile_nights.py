"""A night of the reconcile by app.py's own triggers, on the real stores."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import app
from chalicelib import wiring
from chalicelib.domain.reconciling import CheckPiece, to_message
from chalicelib.events.ingest import uploads_of
from infra.local.personas import RIVER
from infra.local.samples import chest_ct
from tests.support.country import Country
from tests.support.served_app import jwks_url, served
from tests.support.stage import NoTime

__all__ = ["jwks_url", "served"]


@pytest.fixture
def country(cloud, served):
    return Country(cloud, served)


def waiting(country, name):
    sqs, url = country.cloud.client("sqs"), country.cloud.queue_url(name)
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for one in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return [json.loads(one["Body"]) for one in got]


def night(country, monkeypatch, minutes):
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(wiring, "now", lambda: at)
    country.run("reconcile")
    monkeypatch.undo()
    country.drain("reconcile")


def test_what_an_event_never_told_of_is_found_and_the_next_night_finds_nothing(country, monkeypatch):
    first, second = chest_ct(slices=2)
    country.put("instances", "told.dcm", first)
    country.drain("instances")
    country.put("instances", "lost.dcm", second)
    (event,) = waiting(country, "instances")  # S3's own, lost here; moto's names no version
    night(country, monkeypatch, 20)
    (fed,) = waiting(country, "instances")
    ((lost,), (told,)) = (uploads_of(json.dumps(one)) for one in (fed, event))
    assert (lost.key, lost.size) == (told.key, told.size)
    assert lost.version_id
    country.cloud.client("sqs").send_message(QueueUrl=country.cloud.queue_url("instances"), MessageBody=json.dumps(fed))
    country.drain("instances")
    night(country, monkeypatch, 40)
    assert waiting(country, "instances") == []


def test_a_piece_without_time_hands_on_what_is_left(country):
    now = datetime.now(UTC)
    country.put("instances", "a.dcm", chest_ct(slices=1)[0])
    piece = CheckPiece(now + timedelta(minutes=20), RIVER.hospital_id, ())
    record = {"messageId": "m1", "body": json.dumps(to_message(piece))}
    assert app.reconcile_pieces({"Records": [record]}, NoTime()) == {"batchItemFailures": []}
    assert waiting(country, "reconcile") == [to_message(piece)]


@pytest.mark.parametrize("body", ["", "[]", "{}", json.dumps({"night": "yesterday"})])
def test_a_message_that_is_no_piece_is_not_dropped(country, body):
    record = {"messageId": "m1", "body": body}
    assert app.reconcile_pieces({"Records": [record]}, NoTime()) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
