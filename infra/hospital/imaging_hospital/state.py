"""What was sent and what is being sent, in SQLite: the memory that outlives a kill or a power cut.

An *upload* is one object on its way to the cloud: a pack or a single file. Its content is fixed when it is planned, and
its name is its content's digest, so that sending it twice cannot make two of it. Each step is written down before the
next is taken:

    planned → key chosen → (multipart begun → parts) → sent | refused
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from .pack import Content, Indexed, Source
from .settings import Settings, SettingsError
from .tongue import Said

OTHER_HOSPITAL = Said(
    "the spool {path} belongs to another hospital or cloud ({whose})",
    "缓存目录 {path} 属于另一家医院或另一朵云（{whose}）",
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS belongs (endpoint TEXT NOT NULL, hospital_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS upload (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, study TEXT NOT NULL, series TEXT NOT NULL,
    size INTEGER NOT NULL, head BLOB, key TEXT, multipart TEXT, outcome TEXT NOT NULL DEFAULT '', ended_at TEXT
);
CREATE TABLE IF NOT EXISTS file (
    path BLOB NOT NULL, upload INTEGER NOT NULL REFERENCES upload (id), number INTEGER NOT NULL, sop TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 BLOB NOT NULL, crc32 INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS part (
    upload INTEGER NOT NULL REFERENCES upload (id), number INTEGER NOT NULL, etag TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (upload, number)
);
CREATE TABLE IF NOT EXISTS instance (
    sha256 BLOB PRIMARY KEY, sop TEXT NOT NULL, study TEXT NOT NULL, upload INTEGER NOT NULL REFERENCES upload (id)
);
CREATE TABLE IF NOT EXISTS proof (study TEXT PRIMARY KEY, images INTEGER NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS file_of_upload ON file (upload);
CREATE INDEX IF NOT EXISTS file_of_path ON file (path);
CREATE INDEX IF NOT EXISTS instance_of_study ON instance (study);
CREATE INDEX IF NOT EXISTS instance_of_sop ON instance (sop);
CREATE INDEX IF NOT EXISTS upload_of_key ON upload (key);
CREATE INDEX IF NOT EXISTS upload_under_way ON upload (id) WHERE outcome = '';
"""

SENT: Final = "sent"
PATIENCE: Final = 60  # seconds for another command's write


@dataclass(frozen=True)
class Part:
    """A part that S3 has. `crc` is its CRC-64/NVME."""

    number: int
    etag: str
    crc: int


@dataclass(frozen=True)
class Upload:
    """One object. `head`: a pack's index, "" for a file by itself. `key` is None until it was first tried."""

    id: int
    kind: str
    name: str
    study: str
    series: str
    head: bytes
    sources: tuple[Source, ...]
    key: str | None = None
    multipart: str | None = None
    parts: tuple[Part, ...] = ()

    @property
    def content(self) -> Content:
        return Content.of_pack(self.head, self.sources) if self.head else Content.of_file(self.sources[0])

    @property
    def images(self) -> int:
        return len(self.sources)


@dataclass(frozen=True)
class Plan:
    """An upload before it is written down. `images` in the order of the pack."""

    kind: str
    name: str
    study: str
    series: str
    head: bytes
    images: tuple[Indexed, ...]


