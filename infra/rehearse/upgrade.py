"""The functions upgraded to another zip and rolled back to the first, while people go on asking.

AWS lets a running function end before it takes the new code; MiniStack ends it at once, which is a 502. Such a request
is asked again, as people would, and counted; any other failure is one."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from threading import Event, Thread
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from infra.local.client import Answer, expect
from infra.local.story import Stage
from infra.local.story_doctor import open_study
from infra.rehearse import cloud, deploy

CUT_OFF, TRIES, LOST = 502, 3, 0  # LOST is no status: every try was cut off

_FILE = "chalicelib/http/session.py"
_SAYS, _SAYS_NEXT = b'return {"status": "ok"}', b'return {"status": "ok", "next": True}'


def upgrade(stage: Stage) -> dict[str, Any]:
    here: cloud.Rehearsed = stage.kept["rehearsed"]
    before = (here.package / "deployment.zip").read_bytes()
    key = (here.package / "code-key").read_text(encoding="utf-8")
    after = next_release(before)
    next_key = f"imaging-cloud/{sha256(after).hexdigest()}.zip"
    deploy.put(here.here, next_key, after)
    grace = here.parameters["SweepGraceSeconds"]
    with _asking(stage) as asked:
        _deploy(stage, with_code(here.app, key, next_key), "3")
        expect(_health(stage) == {"status": "ok", "next": True}, "the new zip answers")
        _deploy(stage, here.app, grace)
        expect(_health(stage) == {"status": "ok"}, "the old zip answers again")
        _enough(asked)
    again = asked.pop(CUT_OFF, 0)
    expect(set(asked) == {200}, f"no request failed meanwhile: {dict(asked)}")
    return {"asked": asked[200], "again": again}


def _deploy(stage: Stage, app: dict[str, Any], grace: str) -> None:
    here: cloud.Rehearsed = stage.kept["rehearsed"]
    deploy.deploy(here.here, cloud.APP, app, here.parameters | {"SweepGraceSeconds": grace})
    found = here.here.client("lambda").get_function_configuration(FunctionName=here.functions["sweep"])
    expect(found["Environment"]["Variables"]["SWEEP_GRACE_SECONDS"] == grace, "the functions have the new setting")


def _health(stage: Stage) -> Any:
    """Asked again while the new code is being taken up."""
    answers = (stage.client.call("", "GET", "/health") for _ in range(TRIES))
    return next((one for one in answers if one.status != CUT_OFF), Answer(CUT_OFF, {}, b"")).of(200)


def next_release(zipped: bytes) -> bytes:
    """The same code but for one answer, by which it can be told from the first."""
    made = io.BytesIO()
    with ZipFile(io.BytesIO(zipped)) as given, ZipFile(made, "w", ZIP_DEFLATED, compresslevel=1) as written:
        for entry in given.infolist():
            body = given.read(entry)
            if entry.filename == _FILE:
                expect(_SAYS in body, "the answer that the next release changes")
                body = body.replace(_SAYS, _SAYS_NEXT)
            written.writestr(entry, body)
    return made.getvalue()


def with_code(app: Mapping[str, Any], key: str, other: str) -> dict[str, Any]:
    """The template with the functions' code at the other key."""
    resources = {}
    for logical, one in app["Resources"].items():
        properties = one.get("Properties", {})
        if one["Type"] == "AWS::Lambda::Function" and properties["Code"]["S3Key"] == key:
            properties = {**properties, "Code": {**properties["Code"], "S3Key": other}}
        resources[logical] = {**one, "Properties": properties}
    return {**app, "Resources": resources}


@contextmanager
def _asking(stage: Stage) -> Iterator[Counter[int]]:
    """As long as the context lasts, somebody asks for the API's health and a patient for images; statuses counted."""
    asked, ended = Counter[int](), Event()

    def once(call: Callable[[], Answer]) -> None:
        for _ in range(TRIES):
            status = call().status
            asked[status] += 1
            if status != CUT_OFF:
                return
        asked[LOST] += 1

    def ask() -> None:
        while not ended.is_set():
            once(lambda: stage.client.call("", "GET", "/health"))
            once(lambda: open_study(stage, "patient-zhang", "river_ct"))
            ended.wait(0.05)

    thread = Thread(target=ask, name="asking", daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        ended.set()
        thread.join()


def _enough(asked: Counter[int]) -> None:
    """A few more after the last change, so that it too was asked."""
    wanted = asked[200] + 4
    give_up = time.monotonic() + 60
    while asked[200] < wanted and time.monotonic() < give_up:
        time.sleep(0.05)
    expect(asked[200] >= wanted, "somebody went on asking")
