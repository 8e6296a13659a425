"""What exports need of the world."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from chalicelib.domain.export import Export
from chalicelib.domain.study import Place


class Exports(Protocol):
    def get(self, person_id: str) -> Export | None:
        """The person's latest, strongly consistent."""
        ...

    def ask(self, export: Export) -> None:
        """In the place of whatever was asked for before."""
        ...

    def finish(self, export: Export) -> bool:
        """Keep where it lies, if it is still the latest. False: another was asked for since."""
        ...


class ExportQueue(Protocol):
    def send(self, person_id: str, export_id: str) -> None: ...


class ExportArchives(Protocol):
    def put(self, key: str, body: bytes) -> Place:
        """Store an archive; where it lies, with its version."""
        ...


class ExportSigner(Protocol):
    def sign_export(self, export: Export, now: datetime) -> str:
        """A URL of a ready archive, for five minutes at most and never past its end."""
        ...
