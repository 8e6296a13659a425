"""`python -m infra.verify_audit`: hold the audit against its seals and name whatever is not as it was sealed.

Reads AUDIT_TABLE and AUDIT_ARCHIVE_BUCKET with the caller's own AWS credentials (or `--local build/local.json`).
Exit code 0: all as sealed. 1: something is not. 2: nothing could be verified.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chalicelib.domain import merkle
from chalicelib.domain.seal import (
    HOUR,
    START,
    Kept,
    Record,
    Verified,
    hour_name,
    hour_of,
    hours,
    read_seal,
    split,
    verify,
)
from chalicelib.domain.seal_diff import Finding, key_of
from chalicelib.domain.ulid import instant_of
from chalicelib.services.audit_ports import AuditHours, SealArchive, Survey
from infra.verify_audit_text import WHERE, WORDS, language_of, sentence

OVERDUE = 3 * HOUR  # an hour is due two hours after its beginning; one run of the schedule may be under way


@dataclass(frozen=True)
class Range:
    """The hours to verify, both ends included."""

    first: datetime
    last: datetime

    @property
    def hours(self) -> list[datetime]:
        return list(hours(self.first, self.last))


@dataclass(frozen=True)
class Outcome:
    """`head`: the digest of the last seal that stands."""

    range: Range
    events: int
    findings: tuple[Finding, ...]
    head: str
    head_hour: str


class NothingSealedError(LookupError):
    pass


def chosen(survey: Survey, first: datetime | None, last: datetime | None, now: datetime) -> Range:
    """Without bounds from the first seal to the hour that must be sealed by now. Raises NothingSealedError."""
    if survey.first is None or survey.last is None:
        raise NothingSealedError
    due = max(survey.last, hour_of(now) - OVERDUE)
    return Range(first or survey.first, min(last or due, due))


def examine(
    archive: SealArchive, table: AuditHours | None, survey: Survey, asked: Range, noted: Mapping[str, str]
) -> Iterator[Verified]:
    """Hour by hour. `noted`: digests of seals that were written down elsewhere, by hour."""
    start = (START,) if asked.first == survey.first else _before(archive, survey, asked.first)
    told = _told(archive, table, survey, asked)
    for verified in verify(told, start):
        name = hour_name(verified.hour)
        differs = name in noted and noted[name] != verified.digest
        more = (Finding("head_differs", name, "seal", detail=noted[name]),) if differs else ()
        yield Verified(verified.hour, verified.count, verified.digest, (*verified.findings, *more), verified.after)


def odd(survey: Survey, asked: Range) -> Iterator[Finding]:
    """What the survey alone shows; a key of no hour counts in every range."""
    within = {hour_name(hour) for hour in asked.hours}
    for one in survey.oddities:
        if one.is_stray or one.hour in within:
            yield Finding("stray" if one.is_stray else "overwritten", one.hour, "archive", detail=one.key)


def outcome(asked: Range, verified: Sequence[Verified], oddities: Sequence[Finding]) -> Outcome:
    findings = tuple(finding for one in verified for finding in one.findings)
    sealed = [one for one in verified if one.digest]
    head = sealed[-1] if sealed else None
    return Outcome(
        asked,
        sum(one.count for one in verified),
        (*oddities, *findings),
        head.digest if head else "",
        hour_name(head.hour) if head else "",
    )


def prove(archive: SealArchive, survey: Survey, event_id: str) -> dict[str, Any] | None:
    """That one event is under a seal: its line, and the path to the root that anybody can recompute (RFC 6962)."""
    at = instant_of(event_id)
    kept = archive.kept(survey, hour_of(at)) if at else Kept(None, None)
    lines = split(kept.lines or b"")
    for index, line in enumerate(lines):
        found = key_of(line)
        if found and found[0] == event_id:
            return _proof(kept, line, index, merkle.proof(index, [merkle.leaf(one) for one in lines]))
    return None


def _proof(kept: Kept, line: bytes, index: int, path: Sequence[bytes]) -> dict[str, Any]:
    seal = read_seal(kept.seal or b"")
    holds = seal is not None and merkle.includes(line, index, seal.count, path, bytes.fromhex(seal.root))
    return {
        "line": line.decode(),
        "index": index,
        "path": [node.hex() for node in path],
        "seal": asdict(seal) if seal else None,
        "holds": holds,
    }


def _told(
    archive: SealArchive, table: AuditHours | None, survey: Survey, asked: Range
) -> Iterator[tuple[datetime, Kept, Sequence[Record] | None]]:
    for hour in asked.hours:
        yield hour, archive.kept(survey, hour), table.of_hour(hour) if table else None


def _before(archive: SealArchive, survey: Survey, first: datetime) -> tuple[str, ...] | None:
    """The digest of the seal before a range that does not begin with the chain."""
    (verified,) = verify([(first - HOUR, archive.kept(survey, first - HOUR), None)], None)
    return verified.after


# The command


def main(arguments: Sequence[str], console: Console | None = None) -> int:
    asked = _parse(arguments)
    out = console or Console()
    if asked.local:
        os.environ.update(_local(Path(asked.local)))
    from chalicelib import wiring

    archive = wiring.seal_archive()
    survey = archive.survey()
    if asked.prove:
        return _print_proof(out, prove(archive, survey, asked.prove), asked.lang)
    try:
        span = chosen(survey, asked.first, asked.last, wiring.now())
    except NothingSealedError:
        out.print(WORDS["nothing"](asked.lang))
        return 2
    table = None if asked.archive_only else wiring.audit_hours()
    verified = []
    with Progress(console=out, transient=True, disable=asked.json) as progress:
        task = progress.add_task(WORDS["working"](asked.lang), total=len(span.hours))
        for one in examine(archive, table, survey, span, dict(asked.head)):
            verified.append(one)
            progress.advance(task)
    done = outcome(span, verified, list(odd(survey, span)))
    _print_json(out, done) if asked.json else _print(out, done, asked.lang, archive_only=table is None)
    return 1 if done.findings else 0


def _print(out: Console, done: Outcome, language: str, *, archive_only: bool) -> None:
    if done.findings:
        shown = Table(title=WORDS["title"](language), title_justify="left")
        for name in ("hour", "what", "where", "event", "detail"):
            shown.add_column(WORDS[name](language), overflow="fold")
        for one in done.findings:
            where = WHERE[one.where](language)
            shown.add_row(one.hour, sentence(one, language), where, one.event_id, one.detail)
        out.print(shown)
    if archive_only:
        out.print(WORDS["archive_only"](language))
    said = WORDS["broken" if done.findings else "intact"](
        language,
        first=hour_name(done.range.first),
        last=hour_name(done.range.last),
        hours=len(done.range.hours),
        events=done.events,
        findings=len(done.findings),
    )
    out.print(said, style="bold red" if done.findings else "bold green")
    out.print(WORDS["head"](language, last=done.head_hour, head=done.head), soft_wrap=True)


def _print_json(out: Console, done: Outcome) -> None:
    told = {
        "first": hour_name(done.range.first),
        "last": hour_name(done.range.last),
        "hours": len(done.range.hours),
        "events": done.events,
        "findings": [asdict(one) for one in done.findings],
        "head": {done.head_hour: done.head},
    }
    out.print_json(json.dumps(told, ensure_ascii=False))


def _print_proof(out: Console, proof: dict[str, Any] | None, language: str) -> int:
    if proof is None:
        out.print(WORDS["unknown_event"](language))
        return 2
    out.print_json(json.dumps(proof, ensure_ascii=False))
    return 0 if proof["holds"] else 1


def _local(path: Path) -> dict[str, str]:
    """The environment of the local cloud that `make run` keeps up."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return {
        "AWS_ENDPOINT_URL": told["s3_endpoint"],
        "AWS_DEFAULT_REGION": told["region"],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local-only",
        "AUDIT_TABLE": told["audit_table"],
        "AUDIT_ARCHIVE_BUCKET": told["buckets"]["audit_archive"],
    }


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.verify_audit", description=__doc__)
    parser.add_argument("--from", dest="first", type=_hour, help="first hour, e.g. 2026-11-24T05 (UTC)")
    parser.add_argument("--to", dest="last", type=_hour, help="last hour")
    parser.add_argument("--archive-only", action="store_true", help="do not compare the audit table")
    parser.add_argument(
        "--head", action="append", default=[], type=_noted, metavar="HOUR=DIGEST", help="a seal's digest noted before"
    )
    parser.add_argument("--prove", metavar="EVENT", help="print the proof that one event is under a seal")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--local", metavar="FILE", help="verify the local cloud that this local.json describes")
    parser.add_argument("--lang", choices=["zh", "en"], default=language_of(os.environ))
    return parser.parse_args(arguments)


def _hour(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H").replace(tzinfo=UTC)


def _noted(text: str) -> tuple[str, str]:
    hour, equals, digest = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("HOUR=DIGEST")
    return hour_name(_hour(hour)), digest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
