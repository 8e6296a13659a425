"""People, consents, counters and audit in memory; each write is one step, as a conditional write is."""

from __future__ import annotations

import hashlib
import hmac
import random
import threading
from collections import Counter
from dataclasses import replace

from chalicelib.domain.code import WRONG_PER_CODE
from chalicelib.domain.identity import FormerLink, IdentityKey
from chalicelib.domain.licence import held_licence, licence_given_back, normal_licence
from chalicelib.domain.page import Page
from chalicelib.domain.span import ALWAYS


class FakePeople:
    def __init__(self):
        self.persons = {}
        self.links_by_identity = {}
        self.holders = {}
        self.former = {}
        self.left = {}
        self._step = threading.Lock()

    def person(self, person_id):
        return self.persons.get(person_id)

    def link(self, identity):
        return self.links_by_identity.get(identity)

    def links(self, person_id):
        return tuple(link for link in self.links_by_identity.values() if link.person_id == person_id)

    def save(self, change):
        with self._step:
            if _revision(self.links_by_identity.get(change.link.identity)) != _revision(change.former):
                return False
            person = change.person
            if person and _revision(self.persons.get(person.person_id)) != person.revision:
                return False
            if person:
                self.persons[person.person_id] = replace(person, revision=person.revision + 1)
                if change.phone_key:
                    self.holders[change.phone_key] = person.person_id
            former = change.former
            if former and (former.person_id, former.status) != (change.link.person_id, change.link.status):
                self.former.setdefault(former.identity, []).append(former)
            if former and former.person_id != change.link.person_id:
                left = FormerLink(former.identity.issuer, former.linked_at, change.link.linked_at)
                self.left.setdefault(former.person_id, []).append(left)
            self.links_by_identity[change.link.identity] = replace(change.link, revision=change.link.revision + 1)
            return True

    def history(self, identity):
        return tuple(self.former.get(identity, ()))

    def former_links(self, person_id):
        return tuple(sorted(self.left.get(person_id, ()), key=lambda one: one.until))

    def save_person(self, person, phone_key=""):
        with self._step:
            if _revision(self.persons.get(person.person_id)) != person.revision:
                return False
            self.persons[person.person_id] = replace(person, revision=person.revision + 1)
            if phone_key:
                self.holders[phone_key] = person.person_id
            return True

    def phone_holder(self, phone_key):
        return self.holders.get(phone_key, "")


class FakeDoctors:
    def __init__(self):
        self.accounts = {}
        self.licences = {}
        self._step = threading.Lock()

    def get(self, doctor_id):
        return self.accounts.get(doctor_id)

    def put(self, doctor):
        if _revision(self.accounts.get(doctor.doctor_id)) != doctor.revision:
            return False
        self.accounts[doctor.doctor_id] = replace(doctor, revision=doctor.revision + 1)
        return True

    def save(self, doctor, former):
        takes, gives = held_licence(doctor), licence_given_back(doctor, former)
        with self._step:
            if _revision(self.accounts.get(doctor.doctor_id)) != doctor.revision:
                return "changed"
            if takes and self.licences.get(takes, doctor.doctor_id) != doctor.doctor_id:
                return "licence_taken"
            if self.licences.get(gives) == doctor.doctor_id:
                self.licences.pop(gives)
            if takes:
                self.licences[takes] = doctor.doctor_id
            self.put(doctor)
            return "written"

    def holder(self, licence_number):
        return self.licences.get(normal_licence(licence_number), "")


class FakeConsents:
    """`guardians`: the fake that consents given under a guardianship look at."""

    def __init__(self, guardians=None):
        self._guardians = guardians
        self.requests_asked = {}
        self.codes = {}
        self.given = {}
        self._step = threading.Lock()

    def ask(self, request, code):
        self.requests_asked[request.owner, request.request_id] = request
        self.codes[request.owner, request.request_id] = code

    def asked(self, owner, request_id):
        request = self.requests_asked.get((owner, request_id))
        return (request, self.codes[owner, request_id]) if request else None

    def requests(self, owner):
        mine = (request for (whose, _), request in self.requests_asked.items() if whose == owner)
        return tuple(sorted(mine, key=lambda request: request.request_id, reverse=True))

    def attempt(self, owner, request_id, now):
        with self._step:
            code = self.codes.get((owner, request_id))
            if code is None or not code.is_live(now):
                return None
            self.codes[owner, request_id] = replace(code, attempts=code.attempts + 1)
            return WRONG_PER_CODE.count - code.attempts - 1

    def answer(self, request, answer, consent, now, under=None):
        with self._step:
            known = self.requests_asked.get((request.owner, request.request_id))
            if known is None or known.outcome(now) != "waiting" or not self._stands(under):
                return False
            self.requests_asked[request.owner, request.request_id] = replace(known, answer=answer)
            if consent:
                self.given[_named(consent)] = consent
            return True

    def put(self, consent, under=None):
        with self._step:
            if not self._stands(under):
                return False
            self.given[_named(consent)] = consent
            return True

    def _stands(self, under):
        if under is None:
            return True
        known = self._guardians.get(under.ward_id, under.guardian_id)
        return _revision(known) == under.revision

    def persons_of(self, doctor_id, now):
        mine = (one for one in self.given.values() if one.doctor_id == doctor_id and one.ends_at >= now)
        return tuple(dict.fromkeys(one.person_id for one in sorted(mine, key=lambda one: one.ends_at)))

    def of_doctor(self, person_id, doctor_id, since):
        return tuple(
            consent
            for consent in self.of_person(person_id)
            if consent.doctor_id == doctor_id and consent.granted_at >= since
        )

    def of_person(self, person_id):
        mine = (consent for consent in self.given.values() if consent.person_id == person_id)
        return tuple(sorted(mine, key=lambda consent: consent.consent_id, reverse=True))

    def revoke(self, consent, now):
        known = self.given.get(_named(consent))
        if known is None:
            raise LookupError("no such consent")
        self.given[_named(consent)] = replace(known, revoked_at=known.revoked_at or now)
        return self.given[_named(consent)]


