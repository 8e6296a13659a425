from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.settle import NeedsDigests, Settled, settle
from chalicelib.domain.study import Checksum, Times
from tests.support.settle_samples import REF, T0, entry, exclude


def settled(*entries, amendments=(), digests=None):
    outcome = settle(REF, entries, amendments, digests or {}, issuer="H1")
    assert isinstance(outcome, Settled)
    return outcome


def statuses(outcome):
    return {found.place.version_id: status for found, status in outcome.manifest.entries()}


def test_the_first_received_copy_is_served_and_a_later_one_with_the_same_checksum_is_a_duplicate():
    outcome = settled(entry(1, "later", at=9), entry(1, "first", at=2), entry(2))
    assert statuses(outcome) == {"first": "served", "later": "duplicate", "v1-2": "served"}
    assert (outcome.summary.instances, outcome.summary.entries, outcome.summary.duplicates) == (2, 3, 1)


def test_of_two_received_in_one_instant_the_lower_version_id_is_served():
    outcome = settled(entry(1, "b"), entry(1, "a"))
    assert statuses(outcome) == {"a": "served", "b": "duplicate"}


def test_the_same_uid_with_other_bytes_is_kept_flagged_and_not_served():
    outcome = settled(entry(1, "a"), entry(1, "other", at=1, checksum="changed"), entry(1, "longer", at=2, length=1001))
    assert statuses(outcome) == {"a": "served", "other": "divergent", "longer": "divergent"}
    assert (outcome.summary.state, outcome.summary.divergent) == ("served", 2)


def test_checksums_of_unlike_algorithms_do_not_compare():
    single = entry(1, "a")
    other = replace(entry(1, "b", at=1), checksum=Checksum("SHA256", "crc-1-1"))
    wanted = settle(REF, [single, other], (), {}, issuer="H1")
    assert isinstance(wanted, NeedsDigests)
    assert {place.version_id for place in wanted.places} == {"a", "b"}


def test_blanks_around_a_patients_id_mean_nothing():
    """PS3.5 6.2: an LO may be padded on both sides; notices and desks give the id without."""
    outcome = settled(entry(1, patient_id=" P1"), entry(2, patient_id="P1"))
    assert (outcome.summary.state, outcome.summary.patient_id) == ("served", "P1")
    assert {fact.patient_id for fact in outcome.facts} == {"P1"}


def packed(sop):
    return entry(sop, "pack", offset=1000 * sop, key="archives/H1/2026-11-24/ct.zip", checksum=None)


PACK = [packed(sop) for sop in (1, 2, 3)]
THEIRS = exclude("pack", 2000)


def test_a_pack_that_holds_something_excluded_is_withheld_for_its_url_would_open_all_of_it():
    outcome = settled(*PACK, amendments=[THEIRS])
    assert [status for _, status in outcome.manifest.entries()] == ["withheld", "excluded", "withheld"]
    assert {(place.key, place.version_id) for place in outcome.to_unpack} == {("archives/H1/2026-11-24/ct.zip", "pack")}
    assert (outcome.summary.instances, outcome.summary.patient_id, outcome.summary.entries) == (0, "P1", 3)


def test_what_is_withheld_still_came_in_time():
    (before,), (after,) = settled(PACK[0], PACK[2]).facts, settled(*PACK, amendments=[THEIRS]).facts
    assert (after.received, after.exam_ended_at, after.withdrawn) == (before.received, before.exam_ended_at, False)


def test_once_unpacked_each_instance_is_served_by_itself_and_the_excluded_one_never():
    singles = [replace(entry(sop, f"u{sop}"), checksum=None) for sop in (1, 2, 3)]
    digests = {("pack", 2000): "d2", ("u2", 0): "d2"}
    outcome = settled(*PACK, *singles, amendments=[THEIRS], digests=digests)
    found = {(one.place.version_id, one.place.offset): status for one, status in outcome.manifest.entries()}
    assert found == {
        ("pack", 1000): "withheld",
        ("pack", 2000): "excluded",
        ("pack", 3000): "withheld",
        ("u1", 0): "served",
        ("u2", 0): "excluded",
        ("u3", 0): "served",
    }
    assert outcome.to_unpack == ()


def test_a_copy_in_a_pack_is_judged_by_its_digest():
    single, packed = entry(1, "a"), entry(1, "pack", at=1, offset=512, checksum=None)
    known = {("a", 0): "d1"}
    wanted = settle(REF, [single, packed], (), known, issuer="H1")
    assert isinstance(wanted, NeedsDigests)
    assert wanted.places == (packed.place,)
    assert statuses(settled(single, packed, digests=known | {("pack", 512): "d1"}))["pack"] == "duplicate"
    assert statuses(settled(single, packed, digests=known | {("pack", 512): "d2"}))["pack"] == "divergent"


