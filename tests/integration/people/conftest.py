"""A clinic on either kind of ports; crowds need the conditional writes of moto."""

from __future__ import annotations

import pytest

from infra.local.whole_writes import make_writes_whole
from tests.support.clinic import clinic_in_memory, clinic_on
from tests.support.emergency_room import room_in_memory, room_on


@pytest.fixture(params=["fake", "moto"])
def clinic(request):
    return clinic_in_memory() if request.param == "fake" else clinic_on(request.getfixturevalue("cloud"))


@pytest.fixture
def moto_clinic(cloud):
    make_writes_whole()
    return clinic_on(cloud)


@pytest.fixture(params=["fake", "moto"])
def room(request):
    make_writes_whole()
    return room_in_memory() if request.param == "fake" else room_on(request.getfixturevalue("cloud"))
