"""From a file's bytes to what its study is an exam of."""

from __future__ import annotations

from chalicelib.domain.examined import examined
from tests.support.dicom_files import element, instance, read, sequence


def coded(tag, value, scheme, *more):
    return sequence(tag, element(0x00080100, "SH", value) + element(0x00080102, "SH", scheme) + b"".join(more))


def seen(*elements, **changed):
    return examined([read(instance(*elements, **changed))])


def test_a_coded_region_is_read_whatever_generation_of_code_and_wins_over_words():
    words = element(0x00081030, "LO", "CT HEAD")
    for value, scheme in (("T-D3000", "SRT"), ("51185008", "SCT"), ("816094009", "SCT")):
        assert seen(coded(0x00082218, value, scheme), words).parts == ("CHEST",)


def test_the_order_s_own_words_win_over_the_study_s_in_chinese_too():
    words = element(0x00081030, "LO", "CT HEAD")
    wanted = element(0x00321060, "LO", "左膝关节MR平扫".encode("gb18030"))
    assert seen(words, wanted, charset="GB18030").parts == ("KNEE:L",)
    step = element(0x00400007, "LO", "盆腔CT".encode("gb18030"))
    assert seen(words, sequence(0x00400275, step), charset="GB18030").parts == ("PELVIS",)


def test_a_body_part_of_bytes_in_no_declared_set_is_read_again():
    assert seen(element(0x00180015, "CS", "胸部".encode("gb18030"))).parts == ("CHEST",)


def test_an_image_s_own_side_counts_where_words_leave_it_open():
    knee, side = element(0x00180015, "CS", "KNEE"), element(0x00200062, "CS", "R")
    assert seen(knee, side).parts == ("KNEE:R",)
    assert seen(knee, element(0x00200060, "CS", "L")).parts == ("KNEE:L",)
    assert seen(element(0x00180015, "CS", "CHEST"), side).parts == ("CHEST",)