def test_bytes_that_are_gone_equal_nothing():
    single, packed = entry(1, "a"), entry(1, "pack", at=1, offset=512, checksum=None)
    assert statuses(settled(single, packed, digests={("a", 0): "", ("pack", 512): ""}))["pack"] == "divergent"


def test_an_excluded_entry_takes_its_copies_along_and_gives_its_place_to_other_bytes():
    entries = [entry(1, "a"), entry(1, "b", at=1), entry(1, "other", at=2, checksum="x"), entry(2)]
    told = {"a": "excluded", "b": "excluded", "other": "served", "v1-2": "served"}
    assert statuses(settled(*entries, amendments=[exclude("a")])) == told
    assert statuses(settled(*entries, amendments=[exclude("b")])) == told


def test_excluding_a_divergent_copy_leaves_what_is_served():
    entries = [entry(1, "a"), entry(1, "x1", at=1, checksum="x"), entry(1, "x2", at=2, checksum="x")]
    told = {"a": "served", "x1": "excluded", "x2": "excluded"}
    assert statuses(settled(*entries, amendments=[exclude("x2")])) == told


def test_a_copy_of_a_copy_is_excluded_too_though_only_their_digests_compare():
    single, other = entry(1, "a"), replace(entry(1, "b", at=1), checksum=Checksum("SHA256", "s"))
    packed = entry(1, "pack", at=2, offset=512, checksum=None)
    known = {("a", 0): "d", ("b", 0): "d"}
    wanted = settle(REF, [single, other, packed], [exclude("pack", 512)], known, issuer="H1")
    assert isinstance(wanted, NeedsDigests)
    assert wanted.places == (packed.place,)
    outcome = settled(single, other, packed, amendments=[exclude("pack", 512)], digests=known | {("pack", 512): "d"})
    assert set(statuses(outcome).values()) == {"excluded"}


def test_a_copy_whose_bytes_are_gone_is_not_excluded_on_a_guess():
    single, packed = entry(1, "a"), entry(1, "pack", at=1, offset=512, checksum=None)
    gone = {("a", 0): "d", ("pack", 512): ""}
    assert statuses(settled(single, packed, amendments=[exclude("a")], digests=gone))["pack"] == "served"


def test_a_study_whose_entries_are_all_excluded_is_empty_and_in_no_timeline():
    outcome = settled(entry(1, "a"), amendments=[exclude("a")])
    assert (outcome.summary.state, outcome.summary.instances, outcome.summary.patient_id) == ("empty", 0, "")
    assert outcome.summary.exam_ended_at is None
    assert [fact.withdrawn for fact in outcome.facts] == [True]


def test_two_patients_in_one_study_are_served_to_nobody():
    assert settled(entry(1), entry(2, patient_id="P2")).summary.state == "conflicted"


def test_a_divergent_copy_of_another_patient_conflicts_too():
    assert settled(entry(1, "a"), entry(1, "b", at=1, checksum="x", patient_id="P2")).summary.state == "conflicted"


def test_excluding_the_other_patients_image_resolves_the_conflict():
    mixed = [entry(1), entry(2, "theirs", patient_id="P2", patient_name="李四")]
    assert settled(*mixed, amendments=[exclude("theirs")]).summary.state == "served"


def test_one_patient_id_under_two_spellings_of_a_name_is_one_patient():
    assert settled(entry(1), entry(2, patient_name="Zhang^San")).summary.state == "served"


def test_without_real_ids_name_and_birth_date_tell_patients_apart():
    unknown = {"patient_id": "0"}
    same = settled(entry(1, **unknown), entry(2, **unknown))
    assert (same.summary.state, same.summary.patient_id) == ("served", "")
    assert settled(entry(1, **unknown), entry(2, **unknown, patient_name="李四")).summary.state == "conflicted"
    assert settled(entry(1, **unknown), entry(2, **unknown, patient_birth_date="1980")).summary.state == "conflicted"


def test_an_image_without_an_id_is_of_the_studys_patient_only_by_name_and_birth_date():
    assert settled(entry(1), entry(2, patient_id="")).summary.state == "served"
    assert settled(entry(1), entry(2, patient_id="", patient_name="李四")).summary.state == "conflicted"


def test_an_image_that_says_nothing_of_its_patient_contradicts_nobody():
    nothing = {"patient_id": "", "patient_name": "", "patient_birth_date": ""}
    assert settled(entry(1), entry(2, **nothing)).summary.state == "served"


def test_the_summary_speaks_for_the_served_entries_only():
    outcome = settled(
        entry(1, "a"),
        entry(1, "b", at=1, checksum="x", modality="XX", series=1),
        entry(1, series=2, at=5, modality="SR", body_part_examined="", series_description="报告"),
    )
    summary = outcome.summary
    assert summary.modalities == ("CT", "SR")
    assert summary.body_parts == ("CHEST",)
    assert summary.series_descriptions == ("序列 1", "报告")
    assert (summary.instances, summary.series) == (2, 2)
    assert (summary.issuer, summary.patient_id) == ("H1", "P1")
    assert (summary.last_received_at - summary.first_received_at).total_seconds() == 5
    assert summary.manifest_parts == summary.revision == 0


