"""What a month costs: counted calls times volumes times a region's list prices (`make cost`).

    python -m infra.cost [--images 30000000] [--views 100000] [--region us-east-1] [--lang zh|en]

`infra/costs/calls.json` says what one study, notice, reminder and view ask of AWS. It is recorded from a run of the
functions over moto, and `tests/integration/test_cost.py` records it again and compares: code that makes one call more
changes the file, and with it the table. What no run on a desk can tell is an assumption, and stands in `ASSUMED`.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.cost_levers import levers, stored
from infra.cost_text import LINES, TEXTS
from infra.local.__main__ import language

HERE: Final = Path(__file__).parent
CALLS: Final = HERE / "costs/calls.json"
CONFIG: Final = HERE.parent / ".chalice/config.json"
DAYS: Final = 30.4
GB: Final = 1024**3
FED_BY_S3: Final = {"ingest", "unpack", "notices"}
SQS_BATCH: Final = 10  # messages in one ReceiveMessage or DeleteMessageBatch of a mapping


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no run on a desk can tell."""

    image_bytes: float = 1.46e6  # DESIGN §1: 43.8 TB a day in 30 M records
    images_in_study: int = 100  # 30 M records in 300,000 studies
    notices_of_study: int = 2  # one of the exam, one of the visit
    reminders_of_study: int = 2  # asked when it is selected and when it is signed; each priced as one that shows a card
    side_by_side: int = 8  # calls that ingest has open at once (services/ingest_batch.py)
    cpu_ms_of_run: float = 25.0  # everything else a run does
    log_bytes_of_run: int = 2000


ASSUMED: Final = Assumed()
# Milliseconds that a function waits for one call, and CPU of one image: the budget of DESIGN §9, and a pack's share.
WAIT_MS: Final = {"s3": 20.0, "dynamodb": 6.0, "sqs": 8.0, "sns": 15.0, "kms": 8.0, "sts": 20.0}
CPU_MS: Final = {"ingest": 1.0, "unpack": 0.3}
# A peer that does one thing per image: an event straight to a function, the whole object read, an item of its own in a
# table with one index, the study's row counted up, and no bucket key (each object asks KMS twice).
NAIVE: Final = {
    "s3:GET": 1.0,
    "lambda:request": 1.0,
    "lambda:GB-second": 0.2 * 1.769,
    "dynamodb:write unit": 4.0,
    "kms:request": 2.0,
}

Calls = Mapping[str, Any]
Amounts = dict[str, float]


@dataclass(frozen=True, slots=True)
class Volumes:
    """A day: images, the share of them in packs, views by doctors and patients."""

    images: float = 30e6
    packed: float = 0.0
    views: float = 100e3

    @property
    def studies(self) -> float:
        return self.images / ASSUMED.images_in_study


def scenario(calls: Calls) -> Amounts:
    """What one run of a scenario uses, by the names of the price file. KeyError for a call that nobody has priced."""
    used: Amounts = {}
    for function, one in calls["functions"].items():
        for name, amount in _of_function(function, one, calls["images"]):
            used[name] = used.get(name, 0.0) + amount
    return used


def _of_function(function: str, one: Mapping[str, Any], images: int) -> Iterator[tuple[str, float]]:
    for call, count in one["calls"].items():
        priced = PRICED[call]
        if priced:
            yield priced, count
    yield "dynamodb:write unit", one["write_units"]
    yield "dynamodb:read unit", one["read_units"]
    yield "lambda:request", one["runs"]
    yield "lambda:GB-second", _seconds(function, one, images) * memory(function) / 1024
    if "messages" in one:
        # S3's message in (our own are among the calls of who sent them), then the mapping's receiving and deleting.
        sent = one["messages"] if function in FED_BY_S3 else 0
        kind = "sqs:fifo" if one["fifo"] else "sqs:standard"
        yield kind, sent + 2 * max(one["runs"], one["messages"] / SQS_BATCH)
    if function == "api_handler":
        yield "apigateway:request", one["runs"]


# What a call is priced as; "" for those whose units are counted apart, or that cost nothing.
PRICED: Final = {
    "s3:GetObject": "s3:GET",
    "s3:HeadObject": "s3:GET",
    "s3:PutObject": "s3:PUT",
    "s3:ListObjectsV2": "s3:LIST",
    "s3:ListObjectVersions": "s3:LIST",
    "sqs:SendMessage fifo": "sqs:fifo",
    "sqs:SendMessage standard": "sqs:standard",
    "sqs:SendMessageBatch fifo": "sqs:fifo",
    "sns:Publish": "sns:Publish",
    "kms:GenerateMac": "kms:request",
    "sts:AssumeRole": "",
    "dynamodb:GetItem": "",
    "dynamodb:BatchGetItem": "",
    "dynamodb:Query": "",
    "dynamodb:PutItem": "",
    "dynamodb:UpdateItem": "",
    "dynamodb:DeleteItem": "",
    "dynamodb:BatchWriteItem": "",
    "dynamodb:TransactWriteItems": "",
}


def memory(function: str) -> int:
    """MB of a function, from Chalice's configuration."""
    megabytes: int = json.loads(CONFIG.read_text(encoding="utf-8"))["lambda_functions"][function]["lambda_memory_size"]
    return megabytes


def _seconds(function: str, one: Mapping[str, Any], images: int) -> float:
    """Of all runs together: waits for AWS by assumption, CPU by budget."""
    waited = sum(WAIT_MS[call.split(":")[0]] * count for call, count in one["calls"].items())
    if function.startswith("ingest"):
        waited /= ASSUMED.side_by_side
    own = CPU_MS.get(function, 0.0) * images + ASSUMED.cpu_ms_of_run * one["runs"]
    return float(waited + own) / 1000


