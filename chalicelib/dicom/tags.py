"""Which attributes are read, as tables (PS3.6 gives tag, VR and VM). The only place that lists them.

`INDEXED` become fields of `Header`; `VIEWER` its `viewer` mapping: what @cornerstonejs/dicom-image-loader 5.14 reads
of an image, and what an overlay shows. What is a field already is not repeated in `viewer`. Functional groups are left
to the viewer: they can be megabytes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["study", "series", "instance"]


class Tag(NamedTuple):
    """`vm` is PS3.6's: "1" gives one value in `viewer`, anything else a list. `level` is where the value usually
    stands; it is stored once only where all instances of a series agree."""

    tag: int
    keyword: str
    vr: str
    vm: str
    level: Level


CHARACTER_SET = 0x00080005
FRAME_TIME_VECTOR = 0x00181065
PIXEL_REPRESENTATION = 0x00280103
MEDIA_STORAGE_SOP_CLASS = 0x00020002
TRANSFER_SYNTAX = 0x00020010

INDEXED: dict[str, Tag] = {
    "sop_class_uid": Tag(0x00080016, "SOPClassUID", "UI", "1", "series"),
    "sop_instance_uid": Tag(0x00080018, "SOPInstanceUID", "UI", "1", "instance"),
    "study_date": Tag(0x00080020, "StudyDate", "DA", "1", "study"),
    "study_time": Tag(0x00080030, "StudyTime", "TM", "1", "study"),
    "accession_number": Tag(0x00080050, "AccessionNumber", "SH", "1", "study"),
    "modality": Tag(0x00080060, "Modality", "CS", "1", "series"),
    "institution_name": Tag(0x00080080, "InstitutionName", "LO", "1", "study"),
    "study_description": Tag(0x00081030, "StudyDescription", "LO", "1", "study"),
    "series_description": Tag(0x0008103E, "SeriesDescription", "LO", "1", "series"),
    "patient_name": Tag(0x00100010, "PatientName", "PN", "1", "study"),
    "patient_id": Tag(0x00100020, "PatientID", "LO", "1", "study"),
    "patient_birth_date": Tag(0x00100030, "PatientBirthDate", "DA", "1", "study"),
    "patient_sex": Tag(0x00100040, "PatientSex", "CS", "1", "study"),
    "body_part_examined": Tag(0x00180015, "BodyPartExamined", "CS", "1", "series"),
    "study_instance_uid": Tag(0x0020000D, "StudyInstanceUID", "UI", "1", "study"),
    "series_instance_uid": Tag(0x0020000E, "SeriesInstanceUID", "UI", "1", "series"),
    "series_number": Tag(0x00200011, "SeriesNumber", "IS", "1", "series"),
    "instance_number": Tag(0x00200013, "InstanceNumber", "IS", "1", "instance"),
}
SYNTAX = Tag(TRANSFER_SYNTAX, "TransferSyntaxUID", "UI", "1", "series")
SOP_CLASS = INDEXED["sop_class_uid"]

UIDS: dict[str, Tag] = {
    "study_instance_uid": INDEXED["study_instance_uid"],
    "series_instance_uid": INDEXED["series_instance_uid"],
    "sop_instance_uid": INDEXED["sop_instance_uid"],
    "sop_class_uid": SOP_CLASS,
    "transfer_syntax_uid": SYNTAX,
}
"""Without these an instance is not indexed."""

KEYWORD_OF_FIELD = {field: tag.keyword for field, tag in (INDEXED | UIDS).items()}
FIELD_OF_KEYWORD = {keyword: field for field, keyword in KEYWORD_OF_FIELD.items()}

# What an exam was of (domain.examined); ConceptNameCodeSequence is the title of a key object: why images are rejected.
EXAMINED: tuple[Tag, ...] = (
    Tag(0x00082218, "AnatomicRegionSequence", "SQ", "1", "series"),
    Tag(0x00321060, "RequestedProcedureDescription", "LO", "1", "study"),
    Tag(0x00400275, "RequestAttributesSequence", "SQ", "1", "series"),
    Tag(0x0040A043, "ConceptNameCodeSequence", "SQ", "1", "instance"),
)

VIEWER: tuple[Tag, ...] = (
    Tag(0x00080005, "SpecificCharacterSet", "CS", "1-n", "series"),
    Tag(0x00080008, "ImageType", "CS", "2-n", "instance"),
    Tag(0x00080021, "SeriesDate", "DA", "1", "series"),
    Tag(0x00080022, "AcquisitionDate", "DA", "1", "instance"),
    Tag(0x0008002A, "AcquisitionDateTime", "DT", "1", "instance"),
    Tag(0x00080031, "SeriesTime", "TM", "1", "series"),
    Tag(0x00080032, "AcquisitionTime", "TM", "1", "instance"),
    Tag(0x00080033, "ContentTime", "TM", "1", "instance"),
    Tag(0x00080070, "Manufacturer", "LO", "1", "series"),
    Tag(0x00081010, "StationName", "SH", "1", "series"),
    Tag(0x00081090, "ManufacturerModelName", "LO", "1", "series"),
    Tag(0x00082144, "RecommendedDisplayFrameRate", "IS", "1", "instance"),
    Tag(0x00101010, "PatientAge", "AS", "1", "study"),
    Tag(0x00101030, "PatientWeight", "DS", "1", "study"),
    Tag(0x00180010, "ContrastBolusAgent", "LO", "1", "series"),
    Tag(0x00180040, "CineRate", "IS", "1", "instance"),
    Tag(0x00180050, "SliceThickness", "DS", "1", "series"),
    Tag(0x00180060, "KVP", "DS", "1", "series"),
    Tag(0x00180080, "RepetitionTime", "DS", "1", "series"),
    Tag(0x00180081, "EchoTime", "DS", "1", "instance"),
    Tag(0x00180086, "EchoNumbers", "IS", "1-n", "instance"),
    Tag(0x00180087, "MagneticFieldStrength", "DS", "1", "series"),
    Tag(0x00180088, "SpacingBetweenSlices", "DS", "1", "series"),
    Tag(0x00181030, "ProtocolName", "LO", "1", "series"),
    Tag(0x00181060, "TriggerTime", "DS", "1", "instance"),
    Tag(0x00181063, "FrameTime", "DS", "1", "instance"),
    Tag(0x00181065, "FrameTimeVector", "DS", "1-n", "instance"),
    Tag(0x00181151, "XRayTubeCurrent", "IS", "1", "instance"),
    Tag(0x00181164, "ImagerPixelSpacing", "DS", "2", "series"),
    Tag(0x00181210, "ConvolutionKernel", "SH", "1-n", "series"),
    Tag(0x00181242, "ActualFrameDuration", "IS", "1", "instance"),
    Tag(0x00185100, "PatientPosition", "CS", "1", "series"),
    Tag(0x00185101, "ViewPosition", "CS", "1", "instance"),
    Tag(0x00186011, "SequenceOfUltrasoundRegions", "SQ", "1", "instance"),
    Tag(0x00189087, "DiffusionBValue", "FD", "1", "instance"),
    Tag(0x00200012, "AcquisitionNumber", "IS", "1", "instance"),
    Tag(0x00200020, "PatientOrientation", "CS", "2", "instance"),
    Tag(0x00200032, "ImagePositionPatient", "DS", "3", "instance"),
    Tag(0x00200037, "ImageOrientationPatient", "DS", "6", "series"),
    Tag(0x00200052, "FrameOfReferenceUID", "UI", "1", "series"),
    Tag(0x00200060, "Laterality", "CS", "1", "series"),
    Tag(0x00200062, "ImageLaterality", "CS", "1", "instance"),
    Tag(0x00200100, "TemporalPositionIdentifier", "IS", "1", "instance"),
    Tag(0x00201041, "SliceLocation", "DS", "1", "instance"),
    Tag(0x00280002, "SamplesPerPixel", "US", "1", "series"),
    Tag(0x00280004, "PhotometricInterpretation", "CS", "1", "series"),
    Tag(0x00280006, "PlanarConfiguration", "US", "1", "series"),
    Tag(0x00280008, "NumberOfFrames", "IS", "1", "instance"),
    Tag(0x00280010, "Rows", "US", "1", "series"),
    Tag(0x00280011, "Columns", "US", "1", "series"),
    Tag(0x00280030, "PixelSpacing", "DS", "2", "series"),
    Tag(0x00280034, "PixelAspectRatio", "IS", "2", "series"),
    Tag(0x00280051, "CorrectedImage", "CS", "1-n", "series"),
    Tag(0x00280100, "BitsAllocated", "US", "1", "series"),
    Tag(0x00280101, "BitsStored", "US", "1", "series"),
    Tag(0x00280102, "HighBit", "US", "1", "series"),
    Tag(0x00280103, "PixelRepresentation", "US", "1", "series"),
    Tag(0x00280106, "SmallestImagePixelValue", "US or SS", "1", "instance"),
    Tag(0x00280107, "LargestImagePixelValue", "US or SS", "1", "instance"),
    Tag(0x00280120, "PixelPaddingValue", "US or SS", "1", "series"),
    Tag(0x00280301, "BurnedInAnnotation", "CS", "1", "instance"),
    Tag(0x00281050, "WindowCenter", "DS", "1-n", "instance"),
    Tag(0x00281051, "WindowWidth", "DS", "1-n", "instance"),
    Tag(0x00281052, "RescaleIntercept", "DS", "1", "series"),
    Tag(0x00281053, "RescaleSlope", "DS", "1", "series"),
    Tag(0x00281054, "RescaleType", "LO", "1", "series"),
    Tag(0x00281055, "WindowCenterWidthExplanation", "LO", "1-n", "series"),
    Tag(0x00281056, "VOILUTFunction", "CS", "1", "series"),
    Tag(0x00281101, "RedPaletteColorLookupTableDescriptor", "US or SS", "3", "series"),
    Tag(0x00282110, "LossyImageCompression", "CS", "1", "instance"),
    Tag(0x00282112, "LossyImageCompressionRatio", "DS", "1-n", "instance"),
    Tag(0x00282114, "LossyImageCompressionMethod", "CS", "1-n", "instance"),
    Tag(0x00540016, "RadiopharmaceuticalInformationSequence", "SQ", "1", "series"),
    Tag(0x00541001, "Units", "CS", "1", "series"),
    Tag(0x00541102, "DecayCorrection", "CS", "1", "series"),
    Tag(0x00541300, "FrameReferenceTime", "DS", "1", "instance"),
    Tag(0x20500020, "PresentationLUTShape", "CS", "1", "series"),
    *EXAMINED,
)

# Read for the exam's end only (FACTS §3).
TIMES: tuple[Tag, ...] = (
    Tag(0x00080023, "ContentDate", "DA", "1", "instance"),
    Tag(0x00080201, "TimezoneOffsetFromUTC", "SH", "1", "instance"),
    Tag(0x00180072, "EffectiveDuration", "DS", "1", "instance"),
    Tag(0x00189073, "AcquisitionDuration", "FD", "1", "instance"),
    Tag(0x00189517, "EndAcquisitionDateTime", "DT", "1", "instance"),
    Tag(0x00400250, "PerformedProcedureStepEndDate", "DA", "1", "series"),
    Tag(0x00400251, "PerformedProcedureStepEndTime", "TM", "1", "series"),
)

# What is read of the sequences in VIEWER.
INSIDE_SEQUENCES: tuple[Tag, ...] = (
    Tag(0x00080100, "CodeValue", "SH", "1", "series"),
    Tag(0x00080102, "CodingSchemeDesignator", "SH", "1", "series"),
    Tag(0x00400007, "ScheduledProcedureStepDescription", "LO", "1", "series"),
    Tag(0x00186012, "RegionSpatialFormat", "US", "1", "instance"),
    Tag(0x00186014, "RegionDataType", "US", "1", "instance"),
    Tag(0x00186016, "RegionFlags", "UL", "1", "instance"),
    Tag(0x00186018, "RegionLocationMinX0", "UL", "1", "instance"),
    Tag(0x0018601A, "RegionLocationMinY0", "UL", "1", "instance"),
    Tag(0x0018601C, "RegionLocationMaxX1", "UL", "1", "instance"),
    Tag(0x0018601E, "RegionLocationMaxY1", "UL", "1", "instance"),
    Tag(0x00186020, "ReferencePixelX0", "SL", "1", "instance"),
    Tag(0x00186022, "ReferencePixelY0", "SL", "1", "instance"),
    Tag(0x00186024, "PhysicalUnitsXDirection", "US", "1", "instance"),
    Tag(0x00186026, "PhysicalUnitsYDirection", "US", "1", "instance"),
    Tag(0x00186028, "ReferencePixelPhysicalValueX", "FD", "1", "instance"),
    Tag(0x0018602A, "ReferencePixelPhysicalValueY", "FD", "1", "instance"),
    Tag(0x0018602C, "PhysicalDeltaX", "FD", "1", "instance"),
    Tag(0x0018602E, "PhysicalDeltaY", "FD", "1", "instance"),
    Tag(0x00181072, "RadiopharmaceuticalStartTime", "TM", "1", "series"),
    Tag(0x00181074, "RadionuclideTotalDose", "DS", "1", "series"),
    Tag(0x00181075, "RadionuclideHalfLife", "DS", "1", "series"),
    Tag(0x00181078, "RadiopharmaceuticalStartDateTime", "DT", "1", "series"),
)

BY_TAG = {tag.tag: tag for tag in (SYNTAX, *INDEXED.values(), *VIEWER, *TIMES, *INSIDE_SEQUENCES)}
BY_KEYWORD = {tag.keyword: tag for tag in BY_TAG.values()}
SEQUENCES = frozenset(tag.tag for tag in VIEWER if tag.vr == "SQ")
WANTED = frozenset(BY_TAG) - SEQUENCES
LAST_WANTED = max(BY_TAG)
SEVERAL = frozenset(tag.tag for tag in BY_TAG.values() if tag.vm != "1")
