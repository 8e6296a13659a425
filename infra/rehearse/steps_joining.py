"""The rehearsal's steps of hospitals' own credentials, as the API vended them in the story: what they can do, and every
neighbouring action that they cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from infra.local import newcomer
from infra.local.client import expect
from infra.local.newcomer import Newcomer
from infra.local.personas import LAKE, RIVER
from infra.local.story import Stage, Step
from infra.rehearse import cloud, deploy
from infra.rehearse.hands import standing, uploads
from infra.rehearse.ministack import ACCOUNT_ID, REGION

Try = tuple[Callable[..., Any], dict[str, Any]]


def _clients(stage: Stage) -> Callable[[str], Any]:
    """Any service, with the keys that JB001 was given."""
    emulator = standing(stage).here.emulator
    return deploy.clients(emulator.endpoint, str(emulator.certificate), dict(stage.client.vended[RIVER.hospital_id]))


def _place(kind: str = "instances", hospital_id: str = RIVER.hospital_id, days: int = 0) -> str:
    day = datetime.now(UTC).date() + timedelta(days=days)
    return f"{kind}/{hospital_id}/{day.isoformat()}/vended/a.dcm"


def vended(stage: Stage) -> dict[str, Any]:
    """In one piece, over again, and in parts: finished, and given up."""
    s3, bucket = _clients(stage)("s3"), uploads(stage)
    for kind in ("instances", "archives"):
        named = {"Bucket": bucket, "Key": _place(kind)}
        versions = [s3.put_object(**named, Body=b"x", ChecksumAlgorithm="CRC32")["VersionId"] for _ in range(2)]
        expect(len(set(versions)) == 2, "a second PUT is a second version")
        for finished in (True, False):
            upload = {**named, "UploadId": s3.create_multipart_upload(**named)["UploadId"]}
            tag = s3.upload_part(**upload, PartNumber=1, Body=b"x" * 1024)["ETag"]
            expect(len(s3.list_parts(**upload)["Parts"]) == 1, "its own parts can be listed")
            if finished:
                parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
                s3.complete_multipart_upload(**upload, MultipartUpload=parts)
            else:
                s3.abort_multipart_upload(**upload)
    return {"until": stage.client.vended[RIVER.hospital_id]["expires_at"]}


def neighbours(stage: Stage) -> dict[str, Any]:
    client, bucket = _clients(stage), uploads(stage)
    version = standing(stage).here.client("s3").head_object(Bucket=bucket, Key=_place())["VersionId"]
    tries = [
        *_elsewhere(client("s3"), bucket),
        *_otherwise(client("s3"), bucket, version),
        *_with_headers(client("s3"), bucket),
        *_other_services(stage, client),
    ]
    passed = [told for act, asked in tries if (told := _unrefused(act, asked))]
    expect(not passed, f"not refused: {'; '.join(passed)}")
    return {"tries": len(tries)}


def _unrefused(act: Callable[..., Any], asked: dict[str, Any]) -> str:
    """What was done, or refused for another reason; "" for a plain refusal."""
    name = f"{act.__name__} {asked.get('Key') or asked.get('Bucket') or ''}"
    try:
        act(**asked)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return "" if status == 403 or code in {"AccessDenied", "AccessDeniedException"} else f"{name}: {code}"
    return name


def _elsewhere(s3: Any, bucket: str) -> list[Try]:
    """PUT beyond its own prefixes of today, and in other buckets."""
    places = [
        *(_place(kind, LAKE.hospital_id) for kind in ("instances", "archives", "notices")),
        *(_place(days=days) for days in (-1, 2)),
        *(_place(kind) for kind in ("notices", "unpacked", "receipts", "reports", "amendments", "registrations")),
        *(f"instances/{name}/x" for name in (RIVER.hospital_id, f"{RIVER.hospital_id}1", "..")),
        "instances/x",
        "x",
    ]
    others = [bucket.replace("-uploads-", f"-{name}-") for name in ("reports", "quarantine", "audit-archive")]
    return [
        *((s3.put_object, {"Bucket": bucket, "Key": place, "Body": b"x"}) for place in places),
        *((s3.put_object, {"Bucket": other, "Key": _place(), "Body": b"x"}) for other in others),
        (s3.create_multipart_upload, {"Bucket": bucket, "Key": _place("instances", LAKE.hospital_id)}),
    ]


def _otherwise(s3: Any, bucket: str, version: str) -> list[Try]:
    """Anything but PUT, to its own objects and to the bucket."""
    own, here = {"Bucket": bucket, "Key": _place()}, {"Bucket": bucket}
    that = {**own, "VersionId": version}
    copied = {"Bucket": bucket, "Key": f"{_place()}.copy", "CopySource": own}
    tags = {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
    until = {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}}
    return [
        *((act, own) for act in (s3.get_object, s3.head_object, s3.delete_object, s3.get_object_tagging)),
        *((act, that) for act in (s3.get_object, s3.delete_object)),
        (s3.copy_object, copied),
        (s3.delete_objects, {**here, "Delete": {"Objects": [{"Key": _place()}]}}),
        (s3.put_object_tagging, {**own, **tags}),
        (s3.put_object_retention, {**own, **until}),
        (s3.put_object_legal_hold, {**own, "LegalHold": {"Status": "ON"}}),
        *((act, here) for act in (s3.list_objects_v2, s3.list_object_versions, s3.list_multipart_uploads)),
        *((act, here) for act in (s3.get_bucket_policy, s3.delete_bucket_policy, s3.delete_bucket)),
        (s3.put_bucket_versioning, {**here, "VersioningConfiguration": {"Status": "Suspended"}}),
        (s3.list_buckets, {}),
    ]


def _with_headers(s3: Any, bucket: str) -> list[Try]:
    """In its own place, with what the bucket refuses everybody. MiniStack knows the condition of this header alone; of
    storage class, keys, locks and tags `tests/unit/infra/test_uploader.py` says what AWS makes of the policies."""
    return [(s3.put_object, {"Bucket": bucket, "Key": _place(), "Body": b"x", "ServerSideEncryption": "AES256"})]


def _other_services(stage: Stage, client: Callable[[str], Any]) -> list[Try]:
    dynamodb, told = client("dynamodb"), stage.client.told
    item = {"Key": {"PK": {"S": f"HOSPITAL#{RIVER.hospital_id}"}, "SK": {"S": "PROFILE"}}}
    queue = standing(stage).outputs["InstancesQueueUrl"]
    roles = [f"imaging-cloud-{name}-{REGION}" for name in ("uploader", "signer", "ingest", "api-handler")]
    assumed = [f"arn:{cloud.PARTITION}:iam::{ACCOUNT_ID}:role/{name}" for name in roles]
    key = standing(stage).outputs["DataKeyArn"]
    return [
        (dynamodb.get_item, {"TableName": "imaging-cloud-main", **item}),
        (dynamodb.scan, {"TableName": told["audit_table"]}),
        (client("sqs").send_message, {"QueueUrl": queue, "MessageBody": "x"}),
        *((client("sts").assume_role, {"RoleArn": arn, "RoleSessionName": "neighbour"}) for arn in assumed),
        (client("kms").encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (client("kms").generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (client("iam").list_roles, {}),
        (client("lambda").list_functions, {}),
    ]


def shut_out(stage: Stage) -> dict[str, Any]:
    """The commission ends a hospital's keys: whoever still is believed for a minute leaves no new key behind."""
    joined: Newcomer = stage.kept[f"joined {LAKE.hospital_id}"]
    path = f"/hospitals/{LAKE.hospital_id}"
    letter = stage.client.call("regulator", "POST", f"{path}/joining-code", {}).of(201)
    ended = stage.client.call("regulator", "POST", f"{path}/keys/revoke", {}).of(200)
    body = newcomer.body_of(joined.private, LAKE.hospital_id, letter)
    refused = [
        joined.ask("POST", "/hospital/keys", body).status,
        stage.client.call("", "POST", "/joining", body).status,
    ]
    expect(set(refused) <= {401, 403, 409, 422}, f"neither a key nor the code makes another: {refused}")
    return {"keys": ended["revoked"]}


STEPS: dict[str, Step] = {"vended": vended, "neighbours": neighbours, "shut_out": shut_out}
