"""What Lambda itself asks for in a function's name: its log, its queue, the place for events it gives up."""

from __future__ import annotations

from chalice.app import SQSEventConfig

import app
from infra.local import template
from tests.support import needs
from tests.support.function_policies import ROOT, STACK
from tests.support.needs import HERE, PARTITION, Need

MERGED = template.load(ROOT / "infra/app-merge.yaml")["Resources"]
DEAD = {"SchedulesDeadQueueArn": "imaging-cloud-schedules-dead"}


def logical(function: str) -> str:
    """As Chalice names it in the template: `ingest_single` → `IngestSingle`."""
    return "APIHandler" if function == "api_handler" else "".join(part.title() for part in function.split("_"))


def of(function: str) -> set[Need]:
    return {*_log(function), *_queue(function), *_dead_letters(function)}


def _log(function: str) -> list[Need]:
    """CloudFormation ends a function's name in characters of its own."""
    group = f"{PARTITION}:logs:{HERE}:log-group:/aws/lambda/{STACK}-{logical(function)}-Xy12AbCdEf34"
    return [
        Need("logs:CreateLogStream", f"{group}:log-stream:"),
        Need("logs:PutLogEvents", f"{group}:log-stream:2026/11/24/[$LATEST]0123456789abcdef"),
    ]


def _queue(function: str) -> list[Need]:
    sources = [one for one in app.app.event_sources if isinstance(one, SQSEventConfig) and one.name == function]
    return [
        Need(f"sqs:{action}", needs.queue(one.queue))
        for one in sources
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    ]


def _dead_letters(function: str) -> list[Need]:
    letters = MERGED.get(logical(function), {}).get("Properties", {}).get("DeadLetterQueue")
    return [Need("sqs:SendMessage", needs.queue(DEAD[letters["TargetArn"]["Ref"]]))] if letters else []
