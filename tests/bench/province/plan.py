"""What is injected: hospitals, exams as they happened, what was told of them and when our functions got to see it.

Plain values. Instants are whole seconds since 1970 (UTC). Nothing here, nor in `truth`, knows the ledger's code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A hospital. `offset`: minutes from UTC, as registered. `volume`: exams on a usual Monday, …, Sunday, as
    registered; () where nobody said. `before`: exams on the same weekday of the weeks before, latest first.
    `clock_off`: of its RIS, in seconds."""

    hospital_id: str
    region: str
    offset: int = 480
    size: int = 0
    volume: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    active: bool = True
    clock_off: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """`sent` by the hospital's clock, `received` by S3. `at`: the scheduled time, or the end of the exam. `seen`: when
    our functions were handed it, perhaps more than once."""

    notice_id: str
    status: str
    sent: int
    received: int
    at: int | None
    seen: tuple[int, ...]
    declared: int | None = None
    study_uid: str = ""
    accession: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """What the platform knew of a study's images as it settled: (received, how many), and when the ledger was told."""

    runs: tuple[tuple[int, int], ...]
    seen: tuple[int, ...]
    waited: int  # when the first image came that no settle before it knew


@dataclass(frozen=True, slots=True)
class Study:
    """`accession`: in its images; "" for none. `device_end`: of the exam, by the device's clock. Settles are in the
    order of what they know."""

    uid: str
    accession: str
    device_end: int | None
    settles: tuple[Settle, ...]


@dataclass(frozen=True, slots=True)
class Exam:
    """One exam that happened, or was ordered. `fate` says what was done to it."""

    hospital_id: str
    patient_id: str
    modality: str
    fate: str
    notices: tuple[Notice, ...]
    studies: tuple[Study, ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """Of a hospital, a region or all; the commission accepted it at `made`, and may have withdrawn it."""

    scope: str
    of: str
    since: int
    until: int
    made: int
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """`age`: of the oldest event that our functions had not seen, in seconds; None: it could not be measured."""

    at: int
    age: int | None


@dataclass(frozen=True, slots=True)
class Province:
    seed: int
    day: str
    places: tuple[Place, ...]
    exams: tuple[Exam, ...]
    outages: tuple[Outage, ...]
    sweeps: tuple[Sweep, ...]
    silent: frozenset[str] = frozenset()  # hospitals of which little or nothing came
