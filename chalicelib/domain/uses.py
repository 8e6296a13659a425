"""Which facts of an accession number concern one exam: accession + patient + ±7 days (DESIGN §7).

Hospitals use an accession number again, for another patient or years later. Everything here is a function of the set
of facts, so the order of arrival cannot matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.exam import Facts, NoticeFact, StudyFact

NEAR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of an accession number: notices as ranked, one fact a study, by UID. `moved`: no image came under it,
    and all its notices stand under another accession number now."""

    patient_id: str
    first_at: datetime
    last_at: datetime
    notices: tuple[NoticeFact, ...]
    studies: tuple[StudyFact, ...]
    moved: bool = False


def uses(facts: Facts, moved: Collection[NoticeFact] = frozenset()) -> tuple[Use, ...]:
    """The uses of an accession number by time. An order that was only scheduled, and of which a later notice of that
    patient speaks for another date, was rescheduled: it is no use of its own any more. `moved` notices stand under
    another accession number (`domain.signposts`)."""
    notices, studies = current_notices(facts.notices), current_studies(facts.studies)
    patients = {notice.patient_id for notice in notices} | {study.patient_id for study in studies}
    found = [
        use
        for patient in patients
        for use in _of_patient(
            [notice for notice in notices if notice.patient_id == patient],
            [study for study in studies if study.patient_id == patient],
            moved,
        )
    ]
    return tuple(sorted(found, key=lambda use: (use.first_at, use.patient_id)))


def current_notices(notices: Iterable[NoticeFact]) -> tuple[NoticeFact, ...]:
    """As ranked; of several with one id and status only the last: the others were corrected."""
    last = {(notice.notice_id, notice.status): notice for notice in sorted(notices, key=lambda n: n.rank)}
    return tuple(sorted(last.values(), key=lambda n: n.rank))


def current_studies(studies: Iterable[StudyFact]) -> tuple[StudyFact, ...]:
    """The last fact of each study, unless that says it is withdrawn or nothing of it is served. A settle speaks of each
    accession number as written, blanks and all: of those that are one to us, the one it did not withdraw counts."""
    ranked = sorted(studies, key=lambda s: s.rank)
    last = {(study.study_instance_uid, study.accession_number): study for study in ranked}
    present = [study for study in last.values() if study.received.runs and not study.withdrawn]
    one = {study.study_instance_uid: study for study in sorted(present, key=lambda s: s.rank)}
    return tuple(sorted(one.values(), key=lambda s: s.study_instance_uid))


def about(fact: NoticeFact | StudyFact) -> datetime:
    """The instant by which a fact is placed."""
    if isinstance(fact, StudyFact):
        return fact.exam_ended_at or fact.received.runs[0][0]
    return fact.about or fact.sent_at


def _of_patient(
    notices: Sequence[NoticeFact], studies: Sequence[StudyFact], moved: Collection[NoticeFact]
) -> list[Use]:
    dated: list[NoticeFact | StudyFact] = [*(notice for notice in notices if notice.about), *studies]
    groups: list[list[NoticeFact | StudyFact]] = []
    for fact in sorted(dated, key=about):
        if groups and about(fact) - about(groups[-1][-1]) <= NEAR:
            groups[-1].append(fact)
        else:
            groups.append([fact])
    found = [_left(_use(group), moved) for group in groups]
    for notice in notices:
        if not notice.about:
            _join(found, notice)
    return [use for use in found if not _rescheduled(use, notices)]


def _use(group: Sequence[NoticeFact | StudyFact]) -> Use:
    notices = sorted((fact for fact in group if isinstance(fact, NoticeFact)), key=lambda n: n.rank)
    studies = sorted((fact for fact in group if isinstance(fact, StudyFact)), key=lambda s: s.study_instance_uid)
    times = [about(fact) for fact in group]
    return Use(group[0].patient_id, min(times), max(times), tuple(notices), tuple(studies))


def _left(use: Use, moved: Collection[NoticeFact]) -> Use:
    """Images make an accession number stand. Without any, a notice that has moved says nothing here any more, and if
    all have, that is a cancellation."""
    stay = tuple(notice for notice in use.notices if notice not in moved)
    if use.studies or stay == use.notices:
        return use
    if stay:
        return replace(use, notices=stay)
    void = (replace(n, status="cancelled", declared_instances=None, report=None) for n in use.notices)
    return replace(use, notices=tuple(sorted(void, key=lambda n: n.rank)), moved=True)


def _join(found: list[Use], notice: NoticeFact) -> None:
    """A cancellation that names no time cancels what was told last before it; if nothing was, what is nearest."""
    if not found:
        found.append(_use([notice]))
        return
    told = [(use.notices[-1].rank, place) for place, use in enumerate(found) if use.notices]
    before = [(rank, place) for rank, place in told if rank < notice.rank]
    nearest = min((abs(use.first_at - notice.sent_at), place) for place, use in enumerate(found))
    place = max(before)[1] if before else nearest[1]
    joined = sorted((*found[place].notices, notice), key=lambda n: n.rank)
    found[place] = replace(found[place], notices=tuple(joined))


def _rescheduled(use: Use, notices: Sequence[NoticeFact]) -> bool:
    if use.studies or any(notice.status != "scheduled" for notice in use.notices):
        return False
    return notices[-1].rank > use.notices[-1].rank
