"""The reminders that were shown: one behaviour, of the fake and of the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.alert import Alert, Prior, alert_id, day_of
from chalicelib.domain.body_region import Part
from chalicelib.domain.similarity import Exam
from chalicelib.domain.study import StudyRef
from chalicelib.store.alerts import DynamoAlerts
from chalicelib.store.gains import DynamoDueAlerts
from tests.support.fakes_reminders import FakeAlerts

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
EXAM = Exam("CT", (Part("CHEST"), Part("KNEE", "L")), "plain")
PRIORS = (
    Prior(StudyRef("H1", "1.2.3"), "duplicate", 7, recognisable=True),
    Prior(StudyRef("H2", "1.2.4"), "related", 90, recognisable=False),
)


def alert(encounter="E1", day=date(2026, 11, 24), **changes):
    shown = alert_id(day, ("H2", "d1", encounter), EXAM, PRIORS[0].study)
    return replace(Alert(shown, "H2", "d1", encounter, "张 三#1", EXAM, PRIORS, NOW), **changes)


@pytest.fixture(params=["fake", "moto"])
def alerts(request):
    if request.param == "fake":
        return FakeAlerts()
    cloud = request.getfixturevalue("cloud")
    return DynamoAlerts(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])


@pytest.fixture
def due(alerts, request):
    """Of the fake the same, of the table what the sweep reads."""
    if isinstance(alerts, FakeAlerts):
        return alerts
    cloud = request.getfixturevalue("cloud")
    return DynamoDueAlerts(cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"])


def test_what_was_shown_first_stands(alerts):
    first = alert()
    assert alerts.keep(first)
    assert not alerts.keep(replace(first, shown_at=NOW + timedelta(hours=1), priors=()))
    assert alerts.get("H2", first.alert_id) == first
    assert alerts.of_day("H2", "2026-11-24") == ((first, ()),)
    assert alerts.of_visit("H2", "E1") == (first.alert_id,)


def test_alerts_are_found_by_their_own_hospital_day_and_visit_only(alerts):
    one, other, later = alert(), alert("E2"), alert("E1", date(2026, 11, 25))
    for each in (one, other, later):
        alerts.keep(each)
    assert {found.alert_id for found, _ in alerts.of_day("H2", "2026-11-24")} == {one.alert_id, other.alert_id}
    assert alerts.of_day("H1", "2026-11-24") == ()
    assert alerts.of_visit("H2", "E1") == tuple(sorted((one.alert_id, later.alert_id)))
    assert alerts.of_visit("H1", "E1") == ()
    assert alerts.get("H1", one.alert_id) is None
    assert alerts.get("H2", "no-such-card") is None


def test_an_answer_is_kept_once_as_it_was_given_last_and_only_of_what_was_shown(alerts):
    one, later = alert(), NOW + timedelta(hours=1)
    assert not alerts.answer("H2", one.alert_id, "accepted", "", NOW)
    alerts.keep(one)
    for at in (NOW, later, NOW):
        assert alerts.answer("H2", one.alert_id, "overridden", "3", at)
    assert alerts.answer("H2", one.alert_id, "accepted", "", NOW)
    assert not alerts.answer("H1", one.alert_id, "accepted", "", NOW)
    ((_, answers),) = alerts.of_day("H2", "2026-11-24")
    assert sorted(answers) == [("accepted", "", NOW), ("overridden", "3", later)]
    assert sorted(alerts.answers("H2", one.alert_id)) == sorted(answers)
    assert alerts.answers("H1", one.alert_id) == ()


def test_what_woke_a_reminder_since_it_was_taken_up_is_not_lost(alerts, due):
    one, eight = alert(), NOW + timedelta(days=8)
    alerts.keep(one)
    (new,) = found(due, NOW)
    alerts.wake("H2", one.alert_id, "overridden3", NOW)
    due.due_again(new, eight)
    (woken,) = found(due, NOW)
    assert woken.mark != new.mark
    due.due_again(woken, eight)
    assert found(due, NOW) == []
    (judged,) = found(due, eight)
    due.due_again(judged, None)
    assert found(due, eight) == []
    alerts.wake("H2", one.alert_id, "1.2.3#1", eight)
    assert [again.alert_id for again in found(due, eight)] == [one.alert_id]


def test_a_reminder_that_time_took_away_stays_gone(alerts, due):
    alerts.wake("H2", alert().alert_id, "overridden3", NOW)
    assert found(due, NOW) == []
    assert alerts.get("H2", alert().alert_id) is None


def found(due, until):
    return [one for shard in range(16) for one in due.due(shard, until)]


def test_an_id_is_the_same_for_the_same_reminder_and_says_its_day():
    assert alert().alert_id == alert().alert_id
    assert len({alert(encounter).alert_id for encounter in ("E1", "E2")}) == 2
    assert day_of(alert().alert_id) == "2026-11-24"
    assert day_of("x") == day_of("") == ""