def test_a_value_is_that_of_the_first_entry_that_has_one():
    outcome = settled(entry(1, accession_number="", study_description=""), entry(2, at=1, accession_number="A7"))
    assert (outcome.summary.accession_number, outcome.summary.study_description) == ("A7", "胸部CT平扫")


def test_a_document_that_comes_days_later_does_not_move_the_bound_of_the_exams_end():
    wrong_clock = Times(acquired_at=T0.replace(day=25), source="AcquisitionDateTime")
    image, later = entry(1, times=wrong_clock), entry(2, at=999_999, times=Times(evidence=False))
    assert settled(image, later).summary.exam_ended_at <= image.received_at


def test_each_accession_number_ever_seen_gets_a_fact_and_one_of_them_stands():
    facts = settled(entry(1, accession_number="A2"), entry(2, at=1, accession_number="A1"), entry(3, at=2)).facts
    assert [(fact.accession_number, fact.withdrawn) for fact in facts] == [("A1", True), ("A2", False)]
    standing = facts[1]
    assert (standing.received.total, standing.entry_count, standing.amend_count) == (3, 3, 0)
    assert (standing.modality, standing.patient_id) == ("CT", "P1")


def test_a_facts_modality_is_that_of_the_images_not_of_a_document():
    facts = settled(entry(1, modality="SR", times=Times(evidence=False)), entry(2, at=1, modality="MR")).facts
    assert facts[0].modality == "MR"


CONTENTS = {"a": 10, "b": 10, "c": 20}


@st.composite
def received(draw):
    """Few instances, many copies, ties in time, packs and singles; and the digests of their bytes."""
    entries, digests = [], {}
    for number in range(draw(st.integers(1, 8))):
        content = draw(st.sampled_from("aaabc"))
        found = entry(
            sop=draw(st.integers(1, 3)),
            version=draw(st.sampled_from([f"v{number}", f"w{9 - number}"])),
            at=draw(st.integers(0, 2)),
            series=draw(st.integers(1, 2)),
            offset=draw(st.sampled_from([0, 0, 512])),
            length=CONTENTS[content],
            checksum=draw(st.sampled_from([None, f"crc-{content}"])),
            patient_id=draw(st.sampled_from(["P1", "P1", "P1", "P2", "0", ""])),
            accession_number=draw(st.sampled_from(["A1", "A1", "A2", ""])),
            instance_number=draw(st.sampled_from([1, 2, None])),
        )
        entries.append(found)
        digests[found.place.version_id, found.place.offset] = content
    return entries, digests


@given(received(), st.randoms(use_true_random=False))
def test_order_and_repetition_never_matter(case, random):
    entries, digests = case
    once = settled(*entries, digests=digests)
    again = entries + random.choices(entries, k=3)
    random.shuffle(again)
    assert settled(*again, digests=digests) == once


@given(received())
def test_a_manifests_own_entries_settle_to_the_same_manifest(case):
    entries, digests = case
    once = settled(*entries, digests=digests)
    assert settled(*(found for found, _ in once.manifest.entries()), digests=digests).body == once.body


@given(received())
def test_every_entry_stays_and_each_instance_is_served_exactly_once(case):
    entries, digests = case
    judged = list(settled(*entries, digests=digests).manifest.entries())
    assert {found.place for found, _ in judged} == {found.place for found in entries}
    served = [found.header.sop_instance_uid for found, status in judged if status == "served"]
    assert sorted(served) == sorted({found.header.sop_instance_uid for found in entries})


@given(received(), st.data())
def test_an_exclusion_takes_away_exactly_the_copies_of_what_it_names_in_any_order(case, data):
    entries, digests = case
    named = data.draw(st.lists(st.sampled_from(entries), max_size=3))
    amendments = [exclude(found.place.version_id, found.place.offset, number) for number, found in enumerate(named)]

    def bytes_of(found):
        return found.header.sop_instance_uid, digests[found.place.version_id, found.place.offset]

    gone = {bytes_of(found) for found in named}
    outcome = settled(*entries, amendments=amendments, digests=digests)
    for found, status in outcome.manifest.entries():
        assert (status == "excluded") == (bytes_of(found) in gone)
    shuffled, reordered = data.draw(st.permutations(entries)), data.draw(st.permutations(amendments))
    assert settled(*shuffled, amendments=reordered, digests=digests) == outcome


@given(received())
def test_unknown_digests_are_asked_for_once_and_suffice(case):
    entries, digests = case
    outcome = settle(REF, entries, (), {}, issuer="H1")
    if isinstance(outcome, NeedsDigests):
        given_ = {(place.version_id, place.offset): digests[place.version_id, place.offset] for place in outcome.places}
        outcome = settle(REF, entries, (), given_, issuer="H1")
    assert outcome == settled(*entries, digests=digests)
