"""The story's table of contents."""

from __future__ import annotations

from infra.local import story_doctor as second
from infra.local import story_hospital as first
from infra.local.story import Step

STEPS: dict[str, Step] = {
    "health": first.health,
    "hospitals": first.hospitals,
    "joining": first.joining,
    "doctor": first.doctor,
    "patient": first.patient,
    "notices": first.notices,
    "real_files": first.real_files,
    "singles": first.singles,
    "pack": first.pack,
    "encounter": first.encounter,
    "refused": second.refused,
    "code": second.code,
    "consent": second.consent,
    "manifest": second.manifest,
    "from_pack": second.from_pack,
    "timeline": second.timeline,
    "accesses": second.accesses,
    "revoke": second.revoke,
    "sweep": second.sweep,
    "sns": second.sns,
    "report": second.report,
    "reindex": second.reindex,
}
