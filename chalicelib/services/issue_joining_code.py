from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.joining_code import RANDOM_BYTES, JoiningCode, make_code
from chalicelib.services.access_ports import Randomness
from chalicelib.services.joining_ports import JoiningCodes
from chalicelib.services.ports import Hospitals
from chalicelib.services.record_decision import RecordDecision


class UnknownHospital(Exception):  # noqa: N818 - named by the fact
    """No hospital is registered by that id."""


@dataclass(frozen=True, slots=True)
class IssueJoiningCode:
    """A regulator's letter to a hospital: a code with which it can register a key. The one before is void."""

    hospitals: Hospitals
    codes: JoiningCodes
    random: Randomness
    record: RecordDecision

    def __call__(self, caller: Caller, hospital_id: str, now: datetime) -> tuple[str, JoiningCode]:
        """The text to hand on, which nobody can be told again, and what is kept. UnknownHospital, AuditFailed."""
        self.record.allow(caller, "issue_joining_code", hospital_id, now)
        if self.hospitals.get(hospital_id) is None:
            raise UnknownHospital
        text, code = make_code(hospital_id, self.random(RANDOM_BYTES), now)
        self.codes.put(code)
        return text, code
