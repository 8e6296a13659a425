"""What people added, from the bucket into the table again (`domain.human_facts`)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from chalicelib.domain import upload_key
from chalicelib.domain.human_facts import (
    MAX_BYTES,
    is_key_fact,
    is_standing_fact,
    read_amendment,
    read_key_fact,
    read_registration,
    read_standing,
)
from chalicelib.domain.study import Hospital, StudyRef
from chalicelib.domain.upload_key import Uploaded
from chalicelib.services.faults import note
from chalicelib.services.joining_ports import HospitalKeys
from chalicelib.services.ports import Hospitals, SettleQueue, Studies, Uploads
from chalicelib.services.quarantine_ports import Standings


@dataclass(frozen=True, slots=True)
class ReplayAmendments:
    """Amendments again, each to be settled, and what became of quarantined uploads: reindex replays all, the nightly
    reconcile those of the last two dates, whose writer may have died between bucket, table and queue. Repetition
    changes nothing.
    """

    uploads: Uploads
    studies: Studies
    settle_queue: SettleQueue
    standings: Standings

    def __call__(self, objects: Collection[Uploaded], keep_going: Callable[[], bool]) -> frozenset[Uploaded]:
        """The objects not replayed: time ran out, a fault of ours, or an object that is none of ours.

        The latest first: a step that was cut short and taken again told twice of one revision, and counts as told last.
        """
        latest_first = sorted(objects, key=_key, reverse=True)
        return frozenset(one for one in latest_first if not (keep_going() and self._attempt(one)))

    def _attempt(self, uploaded: Uploaded) -> bool:
        try:
            self._replay(uploaded)
        except Exception as fault:  # noqa: BLE001 - one object's fault, whatever it was, must not stop the others
            note(fault)
            return False
        return True

    def _replay(self, uploaded: Uploaded) -> None:
        key = upload_key.parse(uploaded.key)
        if key is None:
            raise ValueError("no key of an amendment")
        if is_standing_fact(uploaded.key):
            self._standing(key.hospital_id, uploaded)
            return
        study_instance_uid, amendment = read_amendment(_body(self.uploads, uploaded.key, uploaded.version_id))
        ref = StudyRef(key.hospital_id, study_instance_uid)
        self.studies.amend(ref, amendment)
        self.settle_queue.send([ref])

    def _standing(self, hospital_id: str, uploaded: Uploaded) -> None:
        standing, settled = read_standing(_body(self.uploads, uploaded.key, uploaded.version_id))
        if standing.hospital_id != hospital_id:
            raise ValueError("a standing under another hospital's key")
        self.standings.restore(standing, settled=settled)


@dataclass(frozen=True, slots=True)
class ReplayRegistrations:
    """Every hospital's last registration again, and all its keys. The bucket is written first, so it is never older
    than the table; of keys, what has ended stays ended in whatever order it is told (`domain.hospital_key`)."""

    uploads: Uploads
    hospitals: Hospitals
    keys: HospitalKeys

    def __call__(self) -> int:
        """How many hospitals the table did not know like this. Raises for an object that is none of ours."""
        last: dict[str, tuple[str, str]] = {}
        for version in self.uploads.versions("registrations/"):  # in key order: by hospital, then by time
            if (key := upload_key.parse(version.key)) is None:
                continue
            if is_key_fact(version.key):
                self._key(key.hospital_id, version.key, version.version_id)
            else:
                last[key.hospital_id] = (version.key, version.version_id)
        standing = {hospital.hospital_id: hospital for hospital in self.hospitals.list()}
        told = [self._registration(hospital_id, *named) for hospital_id, named in last.items()]
        changed = [hospital for hospital in told if standing.get(hospital.hospital_id) != hospital]
        for hospital in changed:
            self.hospitals.put(hospital)
        return len(changed)

    def _registration(self, hospital_id: str, name: str, version_id: str) -> Hospital:
        hospital = read_registration(_body(self.uploads, name, version_id))
        if hospital.hospital_id != hospital_id:
            raise ValueError("a registration under another hospital's key")
        return hospital

    def _key(self, hospital_id: str, name: str, version_id: str) -> None:
        key = read_key_fact(_body(self.uploads, name, version_id))
        if key.hospital_id != hospital_id:
            raise ValueError("a key under another hospital's")
        if not self.keys.add(key) and not key.is_live:
            self.keys.end(key)


def _body(uploads: Uploads, key: str, version_id: str | None) -> bytes:
    part = uploads.read(key, version_id, 0, MAX_BYTES)
    if part is None:
        raise LookupError("a fact that was listed is gone")
    return part.data


def _key(uploaded: Uploaded) -> str:
    return uploaded.key
