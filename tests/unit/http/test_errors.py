"""Each fact is told in its own way, strangers are told one thing only, and no failure goes unanswered."""

import importlib
import json
import pkgutil

import pytest

from chalicelib import services
from chalicelib.dicom import query
from chalicelib.domain.access import AccessDenied
from chalicelib.http import fhir_search, stow
from chalicelib.http.answers import answer
from chalicelib.http.asked import BadRequest
from chalicelib.http.errors import FACTS, RAISED, TOLD_DENIALS, answered, tell
from chalicelib.services.verify_code import CodeLocked, CodeRefused
from chalicelib.services.view_manifest import ManifestChanged, TokenNotOurs


def told(error):
    def view():
        raise error

    response = answered(view, "GET /x")()
    return response.status_code, json.loads(response.body)


def test_a_denial_is_one_answer_whatever_its_reason():
    for reason in ("no_grant", "no_encounter", "anything_new"):
        assert told(AccessDenied(reason)) == (403, {"error": "no_grant"})


@pytest.mark.parametrize("reason", sorted(TOLD_DENIALS))
def test_a_denial_that_may_be_told_is_told_in_both_languages(reason):
    status, body = told(AccessDenied(reason))
    assert (status, body["error"]) == (FACTS[reason].status, reason)
    assert body["message"] == {"en": FACTS[reason].en, "zh": FACTS[reason].zh}


@pytest.mark.parametrize(
    ("error", "status", "more"),
    [
        (BadRequest("phone"), 400, {"error": "bad_request", "field": "phone"}),
        (CodeRefused(3), 403, {"error": "code_refused", "attempts_left": 3}),
        (CodeLocked(), 403, {"error": "code_locked"}),
        (ManifestChanged(), 409, {"error": "manifest_changed"}),
        (TokenNotOurs(), 400, {"error": "bad_request", "field": "token"}),
    ],
)
def test_a_fact_has_its_status_and_what_belongs_to_it(error, status, more):
    said, body = told(error)
    assert said == status
    assert more.items() <= body.items()


@pytest.mark.parametrize(
    "error", [RuntimeError("13800138000"), KeyError("张三"), RecursionError(), ValueError("t0ken")]
)
def test_any_other_failure_is_a_500_and_a_log_line_without_values(error, caplog):
    status, body = told(error)
    assert (status, body["error"]) == (500, "internal")
    line = json.loads(caplog.records[-1].getMessage())
    assert line["error"] == type(error).__name__
    assert line["route"] == "GET /x"
    assert line["at"].startswith("http/errors.py:"), "the last line of ours"
    assert not any(value in caplog.text for value in ("13800138000", "张三", "t0ken"))


def test_a_view_that_succeeds_is_not_touched():
    assert answered(lambda: answer({"ok": 1}), "GET /x")().body == '{"ok":1}'


def test_every_fact_is_told_in_english_and_chinese():
    for code, fact in FACTS.items():
        assert fact.en.isascii(), code
        assert any("一" <= character <= "鿿" for character in fact.zh), code
        assert 400 <= fact.status < 600, code


def test_every_exception_in_the_table_exists_and_its_fact_too():
    names = {"AuditFailed"} | set(vars(query)) | set(vars(fhir_search)) | set(vars(stow))
    for module in pkgutil.iter_modules(services.__path__):
        names |= set(vars(importlib.import_module(f"chalicelib.services.{module.name}")))
    assert set(RAISED) <= names
    assert {raised.code for raised in RAISED.values()} <= set(FACTS)
    assert set(FACTS) >= TOLD_DENIALS


def test_chinese_is_sent_as_it_is_written():
    assert "，" in tell("code_locked").body
