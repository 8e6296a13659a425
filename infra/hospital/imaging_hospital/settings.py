"""The one small settings file, in TOML. Relative paths in it are from where it lies."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from .tongue import Said

DEFAULT: Final = Path.home() / ".imaging-cloud" / "hospital.toml"
ENVIRONMENT: Final = "IMAGING_CLOUD_SETTINGS"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
HOSPITAL_ID: Final = re.compile(r"[A-Z0-9]{1,16}")

NONE = Said(
    "no settings file {path}: run `imaging-cloud join` first", "没有配置文件 {path}：请先运行 `imaging-cloud join`"
)
BAD = Said("settings file {path}: {field}: {what}", "配置文件 {path}：{field}：{what}")
MUST_BE_HTTPS = Said("must begin with https://", "必须以 https:// 开头")
NOT_AN_ID = Said("one to sixteen of A-Z and 0-9", "应为 1 到 16 位大写字母或数字")
NOT_A_NUMBER = Said("a number from {least} to {most}", "应为 {least} 到 {most} 之间的数")
NOT_TEXT = Said("a text", "应为文本")
NOT_TOML = Said("not valid TOML", "不是有效的 TOML")
NO_FILE = Said("there is no such file", "没有该文件")
NOT_A_LANGUAGE = Said('"zh", "en" or absent', '应为 "zh"、"en" 或不写')


class SettingsError(Exception):
    """The settings cannot be used. Its text is for people, in both languages."""

    def __init__(self, said: Said, **values: Any) -> None:
        super().__init__(said.in_("en", **values))
        self.said, self.values = said, values


@dataclass(frozen=True)
class Settings:
    """`endpoint` is the API's address. `megabits_per_second` 0 means without a limit. `settle_seconds`: for how long a
    file must keep its size before `watch` takes it, and a series get no new file before it is packed."""

    endpoint: str
    hospital_id: str
    key_file: Path
    spool: Path
    megabits_per_second: float = 0.0
    parallel: int = 4
    settle_seconds: float = 30.0
    language: str = ""
    proxy: str = ""
    ca_file: str = ""


def load(path: Path) -> Settings:
    """Raises SettingsError naming the field at fault."""
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(NONE, path=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise SettingsError(BAD, path=path, field="-", what=NOT_TOML) from None
    fields = _Fields(path, read)
    return Settings(
        endpoint=fields.endpoint(),
        hospital_id=fields.matching("hospital_id", HOSPITAL_ID, NOT_AN_ID),
        key_file=path.parent / fields.text("key_file", "key.pem"),
        spool=path.parent / fields.text("spool", "spool"),
        megabits_per_second=fields.number("megabits_per_second", 0, 0, 100_000),
        parallel=int(fields.number("parallel", 4, 1, 64)),
        settle_seconds=fields.number("settle_seconds", 30, 0, 3600),
        language=fields.matching("language", re.compile("zh|en|"), NOT_A_LANGUAGE),
        proxy=fields.text("proxy", ""),
        ca_file=fields.file("ca_file"),
    )


@dataclass(frozen=True)
class _Fields:
    path: Path
    read: dict[str, Any]

    def _bad(self, name: str, what: Said, **values: Any) -> SettingsError:
        return SettingsError(BAD, path=self.path, field=name, what=what, **values)

    def text(self, name: str, default: str) -> str:
        value = self.read.get(name, default)
        if not isinstance(value, str):
            raise self._bad(name, NOT_TEXT)
        return value

    def matching(self, name: str, pattern: re.Pattern[str], what: Said) -> str:
        value = self.text(name, "")
        if not pattern.fullmatch(value):
            raise self._bad(name, what)
        return value

    def file(self, name: str) -> str:
        """One that must be there, where it is named at all."""
        told = self.text(name, "")
        if told and not (self.path.parent / told).is_file():
            raise self._bad(name, NO_FILE)
        return str(self.path.parent / told) if told else ""

    def endpoint(self) -> str:
        value = self.text("endpoint", "").rstrip("/")
        if not safe(value):
            raise self._bad("endpoint", MUST_BE_HTTPS)
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        value = self.read.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise self._bad(name, NOT_A_NUMBER, least=least, most=most)
        return value


def safe(url: str) -> bool:
    """Bearers and images go over TLS only, but on this machine itself."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
