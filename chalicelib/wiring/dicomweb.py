"""DICOMweb's use cases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.access import act_as, authorize, record_decision
from chalicelib.wiring.adapters import consents, decision_facts, doctors, people, signer, signer_role, studies
from chalicelib.wiring.environment import settings

if TYPE_CHECKING:
    from chalicelib.dicom.attributes import Level
    from chalicelib.services.keep_derived import KeepDerived
    from chalicelib.services.open_study import OpenStudy
    from chalicelib.services.retrieve_images import RetrieveFrames, RetrieveInstances
    from chalicelib.services.retrieve_metadata import RetrieveMetadata
    from chalicelib.services.search_images import SearchImages
    from chalicelib.services.show_thumbnail import ShowThumbnail
    from chalicelib.services.show_to_ohif import ShowToOhif
    from chalicelib.store.granted_reader import GrantedReader


def keywords(level: Level) -> list[str]:
    """What a search of a level can match."""
    from chalicelib.dicom.attributes import keywords as matched

    return matched(level)


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
def granted_reads() -> GrantedReader:
    from chalicelib.store.granted_reader import GrantedReader

    return GrantedReader(signer())


@cache
def keep_derived() -> KeepDerived:
    from chalicelib.services.keep_derived import KeepDerived
    from chalicelib.store import clients
    from chalicelib.store.derived import S3Derived
    from chalicelib.store.signer import S3DerivedSigner, bucket_at

    name = settings().reports_bucket
    bucket = bucket_at(name, clients.region(), clients.s3_endpoint())
    return KeepDerived(S3DerivedSigner(bucket, signer_role()), S3Derived(clients.s3(), name), granted_reads())


@cache
def retrieve_metadata() -> RetrieveMetadata:
    from chalicelib.services.retrieve_metadata import RetrieveMetadata

    return RetrieveMetadata(open_study(), granted_reads(), keep_derived())


@cache
def retrieve_instances() -> RetrieveInstances:
    from chalicelib.services.retrieve_images import RetrieveInstances

    return RetrieveInstances(open_images(), granted_reads(), signer(), keep_derived())


@cache
def retrieve_frames() -> RetrieveFrames:
    from chalicelib.services.retrieve_images import RetrieveFrames

    return RetrieveFrames(open_images(), granted_reads(), keep_derived())


@cache
def show_thumbnail() -> ShowThumbnail:
    from chalicelib.services.show_thumbnail import ShowThumbnail

    return ShowThumbnail(open_images(), granted_reads(), keep_derived())


@cache
def show_to_ohif() -> ShowToOhif:
    from chalicelib.services.show_to_ohif import ShowToOhif

    return ShowToOhif(open_study())
