"""What a search can be asked for and what it answers, as tables: PS3.18 §10.6.1 and §10.6.3, row by row.

`field` is our name of the value (`services.search_images` fills it in). "" is one that the cloud does not index: it is
returned with no value where the standard wants it present, and cannot be matched on (a Warning says so).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Level = Literal["study", "series", "instance"]
Match = Literal["", "text", "name", "uid", "date", "time", "number"]


class Attribute(NamedTuple):
    """`match`: how a key is compared (PS3.4 C.2.2.2); "" for what is only returned. `told`: in every answer, or only
    where `includefield` or a key asks for it."""

    tag: str
    keyword: str
    vr: str
    level: Level
    match: Match
    told: Literal["always", "asked"]
    field: str


ATTRIBUTES: tuple[Attribute, ...] = (
    # Table 10.6.3-3 and 10.6.1-5: studies
    Attribute("00080005", "SpecificCharacterSet", "CS", "study", "", "always", "character_set"),
    Attribute("00080020", "StudyDate", "DA", "study", "date", "always", "study_date"),
    Attribute("00080030", "StudyTime", "TM", "study", "time", "always", "study_time"),
    Attribute("00080050", "AccessionNumber", "SH", "study", "text", "always", "accession_number"),
    Attribute("00080056", "InstanceAvailability", "CS", "study", "", "always", "availability"),
    Attribute("00080061", "ModalitiesInStudy", "CS", "study", "text", "always", "modalities"),
    Attribute("00080090", "ReferringPhysicianName", "PN", "study", "", "always", ""),
    Attribute("00081190", "RetrieveURL", "UR", "study", "", "always", "study_url"),
    Attribute("00100010", "PatientName", "PN", "study", "name", "always", "patient_name"),
    Attribute("00100020", "PatientID", "LO", "study", "text", "always", "patient_id"),
    Attribute("00100021", "IssuerOfPatientID", "LO", "study", "text", "always", "issuer"),
    Attribute("00100030", "PatientBirthDate", "DA", "study", "date", "always", "patient_birth_date"),
    Attribute("00100040", "PatientSex", "CS", "study", "text", "always", "patient_sex"),
    Attribute("0020000D", "StudyInstanceUID", "UI", "study", "uid", "always", "study_instance_uid"),
    Attribute("00200010", "StudyID", "SH", "study", "", "always", ""),
    Attribute("00201206", "NumberOfStudyRelatedSeries", "IS", "study", "", "always", "series_in_study"),
    Attribute("00201208", "NumberOfStudyRelatedInstances", "IS", "study", "", "always", "instances_in_study"),
    Attribute("00080080", "InstitutionName", "LO", "study", "text", "asked", "institution_name"),
    Attribute("00081030", "StudyDescription", "LO", "study", "text", "always", "study_description"),
    # Table 10.6.3-4 and 10.6.1-5: series
    Attribute("00080060", "Modality", "CS", "series", "text", "always", "modality"),
    Attribute("0008103E", "SeriesDescription", "LO", "series", "text", "always", "series_description"),
    Attribute("00081190", "RetrieveURL", "UR", "series", "", "always", "series_url"),
    Attribute("0020000E", "SeriesInstanceUID", "UI", "series", "uid", "always", "series_instance_uid"),
    Attribute("00200011", "SeriesNumber", "IS", "series", "number", "always", "series_number"),
    Attribute("00201209", "NumberOfSeriesRelatedInstances", "IS", "series", "", "always", "instances_in_series"),
    Attribute("00400244", "PerformedProcedureStepStartDate", "DA", "series", "", "always", ""),
    Attribute("00400245", "PerformedProcedureStepStartTime", "TM", "series", "", "always", ""),
    Attribute("00400275", "RequestAttributesSequence", "SQ", "series", "", "always", ""),
    Attribute("00180015", "BodyPartExamined", "CS", "series", "text", "asked", "body_part_examined"),
    # Table 10.6.3-5 and 10.6.1-5: instances
    Attribute("00080016", "SOPClassUID", "UI", "instance", "uid", "always", "sop_class_uid"),
    Attribute("00080018", "SOPInstanceUID", "UI", "instance", "uid", "always", "sop_instance_uid"),
    Attribute("00080056", "InstanceAvailability", "CS", "instance", "", "always", "availability"),
    Attribute("00081190", "RetrieveURL", "UR", "instance", "", "always", "instance_url"),
    Attribute("00083002", "AvailableTransferSyntaxUID", "UI", "instance", "", "asked", "transfer_syntax_uid"),
    Attribute("00200013", "InstanceNumber", "IS", "instance", "number", "always", "instance_number"),
    Attribute("00280008", "NumberOfFrames", "IS", "instance", "", "always", "NumberOfFrames"),
    Attribute("00280010", "Rows", "US", "instance", "", "always", "Rows"),
    Attribute("00280011", "Columns", "US", "instance", "", "always", "Columns"),
    Attribute("00280100", "BitsAllocated", "US", "instance", "", "always", "BitsAllocated"),
)

ABSENT_WHEN_EMPTY = frozenset({"NumberOfFrames", "Rows", "Columns", "BitsAllocated"})  # "if present in the instance"
DEPTH: Mapping[Level, int] = {"study": 0, "series": 1, "instance": 2}


def at(level: Level) -> tuple[Attribute, ...]:
    """Those of a level's own rows."""
    return tuple(row for row in ATTRIBUTES if row.level == level)


def matchable(level: Level) -> Mapping[str, Attribute]:
    """By tag and by keyword, what a search of a level can name: its own and those above it."""
    rows = [row for row in ATTRIBUTES if DEPTH[row.level] <= DEPTH[level]]
    return {name: row for row in rows for name in (row.tag, row.keyword)}


def keywords(level: Level) -> list[str]:
    """What is matched at a level, by the standard's names."""
    return [row.keyword for row in ATTRIBUTES if row.field and row.match and DEPTH[row.level] <= DEPTH[level]]
