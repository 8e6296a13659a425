import base64
import json
import random
import zlib
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.columns import from_columns, to_columns
from chalicelib.domain.manifest import Manifest, digest_of, place_of
from chalicelib.domain.study import Checksum, Place, Repair, Times
from tests.support.settle_samples import REF, T0, entry


def made(*entries, status="served"):
    return Manifest.of(REF, "served", [(found, status) for found in entries])


def test_what_is_equal_in_a_series_stands_once():
    (series,) = made(entry(1), entry(2)).series
    assert series.shared["modality"] == "CT"
    assert series.shared["status"] == "served"
    assert series.viewer == {"Rows": 512, "Columns": 512}
    assert [row["viewer"] for row in series.rows] == [
        {"ImagePositionPatient": ["0", "0", "1"]},
        {"ImagePositionPatient": ["0", "0", "2"]},
    ]
    assert "modality" not in series.rows[0]


def test_one_and_one_point_nought_and_true_are_not_equal():
    values = [1, 1.0, True, "1", [1], [1.0]]
    manifest = made(*(entry(number, viewer={"A": value}) for number, value in enumerate(values)))
    read = Manifest.from_json(manifest.to_json())
    assert [repr(found.header.viewer["A"]) for found, _ in read.entries()] == [repr(value) for value in values]


def test_absent_and_null_are_not_equal():
    read = Manifest.from_json(made(entry(1, viewer={"A": None}), entry(2, viewer={})).to_json())
    assert [dict(found.header.viewer) for found, _ in read.entries()] == [{"A": None}, {}]


def test_the_order_of_keys_inside_a_value_does_not_matter():
    one, two = {"A": {"x": 1, "y": 2}}, {"A": {"y": 2, "x": 1}}
    (series,) = made(entry(1, viewer=one), entry(2, viewer=two)).series
    assert series.viewer == one


def test_series_and_instances_stand_by_number_then_uid_with_unnumbered_ones_last():
    entries = [
        entry(1, series=5, series_number=None),
        entry(1, series=3, series_number=2),
        entry(1, series=2, series_number=10),
        entry(3, series=1, instance_number=None),
        entry(2, series=1, instance_number=7),
        entry(1, series=1, instance_number=10),
    ]
    manifest = made(*entries)
    assert [series.shared["series_instance_uid"][-1] for series in manifest.series] == ["1", "3", "2", "5"]
    assert [row["sop_instance_uid"][-1] for row in manifest.series[0].rows] == ["2", "1", "3"]
    assert made(*reversed(entries)).to_json() == manifest.to_json()


def test_served_instances_come_with_all_their_fields_and_their_place():
    first, other = entry(1), entry(1, "b", at=1)
    manifest = Manifest.of(REF, "served", [(first, "served"), (other, "duplicate"), (entry(2), "served")])
    instances = [found for series in manifest.series for found in series.instances()]
    assert [found["instance_number"] for found in instances] == [1, 2]
    assert place_of(instances[0]) == first.place
    assert instances[0]["viewer"] == {"ImagePositionPatient": ["0", "0", "1"]}


def test_statuses_are_those_of_all_entries():
    judged = [(entry(1), "served"), (entry(1, "b", at=1), "divergent")]
    assert list(Manifest.of(REF, "served", judged).statuses()) == ["served", "divergent"]
    assert list(made(entry(1), entry(2)).statuses()) == ["served", "served"]


def test_the_json_is_canonical_utf8():
    body = made(entry(1)).to_json()
    again = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert body == again.encode()
    assert "张三".encode() in body
    assert len(digest_of(body)) == 64


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
instants = st.integers(0, 10**12).map(lambda micros: T0 + timedelta(microseconds=micros))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
times = st.builds(
    Times,
    acquired_at=st.none() | instants,
    source=texts,
    step_ended_at=st.none() | instants,
    evidence=st.booleans(),
    capture=st.booleans(),
    flags=st.lists(texts, max_size=2).map(tuple),
)


@st.composite
def any_entry(draw, number):
    base = entry(number, series=draw(st.integers(1, 2)))
    header = replace(
        base.header,
        patient_name=draw(texts),
        series_number=draw(st.none() | st.integers(0, 2)),
        instance_number=draw(st.none() | st.integers(0, 2)),
        study_description=draw(texts),
        times=draw(times),
        viewer=draw(st.dictionaries(st.sampled_from(["A", "B"]), values, max_size=2)),
        repaired=draw(st.dictionaries(st.just("patient_name"), st.builds(Repair, texts, texts), max_size=1)),
    )
    place = Place(
        draw(texts), f"{draw(st.sampled_from('ab'))}{number}", draw(st.integers(0, 9)), draw(st.integers(1, 9))
    )
    return replace(
        base,
        header=header,
        place=place,
        received_at=draw(instants),
        checksum=draw(st.none() | st.builds(Checksum, texts, texts)),
    )


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True).flatmap(lambda n: st.tuples(*map(any_entry, n)))
)
def test_a_manifest_loses_nothing_and_its_bytes_do_not_depend_on_order(entries):
    manifest = made(*entries)
    body = manifest.to_json()
    read = Manifest.from_json(body)
    assert read.to_json() == body
    found = {entry_.place.version_id: entry_ for entry_, _ in read.entries()}
    assert found == {entry_.place.version_id: entry_ for entry_ in entries}
    assert made(*reversed(entries)).to_json() == body


def test_three_thousand_instances_take_two_hundred_kilobytes_half_of_it_ids_that_no_compression_shrinks():
    chance = random.Random(7)  # noqa: S311 - the same every time

    def token(length):
        return base64.b64encode(chance.randbytes(length)).decode()

    def image(number):
        viewer = {
            "Rows": 512,
            "PixelSpacing": ["0.7421875", "0.7421875"],
            "ImagePositionPatient": ["-189.62890625", "-330.62890625", f"{number * -0.7:.2f}"],
            "SliceLocation": f"{number * -0.7:.2f}",
            "XRayTubeCurrent": chance.randrange(100, 400),
        }
        base = "1.3.12.2.1107.5.1.4.73104.3000002611240001122330"
        sop = f"{base}{chance.randrange(10**6):06d}{number:05d}"
        key = f"instances/H1/2026-11-24/{number % 10}/{number:06d}.dcm"
        length = 526_000 + chance.randrange(600)
        changes = {"sop_instance_uid": sop, "instance_number": number // 10, "viewer": viewer}
        return entry(
            number, token(24), number // 8, series=number % 10, key=key, length=length, checksum=token(8), **changes
        )

    body = made(*map(image, range(3000))).to_json()
    assert len(zlib.compress(body)) < 200_000


def test_columns_hold_what_all_rows_of_a_group_have_and_the_rest_stands_apart():
    groups = [[{"a": 1, "b": 2}, {"a": 3}], [{}], [{"b": None}]]
    body = to_columns(groups)
    assert body == {"columns": {"a": [[1, 3], None, None], "b": [None, None, [None]]}, "rest": [[0, 0, "b", 2]]}
    assert from_columns(body, [2, 1, 1]) == groups
