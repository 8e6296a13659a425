"""The functions' stack as CloudFormation gets it, and that it fits the stack of state."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chalice.app import ScheduledEventConfig, SQSEventConfig

import app
from chalicelib.http.answers import HEADERS
from chalicelib.http.role_table import ROUTES
from infra.local import template
from tests.support.made_of import CHINA, made_of
from tests.support.partitions import needed_in_vain
from tests.support.taggable import component, untagged

ROOT = Path(__file__).parents[2]
DATA = template.load()
CONFIG = json.loads((ROOT / ".chalice/config.json").read_text(encoding="utf-8"))
# All of them exist in the China regions.
KINDS = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
}
BY_OPERATOR = {
    "CertificateArn",
    "CodeBucket",
    "DomainName",
    "Issuers",
    "Origin",
    "OriginSecret",
    "OriginSecretBefore",
    "SmsGateway",
    "SmsSecretId",
    "SweepGraceSeconds",
}


def settings():
    sources = (ROOT / "chalicelib/wiring/environment.py").read_text(encoding="utf-8")
    return set(re.findall(r'given\("([A-Z_]+)"', sources))


@pytest.fixture
def functions(package):
    """Properties by the function's name in app.py."""
    by_handler = {one["Handler"].removeprefix("app."): one for one in package.of("AWS::Lambda::Function").values()}
    return {("api_handler" if name == "app" else name): one for name, one in by_handler.items()}


def handler(package, reference):
    return package.of("AWS::Lambda::Function")[reference]["Handler"].removeprefix("app.")


