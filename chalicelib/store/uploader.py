"""A hospital's S3 credentials: the uploader's role, narrowed by the session's policy to one hospital and its days.

What a session may do is what the role (`UploaderRole` in infra/data.yaml) and this policy both allow, and the bucket's
own refusals do not forbid.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.upload_pass import LIFETIME, Prefixes, UploadKeys

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

# PutObject starts, fills and completes a multipart upload as well.
PUT: Final = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
# S3 asks for a data key to encrypt, and decrypts it to put the parts of an upload together.
ENCRYPT: Final = ("kms:GenerateDataKey", "kms:Decrypt")
MOST_CHARACTERS: Final = 2048  # of a session's policy, beside its packed size


class AssumedUploader:
    """The `Uploader` port."""

    def __init__(self, sts: STSClient, role_arn: str, bucket: str, key_arn: str) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._bucket = bucket
        self._key_arn = key_arn

    def __call__(self, hospital_id: str, reach: Prefixes) -> UploadKeys:
        """The session is named after the hospital, so S3's and CloudTrail's logs say who it was."""
        found = [one for kinds in reach.values() for one in kinds.values()]
        answer = self._sts.assume_role(
            RoleArn=self._role_arn,
            RoleSessionName=f"hospital-{hospital_id}",
            DurationSeconds=int(LIFETIME.total_seconds()),
            Policy=json.dumps(session_policy(self._bucket, self._key_arn, found), separators=(",", ":")),
        )
        made = answer["Credentials"]
        return UploadKeys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], made["Expiration"])


def session_policy(bucket: str, key_arn: str, prefixes: Collection[str]) -> dict[str, Any]:
    """Allows PUT under the prefixes, and the bucket's key through S3. `key_arn` tells partition and region."""
    _, partition, _, region, *_ = key_arn.split(":")
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [*PUT],
                "Resource": [f"arn:{partition}:s3:::{bucket}/{one}*" for one in prefixes],
            },
            {
                "Effect": "Allow",
                "Action": [*ENCRYPT],
                "Resource": key_arn,
                "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.{suffix}"}},
            },
        ],
    }
