from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.request import Request
from chalicelib.domain.study import StudyRef
from chalicelib.services.access_ports import HiddenStudies, People, Timeline

_PAGE = 500


@dataclass(frozen=True, slots=True)
class ResolveStudies:
    """The studies a request opens, as they are now: a consent keeps this list. What the person hides is not in it,
    unless they choose it themself."""

    people: People
    timeline: Timeline
    hidden: HiddenStudies

    def __call__(self, request: Request) -> frozenset[StudyRef]:
        if request.scope == "identity":
            own = frozenset(ref for ref in self._of(request.identity) if ref.hospital_id == request.hospital_id)
            return own - self.hidden.of_person(request.owner)
        studies = self.of_person(request.owner)
        return frozenset(ref for ref in studies if ref.hospital_id in request.only) if request.only else studies

    def of_person(self, person_id: str, *, hidden_too: bool = False) -> frozenset[StudyRef]:
        """All studies of a person's confirmed identities, for the person to choose from with the hidden ones."""
        links = self.people.links(person_id)
        own = frozenset(ref for link in links if link.status == "confirmed" for ref in self._of(link.identity))
        return own if hidden_too else own - self.hidden.of_person(person_id)

    def of_identity(self, identity: IdentityKey) -> frozenset[StudyRef]:
        """The studies of the issuing hospital itself under one of its numbers, the hidden ones too."""
        return frozenset(ref for ref in self._of(identity) if ref.hospital_id == identity.issuer)

    def _of(self, identity: IdentityKey) -> list[StudyRef]:
        refs: list[StudyRef] = []
        token = ""
        while True:
            page = self.timeline.timeline(identity.issuer, identity.local_id, token, _PAGE)
            refs.extend(summary.ref for summary in page.items)
            if not page.next_token:
                return refs
            token = page.next_token
