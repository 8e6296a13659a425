"""Every file that pydicom ships is indexed with the values of pydicom's own full read, or refused by name."""

from __future__ import annotations

import warnings
from collections import Counter

import pydicom
import pytest
from pydicom.multival import MultiValue
from pydicom.valuerep import DSfloat

from chalicelib.dicom.header import Unreadable
from chalicelib.dicom.tags import INDEXED, INSIDE_SEQUENCES, VIEWER
from chalicelib.domain.quarantine import REASONS
from tests.support.dicom_files import read, shipped

REFUSED = {"not_dicom": 14, "missing_uid": 12, "dicomdir": 8, "truncated": 2}


def outcome(path):
    try:
        return read(path.read_bytes())
    except Unreadable as unreadable:
        return unreadable


def test_accepted_and_refused_are_all():
    outcomes = [outcome(path) for path in shipped()]
    reasons = Counter(one.reason for one in outcomes if isinstance(one, Unreadable))
    assert reasons == REFUSED
    assert set(reasons) <= set(REASONS)
    assert len(outcomes) - reasons.total() == 158


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.name)
def test_values_are_those_of_a_full_read(path):
    header = outcome(path)
    if isinstance(header, Unreadable):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        assert header.transfer_syntax_uid == dataset.file_meta.TransferSyntaxUID
        for field, tag in INDEXED.items():
            if field not in header.repaired:
                assert getattr(header, field) == field_of(dataset, tag), tag.keyword
        for tag in VIEWER:
            if tag.keyword not in header.repaired:
                assert header.viewer.get(tag.keyword) == plain(dataset, tag), tag.keyword


def test_only_wrong_labels_are_repaired():
    repaired = [path.name for path in shipped() if getattr(outcome(path), "repaired", None)]
    assert repaired == []


def field_of(dataset, tag):
    value = plain(dataset, tag)
    if tag.vr == "IS":
        return value
    return "" if value is None else str(value)


def plain(dataset, tag):
    """pydicom's value in JSON's terms: None when absent or empty."""
    element = dataset.get(tag.tag)
    if element is None or element.value in (None, "", b"") or isinstance(element.value, bytes):
        return None
    if tag.vr == "SQ":
        return [item_of(item) for item in element.value] or None
    if tag.vr in ("IS", "DS") and type(element.value) is str:
        return None  # pydicom hands out what it cannot read; here it is left out
    several = isinstance(element.value, (MultiValue, list))
    values = [one(value) for value in (element.value if several else [element.value])]
    if tag.vm != "1":
        return values or None
    if several and isinstance(values[0], str) and element.VR not in ("DS", "IS"):
        return "\\".join(values)
    return values if several else values[0]


def item_of(item):
    found = {tag.keyword: plain(item, tag) for tag in INSIDE_SEQUENCES}
    return {keyword: value for keyword, value in found.items() if value is not None}


def one(value):
    if isinstance(value, DSfloat):
        return value.original_string
    return value if isinstance(value, (int, float)) else str(value)
