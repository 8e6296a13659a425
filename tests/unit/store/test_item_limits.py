"""DynamoDB refuses what moto takes: items over 400 KB, partition keys over 2,048 bytes, sort keys over 1,024, also in
indexes. Whatever a hospital uploads, what we write of it is smaller, or the upload is refused with a reason."""

from __future__ import annotations

import json
import random
import struct

import pytest

from chalicelib.dicom.header import Unreadable
from chalicelib.dicom.pack import describe, read_index
from chalicelib.dicom.tags import BY_TAG, SEQUENCES, TRANSFER_SYNTAX, UIDS, WANTED
from chalicelib.dicom.values import MAX_ALL
from chalicelib.domain.exam import ExamKey
from chalicelib.domain.settle import settle
from chalicelib.domain.study import Entry, Place, StudyRef
from chalicelib.store import keys
from chalicelib.store.journal import _items
from chalicelib.store.studies import _summary_item
from infra.local.samples import BEIJING
from tests.support.dicom_files import STUDY, element, instance, read, sequence
from tests.support.settle_samples import REF, T0, entry

ITEM, PARTITION_KEY, SORT_KEY = 400 * 1024, 2048, 1024
REF_READ = StudyRef("H1", STUDY)
HOSTILE = ("患者\\#" * 150, "x" * 1024, "𬱖" * 256, "张", "")

_dice = random.Random(5)  # noqa: S311 - noise, not a secret
_texts = sorted(WANTED - {TRANSFER_SYNTAX, *(tag.tag for tag in UIDS.values()), 0x00080005, 0x00200013, 0x00080060})


def noise(tag):
    """A value that does not compress, as long as one may be, in the tag's own VR."""
    vr = "US" if BY_TAG[tag].vr == "US or SS" else BY_TAG[tag].vr
    if vr == "FD":
        return vr, struct.pack("<128d", *(_dice.uniform(-1e300, 1e300) for _ in range(128)))
    if vr in ("IS", "DS"):
        return vr, "\\".join(str(_dice.randrange(10**8)) for _ in range(110)).encode()[:998]
    if vr in ("US", "UL", "SL"):
        return vr, _dice.randbytes(1024)
    return vr, bytes(_dice.choice(b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789\x01\x7f") for _ in range(1022))


def noisy(tags):
    return b"".join(element(tag, *noise(tag)) for tag in tags)


def journal_bytes(found):
    one = Entry(found, Place("instances/H1/2026-11-24/1.dcm", "v1", 0, 1000), T0)
    return max(len(body) for *_, body in _items(REF_READ, [one]))


@pytest.mark.parametrize("tag", sorted(SEQUENCES))
def test_an_object_whose_header_would_not_fit_an_item_is_refused(tag):
    with pytest.raises(Unreadable) as caught:
        read(instance(sequence(tag, *[noisy(_texts)] * 4)))
    assert caught.value.reason == "header_too_long"


@pytest.mark.parametrize("start", range(0, len(_texts), 8))
def test_the_longest_header_that_is_taken_fits_an_item(start):
    taken = (_texts * 2)[start : start + MAX_ALL // 1024 - 2]
    extra = [element(tag, *noise(tag)) for tag in set(taken) - {0x00080016, 0x00100010, 0x00100020, 0x00280010}]
    assert journal_bytes(read(instance(*extra))) < ITEM


def indexed(**more):
    file = instance()
    told = {"sop_uid": read(file).sop_instance_uid, "offset": 100, "length": 10, "sha256": "0" * 64}
    return json.dumps({"instances": [told | {"header": describe(file) | more}]}).encode()


@pytest.mark.parametrize(
    "more",
    [
        {"00280010": {"vr": "US", "Value": [_dice.randrange(2**16) for _ in range(16_000)]}},
        {"00189087": {"vr": "FD", "Value": [_dice.random() for _ in range(16_000)]}},
        {"00186011": {"vr": "SQ", "Value": [{"0018602C": {"vr": "FD", "Value": [_dice.random()] * 16_000}}] * 16}},
        {f"{tag:08X}": {"vr": "LO", "Value": ["".join(_dice.choices("患者检查", k=340))]} for tag in _texts},
    ],
    ids=["numbers", "fractions", "in a sequence", "texts"],
)
def test_a_packs_index_that_would_not_fit_an_item_is_refused_or_what_is_too_long_left_out(more):
    try:
        found = read_index(indexed(**more), BEIJING).items[0].header
    except Unreadable as unreadable:
        assert unreadable.reason == "bad_pack_index"  # noqa: PT017 - either answer will do
    else:
        assert journal_bytes(found) < ITEM


def test_sequences_inside_the_sequences_of_an_index_are_left_out():
    inner = {"00186012": {"vr": "US", "Value": [1]}}
    nested = {"00186011": {"vr": "SQ", "Value": [inner]}}
    header_read = read_index(indexed(**{"00186011": {"vr": "SQ", "Value": [inner | nested]}}), BEIJING).items[0].header
    assert header_read.viewer["SequenceOfUltrasoundRegions"] == [{"RegionSpatialFormat": 1}]


@pytest.mark.parametrize("patient_id", HOSTILE)
@pytest.mark.parametrize("study_date", ["20261124", "2026.11.24", "2" * 1024, "#" * 600, ""])
def test_keys_of_a_studys_timeline_stay_within_the_limits(patient_id, study_date):
    one = entry(1, patient_id=patient_id, study_date=study_date)
    item = _summary_item(settle(REF, [one], (), {}, issuer="H" * 16).summary)
    assert len(item.get("GSI1PK", {"S": ""})["S"].encode()) <= PARTITION_KEY
    assert len(item.get("GSI1SK", {"S": ""})["S"].encode()) <= SORT_KEY


@pytest.mark.parametrize("accession_number", HOSTILE)
def test_keys_of_an_exam_stay_within_the_limits(accession_number):
    key = ExamKey.of("H" * 16, accession_number, "1." * 31 + "22")
    owner = keys.accession(key.hospital_id, key.accession, "")
    assert len(owner) <= PARTITION_KEY
    assert len(keys.exam(key.accession, 999)) <= SORT_KEY
    assert len(keys.due_order(T0, owner)) <= SORT_KEY


def test_the_summary_of_5000_series_with_a_name_each_fits_an_item():
    entries = [
        entry(n, f"v{n}", series=n, series_description=f"{n:05d}{'胸部平扫三维重建' * 7}", body_part_examined=f"P{n}")
        for n in range(1, 5001)
    ]
    settled = settle(REF, entries, (), {}, issuer="H1")
    assert settled.summary.series == 5000
    assert settled.summary.series_descriptions[0].startswith("00001")
    assert len(str(_summary_item(settled.summary)).encode()) < ITEM
