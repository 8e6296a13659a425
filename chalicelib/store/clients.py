"""AWS clients, made when first asked for. `AWS_ENDPOINT_URL` and its kin work by themselves (botocore reads them)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient


@cache
def dynamodb() -> DynamoDBClient:
    import boto3

    # botocore's validation of each attribute costs half the CPU of a batch write; DynamoDB checks them anyway.
    return boto3.client("dynamodb", config=_config(parameter_validation=False))


@cache
def s3() -> S3Client:
    import boto3

    return boto3.client("s3", config=_config(signature_version="s3v4"))


@cache
def sqs() -> SQSClient:
    import boto3

    return boto3.client("sqs", config=_config())


@cache
def sns() -> SNSClient:
    import boto3

    return boto3.client("sns", config=_config())


@cache
def kms() -> KMSClient:
    import boto3

    return boto3.client("kms", config=_config())


@cache
def sts() -> STSClient:
    import boto3

    return boto3.client("sts", config=_config())


@cache
def cloudwatch() -> CloudWatchClient:
    import boto3

    return boto3.client("cloudwatch", config=_config())


@cache
def secrets() -> Any:
    import boto3

    return boto3.client("secretsmanager", config=_config())


def region() -> str:
    """The region that clients of this process speak to."""
    return s3().meta.region_name


def s3_endpoint() -> str:
    """The endpoint that S3 requests go to, as botocore resolved it from region and environment."""
    return s3().meta.endpoint_url


def _config(**settings: Any) -> Config:
    from botocore.config import Config

    return Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=50,  # ingest reads a batch's objects side by side
        tcp_keepalive=True,
        user_agent="imaging-cloud",  # botocore's own is put together anew for each call: a tenth of a GET's CPU
        **settings,
    )
