"""The rehearsed cloud: both stacks from the very templates, the zip as functions, and what a client needs to know."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from infra.local import template
from infra.local.issuer import Issuer, IssuerServer
from infra.local.outline import Where, outline, own_prefixes, told_to
from infra.local.personas import HOSPITALS
from infra.local.poller import scheduled_event
from infra.rehearse import conditions, deploy, ministack
from infra.rehearse.deploy import Account

DATA, APP = "imaging-cloud-data", "imaging-cloud"
PARTITION = "aws"  # MiniStack's, in every region
FLAGS_SEEN = "imaging-cloud-rehearsal-flags-seen"
HOSPITALS_ROLE = "imaging-cloud-rehearsal-hospitals"
SMS_SECRET = "imaging-cloud/sms-rehearsal"  # noqa: S105 - its name
# What the API is called here, as own name and as pages' origin; nobody looks either up.
API_NAME, LOOPBACK, ORIGIN = "api.rehearsal.example.cn", "127.0.0.1", "https://127.0.0.1"
SETTLE_SECONDS, SWEEP_GRACE_SECONDS = "1", "2"


@dataclass
class Rehearsed:
    """A cloud that stands. `told` is what local.json says; `left_out` the statements that MiniStack cannot judge;
    `functions` the functions' physical names by app.py's; `outputs` those of both stacks."""

    here: Account
    told: dict[str, Any]
    app: dict[str, Any]
    package: Path
    left_out: list[str] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def running(directory: Path, package: Path) -> Iterator[Rehearsed]:
    """Deployed and reachable as long as the context lasts. NotStartedError, NotDeployedError."""
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(ministack.running(directory))
        here = deploy.account(emulator)
        issuer = IssuerServer(0)
        stack.callback(issuer.stop)
        outbox = directory / "sms-outbox.jsonl"
        bearer = secrets.token_hex(16)
        secret = json.dumps({"bearer": bearer})
        here.client("secretsmanager").create_secret(Name=SMS_SECRET, SecretString=secret)
        gateway = stack.enter_context(_sms_gateway(outbox, bearer))
        deploy.put_code(here, package)
        data, left_out = conditions.rehearsable(template.load())
        outputs = deploy.deploy(here, DATA, data, {"SettleSeconds": SETTLE_SECONDS})
        app, more = conditions.rehearsable(json.loads((package / "app.json").read_text(encoding="utf-8")))
        parameters = _parameters(app, outputs, issuer.issuer, gateway)
        rehearsed = Rehearsed(here, {}, app, package, left_out + more, parameters=parameters)
        api = deploy.deploy(here, APP, app, parameters)
        rehearsed.outputs = {**outputs, **api}
        rehearsed.functions = _functions(here, app)
        issuer.functions.update({name: _on_demand(rehearsed, name) for name in rehearsed.functions})
        issuer.start()
        settings = _settings(data, outputs)
        rehearsed.told = outline(
            settings,
            issuer.issuer,
            Where(
                emulator.endpoint,
                f"{emulator.endpoint}/restapis/{api['RestAPIId']}/api/_user_request_",
                _hear_flags(here, settings["FLAGS_TOPIC_ARN"]),
                outbox,
                on_demand=tuple(sorted(schedules(app))),
                lacks=("ranges",),
                operator=ministack.OPERATOR,
            ),
            _hospitals(here, settings["UPLOADS_BUCKET"]),
        )
        text = json.dumps(rehearsed.told, ensure_ascii=False, indent=2) + "\n"
        (directory / "local.json").write_text(text, encoding="utf-8")
        yield rehearsed


def _parameters(app: Mapping[str, Any], outputs: Mapping[str, str], issuer: Issuer, gateway: str) -> dict[str, str]:
    """The data stack's outputs under their names, and what only the operator knows."""
    own = {
        "Issuers": json.dumps(issuer.setting()),
        "Origin": ORIGIN,
        "SmsGateway": f"http:{gateway}",
        "SmsSecretId": SMS_SECRET,
        "SweepGraceSeconds": SWEEP_GRACE_SECONDS,
        "CodeBucket": deploy.CODE_BUCKET,
        "DomainName": API_NAME,
        "CertificateArn": f"arn:{PARTITION}:acm:{ministack.REGION}:{ministack.ACCOUNT_ID}:certificate/rehearsal",
        "OriginSecret": secrets.token_hex(32),
    }
    return {name: value for name, value in {**outputs, **own}.items() if name in app["Parameters"]}


