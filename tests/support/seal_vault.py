"""Table and archive of the audit, real or fake, with what tests do to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.domain.seal import HOUR, hour_name, hours, joined, lines_of, read_seal, verify
from chalicelib.services.seal_audit import SealAudit
from chalicelib.store.audit_archive import S3SealArchive
from chalicelib.store.audit_hours import DynamoAuditHours
from tests.support.sealed_hours import FIRST, record

NOW = FIRST + 5 * HOUR + timedelta(minutes=10)  # FIRST … FIRST + 3 h are due


def always():
    return True


class RealHours(DynamoAuditHours):
    """With the two writes of these tests."""

    def put(self, hour, *records):
        for one in records:
            values = {name: {"BOOL" if isinstance(value, bool) else "S": value} for name, value in one.values.items()}
            item = {"PK": {"S": one.partition}, "SK": {"S": one.event_id}, **values}
            self._client.put_item(TableName=self._table, Item=item)

    def remove(self, hour, one):
        key = {"PK": {"S": one.partition}, "SK": {"S": one.event_id}}
        self._client.delete_item(TableName=self._table, Key=key)


class RealArchive(S3SealArchive):
    def hide(self, kind, hour):
        key = {"seal": f"seals/{hour_name(hour)}.json", "file": f"events/{hour_name(hour)}.jsonl.gz"}[kind]
        self._client.delete_object(Bucket=self._bucket, Key=key)


@dataclass
class Vault:
    table: Any
    archive: Any

    def run(self, now=NOW, keep_going=always):
        return SealAudit(self.table, self.archive)(now, keep_going)

    def seals(self):
        survey = self.archive.survey()
        return [read_seal(self.archive.kept(survey, hour).seal) for hour in hours(survey.first, survey.last)]

    def findings(self):
        survey = self.archive.survey()
        told = [
            (hour, self.archive.kept(survey, hour), self.table.of_hour(hour))
            for hour in hours(survey.first, survey.last)
        ]
        return [finding for verified in verify(told) for finding in verified.findings]


def vault_on(cloud):
    return Vault(
        RealHours(cloud.client("dynamodb"), cloud.settings["AUDIT_TABLE"]),
        RealArchive(cloud.client("s3"), cloud.settings["AUDIT_ARCHIVE_BUCKET"]),
    )


def filled(vault):
    for number, count in enumerate((3, 0, 20, 2)):
        hour = FIRST + number * HOUR
        vault.table.put(hour, *(record(hour, at) for at in range(count)))
    return vault


def seal_lines(vault, hour):
    return joined(lines_of(vault.table.of_hour(hour)))
