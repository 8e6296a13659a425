"""The night's reconcile, piece by piece."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.wiring.adapters import hospitals, receipts, settle_queue, studies, uploads
from chalicelib.wiring.environment import settings
from chalicelib.wiring.releases import standings

if TYPE_CHECKING:
    from chalicelib.services import reconcile_ports
    from chalicelib.services.reconcile_uploads import ReconcileUploads, StartReconcile
    from chalicelib.services.sort_receipts import SortReceipts


@cache
def start_reconcile() -> StartReconcile:
    from chalicelib.services.reconcile_uploads import StartReconcile

    return StartReconcile(_pieces())


@cache
def sort_receipts() -> SortReceipts:
    from chalicelib.services.sort_receipts import SortReceipts

    return SortReceipts(receipts(), _sorted(), hospitals(), _pieces())


@cache
def reconcile_uploads() -> ReconcileUploads:
    from chalicelib.services.reconcile_uploads import ReconcileUploads
    from chalicelib.services.replay_facts import ReplayAmendments
    from chalicelib.store import clients
    from chalicelib.store.refeed import SqsRefeed

    replay = ReplayAmendments(uploads(), studies(), settle_queue(), standings())
    return ReconcileUploads(uploads(), _sorted(), SqsRefeed(clients.sqs()), replay, _pieces())


@cache
def _sorted() -> reconcile_ports.SortedReceipts:
    from chalicelib.store import clients
    from chalicelib.store.sorted_receipts import S3SortedReceipts

    return S3SortedReceipts(clients.s3(), settings().reports_bucket)


@cache
def _pieces() -> reconcile_ports.Pieces:
    from chalicelib.store import clients
    from chalicelib.store.sorted_receipts import SqsPieces

    return SqsPieces(clients.sqs(), settings().reconcile_queue_url)
