"""`imaging-cloud join`: makes the hospital's key and registers its public half with the joining code."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from . import joined, key
from . import settings as settings_file
from .api import Line
from .desk import Desk, Exit
from .faults import NotAllowedError, RefusedError, TryLaterError
from .joined import Joined
from .key import Key
from .settings import HOSPITAL_ID, NOT_AN_ID, Settings, SettingsError, safe
from .tongue import Said, language

ENDPOINT: Final = Said("address of the cloud's API, https://…", "云端 API 地址，https://…")
ID: Final = Said("this hospital's id, from the commission's letter", "本院编号，见卫健委来函")
AUDIENCE: Final = Said("the cloud's origin, where it is not that of the address", "云端的 origin，与地址不同时填写")
CODE_FILE: Final = Said("file with the joining code (-: standard input)", "存放接入码的文件（-：标准输入）")
CODE: Final = Said("joining code: ", "接入码：")
BAD_ENDPOINT: Final = Said("the address {what}", "地址{what}")
BAD_ID: Final = Said("the hospital's id: {what}", "医院编号：{what}")
OTHERS: Final = Said(
    "{path} is of hospital {hospital_id} at {endpoint}: use another with --settings",
    "{path} 属于 {endpoint} 的医院 {hospital_id}：请用 --settings 另指定一个",
)
MADE: Final = Said("key made: {path} (never copy it; back up nothing of it)", "已生成密钥：{path}（不要复制或备份）")
DONE: Final = Said(
    "joined. Fingerprint of the key (compare it with the commission by telephone): {kid}",
    "接入成功。密钥指纹（请与卫健委电话核对）：{kid}",
)
DONE_REKEYED: Final = Said(
    "the key is changed. Fingerprint of the new one (compare it with the commission by telephone): {kid}",
    "密钥已更换。新密钥指纹（请与卫健委电话核对）：{kid}",
)
REFUSED: Final = Said("the cloud refused: {fact}", "云端拒绝：{fact}")
NO_LINE: Final = Said("the cloud cannot be reached ({why}): try again", "无法连接云端（{why}）：请重试")


def add(parser: argparse.ArgumentParser) -> None:
    spoken = language("")
    parser.add_argument("endpoint", metavar="URL", help=ENDPOINT.in_(spoken))
    parser.add_argument("hospital_id", metavar="ID", help=ID.in_(spoken))
    parser.add_argument("--audience", default="", metavar="URL", help=AUDIENCE.in_(spoken))
    parser.add_argument("--code-file", default="", metavar="FILE", help=CODE_FILE.in_(spoken))


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    settings = _settings(asked)
    desk = desk.speaking(language(settings.language))
    private = _key(settings, desk)
    audience = asked.audience or "://".join(urlsplit(settings.endpoint)[:2])
    code = _code(asked.code_file, desk)
    try:
        told = register(Line.of(settings), settings, private, audience, code)
    except NotAllowedError as error:
        desk.complain(error.said, **error.values)
        return Exit.NOT_ALLOWED
    except RefusedError as error:
        desk.complain(REFUSED, fact=f"{error.fact} {error.told.get('reason', '')}".strip())
        return Exit.REFUSED
    except TryLaterError as error:
        desk.complain(NO_LINE, why=error)
        return Exit.REFUSED
    joined.keep(settings, told)
    desk.say(DONE, kid=told.kid)
    return Exit.DONE


def register(line: Line, settings: Settings, private: Key, audience: str, code: str) -> Joined:
    """Registers the public half (infra/JOINING.md). Raises NotAllowedError, RefusedError or TryLaterError."""
    body = {
        "hospital_id": settings.hospital_id,
        "code": code,
        "public_key": private.public_jwk(),
        "proof": private.proof(settings.hospital_id, audience, line.now()),
    }
    told = line.send("POST", f"{settings.endpoint}/joining", json.dumps(body).encode())
    return Joined(settings.hospital_id, str(told["audience"]), str(told["kid"]))


def _settings(asked: argparse.Namespace) -> Settings:
    """Those of the file, which is written first where there is none."""
    endpoint, path = asked.endpoint.rstrip("/"), asked.settings
    if not safe(endpoint):
        raise SettingsError(BAD_ENDPOINT, what=settings_file.MUST_BE_HTTPS)
    if not HOSPITAL_ID.fullmatch(asked.hospital_id):
        raise SettingsError(BAD_ID, what=NOT_AN_ID)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(_written(endpoint, asked.hospital_id), encoding="utf-8")
    found = settings_file.load(path)
    if (found.endpoint, found.hospital_id) != (endpoint, asked.hospital_id):
        raise SettingsError(OTHERS, path=path, hospital_id=found.hospital_id, endpoint=found.endpoint)
    return found


def _written(endpoint: str, hospital_id: str) -> str:
    lines = (
        f"endpoint = {json.dumps(endpoint)}",
        f"hospital_id = {json.dumps(hospital_id)}",
        'key_file = "key.pem"',
        'spool = "spool"',
        "megabits_per_second = 0  # 0: no limit / 0 为不限",
        "parallel = 4",
    )
    return "\n".join(lines) + "\n"


def _key(settings: Settings, desk: Desk) -> Key:
    try:
        made = key.make(settings.key_file)
    except FileExistsError:
        return key.load(settings.key_file)
    desk.say(MADE, path=settings.key_file)
    return made


def _code(file: str, desk: Desk) -> str:
    """Never from the command line, which everybody on the machine can read."""
    if file == "-":
        return sys.stdin.readline().strip()
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    return getpass.getpass(CODE.in_(desk.language)).strip()
