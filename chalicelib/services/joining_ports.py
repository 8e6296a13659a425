"""What the joining of hospitals needs of the world; the rest is in `services.ports`."""

from __future__ import annotations

from typing import Protocol

from chalicelib.domain.upload_pass import Prefixes, UploadKeys


class Uploader(Protocol):
    def __call__(self, hospital_id: str, reach: Prefixes) -> UploadKeys:
        """Keys that can put objects there, and nothing else anywhere."""
        ...
