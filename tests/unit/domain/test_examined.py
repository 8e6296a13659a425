"""What a study is an exam of, from the headers of its images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.examined import Examined, examined
from chalicelib.domain.study import Header, Times

UID = "1.2.3"
CODES = {"AnatomicRegionSequence": [{"CodeValue": "T-D3000", "CodingSchemeDesignator": "SRT"}]}


def header(series="1", modality="CT", viewer=None, **more):
    return Header(
        f"{UID}.{series}.{len(more)}", f"{UID}.{series}", UID, "1.2", "1.2", modality, viewer=viewer or {}, **more
    )


@pytest.mark.parametrize(
    ("headers", "parts"),
    [
        ([header(viewer=CODES, study_description="头颅CT平扫")], "CHEST"),
        ([header(viewer={"RequestedProcedureDescription": "盆腔CT"}, study_description="胸部CT")], "PELVIS"),
        (
            [header(viewer={"RequestAttributesSequence": [{"ScheduledProcedureStepDescription": "左膝关节MR"}]})],
            "KNEE:L",
        ),
        ([header(study_description="胸部CT平扫", body_part_examined="HEAD")], "CHEST"),
        ([header(study_description="常规检查", viewer={"ProtocolName": "Thorax^ChestRoutine"})], "CHEST"),
        ([header(series_description="Abdomen 5.0")], "ABDOMEN"),
        ([header(body_part_examined="LSSPINE")], "L_SPINE SACRUM"),
        ([header(body_part_examined="胸部")], "CHEST"),
        ([header(body_part_examined="KNEE", modality="DX", viewer={"ImageLaterality": "R"})], "KNEE:R"),
        ([header(study_description="左膝关节", modality="DX", viewer={"ImageLaterality": "R"})], "KNEE:L"),
        ([header("1", body_part_examined="CHEST"), header("2", body_part_examined="ABDOMEN")], "CHEST ABDOMEN"),
        (
            [
                header("1", body_part_examined="HEAD", viewer={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
                header("2", body_part_examined="CHEST"),
            ],
            "CHEST",
        ),
        (
            [
                header("1", body_part_examined="HEAD", series_description="定位像"),
                header("2", body_part_examined="CHEST"),
            ],
            "CHEST",
        ),
        ([header("1", body_part_examined="HEAD", series_description="Topogram")], "HEAD"),
        ([header(modality="MG", viewer={"ImageLaterality": side}) for side in "RL"], "BREAST:B"),
        ([], ""),
    ],
)
def test_the_best_source_names_the_region(headers, parts):
    assert " ".join(examined(headers).parts) == parts


def test_what_was_made_after_the_exam_says_nothing_of_it():
    report = replace(header("9", "SR", study_description="头颅报告"), times=Times(evidence=False))
    assert examined([report, header(body_part_examined="CHEST")]).parts == ("CHEST",)


@pytest.mark.parametrize(
    ("headers", "contrast"),
    [
        ([header(study_description="胸部CT平扫", viewer={"ContrastBolusAgent": "Iohexol"})], "plain"),
        ([header("1"), header("2", viewer={"ContrastBolusAgent": "Iohexol"})], "both"),
        ([header(viewer={"ContrastBolusAgent": "Iohexol"})], "contrast"),
        ([header()], ""),
    ],
)
def test_contrast_is_what_the_words_say_else_what_was_given(headers, contrast):
    assert examined(headers).contrast == contrast


def test_a_note_of_rejection_marks_the_study():
    title = [{"CodeValue": "113001", "CodingSchemeDesignator": "DCM"}]
    note = replace(header("9", "KO", viewer={"ConceptNameCodeSequence": title}), times=Times(evidence=False))
    assert examined([header(body_part_examined="CHEST"), note]) == Examined(("CHEST",), "", rejected=True)
    other = replace(note, viewer={"ConceptNameCodeSequence": [{**title[0], "CodeValue": "113000"}]})
    assert not examined([other]).rejected


def test_values_that_are_not_what_they_should_be_are_passed_over():
    odd = {
        "AnatomicRegionSequence": "x",
        "RequestAttributesSequence": [1, {}],
        "ProtocolName": ["a"],
        "ImageType": "LOCALIZER",
    }
    assert examined([header(viewer=odd, body_part_examined="CHEST")]).parts == ("CHEST",)
