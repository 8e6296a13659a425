from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# phone: a clerk set a number, and a doctor's code went to it soon after. A gain for two who work together, and the
# usual day of two who do not: the count alone accuses nobody, it says where an officer should look.
PairKind = Literal["phone", "assisted"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two accounts of one hospital: who made it possible (a clerk, a witness), and the doctor who used it."""

    kind: PairKind
    helper: str
    doctor: str
