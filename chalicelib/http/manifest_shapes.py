"""The manifest, which `services.view_manifest` makes, as types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from chalicelib.domain.study import StudyState
from chalicelib.http.json_types import Instant
from chalicelib.http.told import Ref


class ManifestStudy(Ref):
    state: StudyState
    patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    accession_number: str
    study_date: str
    study_time: str
    study_description: str
    modalities: Sequence[str]
    body_parts: Sequence[str]
    institution_name: str
    instances: int
    series: int


class ManifestInstance(TypedDict, total=False):
    """`url` opens for five minutes; with the Range of `range` where the instance lies in a pack. `metadata`: DICOM
    keywords beside those of its series."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int
    length: int
    url: str
    range: str
    metadata: Mapping[str, Any]


class ManifestSeries(TypedDict, total=False):
    """`metadata`: DICOM keywords that are equal in all instances."""

    series_instance_uid: str
    modality: str
    series_number: int
    series_description: str
    body_part_examined: str
    metadata: Mapping[str, Any]
    instances: Sequence[ManifestInstance]


class Report(ManifestInstance, total=False):
    """A DICOM instance that is a report, or a report that came with a notice."""

    content_type: str
    title: str


class Manifest(TypedDict):
    """All that a viewer needs, a thousand instances a page. URLs open until `expires_at`."""

    study: ManifestStudy
    series: Sequence[ManifestSeries]
    reports: Sequence[Report]
    expires_at: Instant
    next_token: str
