from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from chalicelib.domain.manifest import Manifest
from chalicelib.domain.settle import NeedsDigests, Settled, settle
from chalicelib.domain.study import Amendment, Entry, StudyRef, Summary
from chalicelib.domain.summary import destroyed
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.digest_places import DigestPlaces
from chalicelib.services.ports import ExamsPort, Journal, Refeed, Studies, Uploads

# A view or another settle that read SUMMARY just before the flip reads the old manifest seconds later; the days are for
# people who ask what was served before a change. (A page's token dies with the flip: pages of two manifests never mix.)
SUPERSEDED_KEPT = timedelta(days=3)
TRIES = 5  # settles of one study are serial but for reindex and the single queue: a race is rare, five never


class SettleRaced(Exception):  # noqa: N818 - the fact
    """Others kept settling this study in between; the message is to be delivered again."""


@dataclass(frozen=True, slots=True)
class SettleStudy:
    """Journal → manifest (DESIGN §4.7). Whatever step it crashes at, the next call ends in the same truth.

    `refeed` brings packs to be unpacked that hold something excluded: until then nothing of them is served.
    `workers` streams are under way at a time where only bytes tell copies apart: a pack of what came singly is 600.
    """

    journal: Journal
    studies: Studies
    uploads: Uploads
    exams: ExamsPort
    refeed: Refeed
    workers: int = 8

    def __call__(self, ref: StudyRef, now: datetime) -> Summary | None:
        """The study's summary as it stands after this; None when nothing was ever received. Raises SettleRaced."""
        for _ in range(TRIES):
            # SUMMARY first: then whatever is read afterwards is no older than what its manifest was made from.
            read = self.studies.summary(ref)
            amendments = self.studies.amendments(ref)
            if any(amendment.kind == "destroy" for amendment in amendments):
                if (tombstone := self._bury(ref, read, now)) is not None:
                    return tombstone
                continue
            settled = self._settle(ref, read, amendments)
            if settled is None:
                return None
            summary = self._publish(settled, read, now)
            if summary is not None:
                self._tell(settled, now)
                return summary
        raise SettleRaced

    def _bury(self, ref: StudyRef, read: Summary | None, now: datetime) -> Summary | None:
        """A study that was disposed of stays so, whatever comes later; the ledger goes on knowing that it was there.
        None when another settle was faster."""
        summary, revision = destroyed(ref), read.revision if read is not None else 0
        if read == summary:
            return read
        if not self.studies.flip(summary, revision):
            return None
        if read is not None:
            self._expire(read, now)
        return replace(summary, revision=revision + 1)

    def _settle(self, ref: StudyRef, read: Summary | None, amendments: Sequence[Amendment]) -> Settled | None:
        """The truth from all facts. The old manifest is one of them, for the journal expires."""
        known: tuple[Entry, ...] = ()
        if read is not None:
            body = self.studies.manifest(ref, read.manifest_digest, read.manifest_parts)
            known = tuple(entry for entry, _ in Manifest.from_json(body).entries())
        entries = tuple(chain(self.journal.read(ref), known))
        return self._judge(ref, entries, amendments) if entries else None

    def _judge(self, ref: StudyRef, entries: Sequence[Entry], amendments: Sequence[Amendment]) -> Settled:
        digests: dict[tuple[str, int], str] = {}
        outcome = settle(ref, entries, amendments, digests, issuer=ref.hospital_id)
        while isinstance(outcome, NeedsDigests):
            digests |= DigestPlaces(self.studies, self.uploads, self.workers)(ref, outcome.places)
            outcome = settle(ref, entries, amendments, digests, issuer=ref.hospital_id)
        return outcome

    def _publish(self, settled: Settled, read: Summary | None, now: datetime) -> Summary | None:
        """Flip SUMMARY to the new manifest where anything changed; None when another settle was faster."""
        summary, ref = settled.summary, settled.summary.ref
        revision = read.revision if read is not None else 0
        superseded = read if read is not None and read.manifest_digest != summary.manifest_digest else None
        if read is not None and superseded is None:
            summary = replace(summary, manifest_parts=read.manifest_parts, revision=revision)
            if summary == read:
                return read
        else:
            parts = self.studies.put_manifest(ref, summary.manifest_digest, settled.body, revision)
            summary = replace(summary, manifest_parts=parts)
        if not self.studies.flip(summary, revision):
            return None
        if superseded is not None:
            self._expire(superseded, now)
        return replace(summary, revision=revision + 1)

    def _expire(self, superseded: Summary, now: datetime) -> None:
        """Let the manifest go that SUMMARY named until our flip. A crash before merely leaves it.

        It never harms a manifest that SUMMARY names, though a settle may have come back to this very one meanwhile:
        that settle read our flip or a later one, and what it wrote says so. One that read less cannot flip any more.
        """
        flipped, at = superseded.revision + 1, now + SUPERSEDED_KEPT
        old = superseded.manifest_digest, superseded.manifest_parts
        self.studies.expire_manifest(superseded.ref, *old, flipped, at)

    def _tell(self, settled: Settled, now: datetime) -> None:
        """Pointer and ledger facts, written again even where nothing changed: a crash after the flip mends itself."""
        ref = settled.summary.ref
        self.studies.put_pointer(ref)
        for fact in settled.facts:
            self.exams.study_settled(ref, fact, now)
        if settled.to_unpack:
            packs = [Uploaded(place.key, place.version_id, unpack=True) for place in settled.to_unpack]
            self.refeed.feed(packs)
