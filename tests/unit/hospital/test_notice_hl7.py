from __future__ import annotations

import base64
import json

import pytest

from chalicelib.domain.notice import ExamNotice, parse
from infra.hospital.imaging_hospital.hl7_message import groups, messages
from infra.hospital.imaging_hospital.notice_draft import PassedOver, Reading
from infra.hospital.imaging_hospital.notice_files import Kept, Refused, read
from tests.support.hl7_samples import ORDERED, PERFORMED, message

ONE = Reading()


def outcomes(text, codec="gb18030", reading=ONE):
    return list(read(text.encode(codec), reading))


def notice(text, codec="gb18030", reading=ONE):
    (kept,) = outcomes(text, codec, reading)
    assert isinstance(kept, Kept), kept
    return json.loads(kept.body)


def refused(text):
    (one,) = outcomes(text)
    assert isinstance(one, Refused), one
    return one


@pytest.mark.parametrize("declared", ["", "GB 18030-2000", "UNICODE UTF-8", "8859/1", "ASCII"])
@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
def test_a_result_is_read_in_either_chinese_charset_whatever_its_label(codec, declared):
    assert notice(message({**PERFORMED, "MSH-18": declared}), codec) == {
        "type": "exam",
        "status": "performed",
        "notice_id": "F1^RIS",
        "accession_number": "CT20261120001",
        "patient": {
            "patient_id": "P000123",
            "name": "张小明",
            "birth_date": "19800102",
            "national_id": "110101198001021236",
            "sex": "M",
        },
        "patient_class": "outpatient",
        "modality": "CT",
        "procedure": "胸部CT平扫",
        "sent_at": "2026-11-20T12:03:10+08:00",
        "performed_at": "2026-11-20T11:55:00+08:00",
    }


@pytest.mark.parametrize("name", ["李昞", "王玘", "张瑋", "镕喆", "朱镕基", "王𬱖"])
def test_the_second_byte_of_a_character_is_no_delimiter(name):
    """昞 is 95 5C in GB18030, 瑋 is AC 7C, 玘 ends in 5E-like bytes: split before decoding, they shift every field."""
    told = notice(message({**PERFORMED, "MSH-3": "昞瑋", "PID-5": name}))
    assert (told["patient"]["name"], told["accession_number"]) == (name, "CT20261120001")


@pytest.mark.parametrize(
    ("kind", "control", "order", "result", "status"),
    [
        ("ORM^O01", "NW", "", "", "scheduled"),
        ("ORM^O01", "XO", "SC", "", "scheduled"),
        ("ORM^O01", "SC", "IP", "", "scheduled"),
        ("OMI^O23", "NW", "SC", "", "scheduled"),
        ("ORM^O01", "SC", "CM", "", "performed"),
        ("ORM^O01", "SC", "CM", "F", "performed"),
        ("ORU^R01", "RE", "CM", "F", "performed"),
        ("ORU^R01", "RE", "", "P", "performed"),
        ("ORU^R01", "RE", "", "C", "performed"),
        ("ORU^R01", "", "", "", "performed"),
        ("ORM^O01", "CA", "", "", "cancelled"),
        ("ORM^O01", "OC", "", "", "cancelled"),
        ("ORM^O01", "CR", "", "", "cancelled"),
        ("ORM^O01", "DC", "", "", "cancelled"),
        ("ORM^O01", "RP", "", "", "cancelled"),
        ("ORM^O01", "SC", "CA", "", "cancelled"),
        ("ORM^O01", "SC", "DC", "", "cancelled"),
        ("ORU^R01", "RE", "", "X", "cancelled"),
    ],
)
def test_what_a_message_says_of_the_exam_follows_tables_0119_0038_and_0123(kind, control, order, result, status):
    places = {**PERFORMED, "MSH-9": kind, "ORC-1": control, "ORC-5": order, "OBR-25": result}
    assert notice(message({**places, "OBR-36": "20261120113000"}))["status"] == status


@pytest.mark.parametrize(
    "places",
    [
        {"MSH-9": "ADT^A01"},
        {"OBR-24": "LAB"},
        {"OBR-25": "I"},
        {"OBR-25": "Y"},
        {"ORC-1": "UA"},
    ],
)
def test_what_tells_of_no_exam_of_ours_is_passed_over(places):
    (told,) = outcomes(message({**PERFORMED, **places}))
    assert isinstance(told, PassedOver)


