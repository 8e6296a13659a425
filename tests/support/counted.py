"""What a run of the functions asked of AWS, as infra/costs/calls.json keeps it: calls, units and runs by function."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import ceil

FIFO = {"settle"}  # whose messages other functions send themselves
WRITTEN = {"Put": "Item", "Update": "Key", "Delete": "Key", "ConditionCheck": "Key"}


def counted(calls, runs, messages, images=0):
    """`calls` of `recorder`; `runs` and `messages` by function."""
    found = defaultdict(lambda: {"calls": Counter(), "write_units": 0, "read_units": 0.0})
    for call in calls:
        one = found[call.function]
        one["calls"][_name(call)] += 1
        if call.service == "dynamodb":
            one["write_units"] += sum(write_units(call))
            one["read_units"] += read_units(call)
    for function in [*runs, *found]:
        one = found[function]  # a function may run and ask AWS for nothing
        one["calls"] = dict(sorted(one["calls"].items()))
        one["runs"] = runs[function]
        if function in messages:
            one |= {"messages": messages[function], "fifo": function in FIFO}
    return {"images": images, "functions": dict(sorted(found.items()))}


def _name(call):
    """`service:Operation`, of SQS also the kind of queue, for they are priced apart."""
    if call.service != "sqs":
        return f"{call.service}:{call.operation}"
    return f"sqs:{call.operation} {'fifo' if call.parameters['QueueUrl'].endswith('.fifo') else 'standard'}"


def write_units(call):
    """Of a write, by item: 1 KB each, twice in a transaction, once more for each index that holds the item."""
    given = call.parameters
    match call.operation:
        case "PutItem":
            yield _units(given["Item"])
        case "UpdateItem" | "DeleteItem":
            yield max(1, _units({**given["Key"], **given.get("ExpressionAttributeValues", {})}))
        case "BatchWriteItem":
            for writes in given["RequestItems"].values():
                for write in writes:
                    yield _units(write["PutRequest"]["Item"]) if "PutRequest" in write else 1
        case "TransactWriteItems":
            for entry in given["TransactItems"]:
                ((kind, one),) = entry.items()
                yield 2 * _units({**one[WRITTEN[kind]], **one.get("ExpressionAttributeValues", {})})


def read_units(call):
    """4 KB each, half where the read need not be consistent; nothing found costs as much as something small."""
    given, answer = call.parameters, call.answer
    match call.operation:
        case "GetItem":
            return _read([answer.get("Item", {})], consistent=given.get("ConsistentRead"))
        case "Query":
            size = sum(_size(item) for item in answer.get("Items", []))
            return max(1, ceil(size / 4096)) * (1.0 if given.get("ConsistentRead") else 0.5)
        case "BatchGetItem":
            units = 0.0
            for table, asked in given["RequestItems"].items():
                items = answer.get("Responses", {}).get(table, [])
                absent = [{}] * (len(asked["Keys"]) - len(items))
                units += _read([*items, *absent], consistent=asked.get("ConsistentRead"))
            return units
    return 0.0


def _read(items, *, consistent):
    return sum(max(1, ceil(_size(item) / 4096)) * (1.0 if consistent else 0.5) for item in items)


def _units(item):
    indexes = sum(name in item for name in ("GSI1PK", "GSI2PK"))
    return ceil(_size(item) / 1024) * (1 + indexes)


def _size(value):
    """Bytes as DynamoDB counts them, near enough: names, texts in UTF-8, binaries, numbers by their digits."""
    if isinstance(value, dict):
        return sum(len(name.encode()) + _size(inner) for name, inner in value.items())
    if isinstance(value, list | tuple | set):
        return sum(_size(inner) for inner in value)
    return len(value) if isinstance(value, bytes) else len(str(value).encode())
