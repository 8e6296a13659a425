"""`make bases`: every basis of a grant against a local cloud, and what the patients read of it."""

from __future__ import annotations

import sys

import pytest

from infra.local import bases_steps
from infra.local.bases_text import TEXTS
from infra.local.personas import CHILD, ELDER, PATIENT
from tests.support.local_cloud import run_to_end

pytestmark = pytest.mark.xdist_group("local")


def played(*arguments):
    return run_to_end([sys.executable, "-m", "infra.local.bases", *map(str, arguments)])


@pytest.fixture(scope="module")
def shown(town, tmp_path_factory):
    """What the terminal showed, in Chinese, of a run against the cloud that runs already."""
    local = tmp_path_factory.mktemp("bases") / "local.json"
    local.write_text(_told(town), encoding="utf-8")
    done = played("--local", local, "--lang", "zh")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _told(town):
    import json

    return json.dumps(dict(town.client.told), ensure_ascii=False)


def test_every_step_and_so_every_basis_holds(shown):
    assert set(bases_steps.BASES) <= set(bases_steps.STEPS) == set(TEXTS)
    for text in TEXTS.values():
        assert text.zh in shown
    assert f"{len(TEXTS)} 步全部成立" in shown


@pytest.mark.parametrize("name", [PATIENT.name, ELDER.name, CHILD.name])
def test_each_patient_reads_who_looked_in_both_languages(shown, name):
    assert f"{name}看到的访问记录" in shown
    assert f"What {name} reads of who looked" in shown


@pytest.mark.parametrize(
    "sentence",
    [
        "依据：您告知的短信验证码",
        "依据：经证明的监护关系",
        "Basis: proven guardianship",
        "未获允许：您已撤回授权",
        "tried to",
    ],
)
def test_the_record_says_on_what_basis_and_what_was_refused(shown, sentence):
    assert sentence in shown


def test_nothing_of_a_card_a_phone_or_a_token_stands_in_it(shown):
    for secret in (PATIENT.national_id, ELDER.national_id, CHILD.national_id, PATIENT.phone, "eyJ", "X-Amz"):
        assert secret not in shown


@pytest.mark.exhaustive
def test_where_no_cloud_runs_it_starts_one_and_can_be_played_twice(tmp_path, town):
    alone = played("--local", tmp_path / "none.json", "--lang", "en")
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "starting one" in alone.stdout
    (tmp_path / "local.json").write_text(_told(town), encoding="utf-8")
    again = played("--local", tmp_path / "local.json", "--lang", "en")
    assert again.returncode == 0, again.stdout + again.stderr
