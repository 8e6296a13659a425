"""Whether one hospital's exam may be recognised by another, by their levels (苏卫医政[2022]18号): from 二级甲等 up
mutually, below mutually, and the lower accept the higher. Where a level is not registered it is no obstacle.
"""

from __future__ import annotations

import re
from typing import Final

_HIGH: Final = re.compile("三级|三甲|三乙|三丙|二级甲等|二甲")
_LOW: Final = re.compile("一级|二级|二乙|二丙|未定级|未评级|社区|乡镇|卫生院|卫生室|诊所")


def recognises(receiving_level: str, source_level: str) -> bool:
    """Whether who has the first level may recognise an exam of who has the second."""
    own, other = _rank(receiving_level), _rank(source_level)
    return own is None or other is None or other >= own


def _rank(level: str) -> int | None:
    if _HIGH.search(level):
        return 1
    return 0 if _LOW.search(level) else None
