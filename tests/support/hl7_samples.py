"""HL7 v2 messages as a RIS sends them, made from the places that matter: {"OBR-8": "20261120115500"}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

PERFORMED: Final[dict[str, str]] = {
    "MSH-3": "RIS",
    "MSH-7": "20261120120310",
    "MSH-9": "ORU^R01",
    "MSH-10": "MSG00001",
    "MSH-11": "P",
    "MSH-12": "2.5.1",
    "PID-3": "P000123^^^HIS^MR~110101198001021236^^^^NI",
    "PID-5": "张^小明",
    "PID-7": "19800102",
    "PID-8": "M",
    "PV1-2": "O",
    "ORC-1": "RE",
    "ORC-2": "ORD1^HIS",
    "ORC-3": "F1^RIS",
    "OBR-2": "ORD1^HIS",
    "OBR-3": "F1^RIS",
    "OBR-4": "CT01^胸部CT平扫",
    "OBR-7": "20261120114000",
    "OBR-8": "20261120115500",
    "OBR-18": "CT20261120001",
    "OBR-24": "CT",
    "OBR-25": "F",
}
ORDERED: Final[dict[str, str]] = {
    **{place: text for place, text in PERFORMED.items() if place not in ("OBR-7", "OBR-8", "OBR-25")},
    "MSH-9": "ORM^O01",
    "ORC-1": "NW",
    "OBR-36": "202611201130",
}


def message(places: Mapping[str, str], *more: str) -> str:
    """One message, its segments separated by carriage returns; `more` are further segments as they are."""
    segments: dict[str, dict[int, str]] = {}
    for place, text in places.items():
        name, field = re.fullmatch(r"(\w{3})-(\d+)", place).groups()
        segments.setdefault(name, {})[int(field)] = text
    lines = []
    for name, fields in segments.items():
        first, begin = (3, ["MSH", "^~\\&"]) if name == "MSH" else (1, [name])
        lines.append("|".join([*begin, *(fields.get(n, "") for n in range(first, max(fields) + 1))]))
    return "\r".join([*lines, *more]) + "\r"
