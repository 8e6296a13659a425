"""The day after: every image that S3 gave by a signed URL must have been allowed (DESIGN §6)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from io import BytesIO
from typing import Protocol

from chalicelib.domain.export import EXPORT_PREFIX as _COPIES  # of persons' records: no study's, and signed for them
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.reads import Allowed, allowed_events, judge, read_line, sessions_of
from chalicelib.domain.seal import HOUR, each_line
from chalicelib.domain.study import StudyRef
from chalicelib.services.audit_ports import SealArchive
from chalicelib.services.ports import Studies, Topic
from chalicelib.services.view_manifest import Reports

NAMED = 20  # objects that a message names, by the digest of their key
STUDIES_KEPT = 2000  # studies whose keys are kept at a time; a view's requests come close together


class AccessLogs(Protocol):
    """S3's own log of the buckets that signed URLs open."""

    def lines(self, day: date) -> Iterator[tuple[str, Iterator[str]]]:
        """Every log object of a UTC day, and its lines. What is no UTF-8 is replaced."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What a day's comparison found. `unexplained`: reads without a fitting decision, by why; `objects`: digests of
    some of their keys. `held`: the day's audit is not all sealed yet, or time ran out: nothing is known of the rest."""

    day: str
    reads: int
    unexplained: Mapping[str, int]
    objects: tuple[str, ...]
    held: bool = False


@dataclass(slots=True)
class _Day:
    allowed: Mapping[str, Allowed]
    sessions: str
    keys: dict[StudyRef, frozenset[str] | None] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    objects: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckReads:
    """Reads the day's sealed audit and S3's log of it; tells `topic` of what nothing allowed: counts and digests, no
    key and no person. `signer_role_arn` is the role whose signatures open images.

    Memory grows with the day's decisions, not with its reads.
    """

    logs: AccessLogs
    archive: SealArchive
    studies: Studies
    reports: Reports
    topic: Topic
    signer_role_arn: str

    def __call__(self, day: date, now: datetime, keep_going: Callable[[], bool]) -> Checked:
        allowed = self._allowed(day, now)
        if allowed is None:
            return Checked(day.isoformat(), 0, {}, (), held=True)
        found, held = _Day(allowed, sessions_of(self.signer_role_arn)), False
        for _, lines in self.logs.lines(day):
            if not keep_going():
                held = True
                break
            self._take(found, lines)
        checked = _outcome(day, found, held=held)
        if checked.unexplained:
            self.topic.publish(f"unexplained reads {checked.day}", message(checked))
        return checked

    def _allowed(self, day: date, now: datetime) -> dict[str, Allowed] | None:
        """Of the day and the hour before it: a URL may outlive midnight. None while the day's last hour is not sealed;
        hours before the first seal ever had no events, and after it no hour is left out."""
        begin = datetime.combine(day, time(), UTC)
        latest = self.archive.latest(now)
        if latest is None or latest[0] < begin + 23 * HOUR:
            return None
        allowed: dict[str, Allowed] = {}
        for content in self.archive.files(begin - HOUR, begin + 23 * HOUR):
            for line in each_line(BytesIO(content or b"")):
                told = json.loads(line)
                if event := allowed_events(told["event"]):
                    allowed[told["id"]] = event
        return allowed

    def _take(self, found: _Day, lines: Iterator[str]) -> None:
        for line in lines:
            if found.sessions not in line:
                continue
            request = read_line(line)
            if request is None:
                found.verdicts["unreadable"] += 1
            elif request.is_read and request.requester.startswith(found.sessions) and not request.is_beneath(_COPIES):
                event = found.allowed.get(request.event_id)
                verdict = judge(request, event, self._keys(found, event.study) if event else frozenset())
                found.verdicts[verdict] += 1
                if verdict != "allowed" and len(found.objects) < NAMED:
                    found.objects[key_digest(request.keys[1 if len(request.keys) > 1 else 0])] = None

    def _keys(self, found: _Day, study: StudyRef) -> frozenset[str] | None:
        if study not in found.keys:
            if len(found.keys) >= STUDIES_KEPT:
                del found.keys[next(iter(found.keys))]
            found.keys[study] = self._read_keys(study)
        return found.keys[study]

    def _read_keys(self, study: StudyRef) -> frozenset[str] | None:
        """Every object ever received for a study, and the reports shown with it; no object of a study that is unknown.
        None of one that was destroyed since: which they were is not known any more."""
        summary = self.studies.summary(study)
        if summary is None:
            return frozenset()
        if summary.state == "destroyed":
            return None
        body = self.studies.manifest(study, summary.manifest_digest, summary.manifest_parts)
        of_images = {
            row.get("key") or series.shared.get("key", "")
            for series in Manifest.from_json(body).series
            for row in series.rows
        }
        return frozenset(of_images | {one.place.key for one in self.reports(study, summary.accession_number)})


def key_digest(key: str) -> str:
    """How an object is named outside: an operator who holds the log can find it, nobody else can read it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def message(checked: Checked) -> dict[str, object]:
    """What subscribers of the alarms get."""
    return {
        "event": "unexplained_reads",
        "day": checked.day,
        "reads": checked.reads,
        "unexplained": dict(checked.unexplained),
        "objects": list(checked.objects),
    }


def _outcome(day: date, found: _Day, *, held: bool) -> Checked:
    unexplained = {name: count for name, count in sorted(found.verdicts.items()) if name != "allowed"}
    reads = sum(count for name, count in found.verdicts.items() if name != "unreadable")
    return Checked(day.isoformat(), reads, unexplained, tuple(found.objects), held)
