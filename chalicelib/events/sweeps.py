"""The schedules → their use cases. Each answers what a person who runs it by hand wants to know: counts, no values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from chalicelib import wiring
from chalicelib.domain import metrics
from chalicelib.domain.holidays import unannounced
from chalicelib.events.context import Context
from chalicelib.services.faults import note

if TYPE_CHECKING:
    from chalicelib.services.sweep_due import Swept

SPARE_MS = 10_000  # no further piece of work is begun with less time left
REINDEX_SPARE_MS = 180_000  # what was taken up is still settled
REPORT_SPARE_MS = 240_000  # a month of all hospitals is begun with no less
PROVINCE = timedelta(hours=8)  # a day of the reports is a day in the province

MONTH = timedelta(days=31)  # the State Council's notice comes in November

log = Logger(service="sweeps")


def sweep(context: Context) -> dict[str, Any]:
    """All of the ledger that must happen at a time. An error in the log when nothing was judged, for then our own
    backlog could not be measured. Reviews of break-glass first: they wait for no upload; what mutual recognition
    gained last: no deadline hangs on it."""
    reviews = _reviews(context)
    now = wiring.now()
    swept = wiring.sweep_due()(now, lambda: context.get_remaining_time_in_millis() > SPARE_MS)
    horizon = swept.horizon.isoformat() if swept.horizon else None
    answer = {**asdict(swept), "horizon": horizon, "held": swept.held, "reviews": reviews, "gains": _gains(context)}
    (log.error if swept.held else log.info)("swept", extra=answer)
    _emit(swept, now)
    return answer


def _emit(swept: Swept, now: datetime) -> None:
    counts = {metrics.SWEEP_DUE: swept.due, metrics.SWEEP_DONE: swept.judged, metrics.SWEEP_FAULTS: swept.faults}
    counts[metrics.SWEEP_WARNED] = swept.warned
    states = {metrics.SWEEP_UNFINISHED: int(swept.more), metrics.SWEEP_HELD: int(swept.held)}
    states[metrics.CALENDAR_MISSING] = int(bool(unannounced([(now + MONTH).date().isoformat()])))
    behind = {metrics.SWEEP_BEHIND: (now - swept.horizon).total_seconds()} if swept.horizon else {}
    wiring.emit({**counts, **states, **behind})


def _reviews(context: Context) -> dict[str, Any]:
    """What fails here must not keep hospitals from being judged: it is in the log, and the next run goes on."""
    try:
        done = wiring.suspend_unreviewed()(wiring.now(), lambda: context.get_remaining_time_in_millis() > SPARE_MS)
    except Exception as fault:  # noqa: BLE001 - as above
        note(fault)
        wiring.emit({metrics.REVIEW_FAULTS: 1})
        return {"failed": True}
    wiring.emit({metrics.SUSPENDED: done.suspended, metrics.REVIEW_FAULTS: done.faults})
    return asdict(done)


def _gains(context: Context) -> dict[str, Any]:
    """What mutual recognition gained since, in the time that the deadlines left; as above."""
    try:
        counted = wiring.count_gains()(wiring.now(), lambda: context.get_remaining_time_in_millis() > SPARE_MS)
    except Exception as fault:  # noqa: BLE001 - as above
        note(fault)
        wiring.emit({metrics.SWEEP_FAULTS: 1})
        return {"failed": True}
    if counted.faults:
        wiring.emit({metrics.SWEEP_FAULTS: counted.faults})
    return asdict(counted)


def reconcile() -> dict[str, Any]:
    """Begin the night: what the bucket holds and no receipt names is fed again, piece by piece (`events.reconcile`)."""
    answer = {"pieces": wiring.start_reconcile()(wiring.now())}
    log.info("reconcile begun", extra=answer)
    return answer


def report(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The reports of the day before in the province, or of {"day"} in the event's detail, and those that are owed
    besides. Raises when time ran out: Lambda then runs it again, and it goes on where it stopped."""
    asked = event.get("detail", {}).get("day")
    yesterday = (wiring.now().astimezone(UTC) + PROVINCE).date() - timedelta(days=1)
    day = datetime.fromisoformat(asked).date() if asked else yesterday
    made = wiring.report_compliance()(
        day, wiring.now(), lambda: context.get_remaining_time_in_millis() > REPORT_SPARE_MS
    )
    if made is None:
        raise TimeoutError("not all reports that are owed are made: run it again with more time")
    wiring.emit({metrics.REPORTED: 1})
    return {"day": day.isoformat(), "periods": list(made)}


def reindex(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Rebuild from the bucket, from {"after"} on. Not "done": run it again with the "after" it answered."""
    come = wiring.reindex_studies()(
        str(event.get("after", "")), lambda: context.get_remaining_time_in_millis() > REINDEX_SPARE_MS
    )
    return asdict(come)
