"""QIDO-RS matching, row by row of PS3.18's tables, against PS3.4 C.2.2.2."""

import pytest

from chalicelib.dicom.attributes import ATTRIBUTES, at, matchable
from chalicelib.dicom.query import FUZZY, MOST, UNMATCHED, USUAL, BadQuery, read_query

# PS3.18 Table 10.6.1-5, "IE level" and key, and 10.6.3-3 to -5, what every answer of a level holds.
MATCHING = {
    "study": "StudyDate StudyTime AccessionNumber ModalitiesInStudy PatientName PatientID StudyInstanceUID",
    "series": "Modality SeriesInstanceUID SeriesNumber",
    "instance": "SOPClassUID SOPInstanceUID InstanceNumber",
}
NOT_INDEXED = {
    "study": "ReferringPhysicianName StudyID",
    "series": "PerformedProcedureStepStartDate PerformedProcedureStepStartTime RequestAttributesSequence",
    "instance": "",
}
RETURNED = {
    "study": "00080005 00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020 00100030"
    " 00100040 0020000D 00200010 00201206 00201208",
    "series": "00080005 00080060 0008103E 00081190 0020000E 00200011 00201209 00400244 00400245 00400275",
    "instance": "00080005 00080016 00080018 00080056 00081190 00200013 00280008 00280010 00280011 00280100",
}
STUDY = {
    "study_date": "20261124",
    "study_time": "101530.25",
    "accession_number": "A-1*?",
    "modalities": ("CT", "SR"),
    "patient_name": "Ouyang^Huimin=欧阳^慧敏",
    "patient_id": "P1",
    "patient_birth_date": "1970.01.01",
    "patient_sex": "M",
    "study_instance_uid": "1.2.840.1",
    "study_description": "胸部CT平扫",
    "character_set": "ISO_IR 192",
    "availability": "ONLINE",
    "study_url": "https://x/studies/1.2.840.1",
    "series_in_study": 2,
    "instances_in_study": 300,
}
SERIES = {"modality": "CT", "series_number": 3, "series_instance_uid": "1.2.840.1.1", "instances_in_series": 300}
INSTANCE = {"sop_class_uid": "1.2.3", "sop_instance_uid": "1.2.840.1.1.1", "instance_number": 7, "Rows": 512}
ALL = STUDY | SERIES | INSTANCE | {"Columns": 512, "BitsAllocated": 16, "NumberOfFrames": 2}


def matches(values, level="study", **keys):
    query = read_query(list(keys.items()), level)
    return all(query.matches(values, each) for each in ("study", "series", "instance"))


@pytest.mark.parametrize("level", RETURNED)
def test_every_row_of_the_result_tables_stands_in_an_answer(level):
    answer = read_query([], level).answer(ALL, relational=True)
    assert set(RETURNED[level].split()) <= set(answer)
    assert list(answer) == sorted(answer)


@pytest.mark.parametrize(
    ("level", "keyword"), [(level, key) for level, keys in MATCHING.items() for key in keys.split()]
)
def test_every_row_of_the_key_table_matches_its_own_value_and_no_other_by_keyword_and_tag(level, keyword):
    row = matchable(level)[keyword]
    value = ALL[row.field]
    told = str(value[0] if isinstance(value, tuple) else value)
    other = {"number": "99", "uid": "9.9", "date": "19991231", "time": "235959"}.get(row.match, "no such")
    for name in (row.tag, keyword):
        assert matches(ALL, level, **{name: told.replace("*?", "?*")})
        assert not matches(ALL, level, **{name: other})
        assert matches(ALL, level, **{name: ""})


@pytest.mark.parametrize("level", NOT_INDEXED)
def test_a_key_that_is_not_indexed_is_told_of_and_not_used(level):
    for keyword in NOT_INDEXED[level].split():
        query = read_query([(keyword, "x")], level)
        assert query.warnings == (UNMATCHED,)
        assert query.matches(ALL, level)
        tag = next(row.tag for row in ATTRIBUTES if row.keyword == keyword)
        assert set(query.answer(ALL, relational=True)[tag]) == {"vr"}


@pytest.mark.parametrize(
    ("asked", "held", "matched"),
    [
        ("20261124", "20261124", True),
        ("20261124", "2026.11.24", True),
        ("20261101-20261130", "20261124", True),
        ("20261101-20261130", "20261130", True),
        ("20261101-20261123", "20261124", False),
        ("20261124-", "20261124", True),
        ("20261125-", "20261124", False),
        ("-20261124", "20261124", True),
        ("-20261123", "20261124", False),
        ("20261101-20261130", "", False),
        ("", "", True),
        ("-20261124", "unknown", False),
    ],
)
def test_dates(asked, held, matched):
    assert matches({"study_date": held}, StudyDate=asked) is matched


