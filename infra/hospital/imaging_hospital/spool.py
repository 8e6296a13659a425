"""The directory in which this client keeps what must survive: files handed to it that are not in the cloud yet.

`keep` and `keep_notice` return only when the bytes are on the disk, and what they kept is sent by whoever runs
`listen` or `notice` next, whatever happens in between.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spool:
    """`inbox` holds DICOM files, `notices` notices as JSON: both are ours, and deleted once the cloud has them.
    `state` is the database of what was sent. `receiving` holds what a sender has not finished sending to `listen`,
    `commitments` what `listen` has promised to report, `refused` notices that cannot be sent, with the reason."""

    directory: Path

    @property
    def inbox(self) -> Path:
        return self.directory / "inbox"

    @property
    def notices(self) -> Path:
        return self.directory / "notices"

    @property
    def receiving(self) -> Path:
        return self.directory / "receiving"

    @property
    def commitments(self) -> Path:
        return self.directory / "commitments"

    @property
    def refused(self) -> Path:
        return self.directory / "refused"

    @property
    def state(self) -> Path:
        return self.directory / "state.sqlite3"

    def prepare(self) -> None:
        """Readable by this user alone: patients' images lie here. Files half written before a crash are no more."""
        folders = (self.inbox, self.notices, self.receiving, self.commitments, self.refused)
        for folder in (self.directory, *folders):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for unfinished in folder.glob(".*.part"):
                if _is_abandoned(unfinished):
                    unfinished.unlink(missing_ok=True)

    def keep(self, file: bytes) -> Path:
        """One DICOM file (PS3.10, with preamble), durably. Raises OSError, e.g. when the disk is full."""
        return durably(self.inbox, f"{secrets.token_hex(16)}.dcm", file)

    def adopt(self, received: Path) -> Path:
        """Like `keep`, of a closed file below `receiving`, which is moved: nothing is copied."""
        path = self.inbox / f"{secrets.token_hex(16)}.dcm"
        with received.open("rb+") as file:
            os.fsync(file.fileno())
        received.replace(path)
        sync(self.inbox)
        return path

    def keep_notice(self, notice: bytes) -> Path:
        """One notice (JSON as infra/NOTICES.md has it), durably; the same bytes twice are kept once."""
        return durably(self.notices, f"{hashlib.sha256(notice).hexdigest()}.json", notice)


def _is_abandoned(unfinished: Path) -> bool:
    """Nobody has written to it for an hour: another command may be at work in the same spool."""
    try:
        return time.time() - unfinished.stat().st_mtime > 3600
    except FileNotFoundError:
        return False


def durably(folder: Path, name: str, content: bytes) -> Path:
    unfinished, path = folder / f".{secrets.token_hex(8)}.part", folder / name
    try:
        with unfinished.open("xb") as file:
            os.chmod(unfinished, 0o600)  # noqa: PTH101 - before the first byte is written
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync(folder)
    return path


def sync(folder: Path) -> None:
    """A renamed file outlives a power cut only when its directory is written too. Windows does so by itself."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
