"""For every test over moto: what a function asks of AWS, its own policy allows."""

from __future__ import annotations

import pytest

from chalicelib.wiring import dicomweb, storing
from tests.support import function_policies, needs, recorder
from tests.support.moto_reader import moto_puts, moto_reads

GONE = ":table/gone"  # what tests point a function at to see what it answers when AWS fails


@pytest.fixture(autouse=True)
def signed_reads(monkeypatch):
    """What the API reads and puts by a signed URL, it does with moto in this process."""
    monkeypatch.setattr(dicomweb, "granted_reads", moto_reads)
    monkeypatch.setattr(storing, "signed_puts", moto_puts)


@pytest.fixture(autouse=True)
def least_privilege():
    """Holds each call that app.py's functions make in this test against .chalice/policy-*.json."""
    with recorder.watch() as calls:
        yield
    refused = {
        (call.function, *need)
        for call in calls
        for need in function_policies.missing(needs.of(call), function_policies.of(call.function))
        if GONE not in need.resource
    }
    told = [f"{function} needs {action} on {resource}" for function, action, resource in sorted(refused)]
    assert not told, "its policy in .chalice/ does not allow it:\n" + "\n".join(told)
