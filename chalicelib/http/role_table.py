"""Which roles may use a route, and whose things it is about: the one table. A route that is not in it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.access import Role

Whose = Literal["open", "session", "own_hospital", "self", "ward", "granted", "covered", "province"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which roles may use a route, and whose things it is about.

    `open`: no token. Of /health, /openapi.json, the list of CDS services and FHIR's /metadata no event: they tell
    nothing of anybody, and machines ask them every few seconds; what else is open records each try itself. `session`:
    the caller's own session. `own_hospital`, `self`: the token must be bound to a hospital or person, and the service
    is asked about that one only. `ward`: bound to a person, about the wards that a desk proved to be theirs. `granted`:
    one study, by a Grant. `covered`: whatever the caller's grants cover. `province`: no single hospital's or person's.
    """

    roles: frozenset[Role]
    whose: Whose


def _allow(whose: Whose, *roles: Role) -> Allowed:
    return Allowed(frozenset(roles), whose)


_EVERY_ROLE: tuple[Role, ...] = (
    "doctor",
    "patient",
    "guardian",
    "hospital",
    "desk_clerk",
    "privacy_officer",
    "regulator",
    "administrator",
)

_INSTANCE = "/dicomweb/studies/{uid}/series/{series}/instances/{instance}"

ROUTES: Mapping[tuple[str, str], Allowed] = {
    ("GET", "/health"): _allow("open"),
    ("GET", "/openapi.json"): _allow("open"),
    ("POST", "/session"): _allow("session", *_EVERY_ROLE),
    ("DELETE", "/session"): _allow("session", *_EVERY_ROLE),
    # hospitals
    ("POST", "/hospital/notices"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/studies/{uid}"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/studies/{uid}/receipt"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/studies/{uid}/retention"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/studies/{uid}/amendments"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/disposals"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/disposals"): _allow("own_hospital", "hospital", "privacy_officer"),
    ("GET", "/hospital/disposals/{disposal_id}/certificate"): _allow("own_hospital", "hospital", "privacy_officer"),
    ("GET", "/hospital/quarantine"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/quarantine/replaced"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/quarantine/release"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/compliance"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/exams"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/reports"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/reports/{period}"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/worklist"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/statistics/recognition/{period}"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/statistics/recognition/{period}/events"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/flags/exams"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/flags/history"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/flags/acknowledge"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/flags/explain"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/credentials"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/uploads"): _allow("own_hospital", "hospital"),
    ("GET", "/hospital/keys"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/keys"): _allow("own_hospital", "hospital"),
    ("POST", "/hospital/keys/retire"): _allow("own_hospital", "hospital"),
    ("POST", "/joining"): _allow("open"),
    # ordering systems: each call carries a token made for its own address (http/cds_hooks.py)
    ("GET", "/cds-services"): _allow("open"),
    ("POST", "/cds-services/{service_id}"): _allow("open"),
    ("POST", "/cds-services/{service_id}/feedback"): _allow("open"),
    ("POST", "/desk/registrations"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/persons/unfreeze"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/persons/sessions/end"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/identities/contest"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/identities/unlink"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/guardians"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/guardians/end"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/accesses/object"): _allow("own_hospital", "desk_clerk"),
    ("GET", "/desk/hand-overs"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/hand-overs/print"): _allow("own_hospital", "desk_clerk"),
    ("POST", "/desk/hand-overs/done"): _allow("own_hospital", "desk_clerk"),
    # privacy officers
    ("POST", "/privacy/identities/history"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/identities/contest"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/identities/unlink"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/identities/relink"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/pairs"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/reviews"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/reviews/verdict"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/suspensions"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/suspensions/lift"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/disposals/decide"): _allow("own_hospital", "privacy_officer"),
    ("GET", "/privacy/holds"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/holds"): _allow("own_hospital", "privacy_officer"),
    ("POST", "/privacy/holds/lift"): _allow("own_hospital", "privacy_officer"),
    # witnesses
    ("GET", "/assisted-requests"): _allow("own_hospital", "desk_clerk", "privacy_officer"),
    ("POST", "/assisted-requests/confirm"): _allow("own_hospital", "desk_clerk", "privacy_officer"),
    # doctors
    ("POST", "/assisted-requests"): _allow("own_hospital", "doctor"),
    ("POST", "/assisted-requests/outcome"): _allow("own_hospital", "doctor"),
    ("POST", "/break-glass"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests/verify"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests/outcome"): _allow("own_hospital", "doctor"),
    ("POST", "/consent-requests/qr"): _allow("own_hospital", "doctor"),
    ("POST", "/recognitions"): _allow("own_hospital", "doctor"),
    ("GET", "/encounters/{encounter_id}/timeline"): _allow("own_hospital", "doctor"),
    ("GET", "/hospitals/{hospital_id}/studies/{uid}/manifest"): _allow("granted", "doctor", "patient", "guardian"),
    # DICOMweb
    ("GET", "/dicomweb/studies"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/series"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/instances"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/instances"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}/instances"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/metadata"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}/metadata"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", _INSTANCE): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", f"{_INSTANCE}/metadata"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", f"{_INSTANCE}/frames/{{frames}}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/thumbnail"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/series/{series}/thumbnail"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", f"{_INSTANCE}/thumbnail"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/dicomweb/studies/{uid}/dicomjson"): _allow("granted", "doctor", "patient", "guardian"),
    ("POST", "/dicomweb/studies"): _allow("own_hospital", "hospital"),
    ("POST", "/dicomweb/studies/{uid}"): _allow("own_hospital", "hospital"),
    ("GET", "/dicomweb/wado"): _allow("granted", "doctor", "patient", "guardian"),
    # FHIR
    ("GET", "/fhir/metadata"): _allow("open"),
    ("GET", "/fhir/ImagingStudy"): _allow("covered", "doctor", "patient", "guardian"),
    ("POST", "/fhir/ImagingStudy/_search"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/fhir/ImagingStudy/{study_id}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/fhir/DiagnosticReport"): _allow("covered", "doctor", "patient", "guardian"),
    ("POST", "/fhir/DiagnosticReport/_search"): _allow("covered", "doctor", "patient", "guardian"),
    ("GET", "/fhir/DiagnosticReport/{report_id}"): _allow("granted", "doctor", "patient", "guardian"),
    ("GET", "/fhir/Consent"): _allow("covered", "patient", "guardian"),
    ("GET", "/fhir/Consent/{consent_id}"): _allow("granted", "patient", "guardian"),
    ("GET", "/fhir/AuditEvent"): _allow("covered", "patient", "guardian"),
    # patients
    ("GET", "/me/studies"): _allow("self", "patient"),
    ("GET", "/me/consents"): _allow("self", "patient"),
    ("POST", "/me/consents/revoke"): _allow("self", "patient"),
    ("GET", "/me/accesses"): _allow("self", "patient"),
    ("POST", "/me/accesses/object"): _allow("self", "patient"),
    ("GET", "/me/identities"): _allow("self", "patient"),
    ("POST", "/me/identities/contest"): _allow("self", "patient"),
    ("POST", "/me/freeze"): _allow("self", "patient"),
    ("POST", "/me/sessions/end"): _allow("self", "patient"),
    ("POST", "/me/studies/hide"): _allow("self", "patient"),
    ("POST", "/me/studies/show"): _allow("self", "patient"),
    ("GET", "/me/studies/hidden"): _allow("self", "patient"),
    ("GET", "/me/phone"): _allow("self", "patient"),
    ("POST", "/me/phone"): _allow("self", "patient"),
    ("POST", "/me/phone/void"): _allow("self", "patient"),
    ("POST", "/me/export"): _allow("self", "patient"),
    ("GET", "/me/export"): _allow("self", "patient"),
    ("GET", "/me/requests"): _allow("self", "patient"),
    ("POST", "/me/requests/decide"): _allow("self", "patient"),
    ("POST", "/me/qr"): _allow("self", "patient"),
    ("GET", "/me/guardians"): _allow("self", "patient"),
    ("POST", "/me/guardians/object"): _allow("self", "patient"),
    ("GET", "/me/notices"): _allow("self", "patient"),
    # guardians
    ("GET", "/wards"): _allow("ward", "guardian"),
    ("GET", "/wards/studies"): _allow("ward", "guardian"),
    ("GET", "/wards/requests"): _allow("ward", "guardian"),
    ("POST", "/wards/requests/decide"): _allow("ward", "guardian"),
    ("GET", "/wards/consents"): _allow("ward", "guardian"),
    ("POST", "/wards/consents/revoke"): _allow("ward", "guardian"),
    ("GET", "/wards/accesses"): _allow("ward", "guardian"),
    ("POST", "/wards/qr"): _allow("ward", "guardian"),
    ("POST", "/wards/export"): _allow("ward", "guardian"),
    ("GET", "/wards/export"): _allow("ward", "guardian"),
    ("GET", "/wards/guardians"): _allow("ward", "guardian"),
    ("POST", "/wards/guardians/object"): _allow("ward", "guardian"),
    # the commission
    ("POST", "/hospitals"): _allow("province", "regulator"),
    ("GET", "/hospitals"): _allow("province", "regulator"),
    ("GET", "/hospitals/{hospital_id}"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/joining-code"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/keys/revoke"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/excuses"): _allow("province", "regulator"),
    ("GET", "/compliance/hospitals/{hospital_id}"): _allow("province", "regulator"),
    ("GET", "/disposals"): _allow("province", "regulator"),
    ("GET", "/hospitals/{hospital_id}/disposals"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/disposals/decide"): _allow("province", "regulator"),
    ("GET", "/hospitals/{hospital_id}/holds"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/holds"): _allow("province", "regulator"),
    ("POST", "/hospitals/{hospital_id}/holds/lift"): _allow("province", "regulator"),
    ("GET", "/compliance/flags"): _allow("province", "regulator"),
    ("GET", "/compliance/flags/exams"): _allow("province", "regulator"),
    ("GET", "/compliance/flags/history"): _allow("province", "regulator"),
    ("POST", "/compliance/flags/acknowledge"): _allow("province", "regulator"),
    ("POST", "/compliance/flags/close"): _allow("province", "regulator"),
    ("POST", "/compliance/excuses"): _allow("province", "regulator"),
    ("GET", "/compliance/excuses"): _allow("province", "regulator"),
    ("POST", "/compliance/excuses/withdraw"): _allow("province", "regulator"),
    ("GET", "/compliance/quarantine"): _allow("province", "regulator"),
    ("GET", "/compliance/quarantine/{hospital_id}"): _allow("province", "regulator"),
    ("POST", "/compliance/quarantine/{hospital_id}/decisions"): _allow("province", "regulator"),
    ("GET", "/compliance/reports"): _allow("province", "regulator"),
    ("GET", "/compliance/reports/{period}"): _allow("province", "regulator"),
    ("GET", "/statistics/recognition/{period}"): _allow("province", "regulator"),
    ("GET", "/statistics/recognition/{period}/events"): _allow("province", "regulator"),
    # administrators
    ("POST", "/doctors"): _allow("province", "administrator"),
    ("POST", "/doctors/status"): _allow("province", "administrator"),
    ("POST", "/doctors/sessions/end"): _allow("province", "administrator"),
}
