import io
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from chalicelib.domain import metrics
from chalicelib.domain.access import AuditEvent
from chalicelib.domain.metrics import METRICS, NAMESPACE, SERVICE
from chalicelib.services.ports import QuarantineRecord
from chalicelib.services.watch_ports import Handled
from chalicelib.store.emf import MOST, CountedAudit, CountedQuarantine, emit
from chalicelib.wiring.watch import STAGES, Stopwatch, emit_view, watch
from tests.support.emitted import emitted

__all__ = ["emitted"]

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


def directive(line):
    (one,) = line["_aws"]["CloudWatchMetrics"]
    return one


def test_a_line_is_what_cloudwatch_takes_for_metrics(emitted):
    emit({metrics.SWEEP_DUE: 3, metrics.SWEEP_DONE: 2})
    (line,) = emitted.said
    assert directive(line) == {
        "Namespace": NAMESPACE,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "SweepDue", "Unit": "Count"}, {"Name": "SweepDone", "Unit": "Count"}],
    }
    assert (line["service"], line["SweepDue"], line["SweepDone"]) == (SERVICE, [3.0], [2.0])
    assert set(line) == {"_aws", "service", "SweepDue", "SweepDone"}


def test_a_metric_with_dimensions_has_its_total_too(emitted):
    emit({metrics.CONSENT_DECISIONS: 1}, Basis="sms_code", Outcome="given")
    (line,) = emitted.said
    sets = directive(line)["Dimensions"]
    assert [sorted(one) for one in sets] == [["service"], ["Basis", "Outcome", "service"], ["Outcome", "service"]]
    assert (line["Basis"], line["Outcome"]) == ("sms_code", "given")


def test_a_batch_of_any_size_keeps_every_value_in_lines_that_cloudwatch_takes(emitted, capsys):
    lags = [float(number) for number in range(300)]
    emit({metrics.INGEST_LAG: lags, metrics.TAKEN: 300}, Kind="instances")
    assert emitted.of("IngestLag") == lags
    assert emitted.of("Taken") == [300]
    assert all(len(line.get(name, ())) <= MOST for line in emitted.said for name in ("IngestLag", "Taken"))
    assert capsys.readouterr().out == "", "Powertools prints by itself from 100 values on"


def test_nothing_is_said_of_nothing(emitted):
    emit({metrics.INGEST_LAG: [], metrics.TAKEN: []}, Kind="instances")
    emit({})
    assert emitted.said == []


@pytest.mark.parametrize("dimensions", [{}, {"Kind": "x", "Hospital": "JB001"}, {"Reason": "empty"}])
def test_a_dimension_that_the_table_does_not_name_is_never_emitted(emitted, dimensions):
    with pytest.raises(ValueError, match="do not have these dimensions"):
        emit({metrics.TAKEN: 1}, **dimensions)
    assert emitted.said == []


