"""The functions' zip: the same bytes for the same code, without what no function reads, and not too big."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from chalicelib.http import blueprints

ROOT = Path(__file__).resolve().parents[2]
# DESIGN's budget: a zip this small still starts fast.
LIMIT = 12 * 1000 * 1000
# Sample files of other people's tests, and a web page for a server that we do not run.
_UNREAD = (
    "pydicom/data/test_files/",
    "pydicom/data/charset_files/",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/",
)
_MODE = 0o644 << 16


class TooBigError(Exception):
    """The zip is over the limit; the message says which parts are biggest."""


def index() -> dict[str, bytes]:
    """Which module has which route: with it a cold start loads only the one that it needs (`http.blueprints`)."""
    name = str(blueprints.INDEX.relative_to(ROOT))
    return {name: json.dumps([*blueprints.listed()], separators=(",", ":")).encode()}


def tidy(archive: Path, more: Mapping[str, bytes]) -> str:
    """Rewrite the zip in place, with what was made for it; its SHA-256. Entries sorted and undated: the same code makes
    the same bytes."""
    with ZipFile(archive) as given:
        kept = {name: given.read(name) for name in set(given.namelist()) if not name.startswith(_UNREAD)}
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=9) as made:
        for name, data in sorted({**kept, **more}.items()):
            entry = ZipInfo(name)
            entry.external_attr, entry.compress_type = _MODE, ZIP_DEFLATED
            made.writestr(entry, data)
    return sha256(archive.read_bytes()).hexdigest()


def weigh(archive: Path, limit: int = LIMIT) -> list[str]:
    """Lines that say the size and the biggest parts. TooBigError."""
    parts: Counter[str] = Counter()
    with ZipFile(archive) as made:
        for entry in made.infolist():
            parts[entry.filename.split("/", 1)[0]] += entry.compress_size
    size = archive.stat().st_size
    lines = [f"{archive}: {size / 1e6:.1f} MB of {limit / 1e6:.0f}"]
    lines += [f"  {part:<28} {bytes_ / 1e6:6.2f} MB" for part, bytes_ in parts.most_common(6)]
    if size > limit:
        raise TooBigError("\n".join(lines))
    return lines
