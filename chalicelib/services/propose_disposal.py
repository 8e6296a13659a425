"""A hospital proposes what it would destroy; a privacy officer of its own and the commission approve or refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from chalicelib.domain.access import Caller
from chalicelib.domain.consent import Denied
from chalicelib.domain.disposal import Act, Approver, Disposal, Item, State, Stated, Verdict, approved, barred
from chalicelib.domain.disposal import judged_again as without_what_is_kept
from chalicelib.domain.page import Page
from chalicelib.services.disposal_ports import Disposals
from chalicelib.services.judge_disposal import JudgeDisposal
from chalicelib.services.record_decision import RecordDecision
from chalicelib.services.register_patient import ATTEMPTS, Contended

PROPOSE, APPROVE, REFUSE, READ = "propose_disposal", "approve_disposal", "refuse_disposal", "read_disposals"
PAGE = 20


class UnknownDisposal(Exception):  # noqa: N818 - the fact
    """There is no such proposal of that hospital."""


class DisposalClosed(Exception):  # noqa: N818 - the fact
    """It takes no approval and no refusal any more."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class NothingToDispose(Exception):  # noqa: N818 - the fact
    """Every study of the list must be kept; `refused` says why and until when."""

    def __init__(self, refused: Sequence[Verdict]) -> None:
        super().__init__("nothing to dispose of")
        self.refused = refused


@dataclass(frozen=True, slots=True)
class ProposeDisposal:
    """What the hospital states of visits is remembered first: it extends what survives too. Raises AuditFailed,
    NothingToDispose."""

    disposals: Disposals
    judge: JudgeDisposal
    record: RecordDecision
    new_id: Callable[[datetime], str]

    def __call__(self, caller: Caller, stated: Sequence[Stated], now: datetime) -> tuple[Disposal, tuple[Verdict, ...]]:
        """The proposal of what may be destroyed, and the verdicts on the rest."""
        self.record.allow(caller, PROPOSE, "own_hospital", now)
        self.judge.remember(caller.hospital_id, stated)
        verdicts = self.judge(caller.hospital_id, stated, now)
        judged = list(zip(stated, verdicts, strict=True))
        refused = tuple(verdict for verdict in verdicts if verdict.why)
        items = tuple(Item(one, verdict) for one, verdict in judged if not verdict.why)
        if not items:
            raise NothingToDispose(refused)
        made = Disposal(self.new_id(now), caller.hospital_id, Act(caller.subject, now), items)
        if not self.disposals.put(made):
            raise Contended
        return made, refused


@dataclass(frozen=True, slots=True)
class DecideDisposal:
    """One of the two approves, or refuses and ends it. Both may refuse until execution begins.

    Raises UnknownDisposal, DisposalClosed, AccessDenied (own_part), AuditFailed, Contended.
    """

    disposals: Disposals
    judge: JudgeDisposal
    record: RecordDecision

    def approve(self, caller: Caller, hospital_id: str, disposal_id: str, now: datetime) -> Disposal:
        """As it stands afterwards, judged again: what must be kept meanwhile has left it."""
        for _ in range(ATTEMPTS):
            found = self._open(caller, APPROVE, hospital_id, disposal_id, now)
            self.record.allow(caller, APPROVE, disposal_id, now)
            verdicts = self.judge(hospital_id, [item.stated for item in found.items], now)
            act = Act(caller.subject, now)
            after = without_what_is_kept(found, {one.study_instance_uid: one for one in verdicts}, act)
            if after.refused is None:
                after = approved(after, cast(Approver, caller.role), act)
            if after == found or self.disposals.put(after):
                return after
        raise Contended

    def refuse(self, caller: Caller, hospital_id: str, disposal_id: str, reason: str, now: datetime) -> Disposal:
        for _ in range(ATTEMPTS):
            found = self._open(caller, REFUSE, hospital_id, disposal_id, now)
            self.record.allow(caller, REFUSE, disposal_id, now)
            after = replace(found, refused=Act(caller.subject, now), refusal=reason)
            if self.disposals.put(after):
                return after
        raise Contended

    def _open(self, caller: Caller, action: str, hospital_id: str, disposal_id: str, now: datetime) -> Disposal:
        found = self.disposals.get(hospital_id, disposal_id)
        if found is None:
            self.record.note(caller, action, "unknown_disposal", now)
            raise UnknownDisposal
        match barred(found, cast(Approver, caller.role), caller.subject, now):
            case "own_part":
                self.record.deny(caller, action, Denied("own_part", "own_part"), now)
            case "closed":
                self.record.note(caller, action, "disposal_closed", now)
                raise DisposalClosed(found.state(now))
        return found


@dataclass(frozen=True, slots=True)
class ReadDisposals:
    """Lists, newest first; for the commission what is open anywhere too. Raises AuditFailed, ValueError for a
    token that is not ours."""

    disposals: Disposals
    record: RecordDecision

    def of_hospital(self, caller: Caller, hospital_id: str, token: str, now: datetime) -> Page[Disposal]:
        self.record.allow(caller, READ, "own_hospital" if caller.hospital_id else hospital_id, now)
        return self.disposals.of_hospital(hospital_id, token, PAGE)

    def open(self, caller: Caller, token: str, now: datetime) -> Page[Disposal]:
        self.record.allow(caller, READ, "province", now)
        return self.disposals.open(token, PAGE)

    def one(self, caller: Caller, hospital_id: str, disposal_id: str, now: datetime) -> Disposal:
        """Raises UnknownDisposal."""
        found = self.disposals.get(hospital_id, disposal_id)
        if found is None:
            self.record.note(caller, READ, "unknown_disposal", now)
            raise UnknownDisposal
        self.record.allow(caller, READ, "own_hospital" if caller.hospital_id else hospital_id, now)
        return found
