"""The template as an account in China would deploy it; what is not named otherwise is named by its logical id."""

from __future__ import annotations

from infra.local import template

ACCOUNT = "123456789012"
ROLE = f"arn:aws-cn:iam::{ACCOUNT}:role/"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": "cn-north-1",
    "AWS::Partition": "aws-cn",
    "AWS::URLSuffix": "amazonaws.com.cn",
}


def deployed(**names):
    """The stack with every parameter at its default; `names` are physical names by logical id."""
    body = template.load()
    defaults = {name: str(one["Default"]) for name, one in body["Parameters"].items()}
    physical = {name: name.lower() for name in body["Resources"]}
    return template.Stack(body, defaults, PSEUDO, physical | names)


def bucket_policy(stack, name):
    return stack.resources("AWS::S3::BucketPolicy")[name]["PolicyDocument"]
