"""Which resources of a template CloudFormation can tag, and how they are tagged."""

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

# Of mappings the schema says that they can be, and docs.amazonaws.cn (Lambda, differences) that they cannot in China.
UNTAGGABLE = {"AWS::CloudWatch::Dashboard", "AWS::Lambda::EventSourceMapping"}


def untagged(template, region="cn-north-1"):
    """Logical ids of resources that could say what their cost is for, and do not."""
    return [
        logical
        for logical, one in template["Resources"].items()
        if _takes_tags(one["Type"], region) and not component(one) and one["Type"] not in UNTAGGABLE
    ]


def component(resource):
    tags = resource.get("Properties", {}).get("Tags", [])
    return next((one["Value"] for one in tags if one["Key"] == "component"), "")


def _takes_tags(kind, region):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema
    tagging = schema.get("tagging", False)
    return bool(tagging and tagging.get("taggable", True) and "Tags" in schema["properties"])
