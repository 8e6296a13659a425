"""DICOMweb's use cases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import act_as, authorize, record_decision
from chalicelib.wiring.adapters import consents, decision_facts, doctors, people, signer, studies

if TYPE_CHECKING:
    from chalicelib.services.open_study import OpenStudy
    from chalicelib.services.retrieve_images import GrantedReads, RetrieveFrames, RetrieveInstances, RetrieveMetadata
    from chalicelib.services.search_images import SearchImages
    from chalicelib.services.show_to_ohif import ShowToOhif


@cache
def open_study() -> OpenStudy:
    from chalicelib.services.open_study import OpenStudy

    return OpenStudy(studies(), authorize())


@cache
def search_images() -> SearchImages:
    from chalicelib.services.list_covered import ListCovered
    from chalicelib.services.search_images import SearchImages

    held, facts = consents(), decision_facts()
    covered = ListCovered(act_as(), doctors(), people(), held, held, facts, studies(), record_decision())
    return SearchImages(covered, open_study(), studies())


@cache
def open_images() -> OpenStudy:
    """As `open_study`, for what follows it in hundreds: each image is an event of its own, and routine to its person,
    who reads of the study in the event before."""
    from dataclasses import replace

    from chalicelib.services.open_study import OpenStudy

    return OpenStudy(studies(), replace(authorize(), action="view_images"))


@cache
def granted_reads() -> GrantedReads:
    from chalicelib.store.granted_reader import GrantedReader

    return GrantedReader(signer())


@cache
def retrieve_metadata() -> RetrieveMetadata:
    from chalicelib.services.retrieve_images import RetrieveMetadata

    return RetrieveMetadata(open_study(), granted_reads())


@cache
def retrieve_instances() -> RetrieveInstances:
    from chalicelib.services.retrieve_images import RetrieveInstances

    return RetrieveInstances(open_images(), granted_reads(), signer())


@cache
def retrieve_frames() -> RetrieveFrames:
    from chalicelib.services.retrieve_images import RetrieveFrames

    return RetrieveFrames(open_images(), granted_reads())


@cache
def show_to_ohif() -> ShowToOhif:
    from chalicelib.services.show_to_ohif import ShowToOhif

    return ShowToOhif(open_study())
