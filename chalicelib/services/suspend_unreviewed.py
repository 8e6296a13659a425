from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.review import Review, overdue, stopped
from chalicelib.services.access_ports import Consents, Doctors
from chalicelib.services.exception_ports import Reviews
from chalicelib.services.faults import note
from chalicelib.services.ports import Topic
from chalicelib.services.record_decision import About, RecordDecision
from chalicelib.services.review_access import consent_of

ACTION = "suspend_break_glass"
SHARDS = 16


@dataclass(frozen=True, slots=True)
class Suspended:
    """What a run did. `void`: nothing had been opened, the process had died. `faults` and `more` are for the next."""

    suspended: int = 0
    void: int = 0
    faults: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class SuspendUnreviewed:
    """Whoever broke the glass and was not reviewed in time may not do it again until somebody looks (DESIGN §6).

    Account and review change in one transaction: the officer's verdict comes before it or after, never in between.
    """

    reviews: Reviews
    doctors: Doctors
    consents: Consents
    topic: Topic
    record: RecordDecision

    def __call__(self, now: datetime, keep_going: Callable[[], bool]) -> Suspended:
        done = Suspended()
        for shard in range(SHARDS):
            for hospital_id, review_id in self.reviews.due((shard + now.minute) % SHARDS, now):
                if not keep_going():
                    return replace(done, more=True)
                done = self._one(hospital_id, review_id, done, now)
        return done

    def _one(self, hospital_id: str, review_id: str, done: Suspended, now: datetime) -> Suspended:
        try:
            review = self.reviews.get(hospital_id, review_id)
            if review is None or not review.is_due(now):
                return done  # the index had not heard yet
            if consent_of(self.consents, review) is None:
                self.reviews.put(replace(review, state="void"))
                return replace(done, void=done.void + 1)
            if self._suspend(review, now):
                self._tell(review)
                return replace(done, suspended=done.suspended + 1)
        except Exception as fault:  # noqa: BLE001 - whatever it was, it must not keep the others from being judged
            note(fault)
            return replace(done, faults=done.faults + 1)
        return done

    def _suspend(self, review: Review, now: datetime) -> bool:
        doctor = self.doctors.get(review.doctor_id)
        about = About(review.person_id, None, review.encounter_id, "break_glass", review.review_id)
        system = Caller("hospital", "review_sweep", review.hospital_id)
        self.record.allow(system, ACTION, "review_overdue", now, about)
        return self.reviews.put(overdue(review), stopped(doctor, review.review_id) if doctor else None)

    def _tell(self, review: Review) -> None:
        body = {"event": "review_overdue", "hospital_id": review.hospital_id, "review_id": review.review_id}
        self.topic.publish(f"review overdue {review.hospital_id}", body)
