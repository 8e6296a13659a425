"""Short words for what tests of a clinic do and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import AccessDenied
from chalicelib.domain.linking import LinkChange
from chalicelib.services.decide_request import RequestClosed
from tests.support.clinic import NOW

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def denied(call, *args):
    with pytest.raises(AccessDenied) as caught:
        call(*args)
    return caught.value.reason


def closed(call, *args):
    with pytest.raises(RequestClosed) as caught:
        call(*args)
    return caught.value.state


def freeze(clinic, person_id):
    person = clinic.people.person(person_id)
    link = clinic.people.links(person_id)[0]
    assert clinic.people.save(LinkChange(link, link, replace(person, frozen_at=NOW)))


def events(clinic, person_id, action):
    found = clinic.audit.of_person(person_id, "", 200).items
    return [event for event in found if event.action == action]
