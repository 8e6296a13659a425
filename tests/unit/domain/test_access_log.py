"""The access log in both languages: what it says, what it leaves out, and that it always says something."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import OWN_ROUTINE, POLLS, AuditEvent
from chalicelib.domain.access_log import Known, explain
from chalicelib.domain.access_reasons import REASONS
from chalicelib.domain.access_words import BASES, DEEDS, MODALITIES, PURPOSES, ROLES
from chalicelib.domain.consent import Consent
from chalicelib.domain.identity import IdentityKey
from chalicelib.domain.study import Hospital, StudyRef
from tests.support.clinic import summary

AT = datetime(2026, 11, 24, 17, 5, 9, tzinfo=UTC)  # the next day in the province
REF = StudyRef("JB001", "1.2.3")
RIVER = Hospital("JB001", "江滨医院", "River Hospital")
LAKE = Hospital("HX002", "湖心医院")
VIEW = AuditEvent(
    event_id="E",
    at=AT,
    action="view_study",
    role="doctor",
    subject="d1",
    hospital_id="HX002",
    allowed=True,
    reason="sms_code",
    person_id="P",
    study=REF,
    basis="sms_code",
    consent_id="C",
)
CONSENT = Consent(
    "C",
    "P",
    "d1",
    "HX002",
    "门诊/1",
    "sms_code",
    "person",
    IdentityKey("HX002", "1"),
    "treatment",
    "v1",
    frozenset(),
    AT,
    AT,
)
STUDY = summary(REF, study_date="20261120", study_description="胸部CT平扫", modalities=("CT", "SR"))
KNOWN = Known({"JB001": RIVER, "HX002": LAKE}, {("doctor", "d1"): "李医生"}, {REF: STUDY}, {"C": CONSENT})
NOTHING = Known({}, {}, {}, {})


def test_a_view_says_who_where_when_why_what_and_on_what_basis():
    told = explain(VIEW, KNOWN).sentence
    assert told.zh == (
        "2026年11月25日01:05，湖心医院的李医生查看了您2026年11月20日在江滨医院的CT检查“胸部CT平扫”。"
        "目的：诊疗（就诊号 门诊/1）。依据：您告知的短信验证码。已获允许。"
    )
    assert told.en == (
        "25 November 2026, 01:05: Dr 李 of 湖心医院 viewed your CT study “胸部CT平扫” of 20 November 2026 at "
        "River Hospital. Purpose: treatment (visit 门诊/1). Basis: the SMS code that you told. Allowed."
    )


def test_a_refusal_is_told_with_its_reason_and_without_a_basis():
    refused = replace(VIEW, allowed=False, reason="no_consent", basis="", consent_id="")
    told = explain(refused, KNOWN).sentence
    assert told.zh == (
        "2026年11月25日01:05，湖心医院的李医生试图查看您2026年11月20日在江滨医院的CT检查“胸部CT平扫”。未获允许：没有您的授权。"
    )
    assert told.en.endswith("at River Hospital. Refused: you had given no permission.")


def test_a_study_that_is_not_the_readers_own_now_is_not_described():
    told = explain(VIEW, replace(KNOWN, summaries={}))
    assert told.summary is None
    assert "查看了江滨医院的一项检查" in told.sentence.zh
    assert "viewed a study at River Hospital" in told.sentence.en
    assert "胸部" not in told.sentence.zh + told.sentence.en


def test_where_nothing_is_known_the_ids_stand_in():
    told = explain(VIEW, NOTHING).sentence
    assert "HX002的医生（d1）查看了JB001的一项检查" in told.zh
    assert "a doctor of HX002 (d1) viewed a study at JB001" in told.en


@pytest.mark.parametrize(
    ("changes", "zh", "en"),
    [
        ({"role": "patient", "hospital_id": ""}, "您本人查看了", "you yourself viewed"),
        (
            {"role": "guardian", "guardian_id": "G", "hospital_id": ""},
            "您的监护人王芳查看了",
            "your guardian 王芳 viewed",
        ),
        ({"role": "guardian", "guardian_id": "", "hospital_id": ""}, "您的监护人查看了", "your guardian viewed"),
        (
            {"role": "hospital", "action": "link_from_notice"},
            "湖心医院的信息系统上报了",
            "the system of 湖心医院 reported",
        ),
        ({"role": "desk_clerk", "subject": "c7"}, "湖心医院的窗口工作人员（c7）", "a desk clerk of 湖心医院 (c7)"),
        (
            {"role": "regulator", "hospital_id": ""},
            "卫生健康主管部门人员（d1）",
            "an officer of the health commission (d1)",
        ),
    ],
)
def test_every_kind_of_caller_is_told_in_its_own_way(changes, zh, en):
    known = replace(KNOWN, names={("guardian", "G"): "王芳"})
    told = explain(replace(VIEW, **changes), known).sentence
    assert zh in told.zh
    assert en in told.en


def test_a_visit_without_a_stated_purpose_is_told_as_that():
    asked = replace(VIEW, action="request_consent", study=None, consent_id="", basis="", encounter_id="E9")
    told = explain(asked, KNOWN)
    assert (told.encounter_id, told.purpose) == ("E9", "")
    assert "目的：未说明（就诊号 E9）" in told.sentence.zh
    assert "Purpose: not stated (visit E9)" in told.sentence.en


def test_the_basis_of_a_list_is_its_reason():
    listed = replace(VIEW, action="read_timeline", study=None, basis="", reason="consent", consent_id="")
    assert explain(listed, KNOWN).basis == "consent"


@pytest.mark.parametrize("date", ["", "2026", "20261340", "notadate"])
def test_a_study_without_a_proper_date_is_told_without_one(date):
    found = replace(STUDY, study_date=date, study_description="", modalities=())
    told = explain(VIEW, replace(KNOWN, summaries={REF: found})).sentence
    assert "查看了您在江滨医院的检查" in told.zh
    assert "viewed your study at River Hospital" in told.en


def test_kinds_of_images_are_said_once_and_helpers_left_out():
    found = replace(STUDY, modalities=("CR", "DX", "SR"))
    assert "您2026年11月20日在江滨医院的X线检查" in explain(VIEW, replace(KNOWN, summaries={REF: found})).sentence.zh
    only = replace(STUDY, modalities=("SR",))
    assert "的SR检查" in explain(VIEW, replace(KNOWN, summaries={REF: only})).sentence.zh


words = st.text(alphabet="abc_{}%", max_size=12)


events = st.builds(
    replace,
    st.just(VIEW),
    action=words,
    role=words,
    reason=words,
    basis=words,
    allowed=st.booleans(),
    study=st.sampled_from([None, REF]),
)


@given(events)
def test_any_words_at_all_are_told_in_two_whole_sentences(event):
    """The words of tomorrow's decisions too."""
    told = explain(event, KNOWN).sentence
    assert told.zh.startswith("2026年11月25日01:05，")
    assert told.zh.endswith("。")
    assert told.en.startswith("25 November 2026, 01:05: ")
    assert told.en.endswith(".")


