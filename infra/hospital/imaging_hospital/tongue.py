"""What is said to people, in Chinese or English. Every sentence is a `Said`, beside the code that says it."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Language = Literal["zh", "en"]


class Said(NamedTuple):
    """One sentence in both languages, with `{places}` for str.format. Never a patient's name or number in a place."""

    en: str
    zh: str

    def in_(self, language: Language, **values: Any) -> str:
        """A `Said` among the values is said in the same language, with the same values."""
        plain = {name: one for name, one in values.items() if not isinstance(one, Said)}
        told = {name: one.in_(language, **plain) if isinstance(one, Said) else one for name, one in values.items()}
        return (self.zh if language == "zh" else self.en).format(**told)


def language(setting: str, environment: Mapping[str, str] = os.environ) -> Language:
    """The settings' language, else that of LC_ALL, LC_MESSAGES or LANG, else the system's, else English."""
    told = setting or next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    return "zh" if (told or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"
