"""`python -m tests.bench.province [--seed N] [--exams N] [--hospitals N]`: a day of a province through the ledger's own
code, over stores in memory, compared with what was injected; and what sweeps read beside histories of three lengths.

Written to build/province.json. Ends with 1 where the ledger and the truth differ, naming the first differences, and
where nothing of a kind of fact was injected or a rule of the table was broken nowhere.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.bench.province import compare, cover, reads
from tests.bench.province.day import live
from tests.bench.province.draw import Size, draw
from tests.bench.province.drive import Drive
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import World

OUT = Path("build/province.json")
LOOKS = 6  # times that all flags and rows are compared
SHOWN = 20  # differences


def main(arguments):
    told = _parser().parse_args(arguments)
    console = Console()
    size = Size(exams=told.exams, hospitals=told.hospitals)
    began = time.process_time()
    province = draw(told.seed, size, told.day)
    console.print(f"seed {told.seed}, {told.day}: {len(province.exams):,} exams of {len(province.places):,} hospitals")
    drive = Drive(province, World(hospitals=FakeHospitals()))
    count = len(province.sweeps)
    with _progress(console) as progress:
        task = progress.add_task("sweeps", total=count)
        looks = {count * part // LOOKS for part in range(1, LOOKS)}
        found = live(drive, looks=looks, after_each=lambda: progress.advance(task))
    result = _result(province, drive, found, time.process_time() - began)
    _print(console, result)
    result["reads"] = rows = reads.rows(told.seed)
    console.print(reads.table(rows))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, ensure_ascii=False, indent=2), encoding="utf-8")
    console.print(f"written to {OUT}")
    for line in found[:SHOWN]:
        console.print(f"[red]differs[/red] {line}", soft_wrap=True)
    for what in result["lacking"]:
        console.print(f"[red]nothing of[/red] {what}")
    return 1 if found or result["lacking"] or not reads.follow_what_is_due(rows) else 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.bench.province")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", default="2026-11-24")
    parser.add_argument("--exams", type=int, default=Size.exams)
    parser.add_argument("--hospitals", type=int, default=Size.hospitals)
    return parser


def _progress(console):
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console)


def _result(province, drive, found, cpu):
    flags = compare.ledger_flags(drive.world, province)
    return {
        "seed": province.seed,
        "day": province.day,
        "hospitals": len(province.places),
        "exams": len(province.exams),
        "events": drive.told,
        "sweeps": len(province.sweeps),
        "sweeps_held": sum(sweep.age is None for sweep in province.sweeps),
        "oldest_event_seconds": max(sweep.age or 0 for sweep in province.sweeps),
        "swept": dict(drive.swept),
        "counted": cover.counted(drive),
        "lacking": cover.lacking(drive),
        "flags": dict(Counter(rule for _, _, rule in flags).most_common()),
        "differences": len(found),
        "first_differences": found[:SHOWN],
        "cpu_seconds": round(cpu, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _print(console, result):
    table = Table(title="A day of a province", show_header=False)
    for name, value in result.items():
        if name != "first_differences":
            told = ", ".join(f"{key} {count:,}" for key, count in value.items()) if isinstance(value, dict) else value
            table.add_row(name, f"{told:,}" if isinstance(told, int | float) else str(told))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
