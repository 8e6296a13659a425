"""Text under right, wrong and missing labels (FACTS: charset vectors), one element and whole files."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, encode_string

from chalicelib.dicom.text import Charset
from tests.support.dicom_files import element, instance, read

VECTORS = list(csv.DictReader(Path("tests/data/charsets.csv").read_text("utf-8").splitlines()))
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂玉萍红玲建华志瑜昕雅诗涵宇轩浩然梓"
RARE = "喆堃犇淼垚赟翀祎昇旻暘璟瑀琬贇龑韡昉㛃䶮"
WRONG = ("ISO_IR 100", "", "ISO_IR 6", "ISO 2022 IR 100", "\\ISO 2022 IR 58", "ISO 2022 IR 165", "NONSENSE")


def decode(raw, declared, vr="LO"):
    return Charset(declared, [raw]).decode(raw, customizable=vr != "CS")


@pytest.mark.parametrize("row", VECTORS, ids=[row["id"] for row in VECTORS])
def test_vector(row):
    text = decode(bytes.fromhex(row["hex"]), row["declared"], row["vr"])
    value = text.value.rstrip("=") if row["vr"] == "PN" else text.value
    assert value == row["expected"].replace("\\r", "\r").replace("\\n", "\n")
    assert text.codec == row["codec"]
    is_right = row["as_pydicom"] == "yes" or row["codec"] == "iso2022_58"
    assert text.repaired is not is_right


@pytest.mark.parametrize("row", VECTORS, ids=[row["id"] for row in VECTORS])
def test_vector_in_a_file_keeps_its_bytes(row):
    raw = bytes.fromhex(row["hex"])
    tag = {"PN": 0x00100010, "CS": 0x00180015}.get(row["vr"], 0x00081030)
    field = {"PN": "patient_name", "CS": "body_part_examined"}.get(row["vr"], "study_description")
    vr = row["vr"] if row["vr"] in ("PN", "CS") else "LO"
    header = read(instance(element(tag, vr, raw), charset=row["declared"], without={tag}))
    assert getattr(header, field) == row["expected"].replace("\\r", "\r").replace("\\n", "\n").rstrip("=")
    if field in header.repaired:
        assert header.repaired[field].original == row["hex"]


names = st.builds(
    lambda surname, given, rare, mark: surname + mark + given + rare,
    st.sampled_from(SURNAMES),
    st.text(GIVEN, min_size=1, max_size=2),
    st.text(RARE, max_size=1),
    st.sampled_from(["", "^", "^^", "=", " "]),
)


@given(names, st.sampled_from(["gb18030", "utf-8"]), st.sampled_from([*WRONG, "GB18030", "GBK", "ISO_IR 192"]))
@settings(max_examples=400, deadline=None)
def test_a_name_is_read_whatever_the_label_says(name, codec, label):
    raw = name.encode(codec)
    assert decode(raw, label, "PN").value == name


@given(names, st.sampled_from(["gb18030", "utf-8"]), st.sampled_from(WRONG))
@settings(max_examples=200, deadline=None)
def test_a_single_ideograph_is_read_by_the_company_it_keeps(name, codec, label):
    lone = name[0].encode(codec)
    charset = Charset(label, [lone, "第一人民医院放射科".encode(codec)])
    assert charset.decode(lone).value == name[0]


@given(names)
def test_ir_58_is_read_with_its_escapes_after_each_separator(name):
    raw = b"".join(
        piece.encode() if piece.isascii() else b"\x1b$)A" + piece.encode("gb18030")
        for piece in "|".join(name.replace("^", "|^|").replace("=", "|=|").split("|")).split("|")
        if piece
    )
    for label in ("\\ISO 2022 IR 58", "ISO 2022 IR 58", "ISO_IR 100\\ISO 2022 IR 58", "ISO 2022 IR 6\\ISO 2022 IR 58"):
        text = decode(raw, label, "PN")
        assert (text.value, text.codec, text.repaired) == (name, "iso2022_58", False)
    assert decode(raw, "", "PN").value == name
    assert decode(raw, "", "PN").repaired


@given(names, st.sampled_from(["gb18030", "utf-8"]), st.sampled_from(["GB18030", "ISO_IR 192", "ISO_IR 100"]))
def test_a_character_cut_in_half_is_dropped(name, codec, label):
    whole = "江北人民医院" + name
    raw = whole.encode(codec)
    cut = len(whole[-1].encode(codec)) - 1
    text = decode(raw[: len(raw) - cut], label)
    assert text.value == whole[:-1]
    assert text.repaired


LATIN = "Müller^Jürgen Größe^Ünal Núñez^José Françoise^Éléonore Sørensen^Åse Lódz^Æther^Ýmir Señor^Peña Øyvind^Bjørn"


@pytest.mark.parametrize("label", ["ISO_IR 100", "", "ISO 2022 IR 100"])
@pytest.mark.parametrize("name", LATIN.split())
def test_latin_1_stays_latin_1(name, label):
    text = decode(name.encode("latin-1"), label, "PN")
    assert (text.value, text.repaired) == (name, False)


def test_western_names_in_one_dataset_stay_latin_1():
    raw = [name.encode("latin-1", "ignore") for name in LATIN.split()]
    charset = Charset("ISO_IR 100", raw)
    assert [charset.decode(one).value.encode("latin-1") for one in raw] == raw


ALPHABETS = {
    "ISO_IR 101": "ąćęłńóśźżŁŚŻčďěňřšťůž",
    "ISO_IR 109": "ĉĝĥĵŝŭħ",
    "ISO_IR 110": "āēģīķļņšūž",
    "ISO_IR 126": "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΣΩ",
    "ISO_IR 127": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "ISO_IR 138": "אבגדהוזחטיכלמנסעפצקרשת",
    "ISO_IR 144": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗ",
    "ISO_IR 148": "çğıöşüÇĞİÖŞÜ",
    "ISO_IR 166": "กขคงจฉชซญดตถทธนบปผฝพฟมยรลวศสหอฮะาำิีึืุูเแโใไ็่้์",
    "ISO_IR 13": "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾔﾏﾀﾞ",
    "ISO_IR 192": "éñαжאع한かカ",
    "\\ISO 2022 IR 87": "山田太郎東京病院やまだカナ",
    "\\ISO 2022 IR 149": "김희중이박최정한국병원",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞﾀﾛｳ山田太郎",
    "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126": "éüßабвгдеαβγδε",
    "ISO 2022 IR 6\\ISO 2022 IR 159": "鷗﨑丂",
}


@given(st.data(), st.sampled_from(sorted(ALPHABETS)))
@settings(max_examples=500, deadline=None)
def test_other_scripts_are_read_exactly_as_pydicom_reads_them(data, label):
    alphabet = ALPHABETS[label]
    words = st.text(alphabet + "^ abc", min_size=1, max_size=14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = {
            tag: encode_string(data.draw(words), convert_encodings(label.split("\\"))).strip()
            for tag in (0x00100010, 0x00081030, 0x00080080)
        }
        elements = [element(tag, "PN" if tag == 0x00100010 else "LO", value) for tag, value in raw.items()]
        file = instance(*elements, charset=label, without={0x00100010})
        dataset = pydicom.dcmread(io.BytesIO(file))
        expected = [str(dataset.get(word) or "") for word in ("PatientName", "StudyDescription", "InstitutionName")]
    header = read(file)
    assert [header.patient_name, header.study_description, header.institution_name] == expected


def test_text_is_split_after_decoding():
    file = instance(
        element(0x00181210, "SH", "昞瑋\\玘".encode("gbk")), charset="GBK", name="李昞^玘=张瑋\\王玘".encode("gbk")
    )
    header = read(file)
    assert header.patient_name == "李昞^玘=张瑋\\王玘"
    assert header.viewer["ConvolutionKernel"] == ["昞瑋", "玘"]
    assert header.repaired == {}


def test_chinese_in_a_code_string_is_read_and_its_bytes_are_kept():
    for codec, label in (("gb18030", "GB18030"), ("utf-8", "ISO_IR 192"), ("gb18030", ""), ("utf-8", "ISO_IR 100")):
        raw = "胸部".encode(codec)
        header = read(instance(element(0x00180015, "CS", raw), charset=label))
        assert header.body_part_examined == "胸部"
        assert header.repaired["body_part_examined"].original == raw.hex()


@given(st.binary(max_size=40), st.sampled_from([*ALPHABETS, *WRONG, "GB18030", "GBK", "\\ISO 2022 IR 58", "a\\b\\c"]))
@settings(max_examples=500, deadline=None)
def test_any_bytes_under_any_label_give_text(raw, label):
    for vr in ("LO", "CS"):
        assert decode(raw, label, vr).value.encode("utf-8", "strict") is not None


@pytest.mark.parametrize("label", ["ISO_IR 100", "", "GB18030", "ISO_IR 192"])
def test_two_encodings_in_one_dataset_are_told_apart(label):
    """A PACS adds texts of its own to those of the device."""
    for first, second in (("gb18030", "utf-8"), ("utf-8", "gb18030")):
        texts = ["江北人民医院放射科".encode(first), "张晓明".encode(second)]
        charset = Charset(label, texts)
        assert [charset.decode(text).value for text in texts] == ["江北人民医院放射科", "张晓明"]


@pytest.mark.parametrize("label", ["ISO_IR 100", "GB18030", ""])
def test_traditional_and_very_rare_names_are_read_from_utf_8(label):
    for name in ("陳^偉傑", "張曉明", "龍^麗華", "刘䶮", "王^𬱖"):
        assert decode(name.encode(), label).value == name


def test_what_fits_nothing_is_latin_1_or_as_pydicom_replaces_it():
    assert decode(b"\xff\xfe\xfd", "ISO_IR 192").value == "ÿþý"
    assert decode(b"\xff\xfe\xfd", "GB18030").repaired
    assert decode(b"\xfe", "ISO 2022 IR 149").value == "\ufffd"
    assert decode(b"\xcd\xf5", "ISO_IR 192").value == "王"
    assert decode(b"a\x1b$)C\xb1\xe8", "ISO_IR 100").value == "a\x1b$)C±è"
    assert decode(b"\x1b$)A\xb2", "\\ISO 2022 IR 58").value == "\ufffd"
    assert decode(b"\x1b-F\xff\x1b-F\xe1", "ISO 2022 IR 6\\ISO 2022 IR 126").repaired is False


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xcd\xf5\xfe\x59", "王龴"),
        (b"\xcd\xf5\xfe\xa0", "王龻"),
        ("王\u9fb4".encode("gb18030"), "王龴"),
        (b"\xce\xd2\xc3\xc7\xa6\xd9", "我们︐"),
    ],
)
@pytest.mark.parametrize("declared", ["GB18030", "GBK", ""])
def test_characters_that_gb18030_2022_has_moved_are_not_left_in_private_use(raw, expected, declared):
    assert decode(raw, declared).value == expected