def test_what_is_routine_has_words_of_its_own():
    assert set(DEEDS) >= OWN_ROUTINE | POLLS


@pytest.mark.parametrize(
    ("changes", "routine"),
    [
        ({"role": "patient", "action": "read_consents", "reason": "self"}, True),
        ({"role": "patient", "action": "open_session", "reason": "self"}, True),
        ({"role": "patient", "action": "read_consents", "reason": "session_ended", "allowed": False}, False),
        ({"role": "guardian", "action": "read_consents", "reason": "guardian"}, False),
        ({"role": "patient", "action": "view_study", "reason": "self"}, False),
        ({"role": "patient", "action": "freeze", "reason": "person"}, False),
        ({"role": "doctor", "action": "read_outcome", "reason": "waiting"}, True),
        ({"role": "doctor", "action": "read_outcome", "reason": "approved"}, False),
        ({"role": "doctor", "action": "assisted_outcome", "reason": "confirmed"}, False),
        ({"role": "doctor", "action": "read_timeline", "reason": "consent"}, False),
        ({"role": "doctor", "action": "remind_of_similar", "reason": "nothing_similar"}, True),
        ({"role": "doctor", "action": "remind_of_similar", "reason": "reminded"}, False),
    ],
)
def test_routine_are_own_lists_and_polls_that_were_told_nothing(changes, routine):
    assert replace(VIEW, **changes).is_routine == routine


def test_every_word_is_said_in_both_languages():
    tables = [*ROLES.values(), *PURPOSES.values(), *BASES.values(), *REASONS.values()]
    said = tables + [one for deed in DEEDS.values() for one in (deed.done, deed.tried)]
    for one in said:
        assert any("一" <= character <= "鿿" for character in one.zh), one
        assert one.en.isascii(), one
    assert all(one.zh and one.en for one in MODALITIES.values())
