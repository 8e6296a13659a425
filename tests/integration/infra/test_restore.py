"""infra/README.md, "After a loss": its commands are run as they stand there, as far as moto goes."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from infra.local.samples import chest_ct
from tests.support.country import Country
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]

GUIDE = (Path(__file__).parents[3] / "infra/README.md").read_text(encoding="utf-8")
NOT_HERE = {"backup"}  # moto restores nothing from a vault: those are held against the service's own model
ACCOUNT = "123456789012"


def commands():
    """The section's lines, continued ones joined."""
    section = GUIDE.partition("## After a loss\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [block.replace("\\\n", " ").strip().splitlines() for block in blocks]


class Shell:
    """Enough of a shell and of `aws` for these lines: variables, one call a line, its answer queried by a path."""

    def __init__(self, client, functions, **variables):
        self._client, self._functions = client, functions
        self.variables = variables
        self.asked = []

    def __call__(self, line):
        named = re.fullmatch(r"(\w+)=\$\((.*)\)", line)
        answer = self._aws(shlex.split(self._filled(named[2] if named else line)))
        if named:
            self.variables[named[1]] = answer
        return answer

    def _filled(self, line):
        return re.sub(r"\$(\w+)", lambda found: self.variables[found[1]], line)

    def _aws(self, words):
        aws, service, operation, *rest = words
        assert aws == "aws"
        self.asked.append((service, operation))
        if (service, operation) == ("lambda", "invoke"):
            return self._functions("reindex", json.loads(rest[rest.index("--payload") + 1]))
        if operation == "wait":
            waiter = self._client(service).get_waiter(rest[0].replace("-", "_"))
            return waiter.wait(TableName=rest[2], WaiterConfig={"Delay": 1, "MaxAttempts": 1})
        shape, given, query = _given(service, operation, rest)
        if service in NOT_HERE:
            report = ParamValidator().validate(given, shape)
            assert not report.has_errors(), report.generate_report()
            return None
        answer = getattr(self._client(service), operation.replace("-", "_"))(**given)
        for name in query:
            answer = answer[name]
        return answer


def _given(service, operation, words):
    """Options of the CLI as parameters of the API."""
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(
        next(n for n in model.operation_names if n.lower() == operation.replace("-", ""))
    ).input_shape
    members = {re.sub("[^a-z]", "", name.lower()): name for name in shape.members}
    given, query, words = {}, [], list(words)
    while words:
        option = words.pop(0)
        name = option.removeprefix("--").replace("-", "")
        values = []
        while words and not words[0].startswith("--"):
            values.append(words.pop(0))
        if name in ("query", "output"):
            query = values[0].split(".") if name == "query" else query
        elif not values:
            given[members[name.removeprefix("no")]] = not name.startswith("no")
        else:
            given[members[name]] = _value(shape.members[members[name]], values)
    return shape, given, query


def _value(shape, values):
    """JSON, the CLI's shorthand (`A=x,B=y`), or a plain word."""
    if shape.type_name == "list":
        return [_value(shape.member, [one]) for one in values]
    (text,) = values
    if text.startswith("{"):
        return json.loads(text)
    if shape.type_name in ("structure", "map"):
        pairs = dict(pair.split("=", 1) for pair in text.split(","))
        return {name: {"true": True, "false": False}.get(value, value) for name, value in pairs.items()}
    return datetime.fromisoformat(text) if shape.type_name == "timestamp" else text


@pytest.fixture
def country(cloud, served):
    made = Country(cloud, served)
    for number, file in enumerate(chest_ct(slices=2)):
        made.put("instances", f"{number}.dcm", file)
    made.drain("instances", "settle.fifo")
    return made


@pytest.fixture
def shell(country):
    cloud = country.cloud
    table = cloud.client("dynamodb").describe_table(TableName="imaging-cloud-main")["Table"]
    return Shell(
        cloud.client,
        country.functions,
        BEFORE=datetime.now(UTC).isoformat(),
        DATA_KEY_ARN=cloud.settings["DATA_KEY_ARN"],
        MAIN_TABLE_ARN=table["TableArn"],
        POINT=f"arn:aws-cn:backup:cn-north-1:{ACCOUNT}:recovery-point:1",
        RESTORE_ROLE_ARN=f"arn:aws-cn:iam::{ACCOUNT}:role/imaging-cloud-restore-cn-north-1",
        REINDEX="reindex",
    )


def everything(dynamodb, table="imaging-cloud-main"):
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    return {(one["PK"]["S"], one["SK"]["S"]): one for page in pages for one in page["Items"]}


def test_a_spoiled_table_comes_back_by_the_commands_of_the_guide(country, shell):
    beside, swap, vault, after = commands()
    dynamodb = country.cloud.client("dynamodb")
    good = everything(dynamodb)
    described = dynamodb.describe_table(TableName="imaging-cloud-main")["Table"]
    hospitals = [shell(line) for line in beside][-1]
    assert hospitals["Count"] == 2
    for partition, order in good:  # the mistake from which it is to be rescued
        dynamodb.delete_item(TableName="imaging-cloud-main", Key={"PK": {"S": partition}, "SK": {"S": order}})
    for line in swap:
        shell(line)
    assert everything(dynamodb) == good
    restored = dynamodb.describe_table(TableName="imaging-cloud-main")["Table"]
    for same in ("KeySchema", "DeletionProtectionEnabled"):
        assert restored[same] == described[same]
    assert [one["IndexName"] for one in restored["GlobalSecondaryIndexes"]] == ["GSI1", "GSI2"]
    ttl = dynamodb.describe_time_to_live(TableName="imaging-cloud-main")["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires_at"
    kept = dynamodb.describe_continuous_backups(TableName="imaging-cloud-main")["ContinuousBackupsDescription"]
    assert kept["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    spoiled = dynamodb.list_backups()["BackupSummaries"]
    assert {"imaging-cloud-main-spoiled", "imaging-cloud-main-swap"} <= {one["BackupName"] for one in spoiled}
    for line in vault:
        shell(line)
    (reindexed,) = [shell(line) for line in after]
    assert (reindexed["done"], reindexed["left"]) == (True, 0)
    assert {service for service, _ in shell.asked} == {"dynamodb", "backup", "lambda"}
