"""What storage comes to over the years, and what each lever moves (`python -m infra.cost`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

YEARS: Final = (1, 3, 15)  # 3: the province's 48 PB; 15: the least that any record is kept
DAYS_IN_STANDARD: Final = 90  # data.yaml's lifecycle rules
DAYS: Final = 365
BATCHES: Final = (10, 100, 300)  # 300: the most that the mapping hands over
RECEIPT, SETTLE_MESSAGES = "s3:PutObject", "sqs:SendMessageBatch fifo"  # what ingest does once a batch


def stored(gigabytes: float, images: float, prices: Mapping[str, Any], say: Mapping[str, str]) -> str:
    """A month of storage after so many years of such days: all in Standard, and with the rule that moves it down."""
    tiers = prices["per_gb_month"]
    standard, instant = tiers["s3:Standard"], tiers["s3:Glacier Instant Retrieval"]
    parts = []
    for years in YEARS:
        days = years * DAYS
        moved = max(0, days - DAYS_IN_STANDARD)
        kept = gigabytes * ((days - moved) * standard + moved * instant)
        parts.append(say["years"].format(years=years, all=f"{gigabytes * days * standard:,.0f}", moved=f"{kept:,.0f}"))
    move = images * prices["per_million"]["s3:move to Glacier Instant Retrieval"] / 1e6
    return say["stored"].format(parts=say["between"].join(parts), move=f"{move:,.0f}", currency=prices["currency"])


def levers(
    singles: Mapping[str, Any],
    images: float,
    beside: Sequence[float],
    prices: Mapping[str, Any],
    say: Mapping[str, str],
) -> str:
    """`beside`: a day of the peer, of singles and of packs. What a batch does once is in the recorded calls."""
    per_million = prices["per_million"]
    batches = {size: images / size * once_a_batch(singles, per_million) / 1e6 for size in BATCHES}
    return say["levers"].format(
        packs=f"{beside[1] - beside[2]:,.2f}",
        key=f"{images * 2 * per_million['kms:request'] / 1e6:,.2f}",
        batches=", ".join(f"{size}: {money:,.2f}" for size, money in batches.items()),
    )


def once_a_batch(singles: Mapping[str, Any], per_million: Mapping[str, float]) -> float:
    """Money for a million batches: receipt, message to settle and the run itself; messages of other studies apart."""
    calls, runs = singles["functions"]["ingest"]["calls"], singles["functions"]["ingest"]["runs"]
    asked = calls[RECEIPT] * per_million["s3:PUT"] + calls[SETTLE_MESSAGES] * per_million["sqs:fifo"]
    return float(asked / runs + per_million["lambda:request"])
