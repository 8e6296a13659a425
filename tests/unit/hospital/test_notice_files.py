from __future__ import annotations

import json

import pytest

from chalicelib.http.asked import MAX_BODY
from infra.hospital.imaging_hospital.notice_check import MOST_BYTES, TOO_LARGE
from infra.hospital.imaging_hospital.notice_draft import Reading
from infra.hospital.imaging_hospital.notice_files import Kept, read

HEADER = "检查号,通知号,检查状态,患者号,姓名,性别,就诊类别,设备类型,检查项目,检查完成时间,图像数,备注\n"
ROW = 'CT1,N1,已完成,P1,张三,男,门诊,CT,"胸部,平扫",2026/11/20 9:05,300,"两行\n备注"\n'


def outcomes(raw):
    return list(read(raw, Reading()))


def kept(raw):
    told = outcomes(raw)
    assert all(isinstance(one, Kept) for one in told), told
    return [json.loads(one.body) for one in told]


def faults(raw):
    return [(one.number, one.place, one.path) for one in outcomes(raw) if not isinstance(one, Kept)]


@pytest.mark.parametrize("codec", ["gb18030", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_table_as_excel_writes_it_in_china_is_read_with_its_own_column_names(codec, separator):
    text = (HEADER + ROW).replace(",", separator).replace(f"胸部{separator}平扫", "胸部,平扫")
    assert kept(text.encode(codec)) == [
        {
            "type": "exam",
            "patient": {"patient_id": "P1", "name": "张三", "sex": "男"},
            "accession_number": "CT1",
            "notice_id": "N1",
            "status": "performed",
            "patient_class": "outpatient",
            "modality": "CT",
            "procedure": "胸部,平扫",
            "performed_at": "2026-11-20T09:05:00+08:00",
            "declared_instances": 300,
        }
    ]


def test_a_table_may_also_call_its_columns_as_the_notices_do():
    text = (
        "type,encounter_id,status,patient.patient_id,patient_class,at\nencounter,V1,open,P1,outpatient,20261120 0900\n"
    )
    assert kept(text.encode())[0]["at"] == "2026-11-20T09:00:00+08:00"


def test_a_bad_row_is_named_by_line_and_column_and_the_others_are_kept():
    rows = [
        ROW.replace("9:05", ""),
        ROW,
        ROW.replace("门诊", "外星"),
        ROW.replace("300", "many"),
        "CT1,N1\n",
        "\n",
    ]
    raw = (HEADER + "".join(rows)).encode("gb18030")
    assert faults(raw) == [
        (3, "检查完成时间", "performed_at"),
        (7, "就诊类别", "patient_class"),
        (9, "图像数", "declared_instances"),
        (10, "-", ""),
    ]


@pytest.mark.parametrize("header", ["a,b,c\n1,2,3\n", "检查号,影像号\n1,2\n"])
def test_a_table_whose_columns_cannot_be_told_is_refused_whole(header):
    assert [number for number, _, _ in faults(header.encode())] == [1]


def test_json_is_one_object_or_an_array_or_one_a_line():
    notice = {
        "type": "exam",
        "notice_id": "N1",
        "status": "cancelled",
        "accession_number": "CT1",
        "patient": {"patient_id": "P1", "name": "张三"},
        "of_ours": 1,
    }
    one = json.dumps(notice, ensure_ascii=False)
    assert kept(one.encode("gb18030")) == [notice]
    assert kept(f"[{one},{one}]".encode()) == [notice, notice]
    assert kept(f"{one}\n\n{one}\n".encode()) == [notice, notice]
    assert faults(f"[{one},7,{{}}]".encode()) == [(2, "-", ""), (3, "type", "type")]
    assert faults(f"{one}\n{{broken\n".encode()) == [(2, "-", "")]


@pytest.mark.parametrize("raw", [b"", b" \r\n", b"\xff\xfe\xff", b"\x80\xff\xff"])
def test_what_holds_nothing_readable_is_refused_as_a_file(raw):
    assert [number for number, _, _ in faults(raw)] == [0]


def test_a_report_that_makes_a_notice_larger_than_the_api_takes_is_refused_before_it_is_sent():
    notice = {
        "type": "exam",
        "notice_id": "N1",
        "status": "cancelled",
        "accession_number": "CT1",
        "patient": {"patient_id": "P1"},
        "report": {"content_type": "application/pdf", "content_base64": "JVBERi0x" + "AAAA" * 1_300_000},
    }
    assert faults(json.dumps(notice).encode()) == [(1, "-", "report")]


def test_what_is_too_large_is_refused_before_the_api_refuses_it():
    assert MOST_BYTES == MAX_BODY
    assert all(f"{MOST_BYTES / 1e6:.1f} MB" in text for text in (TOO_LARGE.en, TOO_LARGE.zh))
