"""The tables [listen] and [notice] of the settings file: what this hospital's PACS and RIS need to know of it, and it
of them."""

from __future__ import annotations

import re
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, Final

from .commitment_report import Address
from .hl7_tables import PLACES
from .notice_draft import Reading
from .settings import BAD, LOOPBACK, NOT_A_NUMBER, NOT_TEXT, SettingsError
from .tongue import Said

NOT_AN_AE: Final = Said("1 to 16 printable ASCII characters, no backslash", "1 到 16 个可打印 ASCII 字符，不含反斜杠")
NO_CALLERS: Final = Said(
    'name who may send: AE titles with their address for storage commitment or "", such as PACS1 = "10.0.0.5:104"; '
    '"*" = "" lets everybody',
    '请写明谁可以发送：AE 名称及其存储确认地址或 ""，如 PACS1 = "10.0.0.5:104"；"*" = "" 表示任何人',
)
NOT_AN_ADDRESS: Final = Said('an address such as "10.0.0.5:104", or ""', '地址，如 "10.0.0.5:104"，或 ""')
NOT_A_LIST: Final = Said("a list of texts", "应为文本列表")
NOT_A_TABLE: Final = Said("a table", "应为表")
NOT_A_ZONE: Final = Said('an offset such as "+08:00"', '时差，如 "+08:00"')
NOT_A_FIELD: Final = Said(
    "a field of a notice and a list of places such as OBR-18.1", "通知的字段名及位置列表，如 OBR-18.1"
)
NOT_A_CLASS: Final = Said("outpatient, inpatient or emergency", "应为 outpatient、inpatient 或 emergency")
NO_CERTIFICATE: Final = Said("certificate or key cannot be read", "无法读取证书或私钥")

EVERYBODY: Final = "*"
_AE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_PLACE = re.compile(r"[A-Z][A-Z0-9]{2}-\d{1,3}(?:\.\d{1,2})?")
_CLASSES = frozenset({"outpatient", "inpatient", "emergency"})


