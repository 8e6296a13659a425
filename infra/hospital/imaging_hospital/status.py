"""`imaging-cloud status`: what the cloud has of the studies that were sent, by its receipts."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from . import settings as settings_file
from .desk import Desk, Exit
from .tongue import Language, Said, language
from .upload import NOT_ALLOWED

if TYPE_CHECKING:
    from .receipts import Held
    from .work import Work

STUDY: Final = Said("only this Study Instance UID", "只查此 Study Instance UID")
ALL: Final = Said("also studies that were proven before", "包括已证实的检查")
NOTHING: Final = Said(
    "nothing to ask about: all {proven} studies are proven by receipts", "无需查询：{proven} 项检查均有回执证实"
)
COLUMNS: Final = (
    Said("study", "检查"),
    Said("sent", "已发"),
    Said("there", "已到"),
    Said("served", "可调阅"),
    Said("declared", "申报"),
    Said("result", "结果"),
)
PROVEN: Final = Said("proven", "已证实")
COMPLETE: Final = Said("proven, complete", "已证实，已收齐")
INCOMPLETE: Final = Said("proven, fewer than declared", "已证实，少于申报数")
NOT_YET: Final = Said("not there yet", "尚未到达")
WRONG: Final = Said("the receipt does not hold: {wrong}", "回执不成立：{wrong}")
OTHER: Final = Said("there, not all served: {statuses}", "已到，未全部提供：{statuses}")
UNDER_WAY: Final = Said(
    "on their way: {count} objects; run upload or watch", "尚在途中：{count} 个对象；请运行 upload 或 watch"
)
QUARANTINED: Final = Said("in quarantine: {key}: {reason} — {remedy}", "在隔离区：{key}：{reason}——{remedy}")
CUT: Final = Said("the cloud cannot be reached ({why}); try later", "无法连接云端（{why}）；请稍后再试")
KEPT: Final = Said("receipts are kept in {path}", "回执保存在 {path}")


@dataclass(frozen=True)
class Line:
    study: str
    held: Held | None

    @property
    def is_proof(self) -> bool:
        return self.held is not None and self.held.is_proof

    def result(self) -> tuple[Said, dict[str, Any]]:
        held = self.held
        if held is None or held.there < held.sent:
            return NOT_YET, {}
        if held.wrong:
            return WRONG, {"wrong": ", ".join(held.wrong)}
        if set(held.statuses) - {"served"}:
            return OTHER, {"statuses": ", ".join(f"{name} {count}" for name, count in sorted(held.statuses.items()))}
        return {None: PROVEN, True: COMPLETE, False: INCOMPLETE}[held.complete], {}


def add(parser: argparse.ArgumentParser) -> None:
    spoken = language("")
    parser.add_argument("--study", metavar="UID", help=STUDY.in_(spoken))
    parser.add_argument("--all", action="store_true", help=ALL.in_(spoken))


def run(asked: argparse.Namespace, desk: Desk) -> Exit:
    from .faults import NotAllowedError, TryLaterError
    from .screen import Quiet
    from .work import at_work

    settings = settings_file.load(asked.settings)
    desk = desk.speaking(language(settings.language))
    with at_work(settings, Quiet(), threading.Event()) as work:
        try:
            return _report(work, asked, desk)
        except NotAllowedError as error:
            desk.complain(NOT_ALLOWED, why=error.said, **error.values)
            return Exit.NOT_ALLOWED
        except TryLaterError as error:
            desk.complain(CUT, why=error)
            return Exit.SKIPPED


def _report(work: Work, asked: argparse.Namespace, desk: Desk) -> Exit:
    studies = [asked.study] if asked.study else work.state.studies(proven_too=asked.all)
    lines = [Line(study, _held(work, study)) for study in studies]
    if lines:
        desk.out.print(_table(lines, desk.language))
        desk.say(KEPT, path=work.spool.directory / "receipts")
    else:
        desk.say(NOTHING, proven=len(work.state.studies(proven_too=True)))
    under_way = work.state.count_under_way()
    if under_way:
        desk.say(UNDER_WAY, count=under_way)
    refused = list(_quarantined(work))
    for record in refused:
        desk.say(QUARANTINED, **_words(record, desk.language))
    if refused:
        return Exit.REFUSED
    return Exit.SKIPPED if under_way or not all(line.is_proof for line in lines) else Exit.DONE


def _held(work: Work, study: str) -> Held | None:
    """None while the cloud has not heard of the study."""
    from . import receipts
    from .faults import RefusedError

    sent = work.state.instances(study)
    try:
        pages = work.api.receipt(study)
    except RefusedError as refused:
        if refused.status == 404:
            return None
        raise
    held = receipts.hold(pages, sent)
    receipts.keep(work.spool.directory / "receipts", study, pages)
    if held.is_proof and sent:
        work.state.prove(study, len(sent), datetime.now(UTC))
    return held


def _quarantined(work: Work) -> Iterator[Any]:
    """Of what this client sent: others may upload for the same hospital."""
    for record in work.api.quarantine():
        if record.get("state") != "closed" and work.state.sent_as(str(record["key"])):
            yield record


def _words(record: Any, spoken: Language) -> dict[str, str]:
    def said(name: str) -> str:
        told = record.get(name)
        return str(told.get(spoken, "")) if isinstance(told, dict) else str(told or "")

    return {"key": record["key"], "reason": said("message") or record["reason"], "remedy": said("remedy")}


def _table(lines: Sequence[Line], spoken: Language) -> Table:
    table = Table()
    for column in COLUMNS:
        table.add_column(column.in_(spoken), overflow="fold")
    for line in lines:
        said, values = line.result()
        held = line.held
        counts = ("-", "0", "0", "-")
        if held:
            declared = "-" if held.declared is None else str(held.declared)
            counts = (str(held.sent), str(held.there), str(held.statuses.get("served", 0)), declared)
        table.add_row(line.study, *counts, said.in_(spoken, **values))
    return table
