"""Whatever one tampers with, in table, file or seal, is named: exactly that, and nothing else."""

import io
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.domain.seal import (
    START,
    Kept,
    canonical,
    each_line,
    hour_name,
    hours,
    joined,
    lines_of,
    read_seal,
    seal,
    split,
    verify,
    verify_hour,
)
from tests.support.sealed_hours import FIRST, counts, record, sealed

STRAY = record(FIRST, 99)


@st.composite
def an_event(draw):
    """A chain, an hour of it by number and instant, and one of that hour's events by number."""
    chain = sealed(draw(counts()))
    full = [at for at, hour in enumerate(chain.hours) if chain.table[hour]]
    assume(full)
    at = draw(st.sampled_from(full))
    hour = chain.hours[at]
    return chain, at, hour, draw(st.integers(0, len(chain.table[hour]) - 1))


@st.composite
def an_hour(draw):
    chain = sealed(draw(counts()))
    at = draw(st.integers(0, len(chain.hours) - 1))
    return chain, at, chain.hours[at]


CHANGES = {
    "refused becomes allowed": lambda event: {"allowed": not event.values["allowed"]},
    "another doctor": lambda _: {"subject": "王医生"},
    "another time": lambda _: {"at": "2026-01-01T00:00:00+00:00"},
    "an attribute more": lambda _: {"note": "x"},
}


def changed(event, how):
    return replace(event, values={**event.values, **CHANGES[how](event)})


@given(counts())
def test_an_untouched_chain_verifies(how_many):
    chain = sealed(how_many)
    assert chain.named() == []
    assert chain.named(ask_table=False) == []


@given(an_event(), st.sampled_from(sorted(CHANGES)))
def test_a_change_in_the_table_is_named(picked, how):
    chain, at, hour, number = picked
    event = chain.table[hour][number]
    chain.table[hour][number] = changed(event, how)
    assert chain.named() == [("changed", at, "table", event.event_id)]


@given(an_event(), st.sampled_from(sorted(CHANGES)))
def test_a_change_in_the_file_is_named(picked, how):
    chain, at, hour, number = picked
    event = chain.table[hour][number]
    lines = lines_of(chain.table[hour])
    lines[number] = changed(event, how).line
    chain.files[hour] = joined(lines)
    assert chain.named() == [("changed", at, "file", event.event_id)]


@given(an_event(), st.data())
def test_any_byte_of_the_file_that_is_not_as_it_was_is_named_with_its_event(picked, draw):
    chain, at, hour, number = picked
    lines = lines_of(chain.table[hour])
    place = draw.draw(st.integers(0, len(lines[number]) - 1))
    byte = draw.draw(st.integers(0, 255).filter(lambda one: one not in (10, lines[number][place])))
    lines[number] = lines[number][:place] + bytes([byte]) + lines[number][place + 1 :]
    chain.files[hour] = joined(lines)
    event_id = chain.table[hour][number].event_id
    named = chain.named()
    as_changed = named == [("changed", at, "file", event_id)]
    as_replaced = {one[:3] for one in named} == {("added", at, "file"), ("removed", at, "file")} and len(named) == 2
    assert as_changed or (as_replaced and ("removed", at, "file", event_id) in named)


@given(an_event(), st.sampled_from(["table", "file"]))
def test_a_removed_event_is_named(picked, where):
    chain, at, hour, number = picked
    event = chain.table[hour][number]
    left = [other for other in chain.table[hour] if other is not event]
    if where == "table":
        chain.table[hour] = left
    else:
        chain.files[hour] = joined(lines_of(left))
    assert chain.named() == [("removed", at, where, event.event_id)]


@given(an_hour(), st.sampled_from(["table", "file"]))
def test_an_added_event_is_named(picked, where):
    chain, at, hour = picked
    more = [*chain.table[hour], STRAY]
    if where == "table":
        chain.table[hour] = more
    else:
        chain.files[hour] = joined(lines_of(more))
    assert chain.named() == [("added", at, where, STRAY.event_id)]


