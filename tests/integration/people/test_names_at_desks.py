"""A name beside a national id is what a clerk typed: another one replaces nothing by itself."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.access import Caller
from tests.support.clinic import NOW, zhang


def test_a_clerk_with_a_victims_id_and_another_name_does_not_rename_them_and_is_told(clinic):
    patient = clinic.patient("H1", zhang("A1", phone=""))
    clerk = Caller("desk_clerk", "clerk-H9", "H9")
    registered = clinic.register(clerk, replace(zhang("Z9", phone=""), name="李鬼"), NOW)
    assert registered.name_differs
    assert clinic.people.person(registered.person_id).name == zhang().name
    assert "name_differs" in [one.kind for one in clinic.read_notices(patient, NOW).items]
    again = clinic.register(clerk, replace(zhang("Z8", phone=""), name="李鬼"), NOW)
    assert again.name_differs  # more numbers of one hospital are no more witnesses
    assert clinic.people.person(registered.person_id).name == zhang().name


def test_whom_a_clerk_registered_first_under_a_wrong_name_has_their_own_once_more_hospitals_saw_it(clinic):
    evil = Caller("desk_clerk", "clerk-H9", "H9")
    person_id = clinic.register(evil, replace(zhang("Z9", phone=""), name="李鬼"), NOW).person_id
    for hospital_id, differs in (("H1", True), ("H2", False)):
        caller = Caller("desk_clerk", f"clerk-{hospital_id}", hospital_id)
        assert clinic.register(caller, zhang("A1", phone=""), NOW).name_differs == differs
    assert clinic.people.person(person_id).name == zhang().name
