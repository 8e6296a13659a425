"""S3's log against the sealed audit: whole, over moto's buckets and tables, with lines made by us.

moto delivers no access log of this kind (its lines name neither who nor what), so delivery itself is AWS's to show.
"""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from moto.backends import get_backend

import app
from chalicelib import wiring
from chalicelib.domain.reads import OPENS
from chalicelib.domain.seal import HOUR, hour_of
from chalicelib.services.check_reads import NAMED, key_digest
from infra.local.poller import Functions, scheduled_event
from infra.local.provision import ACCOUNT_ID, REGION
from tests.support.access_log_lines import line
from tests.support.served_app import REF, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]

KEY = entry(1).place.key
UID = REF.study_instance_uid
IMAGE = f"/dicomweb/studies/{UID}/series/{UID}.1/instances/{UID}.1.1"


class Day:
    """A day with one view by a doctor, sealed; `log` what S3 noted of it."""

    def __init__(self, cloud, served, monkeypatch):
        self.cloud = cloud
        served.prepare()
        served.consent()
        self.view = served.manifest()
        assert self.view.status_code == 200
        self.image = served.ask("GET", IMAGE, "doctor", headers={"Accept": "*/*"})
        assert self.image.status_code == 307
        now = wiring.now()
        (self.event,) = [
            one
            for one in wiring.audit_hours().of_hour(now) + wiring.audit_hours().of_hour(now - HOUR)
            if one.values["action"] == "view_study" and one.values["allowed"]
        ]
        self.at = datetime.fromisoformat(self.event.values["at"])
        later = hour_of(self.at).replace(hour=0) + timedelta(days=1, hours=5)
        monkeypatch.setattr(wiring, "now", lambda: later)
        role = cloud.settings["SIGNER_ROLE_ARN"]
        self.requester = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/imaging-cloud-signer"
        self.signed = [one["url"] for series in self.view.json_body["series"] for one in series["instances"]]

    def seal(self):
        while wiring.seal_audit()(wiring.now(), lambda: True).left:
            pass

    def log(self, *lines, at=None, folder="uploads"):
        bucket = self.cloud.settings[f"{folder.upper()}_BUCKET"]
        day = at or self.at
        key = f"{folder}/{ACCOUNT_ID}/{REGION}/{bucket}/{day:%Y/%m/%d}/{day:%Y-%m-%d}-00-00-00-{len(lines):016X}"
        body = "\n".join(lines).encode("utf-8", errors="surrogateescape")
        self.cloud.client("s3").put_object(Bucket=self.cloud.settings["ACCESS_LOGS_BUCKET"], Key=key, Body=body)

    def line(self, after=timedelta(seconds=2), key=KEY, event_id=None, **changes):
        event_id = self.event.event_id if event_id is None else event_id
        return line(self.at + after, key, event_id, **{"requester": self.requester, **changes})

    def run(self, **detail):
        return Functions(app)("check_reads", {**scheduled_event("check_reads"), "detail": detail})["days"]

    def alarms(self):
        topics = get_backend("sns")[ACCOUNT_ID][REGION].topics
        return [json.loads(one[1]) for one in topics[self.cloud.settings["ALARMS_TOPIC_ARN"]].sent_notifications]


@pytest.fixture
def day(cloud_settings, served, monkeypatch):
    return Day(cloud_settings, served, monkeypatch)


def test_a_view_whose_urls_were_fetched_is_explained(day):
    assert all(f"x-audit-event={day.event.event_id}" in url for url in day.signed)
    day.seal()
    day.log(*(day.line() for _ in range(3)), day.line(status="403", event_id="x"))
    first, second = day.run()
    assert (first["reads"], first["unexplained"], first["held"]) == (3, {}, False)
    assert second["held"] is False
    assert day.alarms() == []


