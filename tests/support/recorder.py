"""What app.py's functions ask of AWS: each call of botocore's under the name of the function that makes it.

A function is entered through the object that Lambda would call: `Chalice` for the API, an event source's handler for
the rest, plain functions too. The name is a context variable set right there and carried into the pools of threads
that a function starts, so a call belongs to the function that makes it or to none: what tests do by their own hands is
not recorded.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any

from botocore import handlers
from chalice.app import Chalice, EventSourceHandler

API = "api_handler"  # its name in .chalice/config.json
_running: contextvars.ContextVar[str] = contextvars.ContextVar("running", default="")
_listening: list[list[Call]] = []
_KEY = "imaging_cloud_call"  # in the context that botocore hands from the request to its answer


@dataclass
class Call:
    """One call as the function made it. `status` and `answer` come with the answer; 0 where none came."""

    function: str
    service: str
    operation: str
    parameters: dict[str, Any]
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)


@contextmanager
def watch() -> Iterator[list[Call]]:
    """The calls of all functions, while it lasts."""
    _install()
    calls: list[Call] = []
    _listening.append(calls)
    try:
        yield calls
    finally:
        _listening[:] = [one for one in _listening if one is not calls]


@contextmanager
def running(function: str) -> Iterator[None]:
    token = _running.set(function)
    try:
        yield
    finally:
        _running.reset(token)


# The hooks, put in once for the process: as moto's, before any session makes its clients.


@cache
def _install() -> None:
    handlers.BUILTIN_HANDLERS.append(("provide-client-params", _asked))
    handlers.BUILTIN_HANDLERS.append(("after-call", _answered))
    Chalice.__call__ = _named(Chalice.__call__, _api)
    EventSourceHandler.__call__ = _named(EventSourceHandler.__call__, _trigger)
    ThreadPoolExecutor.submit = _carrying(ThreadPoolExecutor.submit)


def _api(handler: Any) -> str:
    return API if handler.app_name == "imaging-cloud" else ""


def _trigger(handler: Any) -> str:
    work = getattr(handler.func, "_original_func", handler.func)  # Chalice wraps a plain function once more
    return work.__name__ if work.__module__ == "app" else ""


def _named(call: Any, name: Any) -> Any:
    @wraps(call)
    def entered(handler, event, context):
        with running(name(handler)):
            return call(handler, event, context)

    return entered


def _carrying(submit: Any) -> Any:
    @wraps(submit)
    def carried(pool, work, /, *arguments, **named):
        return submit(pool, contextvars.copy_context().run, work, *arguments, **named)

    return carried


def _asked(params, model, context, **_):
    if function := _running.get():
        service = model.service_model.service_id.hyphenize()
        context[_KEY] = call = Call(function, service, model.name, dict(params))
        for calls in _listening:
            calls.append(call)


def _answered(http_response, parsed, context, **_):
    if call := context.get(_KEY):
        call.status, call.answer = http_response.status_code, parsed
