from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.flag import Act, Flag, FlagNotSo, Step, answered
from chalicelib.services.ledger_ports import Flags


class UnknownFlag(LookupError):  # noqa: N818 - named by the fact
    """Nothing was ever flagged by this rule on this day."""


@dataclass(frozen=True)
class AnswerFlag:
    """A hospital or a regulator says something to a flag as they saw it: `version` is the one that was shown."""

    flags: Flags

    def __call__(self, place: tuple[str, str, str], act: Act, step: Step, version: str) -> Flag:
        """The flag after it. Raises UnknownFlag, FlagNotSo: it changed since, or is past this."""
        held = self.flags.get(*place)
        if held is None:
            raise UnknownFlag
        flag = answered(held, act, step, version)
        if not self.flags.put(flag, flag.steps[-1]):
            raise FlagNotSo(held.state)
        return flag
