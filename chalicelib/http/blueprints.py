"""Every route's blueprint, behind the one door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.http import (
    administrators,
    cds_hooks,
    compliance_reports,
    desks,
    dicomweb,
    disposals,
    doctors,
    exceptions,
    fhir,
    guardians,
    hospitals,
    joining,
    ledger,
    patients,
    privacy,
    quarantine,
    recognition,
    regulators,
    session,
)
from chalicelib.http.access import Door

if TYPE_CHECKING:
    from chalice.app import Chalice

ALL = (
    session,
    hospitals,
    joining,
    quarantine,
    desks,
    privacy,
    disposals,
    doctors,
    dicomweb,
    fhir,
    cds_hooks,
    recognition,
    exceptions,
    patients,
    guardians,
    regulators,
    ledger,
    compliance_reports,
    administrators,
)


def serve(app: Chalice) -> None:
    app.register_middleware(Door(wiring.tokens, wiring.origin, wiring.now, wiring.record_decision), "http")
    for one in ALL:
        app.register_blueprint(one.routes.blueprint)
