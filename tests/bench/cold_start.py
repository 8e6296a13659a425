"""Import CPU of app.py and of what a function's first event makes, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.bench.rows import Row

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "cn-north-1",
    "UPLOADS_BUCKET": "u",
    "QUARANTINE_BUCKET": "q",
    "REPORTS_BUCKET": "r",
    "JOURNAL_TABLE": "j",
    "MAIN_TABLE": "m",
    "AUDIT_TABLE": "a",
    "SETTLE_QUEUE_URL": "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/s.fifo",
    "SIGNER_ROLE_ARN": "arn:aws-cn:iam::123456789012:role/s",
    "ISSUERS": "[]",
}
MEASURE = """
import time
started = time.process_time()
import app
from chalicelib import wiring
{first}
print(time.process_time() - started)
"""


def rows():
    ingest = _cpu_ms("wiring.ingest_batch()")
    api = _cpu_ms("wiring.tokens(); wiring.view_manifest()")
    return [
        Row("import CPU, ingest: app and its use case", ingest, "ms", 200),
        Row("import CPU, API: app, tokens and manifest", api, "ms", 350),
    ]


def _cpu_ms(first):
    """The best of five: the files are then in the page cache, as in a warm runtime image."""
    environment = {**os.environ, **SETTINGS}
    command = [sys.executable, "-c", MEASURE.format(first=first)]
    found = [
        float(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)  # noqa: S603 - ours
        for _ in range(5)
    ]
    return min(found) * 1000