@pytest.mark.parametrize(
    ("places", "place", "path"),
    [
        ({"OBR-7": "", "OBR-8": ""}, "OBR-8 / OBR-7", "performed_at"),
        ({"OBR-8": "20261120"}, "OBR-8", "performed_at"),
        ({"OBR-8": "yesterday"}, "OBR-8", "performed_at"),
        ({"PV1-2": "X"}, "PV1-2", "patient_class"),
        ({"PV1-2": ""}, "PV1-2", "patient_class"),
        ({"OBR-24": ""}, "IPC-5 / OBR-24", "modality"),
        ({"PID-3": ""}, "PID-3", "patient.patient_id"),
        ({"PID-3": "110101198001021236^^^^NI"}, "PID-3", "patient.patient_id"),
        ({"OBR-18": "0"}, "OBR-18", "accession_number"),
        ({"OBR-18": "x" * 65}, "OBR-18", "accession_number"),
        ({"MSH-7": "long ago"}, "MSH-7", "sent_at"),
        ({"MSH-9": "ORM^O01", "ORC-1": "ZZ", "OBR-25": ""}, "ORC-1", ""),
    ],
)
def test_a_fault_names_segment_and_field_and_never_the_value(places, place, path):
    one = refused(message({**PERFORMED, **places}))
    assert (one.place, one.path, one.number) == (place, path, 1)
    for language in ("en", "zh"):
        sentence = one.sentence(language)
        assert sentence.startswith({"en": "message 1: ", "zh": "第 1 条消息："}[language] + place)
        assert "110101198001021236" not in sentence
        assert "xxx" not in sentence
    assert one.piece.startswith("MSH|")


def test_an_order_without_a_time_is_refused_with_what_to_do():
    assert refused(message({**ORDERED, "OBR-36": ""})).sentence("en").endswith("to take place, YYYYMMDDHHMM")


def test_an_order_is_completed_when_its_status_says_so_and_not_when_it_is_reported():
    completed = {**ORDERED, "ORC-1": "SC", "ORC-5": "CM", "OBR-22": "20261120115700"}
    assert notice(message(completed))["performed_at"] == "2026-11-20T11:57:00+08:00"
    reported = {**PERFORMED, "OBR-22": "20261120180000"}
    assert notice(message({**reported, "OBR-8": ""}))["performed_at"] == "2026-11-20T11:40:00+08:00"


def test_order_end_and_cancellation_of_one_exam_carry_one_id_that_names_who_gave_it():
    told = [notice(message(places))["notice_id"] for places in (ORDERED, PERFORMED, {**ORDERED, "ORC-1": "CA"})]
    assert set(told) == {"F1^RIS"}
    from_elsewhere = notice(message({**PERFORMED, "ORC-3": "F1^US", "OBR-3": "F1^US"}))
    assert from_elsewhere["notice_id"] == "F1^US"


def test_the_zone_is_the_times_own_else_that_of_the_message_else_of_the_settings():
    east = message({**PERFORMED, "MSH-7": "20261120120310+0600"})
    assert notice(east)["performed_at"] == "2026-11-20T11:55:00+06:00"
    own = message({**PERFORMED, "OBR-8": "20261120045500.123+0100", "MSH-7": "20261120120310+0600"})
    assert notice(own)["performed_at"] == "2026-11-20T04:55:00+01:00"


def test_places_and_classes_can_be_set_for_a_hospital():
    reading = Reading(fields={"accession_number": ("OBR-20",), "declared_instances": ("ZIM-1",)})
    told = notice(message({**PERFORMED, "OBR-20": "A-7"}, "ZIM|300"), reading=reading)
    assert (told["accession_number"], told["declared_instances"]) == ("A-7", 300)
    physical = Reading(patient_classes={"T": "outpatient"})
    assert notice(message({**PERFORMED, "PV1-2": "T"}), reading=physical)["patient_class"] == "outpatient"


def test_the_name_is_told_as_dicom_has_it_in_whatever_order_it_repeats():
    for name in ("ZHANG^XIAOMING~张^小明", "张小明^^^^^^L^I~ZHANG^XIAOMING^^^^^L^A"):
        assert notice(message({**PERFORMED, "PID-5": name}))["patient"]["name"] == "ZHANG^XIAOMING=张小明"