@given(an_event())
def test_an_event_told_twice_in_the_file_is_named(picked):
    chain, at, hour, number = picked
    lines = lines_of(chain.table[hour])
    chain.files[hour] = joined([*lines, lines[number]])
    assert chain.named() == [("added", at, "file", chain.table[hour][number].event_id)]


@given(an_event(), st.data(), st.booleans())
def test_a_reordered_event_is_named_even_without_the_table(picked, draw, ask_table):
    chain, at, hour, number = picked
    lines = lines_of(chain.table[hour])
    assume(len(lines) > 2)
    to = draw.draw(st.integers(0, len(lines) - 1).filter(lambda place: abs(place - number) > 1))
    lines.insert(to, lines.pop(number))
    chain.files[hour] = joined(lines)
    assert chain.named(ask_table=ask_table) == [("reordered", at, "file", chain.table[hour][number].event_id)]


@given(an_event())
def test_neighbours_that_changed_places_are_named_by_one_of_them(picked):
    chain, at, hour, number = picked
    lines = lines_of(chain.table[hour])
    assume(number + 1 < len(lines))
    lines[number], lines[number + 1] = lines[number + 1], lines[number]
    chain.files[hour] = joined(lines)
    (named,) = chain.named()
    pair = {event.event_id for event in chain.table[hour][number : number + 2]}
    assert named[:3] == ("reordered", at, "file")
    assert named[3] in pair


@given(an_event())
def test_an_event_moved_to_another_hour_of_the_table_is_named_in_both(picked):
    chain, at, hour, number = picked
    assume(len(chain.hours) > 1)
    to = (at + 1) % len(chain.hours)
    event = chain.table[hour].pop(number)
    chain.table[chain.hours[to]].append(event)
    expected = [("removed", at, "table", event.event_id), ("added", to, "table", event.event_id)]
    assert sorted(chain.named()) == sorted(expected)


@given(an_hour(), st.sampled_from(["seal_missing", "file_missing"]))
def test_what_is_gone_from_the_archive_is_named(picked, kind):
    chain, at, hour = picked
    del (chain.seals if kind == "seal_missing" else chain.files)[hour]
    assert chain.named() == [(kind, at, kind.split("_")[0], "")]


@given(an_hour())
def test_a_whole_hour_gone_from_the_archive_is_named(picked):
    chain, at, hour = picked
    del chain.seals[hour], chain.files[hour]
    assert chain.named() == [("file_missing", at, "file", ""), ("seal_missing", at, "seal", "")][::-1]


FIELDS = {"hour": "2020-01-01T00", "count": 99, "root": "0" * 64, "events_sha256": "0" * 64}


@given(an_hour(), st.sampled_from(sorted(FIELDS)), st.booleans())
def test_a_changed_field_of_a_seal_is_named_with_its_hour_and_no_other(picked, field, ask_table):
    chain, at, hour = picked
    told = read_seal(chain.seals[hour])
    chain.seals[hour] = replace(told, **{field: FIELDS[field]}).to_json()
    named = chain.named(ask_table=ask_table)
    if ask_table or field not in {"count", "root"}:
        assert named == [("seal_changed", at, "seal", "")]
    else:  # the file alone cannot tell which of the two was touched; the next seal's link does
        assert {one[0] for one in named} <= {"disputed", "chain_broken"}
        assert named[0][:2] == ("disputed", at)


@given(an_hour())
def test_a_seal_that_names_another_before_it_is_named(picked):
    chain, at, hour = picked
    chain.seals[hour] = replace(read_seal(chain.seals[hour]), previous="f" * 64).to_json()
    assert chain.named() == [("chain_broken", at, "seal", "")]


@given(an_hour(), st.binary(max_size=30))
def test_a_seal_of_any_other_bytes_is_named(picked, body):
    chain, at, hour = picked
    chain.seals[hour] = body
    assert chain.named() == [("seal_unreadable", at, "seal", "")]


@given(an_hour())
def test_a_seal_written_another_way_is_named(picked):
    chain, at, hour = picked
    chain.seals[hour] += b" "
    assert chain.named() == [("seal_changed", at, "seal", "")]