class FakeCounters:
    def __init__(self):
        self.taken = {}
        self._step = threading.Lock()

    def take(self, counter):
        with self._step:
            taken = self.taken.get(_counted(counter), 0)
            if taken >= counter.limit:
                return None
            self.taken[_counted(counter)] = taken + 1
            return counter.limit - taken - 1

    def give_back(self, counter):
        with self._step:
            self.taken[_counted(counter)] = max(0, self.taken.get(_counted(counter), 0) - 1)


class FakeHiddenStudies:
    def __init__(self):
        self.hidden = set()

    def hide(self, person_id, study, now):
        self.hidden.add((person_id, study))

    def show(self, person_id, study):
        self.hidden.discard((person_id, study))

    def of_person(self, person_id):
        return frozenset(study for owner, study in self.hidden if owner == person_id)


class FakePairs:
    def __init__(self):
        self.counted = Counter()

    def count(self, hospital_id, pair, now):
        self.counted[hospital_id, f"{now:%Y-%m}", pair] += 1

    def of_hospital(self, hospital_id, month):
        found = [(key[2], number) for key, number in self.counted.items() if key[:2] == (hospital_id, month)]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0].helper, one[0].doctor)))


class FakeDecisionFacts:
    """Over the other fakes; `studies` is any `Studies` port."""

    def __init__(self, studies, people, doctors):
        self._studies, self._people, self._doctors = studies, people, doctors

    def study_and_doctor(self, study, doctor_id):
        return self._studies.summary(study), self._doctors.get(doctor_id)

    def study_and_person(self, study, person_id):
        return self._studies.summary(study), self._people.person(person_id)

    def link_and_manifest(self, summary):
        link = self._people.link(IdentityKey(summary.issuer, summary.patient_id))
        return link, self._studies.manifest(summary.ref, summary.manifest_digest, summary.manifest_parts)

    def summaries(self, studies):
        return tuple(summary for ref in set(studies) if (summary := self._studies.summary(ref)))


class FakeAudit:
    """`broken` makes every put fail."""

    def __init__(self):
        self.events = {}
        self.broken = False

    def put(self, event):
        if self.broken:
            raise ConnectionError("the audit table does not answer")
        if self.events.setdefault(event.event_id, event) != event:
            raise ValueError("another event stands under this id")

    def of_person(self, person_id, token, limit, *, routine=False, span=ALWAYS):
        every = [event for event in self.events.values() if span.holds(event.at)]
        mine = sorted(
            (event for event in every if event.person_id == person_id and event.is_routine == routine),
            key=lambda event: event.event_id,
            reverse=True,
        )
        start = int(token or 0)
        return Page(tuple(mine[start : start + limit]), str(start + limit) if mine[start + limit :] else "")


class FakeMac:
    def __call__(self, domain, message):
        return hmac.digest(b"a key of the tests", f"{domain}:{message}".encode(), hashlib.sha256)


class FakeSms:
    """Delivers at once what the queue and its function would deliver: nothing to nobody."""

    def __init__(self):
        self.sent = []
        self.broken = False

    def send(self, phone, template, values):
        if self.broken:
            raise ConnectionError("the gateway does not answer")
        if phone:
            self.sent.append((phone, template, dict(values)))


class SeededRandomness:
    """Bytes that are the same in every run."""

    def __init__(self, seed=1):
        self._random = random.Random(seed)  # noqa: S311 - tests must repeat

    def __call__(self, size, /):
        return self._random.randbytes(size)


def _revision(item):
    return item.revision if item else 0


def _named(consent):
    return consent.person_id, consent.doctor_id, consent.consent_id


def _counted(counter):
    return counter.holder, counter.holder_id, counter.kind, counter.window
