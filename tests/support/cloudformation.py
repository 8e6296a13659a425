"""Reading infra/data.yaml in a test: CloudFormation's short functions as plain values."""

import yaml


class Loader(yaml.SafeLoader):
    pass


def _tagged(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _tagged)
