"""infra/front.yaml: pages and API under one name, in both partitions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.http.answers import HEADERS
from infra.local import template
from tests.support.made_of import CHINA, ELSEWHERE, made_of
from tests.support.taggable import untagged

ROOT = Path(__file__).parents[3]
FRONT = template.load(ROOT / "infra/front.yaml")
APP = template.load(ROOT / "infra/app-merge.yaml")
WHERE = {"china": CHINA, "elsewhere": ELSEWHERE}


def standing(where, **parameters):
    return made_of(FRONT, WHERE[where], **parameters)


def distribution(where):
    return standing(where)["Front"]["Properties"]["DistributionConfig"]


@pytest.fixture(params=WHERE)
def where(request):
    return request.param


@pytest.mark.parametrize("region", ["cn-north-1", "us-east-1"])
def test_cfn_lint_finds_nothing(region):
    command = [str(Path(sys.executable).parent / "cfn-lint"), "-r", region, "--", str(ROOT / "infra/front.yaml")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - of our environment
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_no_region_or_partition_is_spelled_out():
    written = (ROOT / "infra/front.yaml").read_text(encoding="utf-8")
    assert re.findall(r"arn:aws|cn-north|amazonaws\.com/", written) == []
    assert re.findall(r"\[!Ref \"AWS::Region\", us-east-1\]", written), "only where CloudFront's logs are"


def test_everything_that_can_be_tagged_says_what_its_cost_is_for():
    assert untagged(FRONT, "us-east-1") == []


def test_the_api_has_the_same_path_behind_cloudfront_at_its_stage_and_under_its_own_name(where):
    (behaviour,) = distribution(where)["CacheBehaviors"]
    (api,) = [one for one in distribution(where)["Origins"] if one["Id"] == behaviour["TargetOriginId"]]
    assert behaviour["PathPattern"] == "/api/*"
    assert "OriginPath" not in api
    under = APP["Resources"]["ApiUnderItsDomain"]["Properties"]
    assert (under["BasePath"], under["Stage"]) == ("api", "api")


def test_nothing_is_kept_of_the_api_and_nobody_answers_in_its_place(where):
    (behaviour,) = distribution(where)["CacheBehaviors"]
    assert [behaviour[name] for name in ("MinTTL", "DefaultTTL", "MaxTTL")] == [0, 0, 0]
    assert "CustomErrorResponses" not in distribution(where)
    assert "ResponseHeadersPolicyId" not in behaviour, "the API's own headers are stricter"
    assert behaviour["ViewerProtocolPolicy"] == "https-only"


def test_all_that_the_door_reads_is_passed_on_and_tells_callers_apart(where):
    (behaviour,) = distribution(where)["CacheBehaviors"]
    passed = {name.lower() for name in behaviour["ForwardedValues"]["Headers"]}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "chalicelib/http").glob("*.py")]
    read = {name for text in sources for name in re.findall(r'headers\.get\("([a-z-]+)"', text)}
    assert read >= {"authorization", "cookie", "origin", "x-csrf"}
    assert read - {"cookie"} <= passed
    assert behaviour["ForwardedValues"]["Cookies"] == {"Forward": "all"}
    assert "host" not in passed, "API Gateway knows its own name only"


def test_pages_are_read_by_cloudfront_alone(where):
    resources = standing(where)
    block = resources["PagesBucket"]["Properties"]["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    (policy,) = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::S3::BucketPolicy"]
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Action"], deny["Sid"]) == (["s3:GetObject", "s3:ListBucket"], "RefusePlainHttp")
    if where == "china":
        assert allow["Principal"] == {"CanonicalUser": {"Fn::GetAtt": ["PagesIdentity", "S3CanonicalUserId"]}}
    else:
        assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].endswith("distribution/${Front}")
    pages = distribution(where)["DefaultCacheBehavior"]
    assert pages["ForwardedValues"] == {"QueryString": False, "Cookies": {"Forward": "none"}}, "or a query could list"


def test_pages_have_the_headers_of_the_api_but_for_what_a_page_may_load():
    config = standing("elsewhere")["PagesHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == HEADERS["Referrer-Policy"]
    strict = security["StrictTransportSecurity"]
    assert HEADERS["Strict-Transport-Security"] == f"max-age={strict['AccessControlMaxAgeSec']}; includeSubDomains"
    assert (strict["IncludeSubdomains"], security["ContentTypeOptions"]) == (True, {"Override": True})
    (own,) = config["CustomHeadersConfig"]["Items"]
    assert HEADERS[own["Header"]] == own["Value"]
    said = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert said.startswith("default-src 'none'; ")
    assert said.endswith("frame-ancestors 'none'")
    assert "connect-src 'self' https://${UploadsHost};" in said
    assert re.findall(r"unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|https?:(?!//\$)|\*", said) == []


def test_in_china_there_is_no_headers_policy_unless_the_operator_tries_it():
    assert "ResponseHeadersPolicyId" not in distribution("china")["DefaultCacheBehavior"]
    tried = standing("china", PagesHeaders="everywhere")
    assert "ResponseHeadersPolicyId" in tried["Front"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]


def test_the_certificate_is_of_the_kind_that_the_partition_has_and_tls_is_1_2_at_least():
    china, elsewhere = (distribution(one)["ViewerCertificate"] for one in ("china", "elsewhere"))
    assert china["IamCertificateId"] == elsewhere["AcmCertificateArn"] == {"Ref": "Certificate"}
    assert {one["MinimumProtocolVersion"][:7] for one in (china, elsewhere)} == {"TLSv1.2"}
    for one in distribution("china")["Origins"]:
        assert one.get("CustomOriginConfig", {}).get("OriginSSLProtocols", ["TLSv1.2"]) == ["TLSv1.2"]


def test_the_edges_log_has_the_address_and_neither_path_nor_query_nor_cookie():
    fields = set(standing("elsewhere")["EdgeLog"]["Properties"]["RecordFields"])
    assert {"date", "time", "c-ip", "sc-status"} <= fields
    assert [one for one in fields if "uri" in one or "ookie" in one or "eferer" in one or "(" in one] == []
    assert [name for name in standing("china") if name.startswith("Edge")] == []
    assert "Logging" not in distribution("elsewhere"), "the standard log holds queries"


def test_the_secrets_are_shown_by_nobody():
    for one in (FRONT["Parameters"]["OriginSecret"], *(APP["Parameters"][f"OriginSecret{n}"] for n in ("", "Before"))):
        assert one["NoEcho"] is True
    assert [one for one in FRONT["Outputs"].values() if "Secret" in str(one)] == []
