from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Caller
from chalicelib.domain.fhir_id import study_of
from chalicelib.domain.manifest import Manifest
from chalicelib.services.find_diagnostics import NOWHERE
from chalicelib.services.find_studies import FoundStudy
from chalicelib.services.ports import Hospitals
from chalicelib.services.view_manifest import Authorizes, ManifestChanged
from chalicelib.services.watch_ports import untimed


@dataclass(frozen=True, slots=True)
class ShowStudy:
    """One study by its resource id, with all its instances. Raises AccessDenied, the same for one that is unknown,
    ManifestChanged, AuditFailed."""

    authorize: Authorizes
    hospitals: Hospitals

    def __call__(self, caller: Caller, resource_id: str, now: datetime) -> tuple[FoundStudy, Manifest]:
        ref = study_of(resource_id) or NOWHERE
        grant, summary, body = self.authorize.with_manifest(caller, ref, now, untimed)
        manifest = Manifest.from_json(body)
        if manifest.ref != grant.study:
            raise ManifestChanged("the manifest is of another study")
        return FoundStudy(summary, self.hospitals.get(ref.hospital_id)), manifest
