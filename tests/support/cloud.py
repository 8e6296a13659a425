"""A moto cloud in this process, made from infra/data.yaml by the code that makes the local cloud.

`cloud` gives a test clients and settings of an empty cloud; `cloud_settings` also puts the settings into the
environment and forgets what `wiring` and `store.clients` had cached. Creating takes half a second, so it is done
once per process and emptied before each test; a test that starts a `mock_aws` of its own costs the next one that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import moto
import pytest
from moto.backends import get_backend

from infra.local.provision import ACCOUNT_ID, CREDENTIALS, REGION, Cloud, clients, provision

# B of the test cloud: the settle queue delays 2 s. moto's clock is the machine's.
SETTLE_SECONDS = "1"
CACHED_MODULES = ("chalicelib.wiring", "chalicelib.store.clients")


@dataclass(frozen=True)
class TestCloud:
    """`client("dynamodb")` and the like; `settings` by their environment names; `outputs` of the data stack."""

    __test__ = False

    made: Cloud
    outbox: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> Callable[[str], Any]:
        return self.made.client

    @property
    def outputs(self) -> dict[str, str]:
        return self.made.outputs

    def queue_url(self, name: str) -> str:
        """By its name without the prefix: `instances`, `notices-single`, `settle.fifo`."""
        url: str = self.client("sqs").get_queue_url(QueueName=f"imaging-cloud-{name}")["QueueUrl"]
        return url


_made: list[Cloud] = []


def _backend(service: str, region: str) -> Any:
    return get_backend(service)[ACCOUNT_ID][region]


def _standing() -> Cloud | None:
    """The cloud made earlier, unless some other mock has thrown its data away."""
    if _made and _made[0].settings["MAIN_TABLE"] in _backend("dynamodb", REGION).tables:
        return _made[0]
    return None


def _empty() -> None:
    for table in _backend("dynamodb", REGION).tables.values():
        table.items.clear()
    for bucket in _backend("s3", "aws-cn").buckets.values():
        bucket.keys.clear()
        bucket.multiparts.clear()
    for queue in _backend("sqs", REGION).queues.values():
        queue._messages = []  # noqa: SLF001 - what PurgeQueue does, without its call
        queue._pending_messages = set()  # noqa: SLF001 - as above
    for topic in _backend("sns", REGION).topics.values():
        topic.sent_notifications.clear()


@contextmanager
def opened(directory: Path) -> Iterator[TestCloud]:
    """The cloud, emptied. SMS go to a file in the directory."""
    mock = moto.mock_aws()
    mock.start(reset=False)
    try:
        standing = _standing()
        if standing is None:
            _made[:] = [provision(clients(), {"SettleSeconds": SETTLE_SECONDS}, {})]
            standing = _made[0]
        _empty()
        outbox = directory / "sms-outbox.jsonl"
        yield TestCloud(standing, outbox, {**standing.settings, **_settings(outbox)})
    finally:
        mock.stop(remove_data=False)


@contextmanager
def settled_in(cloud: TestCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestCloud]:
    """The functions' environment, while it lasts."""
    for name, value in {**cloud.settings, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    forget_cached()
    yield cloud
    forget_cached()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def cloud_settings(cloud: TestCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestCloud]:
    with settled_in(cloud, monkeypatch) as told:
        yield told


def forget_cached() -> None:
    """Empty every `functools.cache` at the top of the modules that keep clients and use cases."""
    for name, module in list(sys.modules.items()):
        if name.startswith(CACHED_MODULES):
            for value in vars(module).values():
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


def _settings(outbox: Path) -> dict[str, str]:
    return {
        "ISSUERS": json.dumps([]),
        "ORIGIN": "http://127.0.0.1",
        "SETTLE_SECONDS": SETTLE_SECONDS,
        "SWEEP_GRACE_SECONDS": "2",
        "SMS_GATEWAY": f"outbox:{outbox}",
    }
