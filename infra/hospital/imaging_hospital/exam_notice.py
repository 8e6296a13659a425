"""The notice that goes with `upload`: from files, or of the one exam whose images a directory holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from . import header, notice, scan
from .api import Api
from .desk import Desk, Exit
from .faults import TryLaterError
from .notice_check import BadFieldError, check
from .notice_draft import Reading
from .notice_files import Kept
from .notice_run import NoticeRun
from .outbox import Count, Outbox
from .settings import SettingsError
from .spool import Spool
from .tally import Tally
from .tongue import Said

SEVERAL: Final = Said(
    "--ended tells of one exam, but the directory holds images of {count} studies",
    "--ended 只说明一项检查，但目录中有 {count} 个检查的影像",
)
BAD: Final = Said("a notice cannot be made of these images: {field} {what}", "无法由这些影像生成通知：{field} {what}")
NOT_PLAIN: Final = Said("their headers cannot be read with certainty", "其头信息无法可靠读取")


@dataclass(frozen=True)
class Notices:
    """Those of one run, in the outbox: what could not be sent before the images is sent after them."""

    desk: Desk
    run: NoticeRun

    @classmethod
    def of(cls, spool: Spool, api: Api, reading: Reading, files: list[Path], desk: Desk) -> Notices:
        return cls(desk, NoticeRun(files, reading, Outbox(spool), api))

    def keep(self, told: bytes | None) -> Exit:
        """On the disk when this returns, or refused and told."""
        count, unread = self.run.read()
        if told is not None:
            self.run.outbox.keep(Kept(told), count)
        if count != Count():
            notice.tell(count, self.desk, self.run.outbox.spool.refused)
        if unread:
            self.desk.complain(notice.NO_FILE, count=unread)
        return Exit.REFUSED if count.refused or unread else Exit.DONE

    def send(self, *, last: bool) -> Exit:
        """Raises NotAllowedError. `last`: it is told that they wait, where they still do."""
        try:
            taken, refused = self.run.send()
        except TryLaterError as later:
            if last:
                self.desk.complain(notice.WAITS, why=str(later))
            return Exit.SKIPPED if last else Exit.DONE
        if taken or refused:
            self.desk.say(notice.SENT, taken=taken, refused=refused)
        return Exit.REFUSED if refused else Exit.DONE

    def close(self) -> None:
        self.run.outbox.close()


def of_images(root: Path, spool: Path, ended_at: datetime, patient_class: str) -> bytes:
    """A notice of the one study below `root`. Raises SettingsError where it cannot be made."""
    found = [one for one in scan.read(scan.files(root, Tally(), spool), Tally()) if one.study]
    studies = {one.study for one in found}
    if len(studies) != 1:
        raise SettingsError(SEVERAL, count=len(studies))
    plain = next((one for one in found if one.packable), None)
    told = header.read(Path(plain.path)).header if plain else None
    if told is None:
        raise SettingsError(BAD, field="-", what=NOT_PLAIN)
    (study,) = studies
    body = _body(told, study, len({one.sop for one in found}))
    body |= {
        "patient_class": patient_class,
        "performed_at": ended_at.isoformat(),
        "sent_at": datetime.now(UTC).isoformat(),
    }
    try:
        check(body)
    except BadFieldError as bad:
        raise SettingsError(BAD, field=bad.path, what=bad.what, **bad.values) from None
    return json.dumps(body, ensure_ascii=False).encode()


def _body(told: header.Header, study: str, images: int) -> dict[str, Any]:
    """infra/NOTICES.md. One exam, one id: that of its study, so that a later count corrects an earlier one."""
    patient = {
        "patient_id": _text(told, "00100020"),
        "name": _text(told, "00100010"),
        "sex": _text(told, "00100040"),
        "birth_date": _text(told, "00100030"),
    }
    described = {
        "accession_number": _text(told, "00080050"),
        "modality": _text(told, "00080060"),
        "procedure": _text(told, "00081030"),
    }
    return {
        "type": "exam",
        "notice_id": f"upload-{hashlib.sha256(study.encode()).hexdigest()[:32]}",
        "status": "performed",
        "study_instance_uid": study,
        "declared_instances": images,
        "patient": {name: value for name, value in patient.items() if value},
        **{name: value for name, value in described.items() if value},
    }


def _text(told: header.Header, tag: str) -> str:
    """The first value; of a name, the group in Han where there is one."""
    first = told.get(tag, {}).get("Value", [""])[0]
    if isinstance(first, Mapping):
        first = first.get("Ideographic") or first.get("Alphabetic") or ""
    return str(first)
