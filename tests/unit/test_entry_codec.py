from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.entry_codec import entry_from_json, entry_to_json
from chalicelib.domain.study import Checksum, Entry, Header, Place, Repair, Times

words = st.text(max_size=12)
instants = st.datetimes(timezones=st.just(UTC))
numbers = st.none() | st.integers(-(2**31), 2**31)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
entries = st.builds(
    Entry,
    header=st.builds(
        Header,
        **dict.fromkeys(
            (
                "sop_instance_uid",
                "series_instance_uid",
                "study_instance_uid",
                "sop_class_uid",
                "transfer_syntax_uid",
                "modality",
                "patient_id",
                "patient_name",
                "patient_birth_date",
                "patient_sex",
                "accession_number",
                "study_date",
                "study_time",
                "study_description",
                "series_description",
                "body_part_examined",
                "institution_name",
            ),
            words,
        ),
        series_number=numbers,
        instance_number=numbers,
        times=st.builds(
            Times,
            acquired_at=st.none() | instants,
            source=st.just("none") | words,
            step_ended_at=st.none() | instants,
            evidence=st.booleans(),
            capture=st.booleans(),
            flags=st.lists(words, max_size=2).map(tuple),
        ),
        viewer=st.dictionaries(words, json_values, max_size=4),
        repaired=st.dictionaries(words, st.builds(Repair, words, words), max_size=2),
    ),
    place=st.builds(Place, words, words, st.integers(0, 2**40), st.integers(0, 2**40)),
    received_at=instants,
    checksum=st.none() | st.builds(Checksum, words, words),
)


@given(entries)
def test_an_entry_survives_json_without_loss(entry):
    assert entry_from_json(json.loads(json.dumps(entry_to_json(entry)))) == entry


def test_the_short_keys_keep_their_meaning_for_what_is_already_stored():
    stored = (
        '{"o":"1.2.3","e":"1.2","u":"1.1","c":"1.2.840.10008.5.1.4.1.1.2","y":"1.2.840.10008.1.2.1","m":"CT",'
        '"p":"P1","n":"王^小明","b":"19800101","x":"M","a":"A1","d":"20261123","t":"101500","D":"胸部CT平扫",'
        '"S":"肺窗","B":"CHEST","I":"江苏省人民医院","s":2,"i":17,"P":["instances/H1/2026-11-23/1.dcm","v1",0,99],'
        '"R":"2026-11-23T02:00:00+00:00","C":["CRC64NVME","AAAAAAAAAAA="],'
        '"T":{"a":"2026-11-23T01:00:00+00:00","s":"AcquisitionDateTime","e":0,"c":1,"f":["start_only"]},'
        '"V":{"Rows":512},"F":{"patient_name":["gb18030","cdf5"]}}'
    )
    entry = entry_from_json(json.loads(stored))
    assert entry == Entry(
        Header(
            sop_instance_uid="1.2.3",
            series_instance_uid="1.2",
            study_instance_uid="1.1",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            modality="CT",
            patient_id="P1",
            patient_name="王^小明",
            patient_birth_date="19800101",
            patient_sex="M",
            accession_number="A1",
            study_date="20261123",
            study_time="101500",
            study_description="胸部CT平扫",
            series_description="肺窗",
            body_part_examined="CHEST",
            institution_name="江苏省人民医院",
            series_number=2,
            instance_number=17,
            times=Times(
                acquired_at=datetime(2026, 11, 23, 1, tzinfo=UTC),
                source="AcquisitionDateTime",
                evidence=False,
                capture=True,
                flags=("start_only",),
            ),
            viewer={"Rows": 512},
            repaired={"patient_name": Repair("gb18030", "cdf5")},
        ),
        Place("instances/H1/2026-11-23/1.dcm", "v1", 0, 99),
        datetime(2026, 11, 23, 2, tzinfo=UTC),
        Checksum("CRC64NVME", "AAAAAAAAAAA="),
    )
    assert json.loads(json.dumps(entry_to_json(entry))) == json.loads(stored)


def test_an_attribute_without_a_value_takes_no_room():
    entry = Entry(Header("1", "2", "3", "4", "5"), Place("k", "v", 0, 1), datetime(2026, 1, 1, tzinfo=UTC))
    assert set(entry_to_json(entry)) == {"o", "e", "u", "c", "y", "P", "R"}
