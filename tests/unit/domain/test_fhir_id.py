import re

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.fhir_id import report_id, study_id, study_of, study_of_report
from chalicelib.domain.study import StudyRef

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # R4, datatypes: id
refs = st.builds(StudyRef, st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True), st.text("0123456789.", min_size=1))
refs = refs.filter(lambda ref: len(ref.study_instance_uid) <= 64)


@given(refs, st.text("0123456789abcdef"))
def test_an_id_is_one_of_fhir_and_leads_back_to_its_study_and_to_no_other(ref, digest):
    made = study_id(ref)
    assert FHIR_ID.fullmatch(made)
    assert study_of(made) == ref
    assert study_of_report(made) is None
    report = report_id(ref, digest)
    assert FHIR_ID.fullmatch(report)
    assert study_of_report(report) == ref
    assert study_of(report) is None


def test_the_longest_study_has_an_id_that_is_short_enough():
    longest = StudyRef("Z" * 16, "9" * 64)
    dotted = StudyRef("Z" * 16, "." * 64)
    for ref in (longest, dotted):
        assert len(report_id(ref, "x")) <= 64
        assert study_of(study_id(ref)) == ref


def test_an_id_shows_no_uid():
    assert "1.2.840" not in study_id(StudyRef("H1", "1.2.840.1"))


@given(st.text("0123456789AZaz-.H", max_size=70) | st.text(max_size=70))
def test_whatever_else_is_asked_for_leads_nowhere_or_is_the_one_id_of_a_study(resource_id):
    found = study_of(resource_id)
    assert found is None or study_id(found) == resource_id
    assert study_of_report(resource_id) is None or "." in resource_id
