"""What local.json says: everything a client of the local cloud needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.issuer import WARNING, Issuer
from infra.local.personas import HOSPITALS, LOGINS, DemoHospital
from infra.local.provision import REGION, Cloud

BUCKETS = ("uploads", "reports", "quarantine", "audit_archive")


@dataclass(frozen=True)
class Where:
    """Where the parts of a running cloud are."""

    endpoint: str
    api_url: str
    flags_queue_url: str
    outbox: Path


def outline(cloud: Cloud, issuer: Issuer, where: Where) -> dict[str, Any]:
    """Tokens in it last a quarter of an hour: `token_url` gives fresh ones by login name."""
    return {
        "warning": f"local cloud; {WARNING}",
        "api_url": where.api_url,
        "s3_endpoint": where.endpoint,
        "region": REGION,
        "buckets": {name: cloud.settings[f"{name.upper()}_BUCKET"] for name in BUCKETS},
        "audit_table": cloud.settings["AUDIT_TABLE"],
        "issuer_url": issuer.url,
        "token_url": f"{issuer.url}/token",
        "run_url": f"{issuer.url}/run/",
        "logins": _logins(issuer),
        "hospitals": [_hospital(cloud, hospital) for hospital in HOSPITALS],
        "sms_outbox": str(where.outbox),
        "flags_queue_url": where.flags_queue_url,
        "settle_seconds": int(cloud.settings["SETTLE_SECONDS"]),
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


def _hospital(cloud: Cloud, hospital: DemoHospital) -> dict[str, Any]:
    """A hospital's own AWS credentials: may put objects under its own prefixes, may read nothing."""
    iam, name = cloud.client("iam"), f"hospital-{hospital.hospital_id}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own-prefix", PolicyDocument=json.dumps(_policy(cloud, hospital)))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "hospital_id": hospital.hospital_id,
        "name": hospital.name,
        "name_en": hospital.name_en,
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
        "bucket": cloud.settings["UPLOADS_BUCKET"],
        "prefixes": {
            kind: f"{kind}/{hospital.hospital_id}/{{yyyy-mm-dd}}/" for kind in ("instances", "archives", "notices")
        },
    }


def _policy(cloud: Cloud, hospital: DemoHospital) -> dict[str, Any]:
    bucket = cloud.settings["UPLOADS_BUCKET"]
    kinds = ("instances", "archives", "notices")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": [f"arn:aws-cn:s3:::{bucket}/{kind}/{hospital.hospital_id}/*" for kind in kinds],
            }
        ],
    }
