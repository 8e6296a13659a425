"""Hears what the functions emit as metrics: each line as CloudWatch would read it."""

from __future__ import annotations

import json
import logging

import pytest


class Emitted(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())

    @property
    def said(self):
        return [json.loads(line) for line in self.lines]

    def of(self, name, **dimensions):
        """Every value of a metric, of those with these dimensions."""
        lines = [one for one in self.said if name in one and dimensions.items() <= one.items()]
        return [value for one in lines for value in one[name]]


@pytest.fixture
def emitted():
    heard, log = Emitted(), logging.getLogger("imaging_cloud.metrics")
    log.addHandler(heard)
    yield heard
    log.removeHandler(heard)
