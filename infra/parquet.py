"""`python -m infra.parquet 2026-11 2026-W47 2026-11-20`: reports as Parquet, beside their JSON in the reports bucket.

A writer of Parquet is larger than all the functions may be together (pyarrow: 45 MB, the functions' zip: 12 MB), so
this is done at a desk: REPORTS_BUCKET, with the caller's own AWS credentials, or into a directory with `--into`.
Without periods: of all that there are. What was written since its report was is left as it is, so that a run that was
cut short is gone on with, and a nightly one does what is new. Exit code 0: all are written. 1: a period has no report.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
from pyarrow import parquet

from chalicelib.domain.compliance import COUNTS
from chalicelib.domain.compliance_report import COLUMNS, DELAYS, PROVINCE, Written
from chalicelib.domain.period import Period
from chalicelib.services.ledger_ports import ComplianceReports
from chalicelib.services.show_report import file_name
from chalicelib.store.reports import S3Reports

KIND = "application/vnd.apache.parquet"
TEXT = pa.string()
TYPES = (
    dict.fromkeys(COLUMNS, TEXT)
    | dict.fromkeys((*COUNTS, *DELAYS, "rank", "ranked", "open_flags"), pa.int64())
    | dict.fromkeys(("first_day", "last_day"), pa.date32())
    | {"rate": pa.decimal128(5, 4)}
)
SCHEMA = pa.schema(list(TYPES.items()))


def parquet_bytes(report: Mapping[str, Any]) -> bytes:
    """Every row of the province's report, as its CSV lists them: `scope` tells a hospital's from a region's and the
    province's own. What has no value is null."""
    rows = [*report["hospitals"], *report["regions"], report]
    table = pa.Table.from_pylist([_typed(row) for row in rows], schema=SCHEMA)
    written = io.BytesIO()
    parquet.write_table(table, written, compression="zstd")
    return written.getvalue()


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: None if row[name] == "" and TYPES[name] != TEXT else row[name] for name in COLUMNS}
    days = {name: date.fromisoformat(row[name]) for name in ("first_day", "last_day")}
    return known | days | {"rate": Decimal(row["rate"]) if row["rate"] else None}


def write(period: Period, reports: ComplianceReports, into: Path | None) -> str | None:
    """Where it was written, or "" where it stands already; None: there is no report of that period."""
    source, name = file_name(period.name, f"{PROVINCE}.json"), file_name(period.name, f"{PROVINCE}.parquet")
    target = into / f"{period.name}.parquet" if into else None
    written, before = reports.written(source), _written(target) if target else reports.written(name)
    if written and before and before.at > written.at:
        return ""
    body = reports.get(source)
    if body is None:
        return None
    made = parquet_bytes(json.loads(body))
    if target is None:
        reports.put(name, made, KIND)
        return name
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".part")  # whole or not there: a run may be cut short
    half.write_bytes(made)
    half.replace(target)
    return str(target)


def _written(target: Path) -> Written | None:
    return Written(datetime.fromtimestamp(target.stat().st_mtime, UTC), "") if target.exists() else None


def every_period(reports: ComplianceReports, now: datetime) -> list[Period]:
    """Oldest year first."""
    oldest = reports.oldest_year() or now.year
    years = range(oldest, max(oldest, now.year) + 2)  # the last days of one may be in the first week of the next
    return [Period.of(name) for year in years for name in reports.periods_of(year)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.parquet", description=__doc__)
    parser.add_argument("periods", nargs="*", type=_period, metavar="PERIOD", help="2026-11-20, 2026-W47 or 2026-11")
    parser.add_argument("--bucket", default=os.environ.get("REPORTS_BUCKET"), help="default: REPORTS_BUCKET")
    parser.add_argument("--into", type=Path, help="a directory, instead of the bucket")
    asked = parser.parse_args(arguments)
    if not asked.bucket:
        parser.error("which bucket? --bucket, or REPORTS_BUCKET in the environment")
    reports = S3Reports(boto3.client("s3"), asked.bucket)
    lacking = 0
    for period in asked.periods or every_period(reports, datetime.now(UTC)):
        written = write(period, reports, asked.into)
        if written is None:
            lacking += 1
            print(f"no report of {period.name} 没有该期报告: {period.name}", file=sys.stderr)
        elif written:
            print(written, flush=True)
    return 1 if lacking else 0


def _period(name: str) -> Period:
    return Period.of(name)


if __name__ == "__main__":
    raise SystemExit(main())
