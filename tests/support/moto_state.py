"""moto's tables and buckets as they are at a moment, to go back to: cheaper than making them again."""

from __future__ import annotations

import pickle

from moto.backends import get_backend

from infra.local.provision import ACCOUNT_ID, REGION


class Kept:
    def __init__(self):
        self._tables = {name: pickle.dumps(dict(table.items)) for name, table in _tables().items()}
        self._objects = {name: pickle.dumps(bucket.keys) for name, bucket in _buckets().items()}

    def restore(self):
        for name, kept in self._tables.items():
            _tables()[name].items.clear()
            _tables()[name].items.update(pickle.loads(kept))  # noqa: S301 - what was pickled above
        for name, kept in self._objects.items():
            _buckets()[name].keys = pickle.loads(kept)  # noqa: S301 - as above


def _tables():
    return get_backend("dynamodb")[ACCOUNT_ID][REGION].tables


def _buckets():
    return get_backend("s3")[ACCOUNT_ID]["aws-cn"].buckets