@pytest.mark.parametrize(
    ("asked", "held", "matched"),
    [
        ("1015", "101530", True),
        ("10", "101530.25", True),
        ("1016", "101530", False),
        ("10-11", "115959", True),
        ("101530-101530", "101530.25", True),
        ("-1014", "101530", False),
        ("1016-", "101530", False),
        ("10:15-10:16", "101530", True),
    ],
)
def test_times(asked, held, matched):
    assert matches({"study_time": held}, StudyTime=asked) is matched


@pytest.mark.parametrize(
    ("asked", "matched"),
    [
        ("ouyang*", True),
        ("OUYANG^HUIMIN", True),
        ("欧阳*", True),
        ("*慧?", True),
        ("欧阳^慧敏", True),
        ("Ouyang", False),
        ("?uyang^Huimi?", True),
        ("?uyang^Huimin?", False),
        ("*", True),
        ("**a**min", True),
        ("*a*a*a*min", False),
    ],
)
def test_names_match_by_whole_or_group_without_regard_to_case(asked, matched):
    assert matches(STUDY, PatientName=asked) is matched


@pytest.mark.parametrize(
    ("key", "asked", "matched"),
    [
        ("StudyDescription", "胸部*", True),
        ("StudyDescription", "胸部ct平扫", False),
        ("ModalitiesInStudy", "SR", True),
        ("ModalitiesInStudy", "MR", False),
        ("ModalitiesInStudy", "MR\\CT", True),
        ("ModalitiesInStudy", "MR,CT", True),
        ("StudyInstanceUID", "1.2.840.1,1.2.840.2", True),
        ("StudyInstanceUID", "1.2.840.3\\1.2.840.2", False),
        ("PatientID", "p1", False),
        ("00100020", "P?", True),
    ],
)
def test_texts_and_lists(key, asked, matched):
    assert matches(STUDY, **{key: asked}) is matched


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "x"),
        ("offset", "-1"),
        ("fuzzymatching", "yes"),
        ("includefield", "a b"),
        ("StudyDate", "2026-11-24"),
        ("StudyDate", "today"),
        ("StudyDate", "-"),
        ("StudyTime", "25h"),
        ("StudyInstanceUID", "1.2.x"),
        ("StudyInstanceUID", "1" * 65),
        ("PatientID", "P" * 1025),
        ("drop table", "1"),
    ],
)
def test_what_is_no_query_is_refused(name, value):
    with pytest.raises(BadQuery):
        read_query([(name, value)], "instance")


def test_a_page_is_bounded_and_unsupported_matching_is_told():
    assert (read_query([], "study").limit, read_query([("limit", "99999")], "study").limit) == (USUAL, MOST)
    assert read_query([("fuzzymatching", "true")], "study").warnings == (FUZZY,)
    assert read_query([("Occupation", "x"), ("0040A730.0040A160", "y")], "study").warnings == (UNMATCHED,)
    assert read_query([("SeriesNumber", "1")], "study").warnings == (UNMATCHED,)


def test_more_attributes_come_with_includefield_or_a_key():
    usual = read_query([], "study").answer(STUDY, relational=True)
    assert "00080080" not in usual
    for asked in (("includefield", "InstitutionName"), ("includefield", "00080080,StudyID"), ("includefield", "all")):
        assert "00080080" in read_query([asked], "study").answer(STUDY, relational=True)
    assert "00080080" in read_query([("InstitutionName", "*")], "study").answer(STUDY, relational=True)


def test_within_a_study_only_its_uid_is_told_of_it():
    answer = read_query([], "instance").answer(ALL, relational=False)
    assert {"0020000D", "0020000E", "00080018"} <= set(answer)
    assert not {"00100010", "00100020", "00080060"} & set(answer)


def test_numbers_are_numbers_and_names_are_groups():
    answer = read_query([], "instance").answer(ALL, relational=True)
    assert answer["00280010"] == {"vr": "US", "Value": [512]}
    assert answer["00200013"] == {"vr": "IS", "Value": [7]}
    assert answer["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Ouyang^Huimin", "Ideographic": "欧阳^慧敏"}]}
    assert answer["00080061"] == {"vr": "CS", "Value": ["CT", "SR"]}
    assert "00280008" not in read_query([], "instance").answer(STUDY | SERIES | INSTANCE, relational=True)


def test_each_level_has_one_row_for_a_tag():
    for level in RETURNED:
        tags = [row.tag for row in at(level)]
        assert len(tags) == len(set(tags))
