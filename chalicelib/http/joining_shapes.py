"""What hospitals are told of their keys and credentials, as JSON."""

from __future__ import annotations

from typing import Any

from chalicelib.domain import upload_pass as limits
from chalicelib.domain.upload_pass import Depot, UploadPass

Shape = dict[str, Any]


def upload_pass(made: UploadPass, depot: Depot) -> Shape:
    return {
        "credentials": {
            "access_key_id": made.keys.access_key_id,
            "secret_access_key": made.keys.secret_access_key,
            "session_token": made.keys.session_token,
            "expires_at": made.keys.expires_at.isoformat(),
        },
        "bucket": depot.bucket,
        "region": depot.region,
        "endpoint": depot.endpoint,
        "prefixes": {day.isoformat(): dict(kinds) for day, kinds in made.prefixes.items()},
        "headers": {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": depot.key_arn,
        },
        "checksum": {"algorithms": [*limits.CHECKSUMS], "type": "FULL_OBJECT"},
        "limits": {
            "instance_bytes": limits.INSTANCE_BYTES,
            "archive_bytes": limits.ARCHIVE_BYTES,
            "archive_instances": limits.ARCHIVE_INSTANCES,
        },
    }
