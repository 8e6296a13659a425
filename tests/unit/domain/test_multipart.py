"""multipart/related as others send it, and as nobody should."""

import io
import re
from email import policy
from email.parser import BytesParser

import pytest
from dicomweb_client.api import DICOMwebClient
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain import related
from chalicelib.domain.multipart import MOST_HEADER, NotMultipart, Received, media_type, parts

TYPE = 'multipart/related; type="application/dicom"; boundary=b0'
DICOM = "application/dicom"


def read(body, content_type=TYPE, most=200):
    return list(parts(body, media_type(content_type), most))


def made(*data, head=b"Content-Type: application/dicom\r\n\r\n", boundary=b"b0"):
    return b"".join(b"--" + boundary + b"\r\n" + head + one + b"\r\n" for one in data) + b"--" + boundary + b"--\r\n"


def refused(body, content_type=TYPE, most=200):
    with pytest.raises(NotMultipart) as told:
        read(body, content_type, most)
    return told.value.where


# The media type


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        ("multipart/related; type=application/dicom; boundary=abc", "abc"),
        ('Multipart/Related;TYPE="application/dicom";Boundary="a b=c/d"', "a b=c/d"),
        (r'multipart/related; boundary="a\'b\"c"', "a'b\"c"),
        ("multipart/related ; boundary=a:b?c=d", "a:b?c=d"),
    ],
)
def test_a_boundary_is_read_quoted_or_not(text, boundary):
    assert media_type(text).kind == "multipart/related"
    assert media_type(text).parameters["boundary"] == boundary


@pytest.mark.parametrize(
    "text",
    [
        "",
        "multipart",
        "multipart/related; boundary",
        'multipart/related; boundary="a',
        "multipart/related; boundary=a; Boundary=b",
        "multipart/related; boundary=a b",
        "multipart/related boundary=a",
        "multipart/related; " + "a=b; " * 1000,
        "multipart/related; a=" + "\\" * 900,
    ],
)
def test_a_media_type_that_can_be_read_in_two_ways_is_refused(text):
    with pytest.raises(NotMultipart):
        read(made(b"x"), text)


@pytest.mark.parametrize("boundary", ["", "a" * 71, '"a "', '"ä"', '"a\tb"', "a*b", '"a\r\nb"'])
def test_a_boundary_is_1_to_70_characters_of_the_standards(boundary):
    assert refused(made(b"x"), f"multipart/related; boundary={boundary}") in ("boundary", "header")


def test_a_boundary_of_70_characters_is_one():
    assert read(made(b"x", boundary=b"a" * 70), f"multipart/related; boundary={'a' * 70}") == [Received(DICOM, b"x")]


# The body


def test_parts_come_in_order_with_their_bytes_untouched():
    data = [b"", b"\r\n", b"a\r\n", b"--b\r\n--b", bytes(range(256)) * 3, b"\r", b"\n", b" --b0"]
    assert read(made(*data)) == [Received(DICOM, one) for one in data]


def test_preamble_padding_and_epilogue_mean_nothing():
    body = b"a preamble\r\n--b0 \t\r\nX-A: b\r\n\r\nx\r\n--b0--\r\nan epilogue\r\n--b0\r\n\r\ny\r\n"
    assert read(body) == [Received("", b"x")]
    assert read(b"--b0\r\n\r\nx\r\n--b0--") == [Received("", b"x")]


def test_a_part_may_be_empty_of_headers_or_of_everything_but_not_of_the_line_between():
    assert read(b"--b0\r\n\r\n\r\n--b0--") == [Received("", b"")]
    assert refused(b"--b0\r\n--b0--") == "part"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b0",
        b"--b0--",
        b"--b0\r\n",
        b"--b1\r\n\r\nx\r\n--b1--",
        made(b"x").replace(b"\r\n", b"\n"),  # LF alone
        made(b"x").replace(b"--b0--\r\n", b""),  # cut off
        made(b"x").replace(b"\r\n--b0--", b"--b0--"),
        b"--b0x\r\n\r\nx\r\n--b0--",  # a line that only begins with the boundary
        made(b"x\r\n--b0 y"),
        b"\n" * 100_000 + b"--b0--",
    ],
)
def test_a_body_that_is_none_is_refused_whole(body):
    assert refused(body) == "body"


def test_more_parts_than_allowed_are_refused():
    assert len(read(made(*[b"x"] * 200))) == 200
    assert refused(made(*[b"x"] * 201)) == "parts"
    assert refused(b"--b0\r\n" + b"\r\n\r\n--b0\r\n" * 100_000) == "parts"


@pytest.mark.parametrize(
    "head",
    [
        b"X: " + b"a" * MOST_HEADER + b"\r\n\r\n",  # too long
        b"X: a\r\n" * 3000 + b"\r\n",
        b"Content-Type: application/dicom\r\n",  # no end
        b"Content-Type\r\n\r\n",
        b"Content-Type : application/dicom\r\n\r\n",
        b" Content-Type: application/dicom\r\n\r\n",
        b"Content-Type: application/dicom;\r\n charset=a\r\n\r\n",  # folded
        b"Content-Type: application/dicom\r\nContent-type: text/plain\r\n\r\n",
        b"Content-Type: dicom\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\n",
    ],
)
def test_headers_that_say_too_much_or_nothing_clear_are_refused(head):
    assert refused(made(b"x", head=head)) in ("part", "header")


# As others write it


def test_what_dicomweb_client_and_we_ourselves_write_is_read():
    data = [b"\r\n--", bytes(range(256)), b""]
    told = 'multipart/related; type="application/dicom"; boundary="0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1"'
    theirs = DICOMwebClient._encode_multipart_message(data, told)  # noqa: SLF001 - what its store_instances sends
    assert [one.data for one in read(theirs, told)] == data
    ours = related.body(DICOM, "b0", [related.Part(DICOM, "1.2", one) for one in data])
    assert read(ours, related.told(DICOM, "b0")) == [Received(DICOM, one) for one in data]


@given(st.lists(st.binary(max_size=60).filter(lambda data: b"--b0" not in data), min_size=1, max_size=4))
@example([b"\r", b"\n\r\n"])
def test_whatever_the_parts_hold_comes_back(data):
    assert [one.data for one in read(made(*data))] == data


@given(
    st.lists(
        st.sampled_from([b"--b0", b"--b0--", b"\r\n", b"\n", b"\r", b"--", b"a: b", b"x", b" ", b"\0"]), max_size=30
    )
)
def test_nothing_in_a_body_does_worse_than_a_refusal_and_nobody_reads_more_out_of_it(pieces):
    body = b"".join(pieces)
    try:
        found = read(body)
    except NotMultipart:
        return
    assert all(re.search(rb"(^|\r\n)--b0", one.data) is None for one in found)
    assert sum(len(one.data) for one in found) <= len(body)


def test_the_standard_librarys_reader_agrees_but_for_images_with_a_lone_cr_which_it_changes():
    def theirs(data):
        body = f"Content-Type: {TYPE}\r\n\r\n".encode() + made(*data)
        message = BytesParser(policy=policy.HTTP).parse(io.BytesIO(body))
        return [one.get_payload(decode=True) for one in message.iter_parts()]

    same, other = [b"one", b"\x00\xff\xfe", b"a\nb"], [b"a\rb"]
    assert theirs(same) == same == [one.data for one in read(made(*same))]
    assert theirs(other) != other == [one.data for one in read(made(*other))]
