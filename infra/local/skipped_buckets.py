"""The buckets' side of `skipped`: CloudFormation's words for a bucket, and the API's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infra.local.aspect import Aspect, Properties


def _lifecycle(properties: Properties) -> Any:
    rules = properties.get("LifecycleConfiguration", {}).get("Rules")
    if rules is None:
        return None
    return [_lifecycle_rule(rule) for rule in rules]


def _moves(words: Mapping[str, str]) -> Callable[[Any], list[dict[str, Any]]]:
    return lambda moves: [{words.get(name, name): value for name, value in one.items()} for one in moves]


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """Without sizes: moto forgets them (and moves nothing anyway). tests/unit/infra/test_tiers.py reads them."""
    words: dict[str, Callable[[Any], dict[str, Any]]] = {
        "ExpirationInDays": lambda days: {"Expiration": {"Days": int(days)}},
        "NoncurrentVersionExpirationInDays": lambda days: {
            "NoncurrentVersionExpiration": {"NoncurrentDays": int(days)}
        },
        "Transitions": lambda moves: {"Transitions": _moves({"TransitionInDays": "Days"})(moves)},
        "NoncurrentVersionTransitions": lambda moves: {
            "NoncurrentVersionTransitions": _moves({"TransitionInDays": "NoncurrentDays"})(moves)
        },
    }
    told: dict[str, Any] = {"ID": rule["Id"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    for name, value in rule.items():
        if name not in {"Id", "Prefix", "ObjectSizeGreaterThan"}:
            told |= words[name](value) if name in words else {name: value}
    return told


def _object_lock(properties: Properties) -> Any:
    """A number that came by a parameter is text; the API wants it as a number."""
    wanted = properties.get("ObjectLockConfiguration")
    if wanted is None:
        return None
    kept = wanted["Rule"]["DefaultRetention"]
    return {**wanted, "Rule": {"DefaultRetention": {**kept, "Years": int(kept["Years"])}}}


def _read_object_lock(s3: Any, bucket: str) -> Any:
    stands = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    kept = stands.get("Rule", {}).get("DefaultRetention", {})
    return {**stands, "Rule": {"DefaultRetention": {name: value for name, value in kept.items() if value}}}


def _cors(properties: Properties) -> Any:
    rules = properties.get("CorsConfiguration", {}).get("CorsRules")
    words = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    return rules and [{words.get(name, name): value for name, value in rule.items()} for rule in rules]


def _notifications(properties: Properties) -> Any:
    wanted = properties.get("NotificationConfiguration", {}).get("QueueConfigurations")
    return wanted and [
        {
            "QueueArn": one["Queue"],
            "Events": [one["Event"]],
            "Filter": {"Key": {"FilterRules": one["Filter"]["S3Key"]["Rules"]}},
        }
        for one in wanted
    ]


def _read_notifications(s3: Any, bucket: str) -> Any:
    stands = s3.get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations", [])
    return [{name: value for name, value in one.items() if name != "Id"} for one in stands]


def _encryption(properties: Properties) -> Any:
    wanted = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration")
    return wanted and [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule["BucketKeyEnabled"],
        }
        for rule in wanted
    ]


def _read_encryption(s3: Any, bucket: str) -> Any:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    kept = ("ApplyServerSideEncryptionByDefault", "BucketKeyEnabled")
    return [{name: rule[name] for name in kept if name in rule} for rule in rules]


def _bucket(name: str, want: Callable[[Properties], Any], read: Any, apply: Any) -> Aspect:
    return Aspect("s3", "AWS::S3::Bucket", name, want, read, apply)


BUCKETS = [
    _bucket(
        "versioning",
        lambda p: p.get("VersioningConfiguration", {}).get("Status"),
        lambda s3, bucket: s3.get_bucket_versioning(Bucket=bucket).get("Status"),
        lambda s3, bucket, want: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": want}),
    ),
    _bucket(
        "object lock",
        _object_lock,
        _read_object_lock,
        lambda s3, bucket, want: s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=want),
    ),
    _bucket(
        "encryption",
        _encryption,
        _read_encryption,
        lambda s3, bucket, want: s3.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": want}
        ),
    ),
    _bucket(
        "public access block",
        lambda p: p.get("PublicAccessBlockConfiguration"),
        lambda s3, bucket: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        lambda s3, bucket, want: s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=want),
    ),
    _bucket(
        "ownership",
        lambda p: p.get("OwnershipControls"),
        lambda s3, bucket: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
        lambda s3, bucket, want: s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=want),
    ),
    _bucket(
        "lifecycle",
        _lifecycle,
        lambda s3, bucket: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        lambda s3, bucket, want: s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": want}
        ),
    ),
    _bucket(
        "cors",
        _cors,
        lambda s3, bucket: s3.get_bucket_cors(Bucket=bucket)["CORSRules"],
        lambda s3, bucket, want: s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": want}),
    ),
    _bucket(
        "notifications",
        _notifications,
        _read_notifications,
        lambda s3, bucket, want: s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": want}
        ),
    ),
]
