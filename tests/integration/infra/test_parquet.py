"""Reports as Parquet, written at a desk: the same figures, with types."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from pyarrow import parquet

from chalicelib.domain.compliance import Figures
from chalicelib.domain.compliance_report import COLUMNS, PeriodReports
from chalicelib.domain.period import Period
from chalicelib.domain.study import Hospital
from chalicelib.services.read_compliance import csv_bytes, json_bytes
from infra.parquet import main
from tests.support.ledger_world import NOON

PERIOD = Period.of("2026-W47")


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


@pytest.mark.parametrize("given", [["november"], []])
def test_what_names_no_period_is_refused(given, monkeypatch):
    monkeypatch.setenv("REPORTS_BUCKET", "b")
    with pytest.raises(SystemExit):
        main(given)
