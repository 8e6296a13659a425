"""What AWS makes of the statements of a policy, for the operators that data.yaml uses.

IAM's rules for a key that the request lacks: negated operators (`StringNotEquals`, `ArnNotLike`) hold, positive ones
do not, `Null` says whether it is lacking ("true") or there ("false"). All operators of a statement must hold.
"""

from __future__ import annotations

from fnmatch import fnmatchcase


def refused_by(policy, action, resource, **context):
    """Sids of the statements that deny a request. `context` keys are condition keys with `_` for `:` and `-`."""
    return [statement["Sid"] for statement in _fitting(policy, "Deny", action, resource, context)]


def allows(policy, action, resource, **context):
    """Whether a statement allows a request."""
    return bool(_fitting(policy, "Allow", action, resource, context))


def _fitting(policy, effect, action, resource, context):
    given = {_plain(name): str(value) for name, value in context.items()}
    return [
        statement
        for statement in policy["Statement"]
        if statement["Effect"] == effect
        and any(fnmatchcase(action, pattern) for pattern in _list(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
        and all(
            _holds(operator, given.get(_plain(name)), _list(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for name, wanted in keys.items()
        )
    ]


def _holds(operator, value, wanted):
    match operator:
        case "Null":
            return (value is None) == (str(wanted[0]).lower() == "true")
        case "StringNotEquals":
            return value not in wanted
        case "ArnNotLike":
            return value is None or not any(fnmatchcase(value, pattern) for pattern in wanted)
        case "StringEquals":
            return value in wanted
        case "Bool":
            return value is not None and value.lower() == str(wanted[0]).lower()
        case "NumericGreaterThan":
            return value is not None and float(value) > float(wanted[0])
    raise NotImplementedError(operator)


def _plain(name):
    return name.replace(":", "_").replace("-", "_").lower()


def _list(value):
    return value if isinstance(value, list) else [value]
