"""The firewall before the API (infra/app-merge.yaml), asked request by request, alone and behind CloudFront."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import template
from tests.support.made_of import CHINA, made_of
from tests.support.waf import Asked, judge

ROOT = Path(__file__).parents[3]
APP = template.load(ROOT / "infra/app-merge.yaml")
FRONT = template.load(ROOT / "infra/front.yaml")
CLIENT, EDGE = "203.0.113.9", "198.51.100.1"
NEW, OLD = "n" * 32, "o" * 32


def rules(secret="", before=""):
    given = made_of(APP, CHINA, OriginSecret=secret, OriginSecretBefore=before)["WebAcl"]["Properties"]["Rules"]
    return filled(given, {"OriginSecret": secret, "OriginSecretBefore": before})


def filled(value, parameters):
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return parameters[value["Ref"]]
        return {key: filled(one, parameters) for key, one in value.items()}
    return [filled(one, parameters) for one in value] if isinstance(value, list) else value


def through_cloudfront(path="/api/me/studies", secret=NEW, written=""):
    """What gets here of a client's request: CloudFront and API Gateway each add whom they see."""
    forwarded = ", ".join(one for one in (written, CLIENT, EDGE) if one)
    (header,) = (one["HeaderName"] for origin in origins() for one in origin.get("OriginCustomHeaders", []))
    return Asked(path, EDGE, {"x-forwarded-for": forwarded, header.lower(): secret})


def origins():
    return FRONT["Resources"]["Front"]["Properties"]["DistributionConfig"]["Origins"]


def directly(path="/api/me/studies", **headers):
    return Asked(path, CLIENT, {"x-forwarded-for": CLIENT, **headers})


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/api/me/studies", {"all"}),
        ("/api/session", {"all", "session"}),
        ("/api/%73ession", {"all", "session"}),
        ("/api/consent-requests", {"all", "consent-requests"}),
        ("/api/consent%2Drequests/qr", {"all", "consent-requests"}),
        ("/api/consent-requests/verify", {"all", "consent-requests", "codes"}),
        ("/api/joining", {"all", "codes"}),
        ("/api/%6aoining", {"all", "codes"}),
        ("/api/hospitals/JB001/joining-code", {"all"}),
        ("/api/CONSENT-requests/%76erify", {"all", "consent-requests", "codes"}),
    ],
)
def test_a_request_is_counted_by_its_address_and_by_what_it_tries(path, by):
    judged = judge(rules(), directly(path))
    assert (judged.refused_by, set(judged.counted)) == ("", by)
    assert {key for key, _ in judged.counted.values()} == {CLIENT}


def test_where_codes_are_tried_the_limit_is_the_lowest():
    counted = judge(rules(), directly("/api/consent-requests/verify")).counted
    assert min(counted.values(), key=lambda one: one[1]) == counted["codes"]


def test_without_cloudfront_nobody_is_counted_by_what_he_writes_himself():
    asked = directly("/api/session", **{"x-forwarded-for": f"1.2.3.4, {CLIENT}", "x-origin-secret": NEW})
    assert {key for key, _ in judge(rules(), asked).counted.values()} == {CLIENT}


def test_behind_cloudfront_the_client_is_counted_and_not_its_edge():
    judged = judge(rules(NEW), through_cloudfront("/api/consent-requests/verify"))
    assert judged.refused_by == ""
    assert set(judged.counted) == {"all", "consent-requests", "codes"}
    assert {key for key, _ in judged.counted.values()} == {CLIENT}


@pytest.mark.parametrize("secret", ["", "x", NEW[:-1], NEW + "n", NEW.upper(), OLD])
def test_behind_cloudfront_who_does_not_know_its_secret_is_refused_before_anything_he_says_is_believed(secret):
    for asked in (through_cloudfront(secret=secret), directly(**{"x-origin-secret": secret})):
        judged = judge(rules(NEW), asked)
        assert (judged.refused_by, judged.counted) == ("front", {})


@pytest.mark.parametrize("written", ["1.2.3.4", "1.2.3.4, 5.6.7.8", "not an address", ","])
def test_whoever_writes_a_forwarded_address_himself_gains_nothing(written):
    judged = judge(rules(NEW), through_cloudfront(written=written))
    assert judged.counted["forwarded"] == (
        EDGE,
        judge(rules(), directly("/consent-requests/verify")).counted["codes"][1],
    )


def test_both_secrets_are_good_while_one_follows_the_other():
    changing = rules(NEW, OLD)
    assert [judge(changing, through_cloudfront(secret=one)).refused_by for one in (NEW, OLD, "x" * 32)] == [
        "",
        "",
        "front",
    ]


@pytest.mark.parametrize(("secret", "everything"), [("", False), (NEW, True)])
def test_the_firewalls_log_has_nothing_that_opens_anything_and_no_study(secret, everything):
    logs = made_of(APP, CHINA, OriginSecret=secret)["WebAclLogs"]["Properties"]
    redacted = {one["SingleHeader"]["Name"] for one in logs["RedactedFields"] if "SingleHeader" in one}
    assert redacted == {"authorization", "cookie", "x-csrf", "x-ward", "x-origin-secret"}
    assert {"QueryString": {}} in logs["RedactedFields"]
    assert ("LoggingFilter" not in logs) == everything, "or nobody could say which address asked"
    assert ({"UriPath": {}} in logs["RedactedFields"]) == everything
