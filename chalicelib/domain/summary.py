"""What other parts are told of a settled study: its line in lists, and its facts for the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import accumulate

from chalicelib.domain.arrivals import Arrivals
from chalicelib.domain.exam import StudyFact
from chalicelib.domain.exam_end import exam_end
from chalicelib.domain.examined import examined
from chalicelib.domain.identity import is_placeholder
from chalicelib.domain.manifest import Manifest, digest_of
from chalicelib.domain.study import Entry, Header, StudyRef, Summary

LISTED = 8192  # characters of a list's distinct texts: SUMMARY is one item, and written with every settle


def summarise(manifest: Manifest, body: bytes, served: Sequence[Entry], issuer: str) -> Summary:
    """`served`, and what is only withheld, in the order in which entries count; a value is that of the first of them
    that has one.

    `body` is the manifest's JSON. `manifest_parts` and `revision` are left 0 for the store's answers.
    """
    headers = [entry.header for entry in served]
    statuses = list(manifest.statuses())
    end = exam_end([header.times for header in headers], _bound(served)) if served else None
    seen = examined(headers)
    return Summary(
        ref=manifest.ref,
        state=manifest.state,
        manifest_digest=digest_of(body),
        manifest_parts=0,
        instances=statuses.count("served"),
        series=len({header.series_instance_uid for header in headers}),
        entries=len(statuses),
        duplicates=statuses.count("duplicate"),
        divergent=statuses.count("divergent"),
        issuer=issuer,
        patient_id=_first(
            headers, lambda h: "" if is_placeholder(h.patient_id, h.patient_name) else h.patient_id.strip()
        ),
        patient_name=_first(headers, lambda h: h.patient_name),
        patient_birth_date=_first(headers, lambda h: h.patient_birth_date),
        patient_sex=_first(headers, lambda h: h.patient_sex),
        accession_number=_first(headers, lambda h: h.accession_number),
        study_date=_first(headers, lambda h: h.study_date),
        study_time=_first(headers, lambda h: h.study_time),
        study_description=_first(headers, lambda h: h.study_description),
        modalities=tuple(sorted(_distinct(header.modality for header in headers))),
        body_parts=tuple(sorted(_distinct(header.body_part_examined for header in headers))),
        series_descriptions=_distinct(_described(manifest)),
        institution_name=_first(headers, lambda h: h.institution_name),
        first_received_at=served[0].received_at if served else None,
        last_received_at=served[-1].received_at if served else None,
        exam_ended_at=end.at if end else None,
        exam_end_source=end.source if end else "none",
        exam_end_flags=tuple(end.flags) if end else (),
        regions=seen.parts,
        contrast=seen.contrast,
        rejected=seen.rejected,
    )


def destroyed(ref: StudyRef) -> Summary:
    """All that is left in lists of a study that was disposed of: without a patient it is in no timeline, and no grant
    can ever be given (`domain.consent`)."""
    return Summary(
        ref=ref,
        state="destroyed",
        manifest_digest="",
        manifest_parts=0,
        instances=0,
        series=0,
        entries=0,
        duplicates=0,
        divergent=0,
        issuer=ref.hospital_id,
        patient_id="",
        patient_name="",
        patient_birth_date="",
        patient_sex="",
        accession_number="",
        study_date="",
        study_time="",
        study_description="",
        modalities=(),
        body_parts=(),
        series_descriptions=(),
        institution_name="",
        first_received_at=None,
        last_received_at=None,
        exam_ended_at=None,
        exam_end_source="none",
        exam_end_flags=(),
    )


def study_facts(
    summary: Summary, received: Sequence[Entry], served: Sequence[Entry], amend_count: int
) -> tuple[StudyFact, ...]:
    """One fact for each accession number that any entry ever bore. The study stands under the summary's; from the
    others it is withdrawn, whatever an earlier settle said while less was known.
    """
    numbers = {entry.header.accession_number for entry in received}
    return tuple(
        _fact(summary, number, served if number == summary.accession_number else (), amend_count)
        for number in sorted(numbers)
    )


def _fact(summary: Summary, accession_number: str, served: Sequence[Entry], amend_count: int) -> StudyFact:
    made = [entry.header for entry in served if entry.header.times.evidence]
    return StudyFact(
        study_instance_uid=summary.ref.study_instance_uid,
        accession_number=accession_number,
        patient_id=summary.patient_id,
        modality=_first(made or [entry.header for entry in served], lambda h: h.modality),
        exam_ended_at=summary.exam_ended_at if served else None,
        exam_end_source=summary.exam_end_source if served else "none",
        received=Arrivals.of(entry.received_at for entry in served),
        entry_count=summary.entries,
        amend_count=amend_count,
        withdrawn=not served,
    )


def _first(headers: Iterable[Header], value: Callable[[Header], str]) -> str:
    return next((found for header in headers if (found := value(header))), "")


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Each text once, blanks left out, in order of appearance. Of thousands those that fit in a list of studies: the
    manifest has them all."""
    distinct = dict.fromkeys(value for value in values if value)
    lengths = accumulate(map(len, distinct))
    return tuple(value for value, length in zip(distinct, lengths, strict=True) if length <= LISTED)


def _described(manifest: Manifest) -> Iterable[str]:
    for series in manifest.series:
        for instance in series.instances():
            yield instance.get("series_description", "")


def _bound(served: Sequence[Entry]) -> datetime:
    """The exam cannot have ended after this: the last receipt of an image made in it, or of anything at all."""
    evidence = [entry.received_at for entry in served if entry.header.times.evidence and not entry.header.times.capture]
    return max(evidence or [entry.received_at for entry in served])
