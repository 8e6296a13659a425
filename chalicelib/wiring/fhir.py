"""FHIR's use cases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import act_as, authorize, read_consents, record_decision
from chalicelib.wiring.adapters import (
    consents,
    decision_facts,
    doctors,
    exam_ledger,
    hospitals,
    people,
    signer,
    studies,
)

if TYPE_CHECKING:
    from chalicelib.services.find_consents import FindConsents
    from chalicelib.services.find_diagnostics import FindDiagnostics, OpenDiagnostic
    from chalicelib.services.find_studies import FindStudies
    from chalicelib.services.show_study import ShowStudy


@cache
def find_studies() -> FindStudies:
    from chalicelib.services.find_studies import FindStudies
    from chalicelib.services.list_covered import ListCovered

    held, facts = consents(), decision_facts()
    covered = ListCovered(act_as(), doctors(), people(), held, held, facts, studies(), record_decision())
    return FindStudies(covered, people(), hospitals())


@cache
def show_study() -> ShowStudy:
    from chalicelib.services.show_study import ShowStudy

    return ShowStudy(authorize(), hospitals())


@cache
def find_diagnostics() -> FindDiagnostics:
    from chalicelib.services.find_diagnostics import FindDiagnostics

    return FindDiagnostics(find_studies(), exam_ledger())


@cache
def open_diagnostic() -> OpenDiagnostic:
    from chalicelib.services.find_diagnostics import OpenDiagnostic

    return OpenDiagnostic(authorize(), exam_ledger(), hospitals(), signer())


@cache
def find_consents() -> FindConsents:
    from chalicelib.services.find_consents import FindConsents

    return FindConsents(read_consents())
