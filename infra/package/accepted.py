"""What checkov would have otherwise in the functions' stack, and why we have not. It reads this from the template."""

from __future__ import annotations

from typing import Any

_ALWAYS = {
    "AWS::Lambda::Function": {
        "CKV_AWS_117": "no VPC: everything it talks to is an AWS service, and its role says which",
        "CKV_AWS_173": "the environment holds names and no secret; Lambda encrypts it with a key of its own",
    },
    "AWS::ApiGateway::Stage": {
        "CKV_AWS_120": "no cache: every answer is for one caller and one moment",
        "CKV_AWS_73": "X-Ray is not in every partition",
    },
}
_CEILING = "its queue's mapping has a ceiling of its own, with which messages wait instead of being refused"
_DEAD_LETTERS = "its queue has dead letters"


def explain(resources: dict[str, Any]) -> None:
    """Write the reasons into the resources' metadata."""
    fed = {
        one["Properties"]["FunctionName"]["Ref"]
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::EventSourceMapping"
    }
    for logical, resource in resources.items():
        reasons = dict(_ALWAYS.get(resource["Type"], {}))
        if logical in fed:
            reasons |= {"CKV_AWS_115": _CEILING, "CKV_AWS_116": _DEAD_LETTERS}
        elif logical == "APIHandler":
            reasons["CKV_AWS_115"] = "people wait for it: it has what the queues' ceilings leave"
            reasons["CKV_AWS_116"] = "called synchronously: its caller gets the error"
        elif logical in ("Reindex", "Dispose"):
            reasons["CKV_AWS_116"] = "run by an operator, who gets the error and runs it again"
        if reasons:
            skip = [{"id": check, "comment": reason} for check, reason in sorted(reasons.items())]
            resource["Metadata"] = {"checkov": {"skip": skip}}
