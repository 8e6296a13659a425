from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.request import Request
from chalicelib.domain.study import StudyRef
from chalicelib.services.access_ports import People, Timeline

_PAGE = 500


@dataclass(frozen=True, slots=True)
class ResolveStudies:
    """The studies a request opens, as they are now: a consent keeps this list."""

    people: People
    timeline: Timeline

    def __call__(self, request: Request) -> frozenset[StudyRef]:
        if request.scope == "identity":
            return frozenset(ref for ref in self._of(request.identity) if ref.hospital_id == request.hospital_id)
        return self.of_person(request.owner)

    def of_person(self, person_id: str) -> frozenset[StudyRef]:
        """All studies of a person's confirmed identities."""
        links = self.people.links(person_id)
        return frozenset(ref for link in links if link.status == "confirmed" for ref in self._of(link.identity))

    def _of(self, identity: IdentityKey) -> list[StudyRef]:
        refs: list[StudyRef] = []
        token = ""
        while True:
            page = self.timeline.timeline(identity.issuer, identity.local_id, token, _PAGE)
            refs.extend(summary.ref for summary in page.items)
            if not page.next_token:
                return refs
            token = page.next_token
