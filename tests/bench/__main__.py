"""`python -m tests.bench`: the budgets of DESIGN §9 that exist, printed and written to build/bench.json."""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import cold_start, derived, headers, ingest, listening, manifests, reconcile, reminders, signing, sweep

PARTS = (headers, ingest, signing, manifests, derived, reminders, sweep, reconcile, listening, cold_start)
OUT = Path("build/bench.json")


def main():
    (metrics,) = logging.getLogger("imaging_cloud.metrics").handlers
    with Path(os.devnull).open("w") as nowhere:  # metrics are measured like all else, but nobody reads them here
        metrics.setStream(nowhere)
        _measure(Console())


def _measure(console):
    rows = []
    for part in PARTS:
        console.print(f"[dim]{part.__name__} …[/dim]")
        rows += part.rows()
    table = Table(title="Budgets (CPU of one process; ratios within this run)")
    for heading in ("what", "figure", "target", "met", "beside"):
        table.add_column(heading)
    for row in rows:
        met = "yes" if row.met else "[red]no[/red]"
        table.add_row(row.what, f"{row.figure:.3g} {row.unit}", f"≤ {row.target:g} {row.unit}", met, row.beside)
    console.print(table)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "at": datetime.now(UTC).isoformat()}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({**machine, "rows": [row.as_json() for row in rows]}, ensure_ascii=False, indent=2))
    console.print(f"written to {OUT}")


if __name__ == "__main__":
    sys.exit(main())
