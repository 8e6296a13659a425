"""`imaging-cloud rekey`: a new key for the old one (infra/JOINING.md, "Changing the key"). Killed anywhere, it is run
again and goes on: the new key lies beside the old one until the cloud knows it, the old one ends last."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from . import joined, key
from . import settings as settings_file
from .api import Api, Line
from .desk import Desk, Exit
from .faults import NotAllowedError, RefusedError, TryLaterError
from .join import DONE_REKEYED, NO_LINE, REFUSED
from .joined import Joined
from .key import Key
from .settings import Settings
from .spool import sync
from .tongue import language
from .upload import NOT_ALLOWED

KNOWN: Final = "known_key"


def add(parser: argparse.ArgumentParser) -> None:
    """It takes no arguments."""


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    settings = settings_file.load(asked.settings)
    desk = desk.speaking(language(settings.language))
    try:
        kid = change(settings, Line.of(settings))
    except NotAllowedError as error:
        desk.complain(NOT_ALLOWED, why=error.said, **error.values)
        return Exit.NOT_ALLOWED
    except RefusedError as error:
        desk.complain(REFUSED, fact=f"{error.fact} {error.told.get('reason', '')}".strip())
        return Exit.REFUSED
    except TryLaterError as error:
        desk.complain(NO_LINE, why=error)
        return Exit.REFUSED
    desk.say(DONE_REKEYED, kid=kid)
    return Exit.DONE


def change(settings: Settings, line: Line) -> str:
    """The new key's fingerprint. Raises NotAllowedError, RefusedError or TryLaterError; then nothing has changed, or
    the next call goes on."""
    told, fresh = joined.load(settings), settings.key_file.with_name(f"{settings.key_file.name}.new")
    if told.former:
        _put_in_place(settings, fresh)
        _end_former(settings, line, told)
        return told.kid
    old = key.load(settings.key_file)
    new = key.load(fresh) if fresh.exists() else key.make(fresh)
    _register(Api(settings, old, told.audience, line), new)
    Api(settings, new, told.audience, line).ask("GET", "/hospital/keys")  # it works, or the old one stays
    told = replace(told, kid=new.kid, former=old.kid)
    joined.keep(settings, told)
    _put_in_place(settings, fresh)
    _end_former(settings, line, told)
    return new.kid


def _put_in_place(settings: Settings, fresh: Path) -> None:
    """Where it was done before a kill there is nothing to do."""
    if fresh.exists():
        fresh.replace(settings.key_file)
        sync(settings.key_file.parent)


def _register(api: Api, new: Key) -> None:
    proof = new.proof(api.settings.hospital_id, api.audience, api.line.now())
    body = {"public_key": new.public_jwk(), "proof": proof}
    try:
        api.ask("POST", "/hospital/keys", json.dumps(body).encode())
    except RefusedError as refused:
        if refused.told.get("reason") != KNOWN:  # else it was registered before a kill
            raise


def _end_former(settings: Settings, line: Line, told: Joined) -> None:
    api = Api(settings, key.load(settings.key_file), told.audience, line)
    try:
        api.ask("POST", "/hospital/keys/retire", json.dumps({"kid": told.former}).encode())
    except RefusedError as refused:
        if refused.status != 404:  # else it has ended
            raise
    joined.keep(settings, replace(told, former=""))
