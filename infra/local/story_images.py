"""What the story uploads, and where to."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom

WORKERS = 8
UID = ["StudyInstanceUID"]


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def key(kind: str, hospital_id: str, name: str) -> str:
    """The key of an upload of today."""
    return f"{kind}/{hospital_id}/{today()}/{name}"


def pydicom_files() -> dict[str, bytes]:
    """Every file of pydicom's test_files and charset_files, by a name that can stand in a key."""
    data = Path(pydicom.__file__).parent / "data"
    folders = (data / "test_files", data / "charset_files")
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = [path for path in paths if path.suffix not in {".py", ".pyc"}]
    return {str(path.relative_to(data)).replace("/", "-"): path.read_bytes() for path in kept}


def upload(s3: Any, bucket: str, objects: Mapping[str, bytes], progress: Callable[[int], None]) -> float:
    """PUT every object, several at a time; seconds it took."""
    started = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        sent = [pool.submit(s3.put_object, Bucket=bucket, Key=name, Body=body) for name, body in objects.items()]
        for done, one in enumerate(as_completed(sent), 1):
            one.result()
            progress(done)
    return time.monotonic() - started


def each(work: Callable[[Any], bool], items: Iterable[Any], progress: Callable[[int], None]) -> int:
    """How many of the items `work` finds true, several at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        results = [pool.submit(work, item) for item in items]
        held = 0
        for done, one in enumerate(as_completed(results), 1):
            held += bool(one.result())
            progress(done)
    return held


def study_uids(files: Iterable[bytes]) -> list[str]:
    """The distinct Study Instance UIDs that the hospital's own reader finds."""
    found: dict[str, None] = {}
    for body in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # half of these files are there because something is odd about them
                header = pydicom.dcmread(BytesIO(body), stop_before_pixels=True, force=True, specific_tags=UID)
        except Exception:  # noqa: BLE001, S112 - not DICOM: such files are meant to be among them
            continue
        if uid := str(header.get("StudyInstanceUID", "")):
            found[uid] = None
    return list(found)