def test_what_was_made_of_the_study_is_explained_and_of_another_study_is_not(day):
    made = f"derived/H1/{REF.study_instance_uid}/metadata/0"
    others = f"derived/H1/{REF.study_instance_uid}.9/metadata/0"
    day.seal()
    copy = day.line(key="exports/SECRET/record.zip", event_id="")
    day.log(day.line(key=made), day.line(key=others), day.line(key=made, event_id=""), copy, folder="reports")
    day.log(day.line())
    checked = day.run()[0]
    assert (checked["reads"], checked["unexplained"]) == (4, {"other_study": 1, "no_event": 1})
    assert key_digest(others) in checked["objects"]


def test_an_image_that_a_viewer_fetched_by_dicomweb_is_explained_too(day):
    (event_id,) = parse_qs(urlsplit(day.image.headers["Location"]).query)["x-audit-event"]
    day.seal()
    day.log(day.line(event_id=event_id, after=timedelta(minutes=1)))
    assert day.run()[0]["unexplained"] == {}


def test_what_nothing_allowed_is_told_by_count_and_digest_and_by_no_key(day, caplog):
    day.seal()
    stolen = "instances/H1/2026-11-24/stolen.dcm"
    day.log(
        day.line(),
        day.line(event_id=""),
        day.line(event_id="01KB0000000000000000000000"),
        day.line(key=stolen),
        day.line(after=timedelta(minutes=10)),
        day.line().replace('HTTP/1.1"', 'HTTP"/1.1'),
    )
    (checked, _) = day.run()
    assert checked["reads"] == 5
    assert checked["unexplained"] == {
        "no_event": 1,
        "unknown_event": 1,
        "other_study": 1,
        "outside_life": 1,
        "unreadable": 1,
    }
    assert key_digest(stolen) in checked["objects"]
    (alarm,) = day.alarms()
    assert (alarm["event"], alarm["unexplained"]) == ("unexplained_reads", checked["unexplained"])
    assert stolen not in json.dumps(alarm) + caplog.text
    assert REF.study_instance_uid not in json.dumps(alarm)
    assert "reads_checked" in caplog.text


def test_readers_that_are_not_the_signer_are_no_matter_of_this(day):
    day.seal()
    other = "arn:aws-cn:sts::123456789012:assumed-role/imaging-cloud-app-IngestRole-1/x"
    day.log(day.line(requester=other, event_id=""), "garbage \udcff\udcfe", "")
    (checked, _) = day.run()
    assert (checked["reads"], checked["unexplained"]) == (0, {})


def test_a_day_that_is_not_all_sealed_is_held_and_not_called_clean(day, caplog):
    day.log(day.line(event_id=""))
    (checked, _) = day.run()
    assert (checked["held"], checked["reads"]) == (True, 0)
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_a_refused_view_explains_no_read(day, served):
    day.seal()
    refused = next(
        one
        for hour in (day.at, day.at - HOUR)
        for one in wiring.audit_hours().of_hour(hour)
        if not one.values["allowed"] or one.values["action"] not in OPENS
    )
    day.log(day.line(event_id=refused.event_id))
    assert day.run()[0]["unexplained"] == {"unknown_event": 1}


def test_a_day_can_be_asked_for_and_names_only_so_many_objects(day):
    day.seal()
    day.log(*(day.line(key=f"instances/H1/2026-11-24/{number}", event_id="") for number in range(NAMED + 5)))
    (checked,) = day.run(day=day.at.astimezone(UTC).date().isoformat())
    assert checked["unexplained"] == {"no_event": NAMED + 5}
    assert len(checked["objects"]) == NAMED


def test_a_run_out_of_time_is_held(day):
    day.seal()
    day.log(day.line())
    checked = wiring.check_reads()(day.at.date(), wiring.now(), lambda: False)
    assert checked.held


def test_a_study_that_is_gone_explains_nothing(day):
    day.seal()
    key = {"PK": {"S": f"STUDY#{REF.hospital_id}#{REF.study_instance_uid}"}, "SK": {"S": "SUMMARY"}}
    day.cloud.client("dynamodb").delete_item(TableName=day.cloud.settings["MAIN_TABLE"], Key=key)
    day.log(day.line())
    assert day.run()[0]["unexplained"] == {"other_study": 1}