def write_ahead(database: sqlite3.Connection) -> None:
    """For this one change SQLite does not wait while another command makes it."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


class State:
    """Safe for several threads, and for several processes: a file is planned once, by whoever comes first. Paths are
    kept as bytes: not every file name is text."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        write_ahead(self._db)
        self._db.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(_SCHEMA)
        path.chmod(0o600)
        self._claim(path, settings)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _claim(self, path: Path, settings: Settings) -> None:
        ours = settings.endpoint, settings.hospital_id
        with self._writing() as db:
            whose = db.execute("SELECT endpoint, hospital_id FROM belongs").fetchone()
            if whose is None:
                db.execute("INSERT INTO belongs VALUES (?, ?)", ours)
            elif whose != ours:
                raise SettingsError(OTHER_HOSPITAL, path=path.parent, whose=" ".join(whose))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def standing(self, path: str, size: int, mtime_ns: int) -> str | None:
        """A file's upload: "" while it is under way, SENT, or why it was refused; None for a file that is new here or
        has changed since."""
        query = """SELECT outcome FROM file JOIN upload ON upload.id = upload
                   WHERE path = ? AND file.size = ? AND mtime_ns = ?
                   ORDER BY outcome = 'sent' DESC, outcome = '' DESC"""
        rows = self._rows(query, os.fsencode(path), size, mtime_ns)
        return str(rows[0][0]) if rows else None

    def is_known(self, source: Source) -> bool:
        """These bytes were sent before, or are being sent."""
        return bool(self._rows("SELECT 1 FROM instance WHERE sha256 = ?", source.sha256))

    def note_copy(self, source: Source, sop: str) -> None:
        """A file with bytes that are known: it shares the fate of the upload that holds them."""
        row = """INSERT INTO file SELECT ?, upload, -1, ?, ?, ?, ?, ? FROM instance WHERE sha256 = ?"""
        one = (os.fsencode(source.path), sop, source.size, source.mtime_ns, source.sha256, source.crc32, source.sha256)
        with self._writing() as db:
            if self.standing(source.path, source.size, source.mtime_ns) not in (SENT, ""):
                db.execute(row, one)

    def plan(self, plan: Plan) -> Upload | None:
        """Written down, durably. None when another process was first with one of the files."""
        with self._writing() as db:
            if any(self.is_known(image.source) for image in plan.images):
                return None
            size = sum(image.source.size for image in plan.images)
            values = (plan.kind, plan.name, plan.study, plan.series, size, plan.head)
            row = "INSERT INTO upload (kind, name, study, series, size, head) VALUES (?, ?, ?, ?, ?, ?)"
            upload = db.execute(row, values).lastrowid
            for number, image in enumerate(plan.images):
                one = image.source
                of_file = (
                    os.fsencode(one.path),
                    upload,
                    number,
                    image.sop,
                    one.size,
                    one.mtime_ns,
                    one.sha256,
                    one.crc32,
                )
                db.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)", of_file)
                db.execute("INSERT INTO instance VALUES (?, ?, ?, ?)", (one.sha256, image.sop, plan.study, upload))
        sources = tuple(image.source for image in plan.images)
        return Upload(upload or 0, plan.kind, plan.name, plan.study, plan.series, plan.head, sources)

    def under_way(self, root: Path) -> list[Upload]:
        """Uploads of files below `root` that have no end yet, oldest first."""
        prefix = os.fsencode(os.path.join(root, ""))  # noqa: PTH118 - Path drops a separator at the end
        query = """SELECT DISTINCT upload FROM file JOIN upload ON upload.id = upload
                   WHERE outcome = '' AND number >= 0 AND substr(path, 1, ?) = ? ORDER BY upload"""
        return [self.upload(number) for (number,) in self._rows(query, len(prefix), prefix)]

    def upload(self, number: int) -> Upload:
        query = "SELECT id, kind, name, study, series, head, key, multipart FROM upload WHERE id = ?"
        of_files = (
            "SELECT path, size, mtime_ns, sha256, crc32 FROM file WHERE upload = ? AND number >= 0 ORDER BY number"
        )
        of_parts = "SELECT number, etag, crc FROM part WHERE upload = ? ORDER BY number"
        ((identity, kind, name, study, series, head, key, multipart),) = self._rows(query, number)
        sources = tuple(Source(os.fsdecode(path), *row) for path, *row in self._rows(of_files, number))
        # SQLite's integers are signed
        parts = tuple(Part(at, etag, crc & (2**64 - 1)) for at, etag, crc in self._rows(of_parts, number))
        return Upload(identity, kind, name, study, series, head or b"", sources, key, multipart, parts)

    def begin(self, upload: Upload, key: str, multipart: str | None) -> None:
        """What it will be called, and its multipart upload where it is large. Parts of another are forgotten."""
        with self._writing() as db:
            db.execute("DELETE FROM part WHERE upload = ?", (upload.id,))
            db.execute("UPDATE upload SET key = ?, multipart = ? WHERE id = ?", (key, multipart, upload.id))

    def keep_part(self, upload: Upload, part: Part) -> None:
        signed = part.crc - 2**64 if part.crc >= 2**63 else part.crc
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?)", (upload.id, part.number, part.etag, signed))

    def end(self, upload: Upload, outcome: str, now: datetime) -> None:
        """SENT, or the reason why the cloud did not want it: then the bytes are not counted as known."""
        with self._writing() as db:
            db.execute("DELETE FROM part WHERE upload = ?", (upload.id,))
            ended = (outcome, now.isoformat(), upload.id)
            db.execute("UPDATE upload SET outcome = ?, ended_at = ?, head = NULL, multipart = NULL WHERE id = ?", ended)
            if outcome != SENT:
                db.execute("DELETE FROM instance WHERE upload = ?", (upload.id,))

    def forget(self, path: str) -> None:
        """A file of ours that is deleted. Its instance stays known."""
        with self._writing() as db:
            db.execute("DELETE FROM file WHERE path = ?", (os.fsencode(path),))

    def of_sop(self, sop: str) -> list[tuple[str, str]]:
        """Study and SHA-256 (hex) of every file with this SOP Instance UID that was sent or is on its way."""
        rows = self._rows("SELECT study, sha256 FROM instance WHERE sop = ?", sop)
        return [(study, sha256.hex()) for study, sha256 in rows]

    def dissolve(self, upload: Upload) -> None:
        """Its files are as if never seen, to be planned anew."""
        with self._writing() as db:
            for table in ("part", "file", "instance"):
                db.execute(f"DELETE FROM {table} WHERE upload = ?", (upload.id,))  # noqa: S608 - our own three names
            db.execute("DELETE FROM upload WHERE id = ?", (upload.id,))

    def studies(self, *, proven_too: bool) -> list[str]:
        """Of which images were sent, latest first; without those whose images are all proven, unless asked for."""
        query = """SELECT instance.study FROM instance JOIN upload ON upload.id = upload
                   LEFT JOIN proof ON proof.study = instance.study
                   WHERE outcome = 'sent' AND instance.study <> '' GROUP BY instance.study
                   HAVING ? OR proof.images IS NULL OR proof.images < count(*) ORDER BY max(ended_at) DESC"""
        return [str(study) for (study,) in self._rows(query, proven_too)]

    def instances(self, study: str) -> dict[str, str]:
        """SOP Instance UID by digest (hex) of what was sent of a study."""
        query = """SELECT sha256, sop FROM instance JOIN upload ON upload.id = upload
                   WHERE instance.study = ? AND outcome = 'sent'"""
        return {sha256.hex(): str(sop) for sha256, sop in self._rows(query, study)}

    def prove(self, study: str, images: int, now: datetime) -> None:
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO proof VALUES (?, ?, ?)", (study, images, now.isoformat()))

    def prune(self, before: datetime) -> None:
        """Forgets what was sent before then, is proven, and of which no file is left here: nothing asks for it."""
        old = """SELECT id FROM upload WHERE outcome = 'sent' AND ended_at < ? AND study IN (SELECT study FROM proof)
                 AND NOT EXISTS (SELECT 1 FROM file WHERE file.upload = upload.id)"""
        with self._writing() as db:
            numbers = db.execute(old, (before.isoformat(),)).fetchall()
            db.executemany("DELETE FROM instance WHERE upload = ?", numbers)
            db.executemany("DELETE FROM upload WHERE id = ?", numbers)

    def count_under_way(self) -> int:
        return int(self._rows("SELECT count(*) FROM upload WHERE outcome = ''")[0][0])

    def sent_as(self, key: str) -> bool:
        return bool(self._rows("SELECT 1 FROM upload WHERE key = ?", key))
