"""A receipt's root is of the set of what arrived: of nothing else, and of all of it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import receipt
from chalicelib.domain.exam import Exam, ExamKey
from chalicelib.domain.manifest import Manifest
from chalicelib.domain.settle import settle
from tests.support.settle_samples import REF, entry, exclude

SHA = "ab" * 32


def manifest_of(entries, amendments=()):
    """What settle makes of them, as it comes back from the table."""
    settled = settle(REF, entries, amendments, {(e.place.version_id, e.place.offset): "x" for e in entries}, "H1")
    return Manifest.from_json(settled.body)


def root_of(entries, amendments=()):
    return receipt.root(receipt.arrivals(manifest_of(entries, amendments)))


@st.composite
def received(draw):
    """Objects of one study: copies, other bytes under one UID, packs, several series, ties in time."""
    places = draw(
        st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 512])), min_size=1, max_size=9, unique=True)
    )
    return [
        entry(
            sop=draw(st.integers(1, 4)),
            version=f"v{version}",
            at=draw(st.integers(0, 2)),
            series=draw(st.integers(1, 2)),
            offset=offset,
            checksum=draw(st.sampled_from([None, "a", "b"])),
            key=draw(st.sampled_from(["instances/H1/2026-11-24/影像.dcm", 'archives/H1/2026-11-24/"\\\u2028.zip'])),
        )
        for version, offset in places
    ]


@settings(max_examples=150, deadline=None)
@given(received(), st.data())
def test_order_repetition_and_batches_do_not_change_the_root(entries, data):
    shuffled = data.draw(st.permutations(entries + data.draw(st.lists(st.sampled_from(entries), max_size=5))))
    cut = data.draw(st.integers(0, len(shuffled)))
    first = [found for found, _ in manifest_of(shuffled[:cut]).entries()] if cut else []
    assert root_of([*shuffled[cut:], *first]) == root_of(entries)


@settings(max_examples=150, deadline=None)
@given(received(), st.data())
def test_another_set_has_another_root(entries, data):
    """One taken away, one more, or one of which anything is another."""
    one = data.draw(st.sampled_from(entries))
    rest = [found for found in entries if found is not one]
    place = one.place
    changed = data.draw(
        st.sampled_from(
            [
                replace(one, header=replace(one.header, sop_instance_uid="1.9")),
                replace(one, header=replace(one.header, series_instance_uid="1.9")),
                replace(one, place=replace(place, key=f"{place.key}x")),
                replace(one, place=replace(place, version_id="other")),
                replace(one, place=replace(place, offset=place.offset + 1)),
                replace(one, place=replace(place, length=place.length + 1)),
                replace(one, received_at=one.received_at.replace(microsecond=1)),
                replace(one, checksum=None if one.checksum else entry().checksum),
                replace(one, declared_sha256=SHA),
            ]
        )
    )
    roots = [root_of(entries), root_of([*rest, changed]), root_of([*entries, entry(9, "v99")])]
    assert len(set(roots + ([root_of(rest)] if rest else []))) == len(roots) + bool(rest)


@settings(max_examples=50, deadline=None)
@given(received(), st.data())
def test_what_becomes_of_an_entry_is_no_part_of_the_root(entries, data):
    one = data.draw(st.sampled_from(entries))
    amended = [exclude(one.place.version_id, one.place.offset)]
    assert root_of(entries, amended) == root_of(entries)
    statuses = {found.status for found in receipt.arrivals(manifest_of(entries, amended))}
    assert "excluded" in statuses


def test_every_entry_ever_received_is_in_it():
    entries = [entry(1), entry(1, "copy", 1), entry(1, "other", 2, length=7), entry(2)]
    found = receipt.arrivals(manifest_of(entries))
    told = [(one.leaf["version_id"], one.status) for one in found]
    assert told == [("copy", "duplicate"), ("other", "divergent"), ("v1-1", "served"), ("v1-2", "served")]


def test_a_leaf_says_what_is_known_of_the_bytes():
    packed = replace(entry(1, checksum=None, offset=512), declared_sha256=SHA)
    one, other = (found.leaf for found in receipt.arrivals(manifest_of([packed, entry(2)])))
    assert (one["checksum"], one["declared_sha256"], one["offset"]) == ("", SHA, 512)
    assert (other["checksum"], other["declared_sha256"]) == ("CRC64NVME:crc-1-2", "")


def exam(declared, received_):
    times = dict.fromkeys(["scheduled_at", "ended_at", "due_at", "first_received_at", "completed_at"])
    texts = dict.fromkeys(["patient_id", "patient_class", "modality", "procedure", "end_source"], "")
    values = {
        "day": "2026-11-24",
        "state": "complete",
        "standing": "on_time",
        "study_instance_uids": (),
        "worklist": (),
    }
    more = {"use": 1, "notified": True, "amended": False, "declared": declared, "received": received_}
    return Exam(key=ExamKey("H1", "A1"), **times, **texts, **values, **more)


def test_complete_is_as_many_as_every_notice_declares_and_unknown_without():
    assert receipt.completeness([]) == (None, None)
    assert receipt.completeness([exam(None, 3)]) == (None, None)
    assert receipt.completeness([exam(3, 2)]) == (3, False)
    assert receipt.completeness([exam(3, 3), exam(None, 0)]) == (3, True)
    assert receipt.completeness([exam(3, 3), exam(2, 1)]) == (5, False)