def test_the_line_goes_to_the_output_bare():
    program = (
        "from chalicelib.store.emf import emit; from chalicelib.domain import metrics; emit({metrics.REPORTED: 1})"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert told.stdout.startswith('{"_aws":')
    assert told.stdout.endswith("}\n")
    assert told.stderr == ""


def test_no_other_log_repeats_the_line():
    heard = io.StringIO()
    root = logging.StreamHandler(heard)
    logging.getLogger().addHandler(root)
    try:
        emit({metrics.REPORTED: 1})
    finally:
        logging.getLogger().removeHandler(root)
    assert heard.getvalue() == "", "CloudWatch would count it twice"


def test_lag_is_counted_from_when_s3_had_it_and_what_was_never_read_has_none(emitted):
    handled = [
        Handled("indexed", NOW - timedelta(seconds=8)),
        Handled("not_dicom", NOW - timedelta(seconds=2)),
        Handled("deleted", None),
    ]
    watch("instances")(handled, NOW)
    assert emitted.of("IngestLag", Kind="instances") == [8, 2]
    assert emitted.of("Taken", Kind="instances") == [1]


def test_each_stage_of_a_view_has_the_time_since_the_stage_before(emitted):
    clock = iter([0.0, 0.010, 0.013, 0.020, 0.021, 0.024])
    lap = Stopwatch(lambda: next(clock))
    for stage in ("authorize", "manifest", "authorize", "sign", "answer"):
        lap(stage)
    emit_view(lap)
    (line,) = emitted.said
    told = {name: round(line[name][0], 6) for name in ("ViewAuthorize", "ViewManifest", "ViewSign", "ViewAnswer")}
    assert told == {"ViewAuthorize": 17, "ViewManifest": 3, "ViewSign": 1, "ViewAnswer": 3}
    assert round(line["ViewTime"][0], 6) == 24
    assert set(STAGES) == set(lap.taken)


def event(action, *, allowed=True, reason="", basis=""):
    return AuditEvent("01", NOW, action, "doctor", "d1", "JB001", allowed, reason, person_id="p1", basis=basis)


@pytest.mark.parametrize(
    ("decided", "basis", "outcome"),
    [
        (event("verify_code", reason="consent_person", basis="sms_code"), "sms_code", "given"),
        (event("verify_code", allowed=False, reason="no_encounter"), "sms_code", "refused"),
        (event("decide_request", reason="approved", basis="guardian"), "guardian", "given"),
        (event("decide_request", reason="denied", basis="health_app"), "health_app", "denied"),
        (event("decide_request", allowed=False, reason="frozen", basis="health_app"), "health_app", "refused"),
        (event("scan_qr", allowed=False, reason="qr_unknown", basis="dynamic_qr"), "dynamic_qr", "refused"),
        (event("witness_assisted", reason="consent_person"), "assisted", "given"),
        (event("break_glass", reason="unconscious"), "break_glass", "given"),
    ],
)
def test_an_answer_to_a_request_is_counted_by_basis_and_outcome(emitted, decided, basis, outcome):
    kept = []

    class Audit:
        put = staticmethod(kept.append)

    CountedAudit(Audit()).put(decided)
    assert kept == [decided]
    assert emitted.of("ConsentDecisions", Basis=basis, Outcome=outcome) == [1]
    assert "JB001" not in emitted.lines[0]


def test_views_are_counted_and_what_opens_nothing_is_not(emitted):
    audit = CountedAudit(type("Audit", (), {"put": lambda *_: None})())
    for decided in (event("view_study"), event("view_study", allowed=False, reason="no_grant"), event("read_accesses")):
        audit.put(decided)
    assert emitted.of("Views", Outcome="opened") == [1]
    assert emitted.of("Views", Outcome="refused") == [1]
    assert len(emitted.said) == 2


def test_a_decision_that_could_not_be_recorded_is_not_counted(emitted):
    class Audit:
        def put(self, _event):
            raise OSError("no table")

    with pytest.raises(OSError, match="no table"):
        CountedAudit(Audit()).put(event("view_study"))
    assert emitted.said == []


def test_quarantine_is_counted_by_reason_and_by_nothing_of_the_upload(emitted):
    kept = []
    record = QuarantineRecord("JB001", "instances/JB001/2026-11-24/王小明.dcm", "v1", 7, NOW, "not_dicom", "王", NOW)
    CountedQuarantine(type("Kept", (), {"put": staticmethod(kept.append)})()).put(record)
    assert kept == [record]
    assert emitted.of("Quarantined", Reason="not_dicom") == [1]
    assert not any(word in emitted.lines[0] for word in ("王", "JB001", "instances"))


def test_every_metric_is_named_once_and_said_in_both_languages():
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names)) > 20
    assert all(metric.en and metric.zh and metric.en != metric.zh for metric in METRICS)


def test_no_metric_is_by_hospital_or_person():
    """A dimension multiplies metrics by its values, and each costs; one of 2,100 hospitals would be a bill, a person's
    a breach."""
    names = {name for metric in METRICS for names in metric.dimensions for name in names}
    assert names == {"Kind", "Reason", "Outcome", "Basis", "Why"}


def test_stages_can_be_timed_for_real():
    ticks = count()
    assert Stopwatch(lambda: float(next(ticks))).taken == {}
    lap = Stopwatch()
    lap("sign")
    assert lap.taken["sign"] >= 0
