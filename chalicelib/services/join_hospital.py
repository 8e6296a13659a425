from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from chalicelib.domain.access import Caller
from chalicelib.domain.hospital_key import HospitalKey, KeyFault, PublicKey
from chalicelib.domain.joining_code import TRIES, JoiningCode, TypedCode, read_code
from chalicelib.services.joining_ports import JoiningCodes, OfferedKey, ProveKey
from chalicelib.services.keep_key import KeepKey
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import RecordDecision

ROUTE: Final = "POST /joining"
BY_CODE: Final = "code"  # who added a key that came with one


class JoiningRefused(Exception):  # noqa: N818 - named by the fact
    """One answer for everything that may be wrong with hospital and code."""


class KeyRefused(Exception):  # noqa: N818 - named by the fact
    """What is wrong with the key or its proof: told to whoever had the right code, or is the hospital."""

    def __init__(self, reason: KeyFault, tries_left: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tries_left = tries_left


@dataclass(frozen=True, slots=True)
class JoinHospital:
    """A hospital's first key, by the code that the regulator handed on. Whoever asks is nobody yet."""

    hospitals: Hospitals
    codes: JoiningCodes
    keep: KeepKey
    prove: ProveKey
    record: RecordDecision

    def __call__(self, hospital_id: str, typed: str, offered: OfferedKey, now: datetime) -> HospitalKey:
        """The key, from now on the hospital's. Raises JoiningRefused, KeyRefused, AuditFailed."""
        code = self._tried(hospital_id, read_code(typed), now)
        proven = self._proven(code, offered, now)
        caller = _as(hospital_id)
        self.record.allow(caller, "join_hospital", "own_hospital", now)
        key = HospitalKey(hospital_id, proven, now, BY_CODE)
        # The code goes first: a crash after it costs the hospital a new code, one before it would leave two uses.
        if not self.codes.use_up(code):
            self._refuse(now)
        if not self.keep.add(key, now):
            raise KeyRefused("known_key")
        return key

    def _tried(self, hospital_id: str, typed: TypedCode | None, now: datetime) -> JoiningCode:
        """The hospital's code, if it was that; each try of it is counted before it is looked at."""
        hospital = self.hospitals.get(hospital_id) if typed else None
        code = self.codes.take_try(hospital_id, typed, now) if typed and hospital and hospital.active else None
        if typed is None or code is None:
            self._refuse(now)
        if not code.proves(typed):
            self.record.note(_as(hospital_id), "join_hospital", "wrong_code", now)
            raise JoiningRefused
        return code

    def _proven(self, code: JoiningCode, offered: OfferedKey, now: datetime) -> PublicKey:
        proven = self.prove(code.hospital_id, offered, now)
        if isinstance(proven, PublicKey) and self.keep.keys.get(code.hospital_id, proven.kid) is not None:
            proven = "known_key"
        if isinstance(proven, PublicKey):
            return proven
        self.record.note(_as(code.hospital_id), "join_hospital", proven, now)
        raise KeyRefused(proven, TRIES - code.tries)

    def _refuse(self, now: datetime) -> NoReturn:
        """On record without a name: what a stranger says of a hospital is worth nothing."""
        self.record.turn_away(None, "joining_refused", ROUTE, now)
        raise JoiningRefused


def _as(hospital_id: str) -> Caller:
    """Whoever has at least the code's name."""
    return Caller("hospital", BY_CODE, hospital_id)
