"""An hour of the audit, sealed: its events as lines, the Merkle root and count over them, chained to the hour before.

`verify` holds what the archive and the audit table say of each hour against the seal, and names every event that one
of them changed, removed, added or put out of order. An hour is its first instant, aware UTC.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain import merkle
from chalicelib.domain.seal_diff import Finding, differences, key_of

HOUR = timedelta(hours=1)
FORM = 1  # of seal and lines; another form gets another number
START = ""  # what the first seal of a chain names as the one before


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the table holds it: all attributes, ours and any other, so that nothing in it is left unsealed."""

    event_id: str
    partition: str
    values: Mapping[str, Any]

    @property
    def line(self) -> bytes:
        return canonical({"id": self.event_id, "in": self.partition, "event": self.values})


@dataclass(frozen=True, slots=True)
class Seal:
    """`root` (RFC 6962, hex) and `events_sha256` are over the lines; `previous` is the digest of the seal before."""

    hour: str
    count: int
    root: str
    events_sha256: str
    previous: str
    form: int = FORM

    def to_json(self) -> bytes:
        return canonical(asdict(self))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the archive holds of an hour. `lines`: the file's content; None where it is missing or `unreadable`."""

    seal: bytes | None
    lines: bytes | None
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """An hour's findings, and by which digests the next seal may name it; None when that cannot be told."""

    hour: datetime
    count: int
    digest: str
    findings: tuple[Finding, ...]
    after: tuple[str, ...] | None


def canonical(value: Any) -> bytes:
    """JSON with one form only: sorted names, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_name(hour: datetime) -> str:
    """`2026-11-24T05`: what the table's partitions, the archive's keys and the seals call an hour."""
    return hour.astimezone(UTC).strftime("%Y-%m-%dT%H")


def hours(first: datetime, last: datetime) -> Iterator[datetime]:
    """From the first to the last, both included."""
    while first <= last:
        yield first
        first += HOUR


def lines_of(records: Iterable[Record]) -> list[bytes]:
    """In the order of a sealed file: by event id, equal ones by partition."""
    return [record.line for record in sorted(records, key=lambda record: (record.event_id, record.partition))]


def joined(lines: Iterable[bytes]) -> bytes:
    """The file's content: every line ends in a line feed."""
    return b"".join(line + b"\n" for line in lines)


def split(content: bytes) -> list[bytes]:
    """The lines of a file; what stands after the last line feed is a line too."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def each_line(file: Iterable[bytes]) -> Iterator[bytes]:
    """The same of a binary file that is open, one after the other."""
    return (line.removesuffix(b"\n") for line in file)


def seal(hour: datetime, lines: Iterable[bytes], previous: str) -> Seal:
    """Each line is looked at once: an hour need not fit into memory."""
    content, count = hashlib.sha256(), 0

    def leaves() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            content.update(line + b"\n")
            yield merkle.leaf(line)

    root = merkle.root(leaves()).hex()
    return Seal(hour_name(hour), count, root, content.hexdigest(), previous)


def read_seal(body: bytes) -> Seal | None:
    """None for what is no seal of this form."""
    try:
        told = json.loads(body)
        found = Seal(**told)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.hour, found.root, found.events_sha256, found.previous)
    right = all(isinstance(text, str) for text in texts) and type(found.count) is int and found.form == FORM
    return found if right else None


# Verification


def verify(
    told: Iterable[tuple[datetime, Kept, Sequence[Record] | None]], before: tuple[str, ...] | None = (START,)
) -> Iterator[Verified]:
    """Every hour of a chain in order. `told`: hour, what the archive holds, and the table's events (None: not asked).

    `before`: the digests by which the first seal may name the one before it; None leaves that first link unchecked.
    """
    for hour, kept, live in told:
        verified = verify_hour(hour, kept, live, before)
        before = verified.after
        yield verified


def verify_hour(hour: datetime, kept: Kept, live: Sequence[Record] | None, before: tuple[str, ...] | None) -> Verified:
    name = hour_name(hour)
    found = read_seal(kept.seal) if kept.seal is not None else None
    table = None if live is None else lines_of(live)
    truth = _truth(found, kept, table)
    findings = [
        *_of_seal(name, kept, found, truth, before),
        *_of_file(name, kept, truth),
        *_between(name, truth, table, kept),
    ]
    digest = hashlib.sha256(kept.seal).hexdigest() if kept.seal is not None else ""
    return Verified(hour, len(truth or ()), digest, tuple(findings), _after(hour, digest, truth, before, findings))


def _truth(found: Seal | None, kept: Kept, table: list[bytes] | None) -> list[bytes] | None:
    """The events as they were: of what is at hand, that which the seal's root and count speak of.

    Without a seal to ask, the file, for it is locked. None where the seal agrees with nothing and the copies differ.
    """
    file = None if kept.lines is None else split(kept.lines)
    copies = [copy for copy in (file, table, sorted(file, key=_id_of) if file else None) if copy is not None]
    if found is None:
        return copies[0] if copies else None
    for copy in copies:
        if found.count == len(copy) and found.root == merkle.root([merkle.leaf(line) for line in copy]).hex():
            return copy
    return file if file is not None and file == table else None


def _of_seal(
    hour: str, kept: Kept, found: Seal | None, truth: list[bytes] | None, before: tuple[str, ...] | None
) -> Iterator[Finding]:
    if kept.seal is None:
        yield Finding("seal_missing", hour, "seal")
        return
    if found is None:
        yield Finding("seal_unreadable", hour, "seal")
        return
    if before is not None and found.previous not in before:
        yield Finding("chain_broken", hour, "seal", detail="previous")
    if truth is None:
        return
    right = asdict(seal(datetime.fromisoformat(f"{hour}:00+00:00"), truth, found.previous))
    wrong = [field for field, value in asdict(found).items() if value != right[field]]
    if wrong or found.to_json() != kept.seal:
        yield Finding("seal_changed", hour, "seal", detail=",".join(wrong) or "form")


def _of_file(hour: str, kept: Kept, truth: list[bytes] | None) -> Iterator[Finding]:
    if kept.unreadable or kept.lines is None:
        yield Finding("file_unreadable" if kept.unreadable else "file_missing", hour, "file")
        return
    if truth is None or kept.lines == joined(truth):
        return
    named = list(differences(truth, split(kept.lines), hour, "file"))
    yield from named or [Finding("file_changed", hour, "file", detail="line ends")]


def _between(hour: str, truth: list[bytes] | None, table: list[bytes] | None, kept: Kept) -> Iterator[Finding]:
    """The table against the truth; where nothing agrees with the seal, all in which the copies differ."""
    if truth is not None:
        yield from differences(truth, table, hour, "table") if table is not None else ()
        return
    yield Finding("disputed", hour, "file" if kept.lines is not None else "table", detail="nothing is as it was sealed")
    if table is not None and kept.lines is not None:
        yield from differences(split(kept.lines), table, hour, "table", disputed=True)


def _after(
    hour: datetime, digest: str, truth: list[bytes] | None, before: tuple[str, ...] | None, findings: list[Finding]
) -> tuple[str, ...] | None:
    """A seal that was named here is not held against the next hour: it may name the seal as it must have been."""
    if digest and not any(finding.where == "seal" for finding in findings):
        return (digest,)
    if truth is None or before is None:
        return None
    return (*([digest] if digest else []), *(seal(hour, truth, previous).digest for previous in before))


def _id_of(line: bytes) -> tuple[str, str]:
    return key_of(line) or ("", "")
