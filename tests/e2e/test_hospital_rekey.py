"""The hospital changes its key, and may be killed or cut off while it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import jwt
import pytest

from infra.hospital.imaging_hospital import joined, key
from infra.hospital.imaging_hospital.api import Line
from infra.hospital.imaging_hospital.faults import TryLaterError
from infra.hospital.imaging_hospital.rekey import change
from infra.hospital.imaging_hospital.settings import SettingsError
from tests.support.hospital_client import join


@dataclass(frozen=True)
class CutLine:
    """A line that ends before or after its n-th request."""

    line: Line
    left: list
    after: bool

    @property
    def now(self):
        return self.line.now

    def send(self, *request):
        self.left[0] -= 1
        if self.left[0] == 0 and not self.after:
            raise TryLaterError("cut")
        answer = self.line.send(*request)
        if self.left[0] == 0:
            raise TryLaterError("cut")
        return answer


@pytest.fixture
def hospital(town, tmp_path):
    return join(town, tmp_path)


def live(hospital):
    """The ids of the keys that still open something."""
    keys = hospital.town.of_hospital(hospital.hospital_id).ask("GET", "/hospital/keys").of(200)["keys"]
    return [one["kid"] for one in keys if not one["ended_at"]]


def is_changed(hospital, before):
    now = key.load(hospital.settings.key_file)
    assert now.kid != before.kid
    assert live(hospital) == [now.kid]
    assert joined.load(hospital.settings) == joined.Joined(
        hospital.hospital_id, hospital.town.client.told["api_url"], now.kid
    )
    assert list(hospital.place.glob("key.pem*")) == [hospital.settings.key_file]


# Before the first request nothing has happened yet.
CUTS = ((1, True), (3, False), (3, True))


def test_a_change_that_is_cut_off_anywhere_is_finished_by_the_next(hospital):
    line = Line.of(hospital.settings)
    for request, after in CUTS:
        before = key.load(hospital.settings.key_file)
        with pytest.raises(TryLaterError):
            change(hospital.settings, CutLine(line, [request], after))
        assert key.load(hospital.settings.key_file).kid in live(hospital)  # it can still work
        change(hospital.settings, line)
        is_changed(hospital, before)


def test_a_kill_between_the_two_files_leaves_a_key_that_works(hospital):
    before, line = key.load(hospital.settings.key_file), Line.of(hospital.settings)
    with pytest.raises(TryLaterError):
        change(hospital.settings, CutLine(line, [3], after=False))
    hospital.settings.key_file.rename(hospital.place / "key.pem.new")
    hospital.settings.key_file.write_bytes(b"")  # what lay there no longer matters
    change(hospital.settings, line)
    is_changed(hospital, before)


def test_a_command_that_runs_meanwhile_takes_the_new_key(tmp_path):
    file, now = key.KeyFile(tmp_path / "key.pem"), datetime.now(UTC)
    with pytest.raises(SettingsError):
        file.current()
    for _ in range(2):
        made = key.make(tmp_path / "new.pem")
        (tmp_path / "new.pem").replace(tmp_path / "key.pem")
        assert jwt.get_unverified_header(file.bearer("H1", "https://cloud", now))["kid"] == made.kid
