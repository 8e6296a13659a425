from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.period import Period
from chalicelib.services.ledger_ports import ComplianceReports, ReportPage

CSV = "text/csv; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
Form = Literal["json", "csv", "html"]
CONTENT_TYPES: dict[Form, str] = {"json": JSON, "csv": CSV, "html": HTML}


@dataclass(frozen=True)
class ShowReport:
    """A report as it was written: what is answered and what lies in the bucket cannot differ."""

    reports: ComplianceReports
    page: ReportPage

    def __call__(self, period: Period, file: str, form: Form) -> str | None:
        """`file`: a hospital's id, `compliance_report.region_file` or PROVINCE. None: there is no such report."""
        name = file_name(period.name, file)
        if form == "csv":
            body = self.reports.get(f"{name}.csv")
            return body.decode() if body else None
        body = self.reports.get(f"{name}.json")
        if body is None:
            return None
        return body.decode() if form == "json" else self.page(json.loads(body))


def file_name(period: str, name: str) -> str:
    return f"compliance/{period}/{name}"
