"""What local.json says: everything a client of the local cloud needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.issuer import WARNING, Issuer
from infra.local.personas import HOSPITALS, LOGINS, DemoHospital
from infra.local.provision import CREDENTIALS, REGION, Cloud

BUCKETS = ("uploads", "reports", "quarantine", "audit_archive")


@dataclass(frozen=True)
class Where:
    """Where the parts of a running cloud are."""

    endpoint: str
    api_url: str
    flags_queue_url: str
    outbox: Path
    on_demand: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    operator: Mapping[str, str] = field(
        default_factory=lambda: {name.removeprefix("AWS_").lower(): key for name, key in CREDENTIALS.items()}
    )


def outline(
    settings: Mapping[str, str], issuer: Issuer, where: Where, hospitals: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Tokens in it last a quarter of an hour: `token_url` gives fresh ones by login name. `on_demand`: schedules that
    do not come by themselves soon enough to wait for. `lacks`: what the story must know this cloud cannot do.
    `operator`: the account's own keys, for what has no route.
    """
    return {
        "warning": f"local cloud; {WARNING}",
        "api_url": where.api_url,
        "s3_endpoint": where.endpoint,
        "region": REGION,
        "buckets": {name: settings[f"{name.upper()}_BUCKET"] for name in BUCKETS},
        "audit_table": settings["AUDIT_TABLE"],
        "issuer_url": issuer.url,
        "token_url": f"{issuer.url}/token",
        "run_url": f"{issuer.url}/run/",
        "logins": _logins(issuer),
        "hospitals": [*hospitals],
        "sms_outbox": str(where.outbox),
        "flags_queue_url": where.flags_queue_url,
        "settle_seconds": int(settings["SETTLE_SECONDS"]),
        "on_demand": [*where.on_demand],
        "lacks": [*where.lacks],
        "operator": where.operator,
    }


def _logins(issuer: Issuer) -> dict[str, dict[str, Any]]:
    """By name; `role` and `hospital_id` say who that is. `how`: the body to POST to `token_url`."""
    return {
        login.name: {
            "role": login.role,
            "hospital_id": login.hospital_id,
            "shown_as": login.shown_as,
            "how": {"login": login.name},
            **issuer.token(login.name, {}),
        }
        for login in LOGINS
    }


def users(cloud: Cloud) -> list[dict[str, Any]]:
    """Each hospital with AWS credentials of its own: may put objects under its own prefixes, may read nothing."""
    iam, bucket, made = cloud.client("iam"), cloud.settings["UPLOADS_BUCKET"], []
    for hospital in HOSPITALS:
        name = f"hospital-{hospital.hospital_id}"
        policy = json.dumps(own_prefixes(bucket, hospital.hospital_id, "aws-cn"))
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own-prefix", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        made.append(told_to(hospital, bucket, keys))
    return made


def told_to(hospital: DemoHospital, bucket: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """What a hospital is told: its keys, and where it may put what."""
    return {
        "hospital_id": hospital.hospital_id,
        "name": hospital.name,
        "name_en": hospital.name_en,
        **keys,
        "bucket": bucket,
        "prefixes": {
            kind: f"{kind}/{hospital.hospital_id}/{{yyyy-mm-dd}}/" for kind in ("instances", "archives", "notices")
        },
    }


def own_prefixes(bucket: str, hospital_id: str, partition: str) -> dict[str, Any]:
    """The policy of a hospital's credentials."""
    kinds = ("instances", "archives", "notices")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": [f"arn:{partition}:s3:::{bucket}/{kind}/{hospital_id}/*" for kind in kinds],
            }
        ],
    }