def secret_header(app: Mapping[str, Any]) -> str:
    """The header by which the firewall knows CloudFront, as its first rule names it."""
    rules = app["Resources"]["WebAcl"]["Properties"]["Rules"]
    first = rules[0]["Fn::If"][1]["Statement"]["NotStatement"]["Statement"]["OrStatement"]["Statements"][0]
    return str(first["ByteMatchStatement"]["FieldToMatch"]["SingleHeader"]["Name"])


def _settings(data: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[str, str]:
    described = data["Outputs"].items()
    return {one["Description"]: outputs[name] for name, one in described if re.fullmatch("[A-Z_]+", one["Description"])}


def _functions(here: Account, app: Mapping[str, Any]) -> dict[str, str]:
    """Physical names by those of app.py: `CheckReads` is `check_reads` there. Without what a condition left out."""
    pages = here.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=APP)
    listed = [one for page in pages for one in page["StackResourceSummaries"]]
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}
    return {name: physical[logical] for name, logical in _logical(app).items() if logical in physical}


def _logical(app: Mapping[str, Any]) -> dict[str, str]:
    made = [name for name, one in app["Resources"].items() if one["Type"] == "AWS::Lambda::Function"]
    return {re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", name).lower(): name for name in made}


def schedules(app: Mapping[str, Any]) -> set[str]:
    """Functions that a rule of EventBridge runs, by app.py's names."""
    names = {logical: name for name, logical in _logical(app).items()}
    rules = [one["Properties"] for one in app["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    targets = [target["Arn"]["Fn::GetAtt"][0] for rule in rules for target in rule["Targets"]]
    return {names[one] for one in targets}


def run(rehearsed: Rehearsed, name: str, detail: Any = None) -> Any:
    """Run a function now: a schedule gets what EventBridge would send, others get `detail`. FunctionFailedError."""
    scheduled = name in schedules(rehearsed.app)
    event = {**scheduled_event(name), "detail": detail or {}} if scheduled else detail or {}
    return deploy.invoke(rehearsed.here, rehearsed.functions[name], event)


def _on_demand(rehearsed: Rehearsed, name: str) -> Any:
    return lambda body: run(rehearsed, name, body)


def _hospitals(here: Account, bucket: str) -> list[dict[str, Any]]:
    """For local.json, and as a role whose own policy is wide; the story uploads with what the API vends it."""
    iam, sts = here.client("iam"), here.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": ministack.ACCOUNT_ID}, "Action": "sts:AssumeRole"}
    wide = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:{PARTITION}:s3:::{bucket}/*"]}
    role = iam.create_role(RoleName=HOSPITALS_ROLE, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=HOSPITALS_ROLE, PolicyName="uploads", PolicyDocument=_policy(wide))
    made = []
    for one in HOSPITALS:
        policy = json.dumps(own_prefixes(bucket, one.hospital_id, PARTITION))
        keys = sts.assume_role(RoleArn=role, RoleSessionName=one.hospital_id, Policy=policy)["Credentials"]
        made.append(told_to(one, bucket, as_keys(keys)))
    return made


def as_keys(credentials: Mapping[str, Any]) -> dict[str, str]:
    """STS's answer as `deploy.clients` takes it."""
    return {
        "access_key_id": credentials["AccessKeyId"],
        "secret_access_key": credentials["SecretAccessKey"],
        "session_token": credentials["SessionToken"],
    }


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements]})


def _hear_flags(here: Account, topic: str) -> str:
    """A queue that listens to the flags topic as a regulator's system would; its URL."""
    sqs = here.client("sqs")
    url: str = sqs.create_queue(QueueName=FLAGS_SEEN)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(allowed)})
    here.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


@contextlib.contextmanager
def _sms_gateway(outbox: Path, bearer: str) -> Iterator[str]:
    """A vendor's HTTP gateway that writes down what it was given by whoever knows the secret; its URL."""
    taken, turn = set[str](), Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            known = self.headers["authorization"] == f"Bearer {bearer}"
            with turn:
                if known and message["message_id"] not in taken:
                    taken.add(message["message_id"])
                    with outbox.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(message, ensure_ascii=False) + "\n")
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
            """Nothing: phones and codes pass here."""

    server = ThreadingHTTPServer((ministack.HOST, 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, name="sms-gateway", daemon=True)
    thread.start()
    try:
        yield f"http://{ministack.HOST}:{server.server_address[1]}/sms"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
