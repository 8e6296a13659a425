"""Headers out of objects of all sizes: whole, in order, and with no more in memory than was said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.dicom.scan import FIRST_RANGE, MAX_HEADER
from chalicelib.domain.study import Place
from chalicelib.services import read_headers
from chalicelib.services.read_headers import AT_A_TIME, HELD, TooLarge, each_header
from tests.support.dicom_files import element, instance

NOW = GRANT = None  # no matter here: the reads are a bucket's in memory


class Bucket:
    """Objects by number, each in a pack behind a few bytes; `asked` are the spans of every call."""

    def __init__(self, files):
        self.files, self.asked = files, []

    def places(self):
        return [Place(str(number), "v", 3, len(file)) for number, file in enumerate(self.files)]

    def read(self, grant, spans, now):
        self.asked.append([span.length for span in spans])
        return [(b"xyz" + self.files[int(span.key)])[span.offset :][: span.length] for span in spans]


def file(number, padding):
    return instance(
        element(0x00091001, "UN", bytes(padding)), number=str(number), pixels=element(0x7FE00010, "OW", bytes(100))
    )


def numbers(headers):
    return [None if header is None else int(header.dataset.InstanceNumber) for header in headers]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 0, 5000, 60_000, 70_000, 300_000, -1]), max_size=40))
def test_every_header_comes_whole_and_in_order_however_long_each_is(paddings):
    files = [b"none" if padding < 0 else file(number, padding) for number, padding in enumerate(paddings)]
    bucket = Bucket(files)
    told = numbers(each_header(bucket, GRANT, bucket.places(), NOW))
    assert told == [None if padding < 0 else number for number, padding in enumerate(paddings)]
    assert all(sum(spans) <= max(HELD, MAX_HEADER) and len(spans) <= AT_A_TIME for spans in bucket.asked)


def test_of_a_series_of_short_headers_no_more_is_read_than_it_takes():
    bucket = Bucket(
        [instance(number=str(number), pixels=element(0x7FE00010, "OW", bytes(100_000))) for number in range(40)]
    )
    assert numbers(each_header(bucket, GRANT, bucket.places(), NOW)) == list(range(40))
    assert bucket.asked == [[FIRST_RANGE] * 16, [read_headers.SHORTEST_RANGE] * 24]


def test_headers_that_one_answer_cannot_tell_are_not_read_to_their_end(monkeypatch):
    monkeypatch.setattr(read_headers, "MOST_HEADER_BYTES", 200_000)
    bucket = Bucket([file(number, 70_000) for number in range(9)])
    found = each_header(bucket, GRANT, bucket.places(), NOW)
    with pytest.raises(TooLarge):
        numbers(found)
    assert len(bucket.asked) < 9


def test_a_header_longer_than_any_is_refused():
    whole = file(1, 100)
    bucket = Bucket(
        [whole[: whole.index(b"\x09\0\x01\x10") + 8] + (2**31).to_bytes(4, "little") + bytes(MAX_HEADER + 9)]
    )
    with pytest.raises(TooLarge):
        list(each_header(bucket, GRANT, bucket.places(), NOW))
