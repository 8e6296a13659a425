"""From an upload to a view of a study."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.wiring.access import authorize, record_decision
from chalicelib.wiring.adapters import (
    encounters,
    exam_ledger,
    hospitals,
    journal,
    mac,
    people,
    quarantine,
    receipts,
    settle_queue,
    signer,
    studies,
    uploads,
)
from chalicelib.wiring.compliance import derive_exams
from chalicelib.wiring.door import hospital_keys
from chalicelib.wiring.environment import new_id, now
from chalicelib.wiring.releases import standings
from chalicelib.wiring.watch import watch

if TYPE_CHECKING:
    from chalicelib.domain.upload_key import Kind
    from chalicelib.services.accept_notice import AcceptNotice
    from chalicelib.services.amend_study import AmendStudy
    from chalicelib.services.give_receipt import GiveReceipt
    from chalicelib.services.ingest_batch import IngestBatch
    from chalicelib.services.inspect_study import InspectStudy
    from chalicelib.services.judge_retention import JudgeRetention
    from chalicelib.services.ports import Quarantine
    from chalicelib.services.record_notice import RecordNotice
    from chalicelib.services.reindex_studies import ReindexStudies, TakeUp
    from chalicelib.services.settle_study import SettleStudy
    from chalicelib.services.unpack_archive import UnpackArchive
    from chalicelib.services.view_manifest import ViewManifest


@cache
def counted_quarantine() -> Quarantine:
    from chalicelib.store.emf import CountedQuarantine

    return CountedQuarantine(quarantine())


@cache
def ingest_batch() -> IngestBatch:
    from chalicelib.services.ingest_batch import IngestBatch

    ports = (uploads(), hospitals(), journal(), counted_quarantine(), receipts(), settle_queue(), now)
    return IngestBatch(*ports, watch=watch("instances"))


@cache
def unpack_archive() -> UnpackArchive:
    from chalicelib.services.unpack_archive import UnpackArchive

    ports = (uploads(), hospitals(), journal(), counted_quarantine(), receipts(), settle_queue(), now)
    return UnpackArchive(*ports, watch=watch("archives"))


@cache
def accept_notice() -> AcceptNotice:
    from chalicelib.services.accept_notice import AcceptNotice

    return AcceptNotice(uploads(), new_id)


@cache
def record_notice() -> RecordNotice:
    from secrets import token_bytes

    from chalicelib.services.record_encounter import RecordEncounter
    from chalicelib.services.record_notice import RecordNotice
    from chalicelib.services.register_patient import LinkFromNotice

    link = LinkFromNotice(people(), mac(), token_bytes, record_decision())
    encounter = RecordEncounter(encounters())
    ports = (uploads(), hospitals(), counted_quarantine(), receipts(), derive_exams(), link, encounter, now)
    return RecordNotice(*ports, watch=watch("notices"))


# Studies


@cache
def settle_study() -> SettleStudy:
    from chalicelib.services.settle_study import SettleStudy
    from chalicelib.store import clients
    from chalicelib.store.refeed import SqsRefeed

    return SettleStudy(journal(), studies(), uploads(), derive_exams(), SqsRefeed(clients.sqs()))


def reindex_studies() -> ReindexStudies:
    """Ingest and unpacking as ever, but what they touch is settled directly and nothing is counted again. Made anew for
    each run."""
    from dataclasses import replace

    from chalicelib.services.reindex_studies import ReindexStudies, TouchedStudies
    from chalicelib.services.replay_facts import ReplayAmendments, ReplayRegistrations
    from chalicelib.services.watch_ports import unwatched

    touched = TouchedStudies()
    uncounted: dict[str, Any] = {"quarantine": quarantine(), "watch": unwatched}
    instances = replace(ingest_batch(), settle_queue=touched, **uncounted)
    archives = replace(unpack_archive(), settle_queue=touched, **uncounted)
    take_up: dict[Kind, TakeUp] = {"archives": archives, "unpacked": instances, "instances": instances}
    take_up["notices"] = replace(record_notice(), **uncounted)
    take_up["amendments"] = ReplayAmendments(uploads(), studies(), touched, standings())
    registrations = ReplayRegistrations(uploads(), hospitals(), hospital_keys())
    return ReindexStudies(uploads(), hospitals(), registrations, take_up, touched, settle_study(), now)


@cache
def amend_study() -> AmendStudy:
    from chalicelib.services.amend_study import AmendStudy

    return AmendStudy(uploads(), studies(), settle_queue(), new_id)


@cache
def inspect_study() -> InspectStudy:
    from chalicelib.services.inspect_study import InspectStudy

    return InspectStudy(studies())


@cache
def give_receipt() -> GiveReceipt:
    from chalicelib.services.give_receipt import GiveReceipt

    return GiveReceipt(studies(), exam_ledger(), record_decision())


@cache
def judge_retention() -> JudgeRetention:
    from chalicelib.services.judge_retention import JudgeRetention

    return JudgeRetention(studies(), people(), encounters(), exam_ledger(), hospitals())


@cache
def view_manifest() -> ViewManifest:
    from chalicelib.services.find_reports import FindReports
    from chalicelib.services.view_manifest import ViewManifest

    return ViewManifest(authorize(), FindReports(exam_ledger()), signer())
