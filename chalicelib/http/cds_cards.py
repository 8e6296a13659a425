"""Reminders as cards of CDS Hooks 2.0. Before the patient's consent a card tells modality, region, how many days ago
and whether it can be recognised: no hospital, no description, no findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from chalicelib.domain.body_region import Part, regions
from chalicelib.domain.repeat_reason import REPEAT_REASONS, SYSTEM

if TYPE_CHECKING:
    from chalicelib.domain.similarity import Exam
    from chalicelib.services.remind_of_similar import Reminder, Told

Shape = dict[str, Any]
SERVICES: Final = {"similar-exam-order-select": "order-select", "similar-exam-order-sign": "order-sign"}
NO_CARDS: Final[Shape] = {"cards": []}
MOST_SUMMARY: Final = 140  # characters (CDS Hooks 2.0, Card Attributes: fewer)
_SIDES: Final = {"": ("", ""), "L": ("左", "left "), "R": ("右", "right "), "B": ("双侧", "both ")}
_CONTRAST: Final = {
    "": ("", ""),
    "plain": ("平扫", ", plain"),
    "contrast": ("增强", ", with contrast"),
    "both": ("平扫加增强", ", without and with contrast"),
}
_GROUPS: Final = {
    "XR": ("X线", "X-ray"),
    "US": ("超声", "ultrasound"),
    "MG": ("钼靶", "mammography"),
    "PT": ("PET", "PET"),
}


def discovery() -> Shape:
    when = {"order-select": ("选择", "selected"), "order-sign": ("签署", "signed")}
    return {
        "services": [
            {
                "hook": hook,
                "id": name,
                "title": "近期相似检查提醒 Similar exam reminder",
                "description": (
                    f"{when[hook][0]}检查医嘱时，提醒患者近期已做过的相似检查。"
                    f"Tells of similar exams of the patient when an exam order is {when[hook][1]}."
                ),
                "prefetch": {
                    "patient": "Patient/{{context.patientId}}",
                    "encounter": "Encounter/{{context.encounterId}}",
                },
                "usageRequirements": "An open encounter that the hospital told of; a registered doctor as userId.",
            }
            for name, hook in SERVICES.items()
        ]
    }


def cards(reminders: tuple[Reminder, ...], origin: str) -> Shape:
    return {"cards": [_card(reminder, origin) for reminder in reminders]} if reminders else NO_CARDS


def _card(reminder: Reminder, origin: str) -> Shape:
    best = reminder.told[0]
    return {
        "uuid": reminder.alert_id,
        "summary": _summary(best),
        "detail": "\n".join([*(f"- {_line(told)}" for told in reminder.told), "", *_advice(reminder)]),
        "indicator": "warning" if best.likeness == "duplicate" else "info",
        "source": {"label": "影像云 Imaging Cloud", "url": origin},
        "links": [_link(reminder, origin)],
        "overrideReasons": [
            {"code": one.code, "system": SYSTEM, "display": f"{one.zh} {one.en}"} for one in REPEAT_REASONS
        ],
    }


def _summary(best: Told) -> str:
    zh, en = _named(best.exam, brief=True)
    fit_zh, fit_en = _fit(best)
    said = f"{_ago_zh(best.days)}已做{zh}检查，{fit_zh}。{_sentence(en)} {_ago_en(best.days)}; {fit_en}."
    return said if len(said) < MOST_SUMMARY else f"{_ago_zh(best.days)}已做{zh}检查，{fit_zh}。"[: MOST_SUMMARY - 1]


def _line(told: Told) -> str:
    zh, en = _named(told.exam)
    fit_zh, fit_en = _fit(told)
    where = f" · {_plain(told.place)}" if told.place else ""
    return f"{_ago_zh(told.days)} {zh}，{fit_zh}{where} / {_sentence(en)} {_ago_en(told.days)}; {fit_en}"


def _advice(reminder: Reminder) -> list[str]:
    if all(told.study for told in reminder.told):
        return ["患者已同意，可直接查看。 The patient has agreed; it can be viewed."]
    return ["征得患者同意后可查看影像和报告。 Images and report can be viewed once the patient agrees."]


def _link(reminder: Reminder, origin: str) -> Shape:
    """Into the page's own part of the address, which is sent to no server and stands in no log."""
    where = f"{origin}/#/encounters/{quote(reminder.encounter_id, safe='')}/similar/{reminder.alert_id}"
    return {"label": "征得同意并查看 Ask the patient and view", "url": where, "type": "absolute"}


def _fit(told: Told) -> tuple[str, str]:
    if told.recognisable:
        return "可互认", "can be recognised"
    if told.likeness == "duplicate":
        return "供参考，不在互认范围", "for reference, not within recognition"
    return "供参考", "for reference"


def _named(exam: Exam, *, brief: bool = False) -> tuple[str, str]:
    group_zh, group_en = _GROUPS.get(exam.group, (exam.group, exam.group))
    shown = exam.parts[:3] if brief else exam.parts
    zh = "、".join(_region(part)[0] for part in shown) + ("等" if len(shown) < len(exam.parts) else "")
    en = ", ".join(_region(part)[1] for part in shown) + (" and more" if len(shown) < len(exam.parts) else "")
    contrast_zh, contrast_en = _CONTRAST[exam.contrast]
    return f"{zh}{group_zh}{contrast_zh}", f"{group_en} of {en}{contrast_en}"


def _region(part: Part) -> tuple[str, str]:
    region = regions()[part.region]
    side_zh, side_en = _SIDES[part.side]
    return f"{side_zh}{region.zh[0]}", f"{side_en}{region.en[0]}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ago_zh(days: int) -> str:
    return f"{days}天前" if days else "今天"


def _ago_en(days: int) -> str:
    return "today" if not days else "1 day ago" if days == 1 else f"{days} days ago"


def _plain(name: str) -> str:
    """A hospital's name without what Markdown would read as its own."""
    return "".join(character for character in name if character not in "[]()<>*_`#|\\!")
