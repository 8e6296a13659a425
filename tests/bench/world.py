"""Settings and clients of a bench: the functions' own wiring, over moto to prepare and over `AtOnce` to measure."""

from __future__ import annotations

import contextlib
import os

import moto

from chalicelib import wiring
from chalicelib.store import clients
from infra.local.provision import CREDENTIALS, REGION, provision
from infra.local.provision import clients as moto_clients
from tests.bench.stub import AtOnce
from tests.support.cloud import forget_cached

SETTINGS = {"ORIGIN": "http://127.0.0.1", "SMS_GATEWAY": "outbox:/dev/null", "ISSUERS": "[]"}


@contextlib.contextmanager
def on_moto():
    """An empty cloud; the settings stay in the environment afterwards."""
    with moto.mock_aws():
        cloud = provision(moto_clients(), {"SettleSeconds": "60"}, SETTINGS)
        os.environ.update({**CREDENTIALS, **cloud.settings, "AWS_DEFAULT_REGION": REGION})
        for url in cloud.client("sqs").list_queues()["QueueUrls"]:
            cloud.client("sqs").purge_queue(QueueUrl=url)  # of the test events that notifications begin with
        forget_cached()
        yield cloud
    forget_cached()


def at_once(objects=None, items=()):
    """The functions' clients answered at once from these objects and items."""
    os.environ.update(CREDENTIALS)  # moto took its own along
    forget_cached()
    stub = AtOnce(objects or {})
    for item in items:
        stub.items[item["PK"]["S"], item["SK"]["S"]] = item
    stub.on(clients.dynamodb(), clients.s3(), clients.sqs(), clients.sts())
    return stub


def all_items(cloud):
    """The main table's items, as DynamoDB's answers write them."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.settings["MAIN_TABLE"])
    return [item for page in pages for item in page["Items"]]


__all__ = ["all_items", "at_once", "on_moto", "wiring"]