@pytest.mark.parametrize(
    ("numbers", "patient_id", "national_id"),
    [
        ("110101198001021211^^^^IdentifyNO~00012345^^^^PATNO", "00012345", "110101198001021211"),
        ("110101198001021211~00012345", "00012345", "110101198001021211"),
        ("00012345^^^^XX~M7^^^^MR", "M7", None),
        ("110101198001021211^^^^IdentifyNO", "110101198001021211", "110101198001021211"),
        ("11010119800102121X^^^^XX~00012345^^^^PATNO", "11010119800102121X", None),  # no check digit, no citizen
    ],
)
def test_a_citizens_number_is_not_taken_for_the_hospitals_whatever_its_type_is_called(numbers, patient_id, national_id):
    patient = notice(message({**PERFORMED, "PID-3": numbers}))["patient"]
    assert (patient["patient_id"], patient.get("national_id")) == (patient_id, national_id)


def test_the_study_uid_comes_from_ipc_or_zds_wherever_it_stands():
    ihe = notice(message(PERFORMED, "ZDS|1.2.156.1^RIS^Application^DICOM"))
    v25 = notice(message(PERFORMED, "IPC|CT-9|RP1|1.2.156.2|SPS1|MR"))
    assert ihe["study_instance_uid"] == "1.2.156.1"
    assert (v25["study_instance_uid"], v25["accession_number"], v25["modality"]) == ("1.2.156.2", "CT-9", "MR")


def test_several_exams_of_one_message_are_several_notices_and_steps_of_one_exam_are_one():
    second = "ORC|RE|ORD2^HIS|F2^RIS\rOBR||ORD2^HIS|F2^RIS|US01^腹部B超|||20261120110000|20261120111500" + "|" * 10
    two = outcomes(message(PERFORMED, second + "US9||||||US|F"))
    assert [json.loads(one.body)["accession_number"] for one in two] == ["CT20261120001", "US9"]
    step = "OBR||ORD1^HIS|F1^RIS|CT02^腹部CT|||20261120115600|20261120120100" + "|" * 10 + "CT20261120001||||||CT|F"
    told = notice(message(PERFORMED, step))
    assert (told["procedure"], told["performed_at"]) == ("胸部CT平扫；腹部CT", "2026-11-20T12:01:00+08:00")


def test_the_report_goes_along_as_text_or_as_pdf():
    findings = "OBX|1|FT|18782-3&GDT^检查所见||两肺纹理清晰\\.br\\未见实变||||||F"
    impression = "OBX|2|TX|19005-8&IMP^诊断意见||未见异常\\T\\建议复查||||||F"
    resource = notice(message(PERFORMED, findings, impression))["report"]["resource"]
    assert resource["conclusion"] == "未见异常&建议复查"
    assert base64.b64decode(resource["presentedForm"][0]["data"]).decode() == "两肺纹理清晰\n未见实变"
    pdf = base64.b64encode(b"%PDF-1.7 report").decode()
    told = notice(message(PERFORMED, impression, f"OBX|3|ED|PDF||RIS^application^PDF^Base64^{pdf}||||||F"))
    assert told["report"] == {"content_type": "application/pdf", "content_base64": pdf}
    assert isinstance(parse(json.dumps(told).encode()), ExamNotice)


def test_a_file_may_hold_many_messages_and_batch_envelopes_with_any_line_ends():
    one, two = message(PERFORMED), message({**PERFORMED, "PV1-2": "?", "MSH-10": "M2"})
    batch = f"FHS|^~\\&\rBHS|^~\\&\r{one}{two}{one}BTS|3\rFTS|1\r"
    for end in ("\r", "\n", "\r\n"):
        told = outcomes(batch.replace("\r", end))
        assert [type(o).__name__ for o in told] == ["Kept", "Refused", "Kept"]
        assert told[1].number == 2
    framed = b"\x0b" + one.encode("gb18030") + b"\x1c\r"
    assert isinstance(next(read(framed, ONE)), Kept)


def test_escapes_mean_delimiters_and_delete_marks_mean_nothing():
    told = notice(message({**PERFORMED, "OBR-4": "X^CT \\T\\ MR\\S\\1\\H\\ \\XE883B8\\", "PID-7": '""'}))
    assert told["procedure"] == "CT & MR^1 胸"
    assert "birth_date" not in told["patient"]


def test_bytes_of_no_known_charset_are_refused_with_what_to_send():
    (one,) = read(message(PERFORMED).encode("gb18030") + b"NTE|\xff\xff\r", ONE)
    assert one.place == "MSH-18"
    assert "GB18030" in one.sentence("zh")


def test_groups_share_what_stands_before_them():
    (text,) = messages(message(PERFORMED).encode())
    (group,) = groups(text)
    assert (group.text("PID-3.5"), group.text("PID-3.1", 2)) == ("MR", "110101198001021236")
    assert group.text("PID-99") == group.text("ZZZ-1") == ""
