"""Every use case can be composed from the environment alone, and costs nothing that it does not use."""

import json
import os
import subprocess
import sys

import pytest

from chalicelib import wiring
from chalicelib.store.sms import GatewaySms, OutboxSms, SnsSms
from tests.support.cloud import forget_cached

FACTORIES = sorted(name for name, value in vars(wiring).items() if hasattr(value, "cache_clear"))
HEAVY = ("boto3", "botocore.client", "cryptography", "jwt", "pydicom")


def test_every_factory_composes_and_keeps_what_it_made(cloud_settings):
    for name in FACTORIES:
        factory = getattr(wiring, name)
        assert factory() is factory(), name


def test_a_rebuild_settles_directly_what_it_touches(cloud_settings):
    made = wiring.reindex_studies()
    assert made.touched.refs == set()
    assert made.take_up["archives"].settle_queue is made.take_up["instances"].settle_queue is made.touched


@pytest.mark.parametrize(
    ("setting", "kind"),
    [("outbox:/tmp/x", OutboxSms), ("http:https://sms.example.test/send", GatewaySms), ("sns", SnsSms)],
)
def test_the_sms_gateway_follows_its_setting(cloud_settings, monkeypatch, setting, kind):
    monkeypatch.setenv("SMS_GATEWAY", setting)
    forget_cached()
    assert isinstance(wiring.sms_gateway(), kind)


@pytest.mark.parametrize("setting", ["", "outbox:/tmp/x", "pigeon"])
def test_an_outbox_is_not_for_lambda(cloud_settings, monkeypatch, setting):
    monkeypatch.setenv("SMS_GATEWAY", setting)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "imaging-cloud-app-ApiHandler")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    forget_cached()
    with pytest.raises(ValueError, match="SMS_GATEWAY"):
        wiring.sms_gateway()


def loaded_by(work):
    """Which heavy modules a fresh process holds after this work."""
    program = f"import json, sys; {work}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(  # noqa: S603 - this test's own program
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, env=dict(os.environ)
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("work", "heavy"),
    [
        ("import app", []),
        ("from chalicelib import wiring; wiring.tokens()", []),
        ("from chalicelib import wiring; wiring.ingest_batch()", ["boto3", "botocore.client", "pydicom"]),
        ("from chalicelib import wiring; wiring.settle_study()", ["boto3", "botocore.client"]),
        ("from chalicelib import wiring; wiring.view_manifest()", ["boto3", "botocore.client"]),
    ],
)
def test_a_cold_start_imports_only_what_it_uses(cloud_settings, work, heavy):
    assert set(loaded_by(work)) <= set(heavy)


@pytest.mark.parametrize(("handler", "serves"), [("app.app", True), ("app.ingest", False), ("app.sweep", False)])
def test_only_what_serves_routes_loads_them(monkeypatch, handler, serves):
    monkeypatch.setenv("_HANDLER", handler)
    program = "import json, sys, app; print(json.dumps([len(app.app.routes), 'chalicelib.http' in sys.modules]))"
    done = subprocess.run(  # noqa: S603 - this test's own program
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, env=dict(os.environ)
    )
    routes, loaded = json.loads(done.stdout)
    assert (routes > 0, loaded) == (serves, serves)
