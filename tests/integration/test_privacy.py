"""All main paths, by routes and triggers, with planted values; then logs, errors, metrics and URLs are searched."""

from __future__ import annotations

import logging
import re
import sys
from typing import get_args
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from chalicelib.domain.access import Basis
from chalicelib.domain.metrics import METRICS
from chalicelib.domain.quarantine import REASONS
from chalicelib.http import errors
from chalicelib.http.role_table import ROUTES
from chalicelib.services import faults
from chalicelib.services.send_message import Outcome
from chalicelib.wiring.watch import Taking
from infra.local.personas import PATIENT
from tests.support import tokens
from tests.support.cloud import forget_cached
from tests.support.country import Country
from tests.support.emitted import emitted
from tests.support.main_paths import (
    NEW_PHONE,
    PLANTED,
    TOLD_PHONE,
    Heard,
    a_doctor_asks,
    a_guardian_acts,
    desks_refuse,
    every_other_route,
    exceptions_are_made,
    hospitals_send,
    our_own_faults,
    people_act,
    time_passes,
)
from tests.support.served_app import jwks_url, served

__all__ = ["emitted", "jwks_url", "served"]

LOUD = ("boto", "urllib3", "moto", "s3transfer", "werkzeug", "requests")  # a debugger's, never switched on in Lambda


@pytest.fixture
def heard(cloud, served, emitted, monkeypatch, jwks_url):
    setting = tokens.setting(jwks_url=jwks_url, claims={"subject": "sub", "phone": "phone_number"})
    monkeypatch.setenv("ISSUERS", setting)
    forget_cached()
    return Heard(Country(cloud, served), emitted)


@pytest.fixture
def errors_seen(monkeypatch):
    """The text of every exception that reached one of the two edges that swallow them, and of its causes."""
    seen = []

    def listen(edge):
        def listening(error, *args):
            cause = error
            while cause is not None:
                seen.append(f"{type(cause).__name__}: {cause}")
                cause = cause.__cause__
            return edge(error, *args)

        return listening

    monkeypatch.setattr(errors, "_raised", listen(errors._raised))  # noqa: SLF001 - listening, not changing
    for module in [one for name, one in sys.modules.items() if name.startswith("chalicelib")]:
        if getattr(module, "note", None) is faults.note:
            monkeypatch.setattr(module, "note", listen(faults.note))
    return seen


def test_nothing_planted_and_no_secret_is_in_any_log_error_metric_or_url(
    heard, errors_seen, caplog, capfd, monkeypatch
):
    for name in LOUD:
        caplog.set_level(logging.CRITICAL, logger=name)
    caplog.set_level(logging.DEBUG)  # last, for it sets the level of what is captured too
    hospitals_send(heard)
    desks_refuse(heard)
    study = heard.me("GET", "/me/studies").json_body["studies"][0]
    study = {name: study[name] for name in ("hospital_id", "study_instance_uid")}
    a_doctor_asks(heard, study)
    a_guardian_acts(heard)
    people_act(heard, study)
    exceptions_are_made(heard)
    time_passes(heard)
    every_other_route(heard, study)
    our_own_faults(heard, monkeypatch)

    for url in heard.signed():
        heard.keep("signature", parse_qs(urlsplit(url).query)["X-Amz-Signature"][0])
    out, err = capfd.readouterr()
    logged = "\n".join(_everything(record) for record in caplog.records if not record.name.startswith(LOUD))
    assert "settled" in logged + out
    assert "unexpected_error" in logged
    assert errors_seen
    for kind, secret in {**PLANTED, **heard.secrets}.items():
        said = {"logs": logged, "stdout": out, "stderr": err, "errors": "\n".join(errors_seen)}
        said["metrics"] = "\n".join(heard.emitted.lines)
        assert [where for where, text in said.items() if _holds(text, secret)] == [], kind
    for kind, secret in PLANTED.items():
        asked = [unquote(url) for url in heard.asked_urls]
        assert not any(secret in url for url in asked), kind
        assert not any(secret in unquote(url) for url in heard.signed()), kind

    assert sorted(set(ROUTES) - heard.routes) == []
    _holds_figures_and_words_of_ours_only(heard.emitted)


def _holds_figures_and_words_of_ours_only(emitted):
    names = {metric.name for metric in METRICS}
    dimensions = {name for metric in METRICS for names in metric.dimensions for name in names}
    assert {name for line in emitted.said for name in line} - {"_aws", "service"} <= names | dimensions
    for line in emitted.said:
        assert all(isinstance(value, float) for name in names & set(line) for value in line[name])
    words = {line[name] for line in emitted.said for name in dimensions & set(line)}
    fixed = {*REASONS, *get_args(Basis), *get_args(Taking), "given", "denied", "refused", "opened"}
    fixed |= {*get_args(Outcome), "failed"}
    assert words <= fixed
    for name in ("IngestLag", "Quarantined", "SettleLag", "ConsentDecisions", "ViewTime", "SweepDone", "SealedHours"):
        assert emitted.of(name), name


def test_what_the_patient_is_told_masks_every_phone(heard):
    hospitals_send(heard)
    for path in ("/me/identities", "/me/phone", "/me/notices", "/me/accesses"):
        body = heard.me("GET", path).body.decode()
        assert not [phone for phone in (PATIENT.phone, TOLD_PHONE, NEW_PHONE) if phone in body], path


def test_no_routes_path_has_a_place_for_a_patient():
    parts = {part for _, path in ROUTES for part in re.findall(r"\{(\w+)\}", path)}
    assert not [part for part in parts if re.search(r"patient|person|identity|phone|name", part)]


def _everything(record):
    """The message, its extras, and the traceback's own text, as a log shipper would have them."""
    more = {name: value for name, value in vars(record).items() if name not in ("args", "msg", "exc_info")}
    error = record.exc_info[1] if record.exc_info else None
    return f"{record.getMessage()} {more} {error!r} {error}"


def _holds(text, secret):
    """Six digits turn up by chance inside longer numbers, as in times: only by themselves they are a code."""
    if secret.isdigit() and len(secret) == 6:
        return re.search(rf"(?<![0-9a-fA-F.]){secret}(?![0-9a-fA-F])", text) is not None
    return secret in text