@dataclass(frozen=True)
class Tls:
    """`authority` empty: senders show no certificate."""

    certificate: Path
    key: Path
    authority: Path | None

    def server(self, kind: type[ssl.SSLContext] = ssl.SSLContext) -> ssl.SSLContext:
        """As DICOM's BCP 195 profile asks (PS3.15 B.12): TLS 1.2 or later. Raises OSError (ssl.SSLError is one)."""
        context = kind(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        if self.authority:
            context.load_verify_locations(self.authority)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self) -> ssl.SSLContext:
        """For reports to senders: by address, so that names are not compared."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.load_cert_chain(self.certificate, self.key)
        if self.authority:
            context.load_verify_locations(self.authority)
        else:
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True)
class Listening:
    """`callers`: AE titles and where their reports go (None: nowhere). `largest`, `reserve`: bytes."""

    ae_title: str
    host: str
    port: int
    callers: Mapping[str, Address | None]
    associations: int = 20
    pdu: int = 131_072
    largest: int = 4096 * 1024**2
    reserve: int = 2048 * 1024**2
    idle_seconds: int = 60
    commitment: timedelta = timedelta(hours=24)
    tls: Tls | None = None


@dataclass(frozen=True)
class Noticing:
    """`port` 0: no MLLP. `callers`: IP addresses that may send by it; EVERYBODY lets all."""

    reading: Reading = field(default_factory=Reading)
    host: str = "127.0.0.1"
    port: int = 0
    callers: frozenset[str] = LOOPBACK
    tls: Tls | None = None


def listening(path: Path) -> Listening:
    """Raises SettingsError naming the field at fault."""
    table = _Table.of(path, "listen")
    return Listening(
        ae_title=table.matching("ae_title", "IMAGINGCLOUD", _AE, NOT_AN_AE),
        host=table.text("host", "0.0.0.0"),  # noqa: S104 - a PACS is another machine; who may call is a setting
        port=table.number("port", 11112, 1, 65535),
        callers=_callers(table),
        associations=table.number("associations", 20, 1, 200),
        pdu=table.number("pdu", 131_072, 4096, 2**20),
        largest=table.number("largest_mib", 4096, 1, 4096) * 1024**2,
        reserve=table.number("reserve_mib", 2048, 0, 10**6) * 1024**2,
        idle_seconds=table.number("idle_seconds", 60, 5, 3600),
        commitment=timedelta(minutes=table.number("commitment_minutes", 1440, 1, 20160)),
        tls=_tls(table),
    )


def noticing(path: Path) -> Noticing:
    """Raises SettingsError naming the field at fault."""
    table = _Table.of(path, "notice")
    places = table.inside("fields").read
    for name, told in places.items():
        told_well = isinstance(told, list) and all(isinstance(place, str) and _PLACE.fullmatch(place) for place in told)
        if name not in PLACES or not told_well:
            raise table.bad(f"fields.{name}", NOT_A_FIELD)
    classes = table.inside("patient_classes").read
    for code, word in classes.items():
        if word not in _CLASSES:
            raise table.bad(f"patient_classes.{code}", NOT_A_CLASS)
    fields = {name: tuple(told) for name, told in places.items()}
    reading = Reading(_zone(table), fields, {code.upper(): word for code, word in classes.items()})
    mllp = table.inside("mllp")
    callers = mllp.texts("callers") or LOOPBACK
    return Noticing(reading, mllp.text("host", "127.0.0.1"), mllp.number("port", 0, 0, 65535), callers, _tls(mllp))


def _callers(table: _Table) -> dict[str, Address | None]:
    told = table.inside("callers").read
    if not told:
        raise table.bad("callers", NO_CALLERS)
    callers: dict[str, Address | None] = {}
    for title, address in told.items():
        if title != EVERYBODY and not _AE.fullmatch(title):
            raise table.bad(f"callers.{title}", NOT_AN_AE)
        found = re.fullmatch(r"([^:\s]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", address) if isinstance(address, str) else None
        if address != "" and (found is None or not 1 <= int(found[2]) <= 65535):
            raise table.bad(f"callers.{title}", NOT_AN_ADDRESS)
        callers[title] = Address(found[1].strip("[]"), int(found[2])) if found else None
    return callers


def _tls(table: _Table) -> Tls | None:
    told = table.inside("tls")
    if not told.read:
        return None
    authority = told.text("authority", "")
    folder = table.path.parent
    tls = Tls(
        folder / told.text("certificate", ""),
        folder / told.text("key", ""),
        folder / authority if authority else None,
    )
    try:
        tls.server()
    except OSError:
        raise told.bad("certificate", NO_CERTIFICATE) from None
    return tls


def _zone(table: _Table) -> timezone:
    found = re.fullmatch(r"([+-])(0\d|1[0-4]):([0-5]\d)", table.text("time_zone", "+08:00"))
    if found is None:
        raise table.bad("time_zone", NOT_A_ZONE)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(offset if found[1] == "+" else -offset)


@dataclass(frozen=True)
class _Table:
    """One table of the file; every fault names the field by its path."""

    path: Path
    name: str
    read: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path, name: str) -> _Table:
        """The file itself was read, and is TOML: settings.load comes first."""
        return cls(path, "", tomllib.loads(path.read_text(encoding="utf-8"))).inside(name)

    def bad(self, name: str, what: Said, **values: Any) -> SettingsError:
        return SettingsError(BAD, path=self.path, field=f"{self.name}.{name}", what=what.en.format(**values))

    def inside(self, name: str) -> _Table:
        read = self.read.get(name, {})
        if not isinstance(read, dict):
            raise self.bad(name, NOT_A_TABLE)
        return _Table(self.path, f"{self.name}.{name}" if self.name else name, read)

    def text(self, name: str, default: str) -> str:
        value = self.read.get(name, default)
        if not isinstance(value, str):
            raise self.bad(name, NOT_TEXT)
        return value

    def texts(self, name: str) -> frozenset[str]:
        value = self.read.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.bad(name, NOT_A_LIST)
        return frozenset(value)

    def matching(self, name: str, default: str, pattern: re.Pattern[str], what: Said) -> str:
        value = self.text(name, default)
        if not pattern.fullmatch(value):
            raise self.bad(name, what)
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.read.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.bad(name, NOT_A_NUMBER, least=least, most=most)
        return value
