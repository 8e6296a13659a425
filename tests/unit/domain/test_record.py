"""A person's archive is made whatever their hospitals' devices wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from chalicelib.domain.exam import ExamKey, Facts
from chalicelib.domain.identity import IdentityKey, Link, Person
from chalicelib.domain.ledger import derive
from chalicelib.domain.record import OwnNumber, Record, archive, sections
from chalicelib.domain.record_exams import HeldExam, ToldExam
from chalicelib.domain.study import StudyRef
from tests.support.clinic import NOW, summary
from tests.support.ledger_world import NOON, notice


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


def test_exams_and_what_was_told_of_them_are_listed_newest_first_whatever_number_they_are_of():
    first, second = (exam(notice(performed_at=NOON + timedelta(days=days))) for days in (0, 30))
    told = [ToldExam("H1", notice(sent_at=NOON + timedelta(hours=hours))) for hours in range(3)]
    held = (HeldExam((first,), (told[1],)), HeldExam((second,), (told[2], told[0])))
    listed = sections(replace(record(), exams=held), NOW)
    assert [one["day"] for one in listed["exams"]] == [second.day, first.day]
    assert [one["sent_at"] for one in listed["exam_notices"]] == sorted(
        (one.notice.sent_at.isoformat() for one in told), reverse=True
    )


def exam(told):
    (row,) = derive(ExamKey("H1", "A1"), Facts(notices=(told,), count=1), (), NOON.tzinfo)
    return row
