"""A hospital changes its keys; a regulator ends them all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.hospital_key import EVER, LIVE_AT_ONCE, HospitalKey, PublicKey
from chalicelib.services.issue_joining_code import UnknownHospital
from chalicelib.services.join_hospital import KeyRefused
from chalicelib.services.joining_ports import JoiningCodes, OfferedKey, ProveKey
from chalicelib.services.keep_key import KeepKey
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import RecordDecision


class TooManyKeys(Exception):  # noqa: N818 - named by the fact
    """Two live already (retire one first), or more than a hundred ever were."""


class NoLiveKey(Exception):  # noqa: N818 - named by the fact
    """The first key comes with a joining code, and so does the next after all were revoked."""


class UnknownKey(Exception):  # noqa: N818 - named by the fact
    """The hospital has no live key of that id."""


class LastKey(Exception):  # noqa: N818 - named by the fact
    """Retiring it would shut the hospital out."""


@dataclass(frozen=True, slots=True)
class AddKey:
    """A key beside the one in use, to change to."""

    keep: KeepKey
    prove: ProveKey
    record: RecordDecision

    def __call__(self, caller: Caller, offered: OfferedKey, now: datetime) -> HospitalKey:
        """The key; the same once more where it lives already. KeyRefused, TooManyKeys, NoLiveKey, AuditFailed."""
        hospital_id = caller.hospital_id
        self.record.allow(caller, "add_key", "own_hospital", now)
        proven = self.prove(hospital_id, offered, now)
        if not isinstance(proven, PublicKey):
            raise KeyRefused(proven)
        known = {one.key.kid: one for one in self.keep.keys.of(hospital_id)}
        if standing := known.get(proven.kid):
            return self._again(standing, now)
        live = sorted(kid for kid, one in known.items() if one.is_live)
        if not live:
            raise NoLiveKey
        if len(live) >= LIVE_AT_ONCE or len(known) >= EVER:
            raise TooManyKeys
        key = HospitalKey(hospital_id, proven, now, caller.subject)
        # Whoever holds a token whose key was revoked a moment ago must not leave a new one behind.
        if not self.keep.add(key, now, beside=live[0]):
            raise NoLiveKey
        return key

    def _again(self, standing: HospitalKey, now: datetime) -> HospitalKey:
        """The answer was lost, or we were before the bucket knew."""
        if not standing.is_live:
            raise KeyRefused("known_key")
        self.keep.tell(standing, now)
        return standing


@dataclass(frozen=True, slots=True)
class RetireKey:
    """The hospital ends one of its keys."""

    keep: KeepKey
    record: RecordDecision

    def __call__(self, caller: Caller, kid: str, now: datetime) -> HospitalKey:
        """UnknownKey, LastKey, AuditFailed."""
        self.record.allow(caller, "retire_key", "own_hospital", now)
        live = {one.key.kid: one for one in self.keep.keys.of(caller.hospital_id) if one.is_live}
        if kid not in live:
            raise UnknownKey
        if len(live) == 1:
            raise LastKey
        ended = replace(live[kid], ended_at=now, ended_by=caller.subject)
        self.keep.end(ended, now)
        return ended


@dataclass(frozen=True, slots=True)
class RevokeKeys:
    """A regulator ends all keys of a hospital, and its code. Each process that had just read a key believes it for a
    minute more (`store.registered_keys`); no key can be added in that minute, for none lives to add it beside."""

    hospitals: Hospitals
    codes: JoiningCodes
    keep: KeepKey
    record: RecordDecision

    def __call__(self, caller: Caller, hospital_id: str, now: datetime) -> int:
        """How many ended. UnknownHospital, AuditFailed."""
        self.record.allow(caller, "revoke_keys", hospital_id, now)
        if self.hospitals.get(hospital_id) is None:
            raise UnknownHospital
        self.codes.void(hospital_id)
        ended = 0
        while live := [one for one in self.keep.keys.of(hospital_id) if one.is_live]:
            for key in live:
                self.keep.end(replace(key, ended_at=now, ended_by=caller.subject), now)
                ended += 1
        return ended
