"""Which object versions hold a study, or tell of it, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from chalicelib.domain.destruction import Plan, Planned, archive_prefixes
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import Place, StudyRef, Summary
from chalicelib.services.access_ports import People
from chalicelib.services.find_told import FindTold
from chalicelib.services.ports import Journal, Studies, Uploads

ARCHIVES = "archives/"


@dataclass(frozen=True, slots=True)
class PlanDestruction:
    """From the manifest, which names every entry ever seen, and what the journal has beyond it.

    A pack is one series, so it goes with its study. Any other archive goes only when all that came out of it does: with
    the last of its studies.
    """

    uploads: Uploads
    studies: Studies
    journal: Journal
    people: People
    told: FindTold

    def __call__(self, summary: Summary) -> Plan:
        places = tuple(self._places(summary))
        versions = {(place.key, place.version_id): place.length for place in places}
        versions |= self._sizes_of_packs(versions)
        archives, kept_archives = self._archives(versions)
        told, kept_notices = self.told(summary)
        planned = (Planned(*named, size) for named, size in {**versions, **archives, **told}.items())
        kept = {"shared_archive": kept_archives, "shared_notice": kept_notices}
        return Plan(tuple(sorted(planned)), {why: count for why, count in kept.items() if count}, self._person(summary))

    def _places(self, summary: Summary) -> Iterator[Place]:
        body = self.studies.manifest(summary.ref, summary.manifest_digest, summary.manifest_parts)
        yield from (entry.place for entry, _ in Manifest.from_json(body).entries())
        yield from (entry.place for entry in self.journal.read(summary.ref))

    def _sizes_of_packs(self, versions: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """A pack's entries are parts of it: its own size is the object's."""
        packs = {key for key, _ in versions if key.startswith(ARCHIVES)}
        listed = ((one.key, one.version_id, one.size) for key in packs for one in self.uploads.versions(key))
        return {(key, version): size for key, version, size in listed if (key, version) in versions}

    def _archives(self, versions: Mapping[tuple[str, str], int]) -> tuple[dict[tuple[str, str], int], int]:
        """The archives that nothing else came out of, and how many others there are."""
        found: dict[tuple[str, str], int] = {}
        shared = 0
        for prefix, archives, version in archive_prefixes(key for key, _ in versions):
            unpacked = {(one.key, one.version_id) for one in self.uploads.versions(prefix)}
            if unpacked - versions.keys():
                shared += 1
                continue
            named = (one for one in self.uploads.versions(archives) if quote(one.version_id, safe="") == version)
            found |= {(one.key, one.version_id): one.size for one in named}
        return found, shared

    def _person(self, summary: Summary) -> str:
        if not summary.patient_id:
            return ""
        link = self.people.link(IdentityKey(summary.issuer, summary.patient_id))
        return link.person_id if link is not None and link.status == "confirmed" else ""


def planned_of(ref: StudyRef, studies: Studies, plan: PlanDestruction) -> Plan | None:
    """None for a study that is not known, or not any more."""
    summary = studies.summary(ref)
    return None if summary is None or summary.state == "destroyed" else plan(summary)
