"""The audit's hours and its locked archive in memory."""

from __future__ import annotations

import hashlib

from chalicelib.domain.seal import Kept, hour_name, hours, joined, split
from chalicelib.services.audit_ports import Oddity, Survey


class FakeAuditHours:
    def __init__(self):
        self.records = {}

    def put(self, hour, *records):
        self.records.setdefault(hour, []).extend(records)

    def remove(self, hour, record):
        self.records[hour].remove(record)

    def of_hour(self, hour):
        return tuple(self.records.get(hour, ()))

    def in_order(self, hour):
        return iter(sorted(self.of_hour(hour), key=lambda record: (record.event_id, record.partition)))

    def holds_any(self, hour):
        return bool(self.records.get(hour))


class FakeSealArchive:
    """`versions` keeps everything ever put under a key; None is a delete marker."""

    def __init__(self):
        self.versions = {}

    def latest(self, until):
        sealed = [hour for kind, hour in self.versions if kind == "seal" and hour <= until]
        if not sealed:
            return None
        return max(sealed), hashlib.sha256(self._first("seal", max(sealed))).hexdigest()

    def put_file(self, hour, lines):
        return iter(split(self._put("file", hour, joined(lines))))

    def put_seal(self, hour, body):
        return self._put("seal", hour, body)

    def survey(self):
        sealed = [hour for kind, hour in self.versions if kind == "seal"]
        odd = [
            Oddity(f"{kind} {hour_name(hour)}", hour_name(hour), is_stray=False)
            for (kind, hour), versions in self.versions.items()
            if len(versions) > 1
        ]
        return Survey(min(sealed, default=None), max(sealed, default=None), {}, tuple(odd))

    def kept(self, survey, hour):
        return Kept(self._first("seal", hour), self._first("file", hour))

    def files(self, first, last):
        for hour in hours(first, last):
            yield self._first("file", hour) if ("seal", hour) in self.versions else None

    def hide(self, kind, hour):
        self.versions[kind, hour].append(None)

    def _put(self, kind, hour, body):
        self.versions.setdefault((kind, hour), [body])
        return self._first(kind, hour)

    def _first(self, kind, hour):
        return self.versions.get((kind, hour), [None])[0]
