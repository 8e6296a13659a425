"""Where facts belong that do not say it themselves: a study or notice without an accession number, and a notice that
was corrected to another one (DESIGN §7).

A fact's home is the collection of its accession number, or of its study UID where it has none. It is told to other
collections as a guest; whether it counts there is judged here, from the set of facts alone, so that the order in which
they come cannot matter:

- A notice with accession number and study UID is a guest in the UID's collection, a signpost; so is a study that bears
  an accession number. What lies there without one belongs to the accession's collection, is a guest there, and counts
  at home no more.
- A notice sent again under its id, for the same patient and about the same days, with another accession number has
  moved: it is a guest where it was, and what it said there before counts no more. (Of a hospital that gives one id to
  many exams this would take exams away. So the days are bounded, images make an accession number stand whatever a
  notice says, and what has moved stays to be seen: as cancelled, and in the worklist.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chalicelib.domain.exam import ExamKey, Facts, NoticeFact, StudyFact
from chalicelib.domain.uses import NEAR, about, current_studies

Fact = NoticeFact | StudyFact


def home(fact: Fact) -> str:
    """The accession number, or the study UID where that is none: `ExamKey.accession`."""
    return ExamKey.of("", fact.accession_number, fact.study_instance_uid).accession


def is_named(fact: Fact) -> bool:
    """Whether it has an accession number, and not a placeholder."""
    return bool(ExamKey.of("", fact.accession_number, "").accession)


@dataclass(frozen=True, slots=True)
class Belonging:
    """The facts that count in a collection. `moved`: its notices that now stand under another accession number."""

    facts: Facts
    moved: frozenset[NoticeFact]


def belonging(accession: str, facts: Facts) -> Belonging:
    """Of all that lies in this collection, what counts here."""
    told = _Told(facts.notices)
    own = [notice for notice in facts.notices if is_named(notice) and home(notice) == accession]
    moved = frozenset(notice for notice in own if told.moved(notice))
    present = [study for study in current_studies(facts.studies) if is_named(study)]
    uids = {uid for notice in own if notice not in moved for uid in told.uids(notice)}
    uids |= {study.study_instance_uid for study in present if home(study) == accession}
    points_away = any(not told.moved(notice) for notice in told.pointing(accession))
    points_away |= any(home(study) != accession == study.study_instance_uid for study in present)

    def counts(fact: Fact) -> bool:
        if is_named(fact):
            return home(fact) == accession
        return not points_away if fact.study_instance_uid == accession else fact.study_instance_uid in uids

    notices = tuple(notice for notice in facts.notices if counts(notice))
    studies = tuple(study for study in facts.studies if counts(study))
    return Belonging(replace(facts, notices=notices, studies=studies), moved)


def targets(accession: str, facts: Facts) -> frozenset[str]:
    """The accession numbers under which, by any notice or study ever, the exam of this study UID stands. Also those
    that it has left since: what is told to them then is the same in any order."""
    studies = (one for one in facts.studies if one.study_instance_uid == accession and is_named(one))
    signposts: tuple[Fact, ...] = (*_Told(facts.notices).pointing(accession), *studies)
    return frozenset(map(home, signposts)) - {accession}


def guests(accession: str, facts: Facts) -> tuple[Fact, ...]:
    """What is told to the targets: what has no accession number, and its home here."""
    all_here: tuple[Fact, ...] = (*facts.notices, *facts.studies)
    return tuple(fact for fact in all_here if not is_named(fact) and home(fact) == accession)


class _Told:
    """Notices by what they were sent as."""

    def __init__(self, notices: Iterable[NoticeFact]) -> None:
        self._alike: dict[tuple[str, str], list[NoticeFact]] = defaultdict(list)
        for notice in notices:
            self._alike[notice.notice_id, notice.patient_id].append(notice)

    def alike(self, notice: NoticeFact) -> Iterator[NoticeFact]:
        """Of one id and patient, about the same days; itself among them."""
        group = self._alike[notice.notice_id, notice.patient_id]
        return (other for other in group if abs(about(other) - about(notice)) <= NEAR)

    def uids(self, notice: NoticeFact) -> Iterator[str]:
        return (other.study_instance_uid for other in self.alike(notice) if other.study_instance_uid)

    def moved(self, notice: NoticeFact) -> bool:
        later = (other for other in self.alike(notice) if is_named(other) and other.rank > notice.rank)
        return any(home(other) != home(notice) for other in later)

    def pointing(self, uid: str) -> Iterator[NoticeFact]:
        """Notices of another home that name this study."""
        for group in list(self._alike.values()):
            for notice in group:
                if is_named(notice) and home(notice) != uid and uid in self.uids(notice):
                    yield notice
