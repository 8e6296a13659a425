"""Notices from the bucket through the wired use cases to the ledger, a flag and its message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from chalicelib import wiring
from chalicelib.domain.study import Hospital
from chalicelib.events import notices, sweeps

PATIENT = {
    "patient_id": "P1",
    "name": "张三",
    "sex": "M",
    "birth_date": "1970-01-02",
    "national_id": "110101199003070070",
}


class Context:
    def get_remaining_time_in_millis(self):
        return 60_000


def send(cloud, name, told):
    key = f"notices/H1/{datetime.now(UTC).date()}/{name}.json"
    body = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
    bucket = cloud.settings["UPLOADS_BUCKET"]
    version = cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
    stored = {"key": key, "size": len(body), "versionId": version}
    told = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": stored}}]}
    return {"messageId": name, "body": json.dumps(told)}


def test_a_notice_in_the_bucket_ends_as_a_flag_with_one_message(cloud_settings):
    cloud = cloud_settings
    wiring.hospitals().put(Hospital("H1", "江北医院"))
    ended = datetime.now(UTC) - timedelta(hours=13)
    exam = {
        "type": "exam",
        "notice_id": "N1",
        "status": "performed",
        "accession_number": "A1",
        "patient": PATIENT,
        "patient_class": "outpatient",
        "modality": "CT",
        "performed_at": ended.isoformat(),
    }
    records = [send(cloud, "good", exam), send(cloud, "bad", b"{"), send(cloud, "again", exam)]
    for queue in ("instances", "archives", "notices"):  # the bucket's own events; these were delivered by hand
        cloud.client("sqs").purge_queue(QueueUrl=cloud.queue_url(queue))
    assert notices.notices({"Records": records}, Context()) == {"batchItemFailures": []}
    assert [record.reason for record in wiring.quarantine().list("H1", "", 9).items] == ["bad_notice"]
    for judged, messages in ((1, 1), (0, 0)):
        answer = sweeps.sweep(Context())
        assert (answer["held"], answer["judged"], answer["messages"], answer["faults"]) == (False, judged, messages, 0)
    (flag,) = wiring.flags().open("", 9).items
    assert (flag.hospital_id, flag.figures, flag.published) == ("H1", {"missing": 1}, 1)
    assert flag.day == (ended + timedelta(hours=8)).date().isoformat()
