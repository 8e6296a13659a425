"""The client's side of the API: what each answer means, and to whom a bearer goes."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.hospital.imaging_hospital import joined, key
from infra.hospital.imaging_hospital.api import PROXIES, Api, Line
from infra.hospital.imaging_hospital.faults import NotAllowedError, RefusedError, TryLaterError
from infra.hospital.imaging_hospital.passes import Passes
from infra.hospital.imaging_hospital.settings import Settings, SettingsError, safe

NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
VENDED = {
    "credentials": {
        "access_key_id": "a",
        "secret_access_key": "s",
        "session_token": "t",
        "expires_at": (NOW + timedelta(hours=1)).isoformat(),
    },
    "bucket": "b",
    "region": "cn-north-1",
    "endpoint": "https://s3.example",
    "prefixes": {"2026-11-24": {"instances": "i/", "archives": "a/"}},
}

_BOTH = {day: {"instances": "i/", "archives": "a/"} for day in ("2026-11-24", "2026-11-25")}
OVER_MIDNIGHT = {**VENDED, "prefixes": _BOTH}


class Cloud:
    """Answers each request with the next of `answers`: (status, body, headers)."""

    def __init__(self):
        self.answers, self.asked = [], []
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                self.rfile.read(int(self.headers.get("content-length") or 0))
                cloud.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
                status, body, headers = cloud.answers.pop(0)
                self.send_response_only(status)
                for name, value in ({"Date": format_datetime(datetime.now(UTC), usegmt=True)} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815 - the base class's names

            def log_message(self, *_):
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, status, body=b"{}", **headers):
        self.answers.append((status, body if isinstance(body, bytes) else json.dumps(body).encode(), headers))


@pytest.fixture
def cloud():
    made = Cloud()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    return key.make(tmp_path_factory.mktemp("key") / "key.pem")


@pytest.fixture
def api(cloud, private):
    settings = Settings(cloud.url, "H1", Path("key.pem"), Path("spool"))
    return Api(settings, private, "https://cloud", Line.of(settings))


def test_each_request_has_a_token_of_its_own(cloud, api):
    cloud.says(200)
    cloud.says(200)
    api.ask("GET", "/a")
    api.ask("GET", "/b")
    (_, _, first), (_, _, second) = cloud.asked
    assert first.startswith("Bearer ")
    assert first != second


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_too_much_and_faults_pass(cloud, api, status):
    cloud.says(status)
    with pytest.raises(TryLaterError):
        api.ask("GET", "/a")


def test_a_page_of_somebody_else_is_not_the_clouds_answer(cloud, api):
    for body in (b"<html>please log in</html>", b"[]", b""):
        cloud.says(200, body)
        with pytest.raises(TryLaterError):
            api.ask("GET", "/a")


def test_a_bearer_follows_no_redirect(cloud, api):
    cloud.says(302, b"", Location=f"{cloud.url}/elsewhere")
    with pytest.raises(RefusedError):
        api.ask("GET", "/a")
    assert len(cloud.asked) == 1


def test_a_key_that_is_not_accepted_is_told_by_the_clouds_fact(cloud, api):
    cloud.says(401, {"error": "token_refused"})
    with pytest.raises(NotAllowedError) as caught:
        api.ask("GET", "/a")
    assert "token_refused" in caught.value.said.in_("zh", **caught.value.values)


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_wrong_clock_is_told_as_such(cloud, api, hours):
    there = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    cloud.says(401, {"error": "token_refused"}, Date=there)
    with pytest.raises(NotAllowedError) as caught:
        api.ask("GET", "/a")
    assert "clock" in str(caught.value)


def test_what_is_refused_says_why(cloud, api):
    cloud.says(422, {"error": "key_refused", "reason": "too_short"})
    with pytest.raises(RefusedError) as caught:
        api.ask("GET", "/a")
    assert (caught.value.fact, caught.value.status, caught.value.told["reason"]) == ("key_refused", 422, "too_short")


def test_no_line_is_waited_for_and_told_without_an_address(api, cloud):
    cloud.server.shutdown()
    cloud.server.server_close()
    with pytest.raises(TryLaterError) as caught:
        api.ask("GET", "/a")
    assert "127.0.0.1" not in str(caught.value)


def test_all_pages_of_a_receipt_are_read(cloud, api):
    cloud.says(200, {"entries": [1], "next_token": "a/b="})
    cloud.says(200, {"entries": [2], "next_token": ""})
    assert [page["entries"] for page in api.receipt("1.2.3")] == [[1], [2]]
    assert [path for _, path, _ in cloud.asked] == [
        "/hospital/studies/1.2.3/receipt",
        "/hospital/studies/1.2.3/receipt?token=a%2Fb%3D",
    ]


def test_a_receipt_that_changes_while_it_is_read_is_read_again_later(cloud, api):
    cloud.says(200, {"entries": [1], "next_token": "a"})
    cloud.says(409, {"error": "manifest_changed"})
    with pytest.raises(TryLaterError):
        api.receipt("1.2.3")


def test_credentials_that_a_wrong_address_refuses_condemn_no_image(cloud, api):
    cloud.says(404, {"error": "not_found"})
    with pytest.raises(NotAllowedError):
        api.credentials()


def passes(*answers, now=NOW):
    clock, left = [now], list(answers)

    def ask():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    settings = Settings("https://cloud", "H1", Path("key.pem"), Path("spool"))
    return Passes(settings, ask, lambda: clock[0]), clock, left


def test_keys_are_used_again_and_renewed_ten_minutes_before_their_end():
    held, clock, left = passes(OVER_MIDNIGHT, OVER_MIDNIGHT)
    assert held.current() is held.current()
    clock[0] += timedelta(minutes=49)
    held.current()
    assert len(left) == 1
    clock[0] += timedelta(minutes=2)
    held.current()
    assert left == []


def test_keys_that_cannot_be_renewed_are_used_to_their_end():
    held, clock, _ = passes(OVER_MIDNIGHT, TryLaterError("cut"), TryLaterError("cut"))
    first = held.current()
    clock[0] += timedelta(minutes=55)
    assert held.current() is first
    clock[0] += timedelta(minutes=5)
    with pytest.raises(TryLaterError):
        held.current()


def test_keys_that_do_not_reach_today_are_renewed():
    held, clock, left = passes(VENDED, VENDED)
    first = held.current()
    assert first.key("instances", "x", clock[0]) == "i/x"
    clock[0] += timedelta(minutes=31)
    held.current()
    assert left == []
    assert first.key("instances", "x", clock[0]) is None


@pytest.mark.parametrize("lacking", ["credentials", "bucket", "endpoint", "prefixes"])
def test_half_an_answer_is_none(lacking):
    held, *_ = passes({name: value for name, value in VENDED.items() if name != lacking})
    with pytest.raises(TryLaterError):
        held.current()


def test_images_go_nowhere_without_tls():
    held, *_ = passes({**VENDED, "endpoint": "http://s3.example"})
    with pytest.raises(TryLaterError):
        held.current()
    assert safe("http://127.0.0.1:8000")
    assert not safe("http://127.0.0.1.example")
    assert not safe("ftp://127.0.0.1")


def test_what_joining_told_is_of_one_hospital(tmp_path):
    settings = Settings("https://cloud", "H1", tmp_path / "key.pem", tmp_path)
    with pytest.raises(SettingsError):
        joined.load(settings)
    joined.keep(settings, joined.Joined("H1", "https://cloud", "kid"))
    assert joined.load(settings).audience == "https://cloud"
    joined.keep(settings, joined.Joined("H2", "https://cloud", "kid"))
    with pytest.raises(SettingsError):
        joined.load(settings)


def test_what_this_machine_says_of_its_own_use_of_aws_is_not_heeded(monkeypatch, tmp_path):
    broken = tmp_path / "config"
    broken.write_text("[no config")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(broken))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    settings = Settings("https://cloud.example", "H1", tmp_path / "key.pem", tmp_path)
    held = Passes(settings, lambda: VENDED, lambda: NOW).current()
    assert (held.bucket, held.s3.meta.region_name, held.s3.meta.config.proxies) == ("b", "cn-north-1", {})


def test_a_proxy_of_the_environment_is_passed_over_and_named_when_nothing_gets_through(monkeypatch, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    settings = Settings(url, "H1", tmp_path / "key.pem", tmp_path)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TryLaterError, match=r"^NewConnectionError$"):
        Line.of(settings).send("GET", url)
    monkeypatch.setenv("HTTPS_PROXY", "http://10.9.8.7:3128")
    with pytest.raises(TryLaterError, match="HTTPS_PROXY is not heeded") as told:
        Line.of(settings).send("GET", url)
    assert "10.9.8.7" not in str(told.value)
