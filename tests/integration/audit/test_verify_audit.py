"""The operator's command over a moto cloud: exit code, what it says in both languages, proofs and noted heads."""

import io
import json
from datetime import timedelta

import pytest
from rich.console import Console

from chalicelib import wiring
from chalicelib.domain import merkle
from chalicelib.domain.seal import HOUR, hour_name, hour_of
from infra import verify_audit
from infra.verify_audit_text import KINDS, WHERE, WORDS, language_of
from tests.support.sealed_hours import record


@pytest.fixture
def vault(cloud_settings):
    """Four hours with events, sealed up to what is due now."""
    first = hour_of(wiring.now()) - 5 * HOUR
    table = Tampered(cloud_settings, first)
    for number in range(4):
        table.put(*(record(first + number * HOUR, at) for at in range(3)))
    wiring.seal_audit()(wiring.now(), lambda: True)
    return table


class Tampered:
    def __init__(self, cloud, first):
        self.cloud, self.first = cloud, first
        self.table, self.archive = cloud.settings["AUDIT_TABLE"], cloud.settings["AUDIT_ARCHIVE_BUCKET"]

    def put(self, *events):
        for one in events:
            values = {name: {"BOOL" if isinstance(value, bool) else "S": value} for name, value in one.values.items()}
            item = {"PK": {"S": one.partition}, "SK": {"S": one.event_id}, **values}
            self.cloud.client("dynamodb").put_item(TableName=self.table, Item=item)

    def remove(self, one):
        key = {"PK": {"S": one.partition}, "SK": {"S": one.event_id}}
        self.cloud.client("dynamodb").delete_item(TableName=self.table, Key=key)


def run(*arguments, lang="en"):
    out = io.StringIO()
    code = verify_audit.main([*arguments, "--lang", lang], Console(file=out, width=200))
    return code, out.getvalue()


def machine(*arguments):
    code, said = run("--json", *arguments)
    return code, json.loads(said)


def test_an_untouched_audit_is_intact(vault):
    code, said = run()
    assert code == 0
    assert "intact: 4 hours with 12 events" in said
    assert "完好" in run(lang="zh")[1]


def test_nothing_sealed_is_not_called_intact(cloud_settings):
    assert run() == (2, "nothing has been sealed yet.\n")


def test_a_changed_a_removed_and_an_added_event_are_named(vault):
    changed, removed, added = record(vault.first, 0), record(vault.first + HOUR, 1), record(vault.first, 77)
    vault.put(record(vault.first, 0, subject="别人"), added)
    vault.remove(removed)
    code, told = machine()
    assert code == 1
    assert {(one["kind"], one["where"], one["event_id"]) for one in told["findings"]} == {
        ("changed", "table", changed.event_id),
        ("added", "table", added.event_id),
        ("removed", "table", removed.event_id),
    }
    code, said = run(lang="zh")
    assert (code, "事件被修改" in said, removed.event_id in said) == (1, True, True)


def test_the_archive_alone_can_be_verified_without_the_table(vault):
    vault.remove(record(vault.first, 0))
    code, said = run("--archive-only")
    assert code == 0
    assert "was not compared" in said


def test_what_hides_in_the_archive_is_named(vault):
    s3, key = vault.cloud.client("s3"), f"seals/{hour_name(vault.first)}.json"
    s3.delete_object(Bucket=vault.archive, Key=key)
    s3.put_object(Bucket=vault.archive, Key="strange", Body=b"")
    code, told = machine()
    assert code == 1
    assert {(one["kind"], one["detail"]) for one in told["findings"]} == {("overwritten", key), ("stray", "strange")}


def test_an_hour_that_should_be_sealed_by_now_is_missing(vault, monkeypatch):
    later = wiring.now() + 3 * HOUR
    monkeypatch.setattr(wiring, "now", lambda: later)
    code, told = machine()
    missing = {one["hour"] for one in told["findings"] if one["kind"] == "seal_missing"}
    assert (code, missing) == (1, {hour_name(vault.first + 4 * HOUR), hour_name(vault.first + 5 * HOUR)})


def test_a_range_begins_with_its_own_link(vault):
    begin = hour_name(vault.first + 2 * HOUR)
    code, told = machine("--from", begin, "--to", begin)
    assert (code, told["hours"], told["events"]) == (0, 1, 3)


def test_a_head_noted_elsewhere_is_held_against_the_seal(vault):
    ((hour, digest),) = machine()[1]["head"].items()
    assert machine("--head", f"{hour}={digest}")[0] == 0
    code, told = machine("--head", f"{hour}={'0' * 64}")
    assert (code, told["findings"][0]["kind"]) == (1, "head_differs")
    with pytest.raises(SystemExit):
        run("--head", "nonsense")


def test_one_event_is_proved_to_be_under_a_seal_to_anybody(vault):
    event = record(vault.first + HOUR, 2)
    code, said = run("--prove", event.event_id)
    told = json.loads(said)
    path = [bytes.fromhex(node) for node in told["path"]]
    root = bytes.fromhex(told["seal"]["root"])
    assert (code, told["holds"]) == (0, True)
    assert merkle.includes(told["line"].encode(), told["index"], told["seal"]["count"], path, root)
    assert json.loads(told["line"])["event"]["subject"] == "李医生"


@pytest.mark.parametrize("event_id", ["7" * 26, "Z" * 26, "x", ""])
def test_an_event_that_is_in_no_file_has_no_proof(vault, event_id):
    assert run("--prove", event_id or "-")[0] == 2


def test_the_local_clouds_own_file_says_where_its_audit_is(vault, tmp_path, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AUDIT_TABLE", "AUDIT_ARCHIVE_BUCKET"):
        monkeypatch.setenv(name, "")
    told = {
        "s3_endpoint": "http://127.0.0.1:1",
        "region": "cn-north-1",
        "audit_table": "t",
        "buckets": {"audit_archive": "b"},
    }
    (tmp_path / "local.json").write_text(json.dumps(told), encoding="utf-8")
    environment = verify_audit._local(tmp_path / "local.json")  # noqa: SLF001 - the one part that needs no cloud
    assert (environment["AUDIT_TABLE"], environment["AUDIT_ARCHIVE_BUCKET"]) == ("t", "b")


def test_every_text_stands_in_both_languages():
    for text in (*KINDS.values(), *WHERE.values(), *WORDS.values()):
        assert text.zh != text.en
        assert any("一" <= character <= "鿿" for character in text.zh)


@pytest.mark.parametrize(("spoken", "language"), [("zh_CN.UTF-8", "zh"), ("en_GB.UTF-8", "en"), ("", "en")])
def test_the_language_is_the_terminals(spoken, language):
    assert language_of({"LANG": spoken}) == language


def test_the_trigger_seals_and_says_the_head(cloud_settings, caplog):
    import app
    from infra.local.poller import Functions, scheduled_event

    hour = hour_of(wiring.now()) - 2 * HOUR
    Tampered(cloud_settings, hour).put(record(hour, 1))
    with caplog.at_level("INFO"):
        done = Functions(app)("seal", scheduled_event("seal"))
    assert (done["hours"], done["events"], done["left"]) == (1, 1, 0)
    assert done["head"] in caplog.text
    assert timedelta(0) <= wiring.now() - hour < 3 * HOUR
