"""One study by its UID alone, as DICOMweb names it: which hospital's, the pointers and the grants say (DESIGN §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.access import AccessDenied, Caller, Grant
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.study import StudyRef, Summary
from chalicelib.services.view_manifest import Authorizes, ManifestChanged
from chalicelib.services.watch_ports import untimed

NOWHERE = "NONE"  # no hospital's id stands in a UID that nobody holds; the decision is asked all the same


class Pointers(Protocol):
    """The part of `ports.Studies` that knows which hospitals hold a UID."""

    def hospitals_holding(self, study_instance_uid: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Named:
    """What the path names; "" for all of the level above."""

    study_uid: str
    series_uid: str = ""
    instance_uid: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A study that the caller may read now."""

    grant: Grant
    summary: Summary
    body: bytes

    def manifest(self) -> Manifest:
        manifest = Manifest.from_json(self.body)
        if manifest.ref != self.grant.study:
            raise ManifestChanged("the manifest is of another study")
        return manifest


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """The first hospital's, by id, that the caller may read. Each decision is one event of the audit, and what nobody
    holds is decided on as well: unknown and forbidden are one answer."""

    pointers: Pointers
    authorize: Authorizes

    def __call__(self, caller: Caller, study_instance_uid: str, now: datetime) -> Opened:
        """Raises AccessDenied with what may be told, AuditFailed."""
        told = AccessDenied("no_grant")
        for hospital_id in self.pointers.hospitals_holding(study_instance_uid) or (NOWHERE,):
            try:
                return Opened(
                    *self.authorize.with_manifest(caller, StudyRef(hospital_id, study_instance_uid), now, untimed)
                )
            except AccessDenied as denied:
                told = told if denied.reason == "no_grant" else denied
        raise told
