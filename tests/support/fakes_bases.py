"""Guardianships, QRs and what persons are told, in memory; each write is one step."""

from __future__ import annotations

import threading
from dataclasses import replace

from chalicelib.domain.page import Page


class FakeGuardians:
    def __init__(self):
        self.held = {}
        self._step = threading.Lock()

    def get(self, ward_id, guardian_id):
        return self.held.get((ward_id, guardian_id))

    def of_ward(self, ward_id):
        return tuple(one for one in self.held.values() if one.ward_id == ward_id)

    def of_guardian(self, guardian_id):
        return tuple(one for one in self.held.values() if one.guardian_id == guardian_id)

    def by_reference(self, guardian_id, ward):
        return next((one for one in self.of_guardian(guardian_id) if one.ward == ward), None)

    def put(self, guardianship):
        key = guardianship.ward_id, guardianship.guardian_id
        with self._step:
            known = self.held.get(key)
            if (known.revision if known else 0) != guardianship.revision:
                return False
            self.held[key] = replace(guardianship, revision=guardianship.revision + 1)
            return True


class FakeInAppNotices:
    def __init__(self):
        self.told = []

    def tell(self, notice):
        self.told.append(notice)

    def of_person(self, person_id, token, limit):
        mine = [notice for notice in self.told if notice.person_id == person_id]
        mine.sort(key=lambda notice: notice.notice_id, reverse=True)
        start = int(token or 0)
        return Page(tuple(mine[start : start + limit]), str(start + limit) if mine[start + limit :] else "")


class FakeQrs:
    def __init__(self):
        self.shown = {}
        self._step = threading.Lock()

    def show(self, qr):
        self.shown[qr.key] = qr

    def spend(self, key, now):
        with self._step:
            qr = self.shown.get(key)
            return self.shown.pop(key) if qr and now < qr.expires_at else None
