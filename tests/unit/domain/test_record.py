"""A person's archive is made whatever their hospitals' devices wrote."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest

from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.record import OwnNumber, Record, archive, sections
from chalicelib.domain.study import StudyRef
from tests.support.clinic import NOW, summary


def record(*studies):
    return Record(
        person=Person("P"),
        number=OwnNumber(counts=False, opens_all=False, hospitals=()),
        links=(),
        former_links=(),
        visits=(),
        exams=(),
        studies=studies,
        hidden=frozenset(),
        consents=(),
        requests=(),
        accesses=(),
        guardians=(),
        wards=(),
        notices=(),
        reviews=(),
        hand_overs=(),
        hospitals={},
    )


@pytest.mark.parametrize("date", ["2026112²", "²" * 8, "٢" * 8, "1" * 5000, "2026.11.24", "0", "", "soon"])
def test_no_study_date_keeps_the_archive_from_being_made(date):
    dated = [summary(StudyRef("H1", "1.1"), study_date=date), summary(StudyRef("H1", "1.2"), study_date="20261120")]
    assert archive(record(*dated), NOW)


def test_the_newest_study_is_first_and_what_has_no_date_is_last():
    dates = {"1.1": "20250101", "1.2": "2026112²", "1.3": "20261120"}
    studies = [summary(StudyRef("H1", uid), study_date=date) for uid, date in dates.items()]
    told = sections(record(*studies), NOW)["studies"]
    assert [one["study_instance_uid"] for one in told] == ["1.3", "1.1", "1.2"]


@pytest.mark.parametrize("status", ["unconfirmed", "contested"])
def test_a_number_that_may_be_somebody_elses_does_not_tell_their_name_or_birth(status):
    """A hospital mistyped a national id: whose number it is, the person is not told in full."""
    link = Link(IdentityKey("H1", "A9"), "P", status, NOW, names=("李四",), sex="F", birth_date="19900505")
    made = archive(replace(record(), links=(link,)), NOW)
    with ZipFile(BytesIO(made)) as opened:
        everything = "".join(opened.read(name).decode() for name in opened.namelist())
    assert "A9" in everything
    assert "李四" not in everything
    assert "19900505" not in everything
