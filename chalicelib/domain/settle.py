"""Settle: which of a study's received instances are served. A pure function of facts that only grow, so that any
order, repetition or crash on the way ends in the same manifest (DESIGN §4.7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.exam import StudyFact
from chalicelib.domain.identity import is_placeholder
from chalicelib.domain.manifest import Judged, Manifest
from chalicelib.domain.study import Amendment, Entry, EntryStatus, Place, StudyRef, StudyState, Summary
from chalicelib.domain.summary import study_facts, summarise

Digests = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Settled:
    """The truth as far as the facts go. `body` is the manifest's JSON; the summary's `manifest_parts` is 0, for only
    the store knows it; `facts` are for the ledger.
    """

    manifest: Manifest
    body: bytes
    summary: Summary
    facts: tuple[StudyFact, ...]


@dataclass(frozen=True, slots=True)
class NeedsDigests:
    """Copies of one instance that only their bytes can tell apart: the SHA-256 of these places is wanted."""

    places: tuple[Place, ...]


def settle(
    ref: StudyRef, entries: Iterable[Entry], amendments: Collection[Amendment], digests: Digests, issuer: str
) -> Settled | NeedsDigests:
    """Judge every entry. Of entries with one place the first given counts, so give the journal's before the old
    manifest's. `digests`: (version_id, offset) → SHA-256; "" for bytes that are gone, which equal nothing.
    `issuer` is the hospital's registration, never what a tag says.
    """
    excluded = {(amendment.version_id, amendment.offset) for amendment in amendments}
    received = _once(entries)
    kept = [entry for entry in received if _spot(entry.place) not in excluded]
    judged = _judge(kept, digests)
    if isinstance(judged, NeedsDigests):
        return judged
    judged += [(entry, "excluded") for entry in received if _spot(entry.place) in excluded]
    manifest = Manifest.of(ref, _state(kept), judged)
    body = manifest.to_json()
    served = sorted((entry for entry, status in judged if status == "served"), key=lambda entry: entry.order)
    summary = summarise(manifest, body, served, issuer)
    return Settled(manifest, body, summary, study_facts(summary, received, served, len(amendments)))


def _spot(place: Place) -> tuple[str, int]:
    return (place.version_id, place.offset)


def _once(entries: Iterable[Entry]) -> list[Entry]:
    """Each place once, in the order in which entries count."""
    found: dict[tuple[str, int], Entry] = {}
    for entry in entries:
        found.setdefault(_spot(entry.place), entry)
    return sorted(found.values(), key=lambda entry: entry.order)


def _judge(kept: Sequence[Entry], digests: Digests) -> list[Judged] | NeedsDigests:
    judged: list[Judged] = []
    wanted: dict[tuple[str, int], Place] = {}
    for first, *others in _by_instance(kept):
        judged.append((first, "served"))
        for other in others:
            if (status := _compare(first, other, digests)) is not None:
                judged.append((other, status))
            else:
                wanted |= {_spot(e.place): e.place for e in (first, other) if _spot(e.place) not in digests}
    return NeedsDigests(tuple(wanted.values())) if wanted else judged


def _by_instance(entries: Iterable[Entry]) -> Iterable[Sequence[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.header.sop_instance_uid, []).append(entry)
    return groups.values()


def _compare(first: Entry, other: Entry, digests: Digests) -> EntryStatus | None:
    """What `other` is beside the served `first`; None while only their bytes can tell."""
    if first.place.length != other.place.length:
        return "divergent"
    ours, theirs = first.checksum, other.checksum
    if ours and theirs and ours.algorithm == theirs.algorithm:
        return "duplicate" if ours.value == theirs.value else "divergent"
    known = (digests.get(_spot(first.place)), digests.get(_spot(other.place)))
    if None in known:
        return None
    return "duplicate" if known[0] and known[0] == known[1] else "divergent"


def _state(kept: Sequence[Entry]) -> StudyState:
    if not kept:
        return "empty"
    return "conflicted" if _conflicted(kept) else "served"


def _conflicted(kept: Sequence[Entry]) -> bool:
    """Whether the entries name more than one patient. A real id decides alone; without one, name and birth date do,
    and must be those of an entry that has one. An entry that says nothing of the patient contradicts nobody.
    """
    named = {(h.patient_id, h.patient_name, h.patient_birth_date) for h in (entry.header for entry in kept)}
    real = {one for one in named if not is_placeholder(one[0], one[1])}
    known = {(name, birth_date) for _, name, birth_date in real} | {("", "")}
    strangers = {(name, birth_date) for _, name, birth_date in named - real} - known
    return len({patient_id for patient_id, _, _ in real}) + len(strangers) > 1
