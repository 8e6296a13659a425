"""S3's access log line by line, hostile ones too, and each read held against the decision it names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.reads import (
    LONGEST_LINE,
    SLACK,
    URL_LIFE,
    Allowed,
    allowed_events,
    judge,
    read_line,
    sessions_of,
)
from chalicelib.domain.study import StudyRef
from tests.support.access_log_lines import ROLE_ARN, SIGNER, line

AT = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
EVENT = "01KB0000000000000000000000"
KEY = "instances/H1/2026-11-24/影像 云/a+b (1)%.dcm"
ALLOWED = Allowed(StudyRef("H1", "1.2"), AT)
# From AWS's page on the format, as it stands there.
OF_AWS = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1 "
    "[06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be "
    "3E57427F3EXAMPLE REST.GET.VERSIONING - "
    '"GET /amzn-s3-demo-bucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - '
    "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 "
    "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2 - -"
)


@pytest.mark.parametrize("twice", [False, True])
def test_a_signed_get_is_read_with_its_key_however_it_was_encoded(twice):
    request = read_line(line(AT, KEY, EVENT, twice=twice))
    assert (request.at, request.requester, request.event_id) == (AT, SIGNER, EVENT)
    assert KEY in request.keys
    assert request.is_read


def test_the_line_of_the_documentation_is_read():
    request = read_line(OF_AWS)
    assert (request.operation, request.is_read, request.event_id) == ("REST.GET.VERSIONING", False, "")
    assert request.at == datetime(2019, 2, 6, 0, 0, 38, tzinfo=UTC)


def test_a_time_of_another_zone_is_the_same_instant():
    assert read_line(line(AT, KEY).replace("02:03:04 +0000", "10:03:04 +0800")).at == AT
    assert read_line(line(AT, KEY).replace("02:03:04 +0000", "00:03:04 -0200")).at == AT


@pytest.mark.parametrize(
    ("changes", "is_read"),
    [
        ({"status": "206"}, True),
        ({"status": "403"}, False),
        ({"status": "304"}, False),
        ({"operation": "REST.HEAD.OBJECT"}, False),
        ({"operation": "REST.PUT.OBJECT"}, False),
    ],
)
def test_only_what_gave_bytes_is_a_read(changes, is_read):
    assert read_line(line(AT, KEY, EVENT, **changes)).is_read == is_read


@pytest.mark.parametrize(
    "uri",
    [
        "GET /k HTTP/1.1",
        "GET /k?x-audit-event=A&x-audit-event=B HTTP/1.1",
        "GET /k?X-Audit-Event=A HTTP/1.1",
        "GET //[bad?x-audit-event=A HTTP/1.1",
        "",
        "-",
    ],
)
def test_a_url_that_names_no_event_or_two_names_none(uri):
    assert read_line(line(AT, KEY, uri=uri)).event_id == ""


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "-",
        "a" * 100,
        " " * 10_000,
        '"' * 10_000,
        line(AT, KEY).replace("24/Nov", "31/Feb"),
        line(AT, KEY).replace("/Nov/", "/Növ/"),
        line(AT, KEY).replace("02:03:04", "99:99:99"),
        line(AT, KEY, uri='GET /k HTTP/1.1" 403 - 1 1 1 1 "-" "x'),
        line(AT, KEY, agent='x" "GET /k HTTP/1.1" 403 - 1 1 1 1 "'),
        line(AT, "k" * LONGEST_LINE),
        line(AT, KEY)[:80],
        line(datetime(1, 1, 1, tzinfo=UTC), KEY).replace("1/Jan/1", "1/Jan/0001").replace("+0000", "+1400"),
    ],
)
def test_a_hostile_line_is_no_line(hostile):
    assert read_line(hostile) is None


def test_a_quote_in_a_url_changes_no_status():
    request = read_line(line(AT, KEY, uri=f'GET /k?x-audit-event={EVENT}" 403 - HTTP/1.1'))
    assert (request.status, request.is_read) == ("200", True)


def test_what_a_client_says_of_itself_cannot_change_what_is_read():
    agent = f'" v1 200 - "GET /k?x-audit-event={EVENT} HTTP/1.1" 403 - REST.PUT.OBJECT'
    request = read_line(line(AT, KEY, agent=agent))
    assert (request.event_id, request.status, request.operation) == ("", "200", "REST.GET.OBJECT")


@given(st.text(max_size=300))
def test_nothing_at_all_makes_the_parser_fail(text):
    read_line(text)


@given(st.integers(0, len(OF_AWS)), st.text(max_size=8))
def test_nor_does_a_line_broken_anywhere(place, text):
    read_line(OF_AWS[:place] + text + OF_AWS[place:])


def judged(at=AT, event_id=EVENT, allowed=ALLOWED, keys=frozenset({KEY})):
    return judge(read_line(line(at, KEY, event_id)), allowed, keys)


def test_a_read_in_the_life_of_an_allowed_url_is_allowed():
    assert judged() == "allowed"


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"event_id": ""}, "no_event"),
        ({"allowed": None}, "unknown_event"),
        ({"keys": frozenset({"instances/H1/2026-11-24/another"})}, "other_study"),
        ({"keys": frozenset()}, "other_study"),
    ],
)
def test_a_read_that_fits_no_decision_says_why(given_, why):
    assert judged(**given_) == why


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        (-SLACK - timedelta(seconds=1), "outside_life"),
        (-SLACK, "allowed"),
        (URL_LIFE + SLACK, "allowed"),
        (URL_LIFE + SLACK + timedelta(seconds=1), "outside_life"),
    ],
)
def test_the_life_of_a_url_is_judged_to_the_second(after, verdict):
    assert judged(at=AT + after) == verdict


def test_the_signers_sessions_are_known_by_its_role():
    assert SIGNER.startswith(sessions_of(ROLE_ARN))
    assert sessions_of("arn:aws:iam::1:role/path/to/Name") == "arn:aws:sts::1:assumed-role/Name/"
    assert sessions_of("arn:aws:iam::1:user/x") == sessions_of("") == ""


VIEW = {
    "action": "view_study",
    "allowed": True,
    "study_hospital_id": "H1",
    "study_instance_uid": "1.2",
    "at": "2026-11-24T02:03:04.000000Z",
}


def test_a_sealed_view_opens_its_study():
    assert allowed_events(VIEW) == ALLOWED


@pytest.mark.parametrize(
    "changes",
    [{"action": "read_timeline"}, {"allowed": False}, {"allowed": "true"}, {"at": "soon"}, {"at": {"N": "1"}}],
)
def test_any_other_event_opens_none(changes):
    assert allowed_events({**VIEW, **changes}) is None