@pytest.mark.parametrize("region", ["cn-north-1", "us-east-1"])
def test_cfn_lint_finds_nothing(package, region):
    command = [str(Path(sys.executable).parent / "cfn-lint"), "-r", region, "--", str(package.directory / "app.json")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - of our environment
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_there_is_nothing_that_china_lacks_and_no_region_or_partition_is_spelled_out(package):
    assert needed_in_vain(package.template) == []
    assert needed_in_vain(package.template, OriginSecret="s" * 32) == []
    assert {one["Type"] for one in package.template["Resources"].values()} == KINDS
    written = json.dumps(package.template)
    assert (
        re.findall(r"arn:aws[^$]|cn-north|us-east|amazonaws\.com/|TracingConfig|x-amazon-apigateway-auth", written)
        == []
    )


def test_the_functions_are_those_of_the_configuration_and_run_alike(package, functions):
    assert set(functions) == set(CONFIG["lambda_functions"])
    for name, one in functions.items():
        given = CONFIG["lambda_functions"][name]
        assert (one["MemorySize"], one["Timeout"]) == (given["lambda_memory_size"], given["lambda_timeout"])
        assert one.get("ReservedConcurrentExecutions") == given.get("reserved_concurrency")
    assert len({(one["Runtime"], *one["Architectures"]) for one in functions.values()}) == 1


def test_their_code_is_the_zip_beside_the_template_by_its_hash(package, functions):
    from hashlib import sha256

    key = f"imaging-cloud/{sha256(package.zipped.read_bytes()).hexdigest()}.zip"
    assert [one for one in functions.values() if one["Code"] != {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": key}] == []


def test_every_function_has_every_setting_from_a_parameter(package, functions):
    for one in functions.values():
        given = one["Environment"]["Variables"]
        assert set(given) == settings()
        assert {value["Ref"] for value in given.values()} <= set(package.template["Parameters"])


def test_the_parameters_are_the_outputs_of_the_stack_of_state_and_what_the_operator_knows(package, functions):
    parameters = package.template["Parameters"]
    assert set(parameters) - BY_OPERATOR <= set(DATA["Outputs"])
    described = {name: one["Description"] for name, one in DATA["Outputs"].items()}
    for variable, value in next(iter(functions.values()))["Environment"]["Variables"].items():
        if value["Ref"] not in BY_OPERATOR:
            assert described[value["Ref"]] == variable
    needless = {
        "Disposal",
        "SmsSecretId",
        "SweepGraceSeconds",
        "DomainName",
        "CertificateArn",
        "OriginSecret",
        "OriginSecretBefore",
    }
    assert {name for name, one in parameters.items() if "Default" in one} == needless


def test_every_function_has_a_role_of_its_own_that_stands_with_the_state(package, functions):
    standing = {
        one["Properties"]["RoleName"]["Fn::Sub"]
        for one in DATA["Resources"].values()
        if one["Type"] == "AWS::IAM::Role"
    }
    start = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
    roles = {name: one["Role"]["Fn::Sub"].removeprefix(start) for name, one in functions.items()}
    assert roles == {name: f"imaging-cloud-{name.replace('_', '-')}-${{AWS::Region}}" for name in functions}
    assert set(roles.values()) == standing - {
        f"imaging-cloud-{name}-${{AWS::Region}}" for name in ("signer", "uploader", "replication")
    }


def test_what_a_role_may_do_is_its_functions_policy_file_and_comes_before_the_function(package, functions):
    policies = package.of("AWS::IAM::Policy")
    attached = {role["Fn::Sub"]: one["PolicyDocument"] for one in policies.values() for role in one["Roles"]}
    assert len(attached) == len(policies) == len(functions)
    for name, one in functions.items():
        written = ROOT / ".chalice" / CONFIG["lambda_functions"][name]["iam_policy_file"]
        assert attached[one["Role"]["Fn::Sub"].rsplit("/", 1)[1]] == json.loads(written.read_text(encoding="utf-8"))
    for one in package.template["Resources"].values():
        if one["Type"] == "AWS::Lambda::Function":
            assert one["DependsOn"][0] in policies


def test_every_queue_feeds_its_function_and_gets_back_only_what_failed(package):
    found = {}
    for one in package.of("AWS::Lambda::EventSourceMapping").values():
        assert one["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        output = one["EventSourceArn"]["Fn::Sub"].removeprefix("${").removesuffix("}")
        queue = DATA["Resources"][DATA["Outputs"][output]["Value"]["Fn::GetAtt"][0]]["Properties"]
        name = handler(package, one["FunctionName"]["Ref"])
        timeout = CONFIG["lambda_functions"][name]["lambda_timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout + one["MaximumBatchingWindowInSeconds"]
        assert queue["RedrivePolicy"]
        found[name] = queue["QueueName"], one["BatchSize"]
    sources = [one for one in app.app.event_sources if isinstance(one, SQSEventConfig)]
    assert found == {one.name: (one.queue, one.batch_size) for one in sources}


def test_queues_leave_half_of_an_accounts_concurrency_to_people(package):
    mappings = package.of("AWS::Lambda::EventSourceMapping").values()
    functions = package.of("AWS::Lambda::Function").values()
    ceilings = [one["ScalingConfig"]["MaximumConcurrency"] for one in mappings]
    assert sum(ceilings) + sum(one.get("ReservedConcurrentExecutions", 0) for one in functions) <= 500


def test_every_schedule_runs_its_function_and_may(package, functions):
    rules = package.of("AWS::Events::Rule")
    found = {
        handler(package, target["Arn"]["Fn::GetAtt"][0]): one["ScheduleExpression"]
        for one in rules.values()
        for target in one["Targets"]
    }
    sources = [one for one in app.app.event_sources if isinstance(one, ScheduledEventConfig)]
    assert found == {one.name: one.schedule_expression.to_string() for one in sources}
    for name in found:
        one = functions[name]
        assert one["DeadLetterConfig"] == {"TargetArn": {"Ref": "SchedulesDeadQueueArn"}}
        policy = (ROOT / ".chalice" / CONFIG["lambda_functions"][name]["iam_policy_file"]).read_text(encoding="utf-8")
        assert ":imaging-cloud-schedules-dead" in policy, "or Lambda refuses to make the function"
    allowed = {json.dumps(one.get("SourceArn")) for one in package.of("AWS::Lambda::Permission").values()}
    assert {json.dumps({"Fn::GetAtt": [name, "Arn"]}) for name in rules} <= allowed


def test_every_function_logs_into_a_group_that_ends(package):
    groups = package.of("AWS::Logs::LogGroup").values()
    logged = {one["LogGroupName"]["Fn::Sub"] for one in groups}
    others = {"/aws/apigateway/imaging-cloud-${AWS::Region}", "aws-waf-logs-imaging-cloud-${AWS::Region}"}
    assert logged == {f"/aws/lambda/${{{name}}}" for name in package.of("AWS::Lambda::Function")} | others
    assert {one["KmsKeyId"]["Ref"] for one in groups} == {"DataKeyArn"}
    assert {one["RetentionInDays"] for one in groups} == {365}, "six months at least: Cybersecurity Law, Art. 21"


def test_everything_that_can_be_tagged_says_which_functions_cost_it_is(package):
    assert untagged(package.template) == []
    of = {logical: component(one) for logical, one in package.template["Resources"].items()}
    assert (of["IngestSingle"], of["IngestSingleLogGroup"], of["Ingest"]) == (
        "ingest-single",
        "ingest-single",
        "ingest",
    )
    assert {of["RestAPI"], of["WebAcl"], of["ApiHandlerLogGroup"], of["APIHandler"]} == {"api"}


def test_the_api_has_one_stage(package):
    (stage,) = package.of("AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == "api"
    assert [one.get("StageName") for one in package.of("AWS::ApiGateway::Deployment").values()] == [None]


def test_bytes_are_decoded_whatever_a_client_accepts_and_the_function_says_which_answers_are_bytes(package):
    """API Gateway looks at the first type of Accept; `*/*` there is matched by nothing but `*/*`."""
    (api,) = package.of("AWS::ApiGateway::RestApi").values()
    assert api["Body"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    own = set(app.app.api.binary_types)
    assert {"application/dicom", "multipart/related"} <= own
    assert not {one for one in own if "*" in one or "json" in one or one.startswith("text/")}


def test_an_access_log_names_the_route_and_nothing_that_came_with_the_request(package):
    (stage,) = package.of("AWS::ApiGateway::Stage").values()
    line = stage["AccessLogSetting"]["Format"]
    assert set(json.loads(line).values()) == {
        "$context.requestId",
        "$context.requestTimeEpoch",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",  # with {uid} in it, where $context.path would have the study's
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.integrationLatency",
        "$context.error.responseType",
        "$context.waf.status",
    }
    (every,) = stage["MethodSettings"]
    assert (every["DataTraceEnabled"], every["LoggingLevel"]) == (False, "OFF"), "they would log bodies and headers"


def test_what_api_gateway_answers_by_itself_is_ours_in_both_languages_and_kept_by_nobody(package):
    (api,) = package.of("AWS::ApiGateway::RestApi").values()
    answers = api["Body"]["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(answers)
    for one in answers.values():
        told = json.loads(one["responseTemplates"]["application/json"])
        assert (set(told), set(told["message"])) == ({"error", "message"}, {"en", "zh"})
        headers = one["responseParameters"]
        ours = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}
        assert headers == {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in ours.items()}


def test_floods_are_refused_before_the_api(package):
    rules = made_of(package.template, CHINA)["WebAcl"]["Properties"]["Rules"]
    narrowed = [
        scope["ByteMatchStatement"]
        for one in rules
        if (narrow := one["Statement"]["RateBasedStatement"].get("ScopeDownStatement"))
        for scope in narrow.get("OrStatement", {"Statements": [narrow]})["Statements"]
    ]
    assert len(narrowed) == 4
    for one in narrowed:
        assert [path for _, path in ROUTES if one["SearchString"] in path], "a rule for no route"
        assert "URL_DECODE" in [change["Type"] for change in one["TextTransformations"]], "or %2D goes round it"
    (before,) = package.of("AWS::WAFv2::WebACLAssociation").values()
    assert before["ResourceArn"]["Fn::Sub"].endswith("/restapis/${RestAPI}/stages/api")
