"""Import CPU of app.py as the zip has it, and of what a function's first event makes, each in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.package.archive import index
from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]

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
# pydicom and botocore import these where they find them. The development environment has them, the functions' zip has
# not, and awscrt is in no list of what Lambda's Python runtimes hold.
NOT_SHIPPED = ("numpy", "requests", "awscrt")
MEASURE = """
import sys, time

class NotShipped:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {not_shipped}:
            raise ImportError(name)

sys.meta_path.insert(0, NotShipped())
started = time.process_time()
import app
{first}
print(time.process_time() - started)
"""
# What the API's first request makes, where it is for a manifest
MANIFEST = """
from chalicelib import wiring
from chalicelib.http.blueprints import routes_of
routes_of("doctors"); wiring.tokens(); wiring.view_manifest()
"""


def rows():
    ingest = _cpu_ms("app.ingest", "import chalicelib.services.ingest_batch")
    ingest_clients = _cpu_ms("app.ingest", "from chalicelib import wiring; wiring.ingest_batch()")
    api = _cpu_ms("app.app", MANIFEST)
    return [
        Row(
            "import CPU, ingest: app and what ingest imports",
            ingest,
            "ms",
            200,
            beside=f"{ingest_clients:.0f} ms with the runtime's boto3 and its clients made",
        ),
        Row("import CPU, API: app, tokens and manifest, clients made", api, "ms", 350),
    ]


def _cpu_ms(handler, first):
    """The best of five: the files are then in the page cache, as in a warm runtime image. `handler`: as Lambda says."""
    environment = {**os.environ, **SETTINGS, "_HANDLER": handler}
    command = [sys.executable, "-c", MEASURE.format(first=first, not_shipped=NOT_SHIPPED)]
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(ROOT / "chalicelib", Path(directory, "chalicelib"))
        shutil.copy(ROOT / "app.py", directory)
        for name, data in index().items():
            Path(directory, name).write_bytes(data)
        found = [
            float(subprocess.run(command, env=environment, cwd=directory, check=True, capture_output=True).stdout)  # noqa: S603 - ours
            for _ in range(5)
        ]
    return min(found) * 1000
