"""Metrics as lines of the functions' log (CloudWatch's Embedded Metric Format): no call, no wait, no permission."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from chalicelib.domain.access import AuditEvent
from chalicelib.domain.metrics import NAMESPACE, QUARANTINED, SERVICE, Metric, counted
from chalicelib.services.ports import Audit, Quarantine, QuarantineRecord

MOST = 99  # values of a metric in one line; EMF takes 100, at which Powertools prints by itself

_log = logging.getLogger("imaging_cloud.metrics")
if not _log.handlers:
    # The bare line, on the output that Lambda reads: with any other word before it CloudWatch takes it for text.
    _log.addHandler(logging.StreamHandler(sys.stdout))
    _log.setLevel(logging.INFO)
    _log.propagate = False

Figures = Mapping[Metric, float | Sequence[float]]


def emit(figures: Figures, **dimensions: str) -> None:
    """One line for metrics with the same dimensions, more where there are more than `MOST` values. Nothing for none."""
    lists = {metric: value if isinstance(value, Sequence) else (value,) for metric, value in figures.items()}
    for start in range(0, max(map(len, lists.values()), default=0), MOST):
        _line({metric: values[start : start + MOST] for metric, values in lists.items()}, dimensions)


def _line(figures: Mapping[Metric, Sequence[float]], dimensions: Mapping[str, str]) -> None:
    made = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service=SERVICE)
    sets = {names for metric in figures for names in metric.dimensions}
    if any(set(metric.dimensions) != sets for metric in figures) or set(dimensions) != set().union(*sets):
        raise ValueError("these metrics do not have these dimensions")
    for names in sorted(sets):
        made.add_dimensions(service=SERVICE, **{name: dimensions[name] for name in names})
    for metric, values in figures.items():
        for value in values:
            made.add_metric(metric.name, metric.unit, value)
    _log.info(json.dumps(made.serialize_metric_set(), separators=(",", ":")))


class CountedAudit:
    """The audit; decisions that were recorded are counted."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def put(self, event: AuditEvent) -> None:
        self._audit.put(event)
        found = counted(event)
        if found is not None:
            emit({found[0]: 1}, **found[1])

    def of_person(self, *asked: Any, **more: Any) -> Any:
        return self._audit.of_person(*asked, **more)


class CountedQuarantine:
    """The quarantine; what goes there is counted by its reason."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine

    def put(self, record: QuarantineRecord) -> None:
        self._quarantine.put(record)
        emit({QUARANTINED: 1}, Reason=record.reason)

    def list(self, *asked: Any, **more: Any) -> Any:
        return self._quarantine.list(*asked, **more)
