"""Assisted requests, papers, reviews and the officers' topic in memory; each write is one step."""

from __future__ import annotations

import threading
from dataclasses import replace

from chalicelib.domain.page import Page
from chalicelib.domain.review import UNDECIDED, Suspension


class FakeAssistedRequests:
    def __init__(self):
        self.asked = {}
        self._step = threading.Lock()

    def ask(self, request):
        self.asked[request.hospital_id, request.request_id] = request

    def get(self, hospital_id, request_id):
        return self.asked.get((hospital_id, request_id))

    def open_at(self, hospital_id, now):
        found = (one for (where, _), one in self.asked.items() if where == hospital_id and one.is_open(now))
        return tuple(sorted(found, key=lambda one: one.request_id, reverse=True))

    def confirm(self, request, witness, now):
        key = request.hospital_id, request.request_id
        with self._step:
            known = self.asked.get(key)
            if known is None or not known.is_open(now):
                return False
            self.asked[key] = replace(known, witness=witness, confirmed_at=now)
            return True


class FakeHandOvers:
    def __init__(self):
        self.papers = {}
        self._step = threading.Lock()

    def open(self, paper):
        self.papers.setdefault((paper.hospital_id, paper.consent_id), replace(paper, revision=paper.revision + 1))

    def get(self, hospital_id, consent_id):
        return self.papers.get((hospital_id, consent_id))

    def waiting(self, hospital_id, token, limit):
        found = [one for (where, _), one in self.papers.items() if where == hospital_id and one.done_at is None]
        return _page(sorted(found, key=lambda one: one.consent_id), token, limit)

    def put(self, paper):
        key = paper.hospital_id, paper.consent_id
        with self._step:
            return _put(self.papers, key, paper)


class FakeReviews:
    """`doctors`: the fake whose accounts are written along."""

    def __init__(self, doctors):
        self._doctors = doctors
        self.kept = {}
        self.listed = {}
        self._step = threading.Lock()

    def open(self, review):
        with self._step:
            key = review.hospital_id, review.review_id
            self.kept.setdefault(key, replace(review, revision=review.revision + 1))

    def get(self, hospital_id, review_id):
        return self.kept.get((hospital_id, review_id))

    def put(self, review, doctor=None):
        with self._step:
            key = review.hospital_id, review.review_id
            if (self.kept[key].revision if key in self.kept else 0) != review.revision:
                return False
            if doctor is not None and not self._doctors.put(doctor):
                return False
            if doctor is not None:
                listed = Suspension(doctor.doctor_id, doctor.name, doctor.break_glass_stops)
                self.listed[review.hospital_id, doctor.doctor_id] = listed
            return _put(self.kept, key, review)

    def suspended(self, hospital_id):
        return tuple(one for (where, _), one in sorted(self.listed.items()) if where == hospital_id and one.reviews)

    def of_hospital(self, hospital_id, token, limit, *, undecided=False):
        found = [one for (where, _), one in self.kept.items() if where == hospital_id]
        found = [one for one in found if one.state in UNDECIDED or not undecided]
        return _page(sorted(found, key=lambda one: one.review_id, reverse=True), token, limit)

    def due(self, shard, until):
        """All in the first shard."""
        waiting = [one for one in self.kept.values() if one.waits_for_due and one.due_at <= until]
        for one in sorted(waiting, key=lambda one: one.due_at) if shard == 0 else ():
            yield one.hospital_id, one.review_id


class FakeTopic:
    def __init__(self):
        self.messages = []

    def publish(self, subject, body):
        self.messages.append((subject, dict(body)))


def _put(kept, key, item):
    if (kept[key].revision if key in kept else 0) != item.revision:
        return False
    kept[key] = replace(item, revision=item.revision + 1)
    return True


def _page(found, token, limit):
    try:
        start = int(token or 0)
    except ValueError:
        raise ValueError("not a continuation token") from None
    return Page(tuple(found[start : start + limit]), str(start + limit) if found[start + limit :] else "")
