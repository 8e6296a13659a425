"""Reports as Parquet, written at a desk: the same figures, with types."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import date
from decimal import Decimal

import pytest
from pyarrow import parquet

from chalicelib.domain.compliance import COUNTS, Figures, figures
from chalicelib.domain.compliance_report import COLUMNS, PeriodReports
from chalicelib.domain.hospital_day import DEFAULT_ZONE, over_at
from chalicelib.domain.period import Period
from chalicelib.domain.study import Hospital
from chalicelib.services.read_compliance import csv_bytes, json_bytes
from infra.parquet import main, parquet_bytes
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import DUE, GRACE, HOUR, NOON, World, notice, study

PERIOD = Period.of("2026-W47")
SOURCE = "compliance/2026-11-20/province.json"


@pytest.fixture
def province(cloud, monkeypatch):
    """The report in the bucket; its CSV."""
    building = PeriodReports(PERIOD, PERIOD.days(PERIOD.last), NOON, [])
    shown = Figures(due=3, on_time=2, late=1, excused=1, delays=((5, 1), (700, 1), (721, 1)))
    building.add(Hospital("H1", "江北医院", region="苏南"), {"2026-11-20": shown}, ())
    building.add(Hospital("H2", "=湖滨医院"), {}, ())
    report = list(building.reports())[-1]
    monkeypatch.setenv("REPORTS_BUCKET", cloud.settings["REPORTS_BUCKET"])
    cloud.client("s3").put_object(
        Bucket=cloud.settings["REPORTS_BUCKET"],
        Key="compliance/2026-W47/province.json",
        Body=json_bytes(json.loads(json.dumps(report.values))),
    )
    return csv_bytes(report.rows, COLUMNS).decode("utf-8-sig")


def test_it_says_what_the_csv_says(province, cloud, capsys):
    assert main(["2026-W47"]) == 0
    name = "compliance/2026-W47/province.parquet"
    assert capsys.readouterr().out == f"{name}\n"
    body = cloud.client("s3").get_object(Bucket=cloud.settings["REPORTS_BUCKET"], Key=name)["Body"].read()
    rows = parquet.read_table(io.BytesIO(body)).to_pylist()
    as_text = [{field: "" if value is None else str(value) for field, value in row.items()} for row in rows]
    told = list(csv.DictReader(io.StringIO(province)))
    assert [row | {"name": row["name"].lstrip("'")} for row in told if row["region"] != "'-"] == [
        row for row in as_text if row["region"] != "-"
    ]
    assert len(rows) == len(told) == 5
    assert (rows[0]["rate"], rows[0]["first_day"]) == (Decimal("0.6667"), date(2026, 11, 16))
    assert (rows[1]["rate"], rows[1]["rank"], rows[1]["delay_p50_minutes"]) == (None, None, None)


def test_into_a_directory_and_what_is_not_there(province, cloud, tmp_path, capsys):
    assert main(["2026-W47", "2025-11", "--into", str(tmp_path / "out")]) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["2026-W47.parquet"]
    assert "2025-11" in capsys.readouterr().err


def test_a_run_that_was_cut_short_is_gone_on_with_and_a_report_made_again_is_written_again(
    province, cloud, capsys, tmp_path
):
    client, bucket = cloud.client("s3"), cloud.settings["REPORTS_BUCKET"]
    body = client.get_object(Bucket=bucket, Key="compliance/2026-W47/province.json")["Body"].read()
    for name in ("2026-11", "2026-11-20"):
        client.put_object(Bucket=bucket, Key=f"compliance/{name}/province.json", Body=body)
    (tmp_path / "2026-11.part").write_bytes(b"half of one")
    time.sleep(1.1)  # S3 tells times by the second
    for into in ([], ["--into", str(tmp_path)]):
        for periods, count in ((["2026-W47"], 1), ([], 2), ([], 0)):
            assert main([*periods, *into]) == 0
            assert len(capsys.readouterr().out.splitlines()) == count
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-11-20.parquet",
        "2026-11.parquet",
        "2026-W47.parquet",
    ]
    time.sleep(1.1)
    client.put_object(Bucket=bucket, Key="compliance/2026-11/province.json", Body=body)
    capsys.readouterr()
    assert main(["--into", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "2026-11.parquet")]


def test_it_says_what_the_ledger_says():
    """From exams to Parquet: a day of the ledger, its figures, its report."""
    world = World(hospitals=FakeHospitals(Hospital("H1", "江北医院", region="苏南"), Hospital("H2", "湖滨医院")))
    world.hospitals.list = lambda: tuple(world.hospitals.known.values())
    for number in range(7):
        world.tell(notice(accession_number=f"A{number}", declared_instances=1), "H1" if number < 5 else "H2")
    told = {"accession_number": "A0", "study_instance_uid": "1.1"}
    world.tell(study(NOON + HOUR, **told))
    world.tell(study(DUE + HOUR, **told | {"accession_number": "A1", "study_instance_uid": "1.2"}))
    at = over_at("2026-11-20", DEFAULT_ZONE) + GRACE
    world.sweep(at)
    world.report(date(2026, 11, 20), at)
    rows = parquet.read_table(io.BytesIO(parquet_bytes(json.loads(world.reports.get(SOURCE))))).to_pylist()
    for row in rows[:2]:
        found = figures(world.ledger.of_day(row["hospital_id"], "2026-11-20"))
        assert [row[name] for name in COUNTS] == [getattr(found, name) for name in COUNTS]
        assert [row[f"delay_p{n}_minutes"] for n in (50, 90, 99)] == [found.delay(n) for n in (50, 90, 99)]
        assert row["rate"] == (Decimal(found.rate) if found.rate else None)
    assert [(row["scope"], row["due"], row["missing"]) for row in rows if row["scope"] == "province"] == [
        ("province", 7, 5)
    ]


@pytest.mark.parametrize("given", [["november"]])
def test_what_names_no_period_is_refused(given, monkeypatch):
    monkeypatch.setenv("REPORTS_BUCKET", "b")
    with pytest.raises(SystemExit):
        main(given)