@given(an_event())
def test_a_history_written_anew_breaks_the_chain_at_the_next_seal(picked):
    """Table, file and seal of an hour forged together: what was sealed after it gives it away."""
    chain, at, hour, number = picked
    assume(at + 1 < len(chain.hours))
    del chain.table[hour][number]
    lines = lines_of(chain.table[hour])
    chain.files[hour] = joined(lines)
    chain.seals[hour] = seal(hour, lines, read_seal(chain.seals[hour]).previous).to_json()
    assert chain.named() == [("chain_broken", at + 1, "seal", "")]


def test_the_same_change_in_table_and_file_is_seen_though_the_seal_alone_cannot_tell_the_original():
    chain = sealed([3, 3])
    event = chain.table[FIRST][1]
    chain.table[FIRST][1] = changed(event, "another doctor")
    chain.files[FIRST] = joined(lines_of(chain.table[FIRST]))
    assert chain.named()[0][:3] == ("seal_changed", 0, "seal")


def test_different_changes_in_table_and_file_are_disputed_and_name_where_they_differ():
    chain = sealed([3])
    first, second, _ = chain.table[FIRST]
    chain.files[FIRST] = joined(lines_of([changed(first, "another doctor"), *chain.table[FIRST][1:]]))
    chain.table[FIRST][1] = changed(second, "another time")
    assert {one[3] for one in chain.named() if one[0] == "disputed"} == {"", first.event_id, second.event_id}


def test_a_lost_file_and_a_changed_table_are_both_named():
    chain = sealed([2])
    del chain.files[FIRST]
    chain.table[FIRST].pop()
    assert {one[0] for one in chain.named()} == {"file_missing", "disputed"}


def test_a_file_that_cannot_be_unpacked_is_named():
    chain = sealed([2])
    kept = Kept(chain.seals[FIRST], None, unreadable=True)
    assert [one.kind for one in verify_hour(FIRST, kept, chain.table[FIRST], (START,)).findings] == ["file_unreadable"]


def test_a_file_without_its_last_line_feed_is_named():
    chain = sealed([2])
    chain.files[FIRST] = chain.files[FIRST][:-1]
    assert chain.named() == [("file_changed", 0, "file", "")]


def test_a_range_can_be_verified_without_what_was_before_it():
    chain = sealed([1, 2, 3])
    told = [(hour, Kept(chain.seals[hour], chain.files[hour]), chain.table[hour]) for hour in chain.hours[1:]]
    assert not [one for verified in verify(told, None) for one in verified.findings]
    assert next(one for verified in verify(told) for one in verified.findings).kind == "chain_broken"


@given(st.permutations(range(6)))
def test_a_seal_does_not_depend_on_the_order_in_which_the_table_is_read(order):
    events = [record(FIRST, number) for number in range(6)]
    assert seal(FIRST, lines_of(events), "") == seal(FIRST, lines_of([events[number] for number in order]), "")


def test_an_hour_without_events_is_sealed_with_the_root_of_nothing():
    made = seal(FIRST, [], START)
    assert (made.count, made.root[:8]) == (0, "e3b0c442")
    assert split(joined([])) == []


def test_lines_have_one_form_and_keep_chinese():
    assert canonical({"b": "李", "a": [1, True]}) == '{"a":[1,true],"b":"李"}'.encode()


def test_hours_are_named_in_utc_and_counted_over_midnight():
    assert [hour_name(hour)[8:] for hour in hours(FIRST, FIRST.replace(day=24, hour=1))] == [
        "23T22",
        "23T23",
        "24T00",
        "24T01",
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"hour":1}', b"[" * 100_000, b"\xff"])
def test_what_is_no_seal_is_none(body):
    assert read_seal(body) is None


@given(st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line), max_size=8), st.booleans())
def test_lines_of_an_open_file_are_those_of_its_content(lines, ends):
    content = joined(lines) if ends else joined(lines)[:-1]
    assert list(each_line(io.BytesIO(content))) == split(content)


def test_a_seal_looks_at_each_line_once():
    lines = [b"%d" % number for number in range(50)]
    assert seal(FIRST, iter(lines), START) == seal(FIRST, lines, START)
