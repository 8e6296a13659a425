"""What a sweep reads with the same exams due, in an archive of one size and of ten times that."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from chalicelib import wiring
from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.exam import NoticeFact, StudyFact
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.store import clients
from tests.bench.rows import Row
from tests.bench.world import on_moto

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
DUE = 10
ARCHIVE = 30


def rows():
    small, large = _reads(ARCHIVE), _reads(ARCHIVE * 10)
    return [
        Row(
            f"items a sweep reads, {DUE} due, archive ten times larger",
            large["items"] / small["items"],
            "x",
            1.0,
            f"{small['items']} and {large['items']} items, {small['calls']} and {large['calls']} calls",
        )
    ]


def _reads(archive):
    with on_moto():
        wiring.hospitals().put(Hospital("JB001", "江北人民医院"))
        for number in range(archive):
            _exam(f"DONE{number}", NOW - timedelta(days=3 + number % 300), uploaded=True)
        for number in range(DUE):
            _exam(f"MISSING{number}", NOW - timedelta(hours=13), uploaded=False)
        counts = Counter()

        def count(parsed, **_):
            counts["calls"] += 1
            counts["items"] += len(parsed.get("Items", [])) + bool(parsed.get("Item"))

        clients.dynamodb().meta.events.register("after-call.dynamodb", count)
        swept = wiring.sweep_due()(NOW, lambda: True)
        assert swept.judged == DUE, swept
        return counts


def _exam(accession, ended_at, *, uploaded):
    notice = NoticeFact(
        notice_id=f"N-{accession}",
        status="performed",
        sent_at=ended_at,
        received_at=ended_at,
        accession_number=accession,
        patient_id="P1",
        performed_at=ended_at,
        declared_instances=1,
    )
    wiring.derive_exams().notice_recorded("JB001", notice)
    if uploaded:
        at = ended_at + timedelta(minutes=30)
        uid = f"2.25.{abs(hash(accession))}"
        fact = StudyFact(uid, accession, "P1", "CT", ended_at, "AcquisitionDateTime", Arrivals.of([at]), 1, 0)
        wiring.derive_exams().study_settled(StudyRef("JB001", uid), fact, at)