def day(recorded: Calls, volumes: Volumes) -> dict[str, Amounts]:
    """What a day uses, by line of the bill."""
    singles, packs = volumes.images * (1 - volumes.packed), volumes.images * volumes.packed
    notices = volumes.studies * ASSUMED.notices_of_study
    runs = {
        "singles": singles / recorded["singles"]["images"],
        "packs": packs / recorded["packs"]["images"],
        "notices": notices,
        "reminders": volumes.studies * ASSUMED.reminders_of_study,
        "views": volumes.views,
    }
    used = {
        line: {name: amount * count for name, amount in scenario(recorded[line]).items()}
        for line, count in runs.items()
    }
    functions_runs = sum(one.get("lambda:request", 0.0) for one in used.values())
    used["logs"] = {"logs": functions_runs * ASSUMED.log_bytes_of_run / GB}
    used["uploads"] = {"s3:PUT": singles + packs / recorded["packs"]["images"]}
    used["transfer"] = _transfer(volumes)
    return used


def _transfer(volumes: Volumes) -> Amounts:
    """One whole study a view, to viewers on the internet; inside a line of the province's own it costs less."""
    return {"transfer": volumes.views * ASSUMED.images_in_study * ASSUMED.image_bytes / GB}


def naive(volumes: Volumes) -> dict[str, Amounts]:
    """The same day, done by the peer of `NAIVE`."""
    return {
        "singles": {name: amount * volumes.images for name, amount in NAIVE.items()},
        "uploads": {"s3:PUT": volumes.images},
        "transfer": _transfer(volumes),
    }


def price(amounts: Amounts, prices: Mapping[str, Any]) -> Amounts:
    """Money by what was used."""
    per_gb = prices["per_gb"]
    return {
        name: amount * (per_gb[name] if name in per_gb else prices["per_million"][name] / 1e6)
        for name, amount in amounts.items()
    }


# The terminal


def tables(recorded: Calls, volumes: Volumes, prices: Mapping[str, Any], lang: str) -> Iterator[Table | str]:
    say = TEXTS[lang]
    currency = prices["currency"]
    given = {
        say["naive"]: naive(volumes),
        say["singles"]: day(recorded, Volumes(volumes.images, 0.0, volumes.views)),
        say["packed"]: day(recorded, Volumes(volumes.images, 1.0, volumes.views)),
    }
    costs = {
        name: {line: sum(price(one, prices).values()) for line, one in used.items()} for name, used in given.items()
    }
    table = Table(
        title=say["title"].format(images=f"{volumes.images:,.0f}", region=prices["region"], currency=currency)
    )
    table.add_column(say["line"])
    for name in costs:
        table.add_column(name, justify="right")
    for line, words in LINES.items():
        table.add_row(words[lang], *(f"{one.get(line, 0.0):,.2f}" for one in costs.values()))
    table.add_section()
    table.add_row(say["day"], *(f"{sum(one.values()):,.2f}" for one in costs.values()))
    beside = [sum(one.values()) - one["uploads"] - one["transfer"] for one in costs.values()]
    table.add_row(say["beside"], *(f"{one:,.2f}" for one in beside))
    table.add_row(say["month"], *(f"{sum(one.values()) * DAYS:,.0f}" for one in costs.values()))
    yield table
    for name, used in given.items():
        yield _dominant(name, used, prices, say)
    if currency == "USD":  # the budget is in dollars
        met = {"singles": costs[say["singles"]]["singles"], "packs": costs[say["packed"]]["packs"], "naive": beside[0]}
        yield say["budget"].format(**{line: f"{money:,.2f}" for line, money in met.items()})
    yield stored(volumes.images * ASSUMED.image_bytes / GB, volumes.images, prices, say)
    yield levers(recorded["singles"], volumes.images, beside, prices, say)
    unknown = sorted(set(prices["per_million"]) | set(prices["per_gb"]) | set(prices["per_gb_month"]))
    unknown = [name for name in unknown if name not in prices["looked_up"]]
    yield say["source"].format(source=prices["source"], unknown=", ".join(unknown))


def _dominant(name: str, used: Mapping[str, Amounts], prices: Mapping[str, Any], say: Mapping[str, str]) -> str:
    total: Amounts = {}
    for line, amounts in used.items():
        if line not in {"uploads", "transfer"}:
            for what, money in price(amounts, prices).items():
                total[what] = total.get(what, 0.0) + money
    biggest = sorted(total.items(), key=lambda one: -one[1])[:3]
    return say["dominant"].format(name=name, parts=", ".join(f"{what} {money:,.2f}" for what, money in biggest))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=float, default=Volumes().images, help="a day")
    parser.add_argument("--views", type=float, default=Volumes().views, help="a day")
    parser.add_argument("--region", default="us-east-1", help="a file of infra/costs/")
    parser.add_argument("--lang", choices=["zh", "en"], default=language(os.environ))
    asked = parser.parse_args(arguments)
    prices = json.loads((HERE / "costs" / f"{asked.region}.json").read_text(encoding="utf-8"))
    recorded = json.loads(CALLS.read_text(encoding="utf-8"))
    console = Console(highlight=False)
    for part in tables(recorded, Volumes(asked.images, views=asked.views), prices, asked.lang):
        console.print(part, soft_wrap=isinstance(part, str))
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
