"""Settle: which of a study's received instances are served. A pure function of facts that only grow, so that any
order, repetition or crash on the way ends in the same manifest (DESIGN §4.7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.exam import StudyFact
from chalicelib.domain.identity import is_placeholder
from chalicelib.domain.manifest import Judged, Manifest
from chalicelib.domain.study import Amendment, Entry, Place, StudyRef, StudyState, Summary
from chalicelib.domain.summary import study_facts, summarise

Spot = tuple[str, int]  # (version_id, offset): where an entry's bytes lie, and what names it
Digests = Mapping[Spot, str]


@dataclass(frozen=True, slots=True)
class Settled:
    """The truth as far as the facts go. `body` is the manifest's JSON; the summary's `manifest_parts` is 0, for only
    the store knows it; `facts` are for the ledger. `to_unpack`: withheld places, one of each pack, whose instances no
    other copy serves.
    """

    manifest: Manifest
    body: bytes
    summary: Summary
    facts: tuple[StudyFact, ...]
    to_unpack: tuple[Place, ...] = ()


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

    An amendment excludes the entry it names and every copy of the same bytes: else a copy would be served in its
    place. A copy of other bytes under the same UID is another image and takes that place. Of a pack that holds
    something excluded nothing is served: it counts as received, and is to be unpacked.
    """
    named = {(amendment.version_id, amendment.offset) for amendment in amendments}
    received, compare = _once(entries), _Comparison(digests)
    groups = _by_instance(received)
    excluded = {spot: entry for group in groups for spot, entry in _with_copies(group, named, compare).items()}
    closed = {entry.place.version_id for entry in excluded.values() if entry.place.offset}
    judged = [list(_judge(group, excluded, closed, compare)) for group in groups]
    if compare.wanted:
        return NeedsDigests(tuple(compare.wanted.values()))
    pairs = [pair for group in judged for pair in group]
    manifest = Manifest.of(ref, _state([entry for entry, status in pairs if status != "excluded"]), pairs)
    body = manifest.to_json()
    served = [entry for entry, status in pairs if status == "served"]
    withheld = [entry for group in judged for entry in _only_withheld(group)]
    counted = sorted((*served, *withheld), key=lambda entry: entry.order)
    summary = summarise(manifest, body, counted, issuer)
    packs = {entry.place.version_id: entry.place for entry in withheld}
    facts = study_facts(summary, received, counted, len(amendments))
    return Settled(manifest, body, summary, facts, tuple(packs.values()))


def _spot(place: Place) -> Spot:
    return (place.version_id, place.offset)


def _once(entries: Iterable[Entry]) -> list[Entry]:
    """Each place once, in the order in which entries count."""
    found: dict[Spot, Entry] = {}
    for entry in entries:
        found.setdefault(_spot(entry.place), entry)
    return sorted(found.values(), key=lambda entry: entry.order)


def _judge(
    group: Sequence[Entry], excluded: Collection[Spot], closed: Collection[str], compare: _Comparison
) -> Iterator[Judged]:
    """The statuses of one instance's entries, given in the order in which they count. `closed`: versions of packs."""
    first: Entry | None = None
    for entry in group:
        if _spot(entry.place) in excluded:
            yield entry, "excluded"
        elif entry.place.version_id in closed:
            yield entry, "withheld"
        elif first is None:
            first = entry
            yield entry, "served"
        else:
            yield entry, "duplicate" if compare.equal(first, entry) else "divergent"


def _only_withheld(group: Sequence[Judged]) -> Sequence[Entry]:
    """The first withheld entry of an instance that is not served otherwise."""
    if any(status == "served" for _, status in group):
        return ()
    return [entry for entry, status in group if status == "withheld"][:1]


def _with_copies(group: Sequence[Entry], named: Collection[Spot], compare: _Comparison) -> Mapping[Spot, Entry]:
    """The named entries, the copies of each, and theirs: the same whichever of them was named, and in any order."""
    found = {_spot(entry.place): entry for entry in group if _spot(entry.place) in named}
    pending = list(found.values())
    while pending:
        one = pending.pop()
        copies = {_spot(e.place): e for e in group if _spot(e.place) not in found and compare.equal(one, e)}
        found |= copies
        pending += copies.values()
    return found


def _by_instance(entries: Iterable[Entry]) -> Collection[Sequence[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.header.sop_instance_uid, []).append(entry)
    return groups.values()


class _Comparison:
    """Which entries hold the same bytes. `wanted`: the places of which only the bytes themselves can tell."""

    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self.wanted: dict[Spot, Place] = {}

    def equal(self, one: Entry, other: Entry) -> bool:
        """False too while it cannot be told; then `wanted` is not empty."""
        if one.place.length != other.place.length:
            return False
        ours, theirs = one.checksum, other.checksum
        if ours and theirs and ours.algorithm == theirs.algorithm:
            return ours.value == theirs.value
        unknown = [entry.place for entry in (one, other) if _spot(entry.place) not in self._digests]
        self.wanted |= {_spot(place): place for place in unknown}
        return not unknown and self._digests[_spot(one.place)] == self._digests[_spot(other.place)] != ""


def _state(kept: Sequence[Entry]) -> StudyState:
    if not kept:
        return "empty"
    return "conflicted" if _conflicted(kept) else "served"


def _conflicted(kept: Sequence[Entry]) -> bool:
    """Whether the entries name more than one patient. A real id decides alone; without one, name and birth date do,
    and must be those of an entry that has one. An entry that says nothing of the patient contradicts nobody.
    """
    named = {(h.patient_id.strip(), h.patient_name, h.patient_birth_date) for h in (entry.header for entry in kept)}
    real = {one for one in named if not is_placeholder(one[0], one[1])}
    known = {(name, birth_date) for _, name, birth_date in real} | {("", "")}
    strangers = {(name, birth_date) for _, name, birth_date in named - real} - known
    return len({patient_id for patient_id, _, _ in real}) + len(strangers) > 1
