"""What an object costs in each tier, by size, age and how often it is read: why the lifecycle rules say what they say.

    python -m infra.tiers

Standard and Glacier Instant Retrieval (GIR) both answer in milliseconds; the tiers below must be restored first, so
they are out whatever they cost. A move costs one request, so it must be worth it; GIR bills 128 KiB at least, 90 days
at least, and each GB that is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GB: Final = 1024**3
KIB: Final = 1024
LEAST_BILLED: Final = 128 * KIB  # GIR, per object
LEAST_DAYS: Final = 90  # GIR, from the move on
MONTHS_KEPT: Final = 15 * 12  # the least that any record is kept


@dataclass(frozen=True, slots=True)
class Prices:
    """USD. Storage per GB and month, requests each, retrieval per GB. Defaults: S3's list prices of us-east-1, first
    50 TB, November 2026; the ratio of both tiers, not the figure, decides, and it is much the same elsewhere."""

    standard: float = 0.023
    instant: float = 0.004
    move: float = 0.02 / 1000
    standard_read: float = 0.0004 / 1000
    instant_read: float = 0.01 / 1000
    retrieval: float = 0.03


def standard_month(size: int, reads: float, prices: Prices) -> float:
    """A month of one object of `size` bytes in Standard, read whole `reads` times."""
    return size / GB * prices.standard + reads * prices.standard_read


def instant_month(size: int, reads: float, prices: Prices) -> float:
    """The same in GIR, the move apart."""
    stored = max(size, LEAST_BILLED) / GB * prices.instant
    return stored + reads * (prices.instant_read + size / GB * prices.retrieval)


def months_until_paid(size: int, reads: float, prices: Prices) -> float | None:
    """After how many months in GIR the move has paid for itself; None: never."""
    saved = standard_month(size, reads, prices) - instant_month(size, reads, prices)
    return prices.move / saved if saved > 0 else None


def most_reads(size: int, prices: Prices) -> float:
    """How often a month an object may be read before Standard is cheaper."""
    saved = standard_month(size, 0, prices) - instant_month(size, 0, prices)
    return saved / (prices.instant_read - prices.standard_read + size / GB * prices.retrieval)


def whole_life(size: int, move_after_days: int, prices: Prices) -> float:
    """15 years of one object that moves at an age and is not read any more then."""
    before = move_after_days / 30.4
    return (
        before * standard_month(size, 0, prices) + prices.move + (MONTHS_KEPT - before) * instant_month(size, 0, prices)
    )


SIZES: Final = {"16 KiB": 16 * KIB, "64 KiB": 64 * KIB, "128 KiB": 128 * KIB, "525 KiB (CT)": 525 * KIB}
SIZES_LARGE: Final = {"1.46 MB (mean)": 1_530_920, "10 MB (DX)": 10 * KIB**2, "160 MB (pack)": 160 * KIB**2}


def table(prices: Prices) -> str:
    """For each size: a month in each tier and 15 years by age of the move, in USD per million objects."""
    heads = ["object", "Standard, month", "GIR, month", "paid after, months", "reads/month up to"]
    heads += ["15 y Standard", "15 y, moved"]
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, size in {**SIZES, **SIZES_LARGE}.items():
        paid = months_until_paid(size, 0, prices)
        million = [standard_month(size, 0, prices), instant_month(size, 0, prices)]
        life = [MONTHS_KEPT * standard_month(size, 0, prices), whole_life(size, 90, prices)]
        shown = [f"{value * 1e6:,.2f}" for value in million]
        shown += [f"{paid:.1f}" if paid else "never", f"{max(most_reads(size, prices), 0):.2f}"]
        rows.append(f"| {' | '.join([name, *shown, *(f'{value * 1e6:,.0f}' for value in life)])} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table(Prices()))
