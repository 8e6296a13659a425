"""What descriptions say: the cases of FACTS 1, ninety more as lists word them, a hundred pairs of orders and studies,
what must win over a word."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.body_region import Part, expand, of_code, of_term, regions
from chalicelib.domain.exam_text import Reading, read_text
from chalicelib.domain.order import named_group, ordered
from chalicelib.domain.similarity import GROUPS, Exam, compare, exam_of, group_of, windows


def rows(name):
    return list(csv.DictReader(Path(f"tests/data/{name}.csv").read_text("utf-8").splitlines()))


DESCRIPTIONS = rows("exam_descriptions") + rows("exam_wordings")
SIMILAR = rows("similar_cases")
ORDERS = rows("exam_orders")


def said(text, group=""):
    return " ".join(map(str, read_text(text, group).parts))


@pytest.mark.parametrize("row", DESCRIPTIONS, ids=[row["description"] for row in DESCRIPTIONS])
def test_a_description_names_its_regions_its_side_and_its_contrast(row):
    read = read_text(row["description"], group_of([row["modality"]]))
    wanted = list(filter(None, row["expected_regions"].split(";")))
    said_sides = row["expected_laterality"].split(";")
    paired = [name for name in wanted if regions()[name].is_paired]
    each = len(said_sides) > 1
    sides = dict(zip(wanted, said_sides, strict=True)) if each else dict.fromkeys(paired, said_sides[0])
    assert {part.region: part.side for part in read.parts} == {name: sides.get(name, "") for name in wanted}
    assert read.contrast == row["contrast"]


@pytest.mark.parametrize("row", SIMILAR, ids=[f"{row['prior_description']}-{row['reason']}" for row in SIMILAR])
def test_two_descriptions_are_as_alike_as_the_table_says(row):
    prior = exam_of(row["prior_modality"], row["prior_description"])
    new = exam_of(row["new_modality"], row["new_description"])
    assert compare(prior, new, int(row["days_between"])) == row["expected"]


@pytest.mark.parametrize("row", ORDERS, ids=[f"{row['prior']}-{row['order']}-{row['days']}" for row in ORDERS])
def test_an_order_finds_the_earlier_study_or_not(row):
    prior, new = exam_of(row["prior_modality"], row["prior"]), exam_of(row["modality"], row["order"])
    assert " ".join(map(str, prior.parts)) == row["prior_regions"]
    assert (" ".join(map(str, new.parts)), new.contrast) == (row["regions"], row["contrast"])
    assert compare(prior, new, int(row["days"])) == row["expected"]


@pytest.mark.parametrize(
    ("text", "group", "regions_"),
    [
        ("冠状面重建", "CT", ""),
        ("手术后", "CT", ""),
        ("腹痛待查", "US", ""),
        ("右膝关节疼痛", "MR", ""),
        ("口腔科会诊", "CT", ""),
        ("Head First Supine", "CT", ""),
        ("chest pain, CT abdomen", "CT", "ABDOMEN"),
        ("双源CT 胸部", "CT", "CHEST"),
        ("T2 turbo spin echo sag", "MR", ""),
        ("L4/5 R/O fracture, foot", "XR", "FOOT"),
        ("左心房 左膝关节", "", "HEART KNEE:L"),
        ("胸 部 C T 平 扫", "CT", "CHEST"),
        ("ＣＨＥＳＴ", "CT", "CHEST"),
        ("上腹部动脉期增强", "CT", "UPPER_ABDOMEN"),
        ("", "CT", ""),
    ],
)
def test_a_phrase_that_names_no_region_wins(text, group, regions_):
    assert said(text, group) == regions_


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("双膝负重位", "XR"),
        ("骨龄测定", "XR"),
        ("CHEST PA", "XR"),
        ("胸部電腦斷層", "CT"),
        ("C T 胸部", "CT"),
        ("腦部磁振造影", "MR"),
        ("腹部超音波", "US"),
        ("残余尿测定", "US"),
        ("小肠CTE", "CT"),
        ("V/Q scan", "NM"),
        ("乳腺X线摄影", "MG"),
        ("胸部检查", ""),
    ],
)
def test_an_order_without_a_code_names_its_kind_of_machine(text, group):
    assert named_group(text) == group


def test_a_mammography_that_names_nothing_is_of_the_breast():
    assert ordered(("筛查钼靶",), (), ()) == Exam("MG", (Part("BREAST"),))
    assert ordered(("常规筛查",), ("MG",), ()) == Exam("MG", (Part("BREAST"),))
    assert ordered(("常规筛查",), ("CT",), ()) == Exam("CT", ())


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("CHEST", "CHEST"),
        ("chest ", "CHEST"),
        ("CT SPINE", "SPINE"),
        ("CTSPINE", "C_SPINE T_SPINE"),
        ("LSSPINE", "L_SPINE SACRUM"),
        ("C-SPINE", "C_SPINE"),
        ("LFEMORALA", "VESSEL_LOWER_LIMB:L"),
        ("CHEST_ABDOMEN", "CHEST ABDOMEN"),
        ("CHESTABDOMEN", "CHEST ABDOMEN"),
        ("PNS", "SINUS"),
        ("XYZ", ""),
        ("", ""),
    ],
)
def test_body_part_examined_is_read_as_devices_write_it(term, found):
    assert " ".join(map(str, of_term(term))) == found


@pytest.mark.parametrize(
    ("scheme", "value"), [("SRT", "T-D3000"), ("SCT", "51185008"), ("SCT", "816094009"), ("SNM3", "t-d3000")]
)
def test_both_generations_of_codes_mean_the_chest(scheme, value):
    assert of_code(scheme, value) == (Part("CHEST"),)


def test_a_code_of_nobody_means_nothing():
    assert of_code("DCM", "51185008") == of_code("", "") == ()


def test_every_table_names_only_regions_that_exist():
    for region in regions().values():
        named = {*region.expands, region.parent or region.name, region.angio or region.name}
        assert named <= set(regions())
        assert all(not regions()[one].expands for one in expand(region.name))


def test_all_terms_of_annex_l_are_known():
    terms = {term for region in regions().values() for term in region.dicom}
    assert len(terms) >= 317
    assert all(of_term(term) for term in terms)


@given(st.text(max_size=200), st.sampled_from(["", "CT", "MR", "XR", "US"]))
def test_any_text_is_read_without_a_fault(text, group):
    read = read_text(text, group)
    assert isinstance(read, Reading)
    assert len({part.region for part in read.parts}) == len(read.parts)
    assert all(not regions()[part.region].expands for part in read.parts)


SIDED = st.builds(Part, st.sampled_from(["KNEE", "HIP", "SHOULDER"]), st.sampled_from(["", "L", "R", "B"]))


@given(SIDED, SIDED, st.integers(0, 400))
def test_an_exam_of_both_sides_answers_whatever_one_side_answers(prior, new, days):
    both = compare(Exam("MR", (Part(prior.region, "B"),)), Exam("MR", (new,)), days)
    order = ["none", "related", "duplicate"]
    assert order.index(both) >= order.index(compare(Exam("MR", (prior,)), Exam("MR", (new,)), days))


@given(st.integers(0, 400), st.integers(0, 400))
def test_time_never_makes_an_exam_more_alike(first, later):
    prior = new = Exam("CT", (Part("CHEST"),))
    order = ["none", "related", "duplicate"]
    nearer, farther = sorted((first, later))
    assert order.index(compare(prior, new, nearer)) >= order.index(compare(prior, new, farther))


def test_every_kind_of_machine_has_a_window_and_a_hospital_without_its_own_has_the_province_s():
    assert set(windows()) == set(GROUPS.values())
    assert windows("H1") == windows()


def test_a_hospital_has_windows_of_its_own():
    prior = new = Exam("CT", (Part("CHEST"),))
    assert compare(prior, new, 45) == "related"
    assert compare(prior, new, 45, {"CT": 60}) == "duplicate"
    assert compare(prior, new, 3, {"CT": 0}) == "related"


def test_a_study_of_several_modalities_is_what_it_is_for():
    assert [group_of(given) for given in (["CT", "PT"], ["MR", "SR"], ["SR"], [], ["DX", "CT"])] == [
        "PT",
        "MR",
        "",
        "",
        "CT",
    ]
