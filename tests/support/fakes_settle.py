"""Studies, hospitals and what else a settle touches, in memory."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from chalicelib.domain.page import Page, opaque, place
from chalicelib.domain.timeline import order

PART = 200  # bytes: small, so that a short test has manifests of several parts


class FakeStudies:
    def __init__(self):
        self.summaries = {}
        self.manifests, self.written, self.expiring = {}, {}, {}
        self.pointers = set()
        self.facts = {}

    def summary(self, ref):
        return self.summaries.get(ref)

    def manifest(self, ref, digest, parts):
        body = self.manifests.get((ref, digest))
        if body is None or parts != _parts(body):
            raise LookupError("manifest lacks parts")
        return body

    def put_manifest(self, ref, digest, body, read_revision):
        if self.written.get((ref, digest), 0) <= read_revision:
            self.manifests[ref, digest] = body
            self.written[ref, digest] = read_revision
            self.expiring.pop((ref, digest), None)
        return _parts(body)

    def expire_manifest(self, ref, digest, parts, flipped, at):
        if self.written.get((ref, digest), flipped) < flipped:
            self.expiring[ref, digest] = at

    def expire(self):
        """What DynamoDB's TTL does in time."""
        for blob in self.expiring:
            del self.manifests[blob], self.written[blob]
        self.expiring.clear()

    def flip(self, summary, read_revision):
        standing = self.summaries.get(summary.ref)
        if (standing.revision if standing else 0) != read_revision:
            return False
        self.summaries[summary.ref] = replace(summary, revision=read_revision + 1)
        return True

    def put_pointer(self, ref):
        self.pointers.add(ref)

    def hospitals_holding(self, study_instance_uid):
        holding = (ref.hospital_id for ref in self.pointers if ref.study_instance_uid == study_instance_uid)
        return tuple(sorted(holding))

    def amendments(self, ref):
        return tuple(
            fact for (of, kind, _), fact in sorted(self.facts.items(), key=str) if (of, kind) == (ref, "AMEND")
        )

    def amend(self, ref, amendment):
        self.facts[ref, "AMEND", amendment.amendment_id] = amendment

    def digests(self, ref):
        return {place: fact for (of, kind, place), fact in self.facts.items() if (of, kind) == (ref, "DIGEST")}

    def put_digest(self, ref, place, sha256):
        self.facts[ref, "DIGEST", (place.version_id, place.offset)] = sha256

    def timeline(self, issuer, patient_id, before, limit):
        mine = {
            order(found): found
            for found in self.summaries.values()
            if found.patient_id and found.state == "served" and (found.issuer, found.patient_id) == (issuer, patient_id)
        }
        names = sorted((name for name in mine if not before or name < before), reverse=True)
        rest = names[limit:]
        return Page(tuple(mine[name] for name in names[:limit]), names[limit - 1] if rest else "")


class FakeHospitals:
    def __init__(self, *hospitals):
        self.known = {hospital.hospital_id: hospital for hospital in hospitals}

    def get(self, hospital_id):
        return self.known.get(hospital_id)

    def put(self, hospital):
        self.known[hospital.hospital_id] = hospital

    def list(self):
        return tuple(self.known[hospital_id] for hospital_id in sorted(self.known))

    def page(self, token, limit):
        after = place(token, 16) if token else ""
        later = [one for one in self.list() if one.hospital_id > after]
        return Page(tuple(later[:limit]), opaque(later[limit - 1].hospital_id) if len(later) > limit else "")


class FakeReceived:
    """The journal as settle sees it, with its expiry."""

    def __init__(self):
        self.items = {}

    def write(self, received, now=None):
        for ref, entries in received.items():
            self.items.setdefault(ref, {}).update({_spot(entry.place): entry for entry in entries})

    def read(self, ref):
        return tuple(self.items.get(ref, {}).values())

    def expire(self):
        self.items.clear()


class FakeBytes:
    """The uploads bucket as settle sees it: the bytes of places."""

    def __init__(self):
        self.held = {}
        self.streamed = []

    def hold(self, place, content):
        self.held[_spot(place)] = content

    def sha256(self, place):
        self.streamed.append(_spot(place))
        content = self.held.get(_spot(place))
        return None if content is None else hashlib.sha256(content).hexdigest()


class FakeExams:
    """Study facts, grow-only, by the collection they gather in."""

    def __init__(self):
        self.told = {}

    def study_settled(self, ref, fact, now):
        collection = (ref.hospital_id, fact.accession_number or ref.study_instance_uid)
        self.told.setdefault((*collection, ref.study_instance_uid), {})[fact.digest] = fact

    def standing(self):
        """What counts of each study in each collection."""
        return {place: max(facts.values(), key=lambda fact: fact.rank) for place, facts in self.told.items()}


def _spot(place):
    return (place.version_id, place.offset)


def _parts(body):
    return -(-len(body) // PART)
