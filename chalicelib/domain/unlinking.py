"""Undoing a link between an identity and a person. Nothing is deleted and no study moves: a study belongs to its
identity, and each decision asks whose that is now, so what a wrong link gave ends with it.

| who | contest | unlink | relink |
|---|---|---|---|
| the person, in the app | their own identities | – | – |
| a desk of that hospital | yes | yes | by the card: `linking.link_at_desk` |
| a privacy officer of that hospital | yes | yes | to a former holder; a desk must still see the card |

A contested identity gives nothing to anybody. Only a card at a desk, read by another than who contested, ends that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.identity import Link, contested

Step = Literal["contest", "unlink", "relink"]
# Why; the words of the audit and of what the person reads.
Because = Literal["person", "desk", "privacy_officer"]


class UnlinkRefused(Exception):  # noqa: N818 - the fact is the name
    """`reason`: already (it stands so), never_linked (that person never had it), not_contested (relink needs it)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def contest(link: Link, because: Because, by: str) -> Link:
    """The link giving nothing from now on. Of one that is contested already only who did so first is kept."""
    if link.status == "contested":
        raise UnlinkRefused("already")
    return contested(link, because, by)


def unlink(link: Link, nobody: str, by: str, now: datetime) -> Link:
    """The identity standing for itself, under a new person's id that nobody else has: contested, so that no notice
    with the same national id links it again by itself."""
    if link.status == "contested" and link.contested_because == "unlinked":
        raise UnlinkRefused("already")
    return replace(
        link,
        person_id=nobody,
        status="contested",
        contested_because="unlinked",
        contested_by=by,
        linked_at=now,
        confirmed_by=None,
        confirmed_at=None,
        by_national_id=False,
    )


def relink(link: Link, history: Iterable[Link], person_id: str, by: str, now: datetime) -> Link:
    """The identity given back to a person who had it before. It stays contested until a desk has seen the card: an
    officer takes back a mistake, and opens nothing."""
    if link.status != "contested":
        raise UnlinkRefused("not_contested")
    if link.person_id == person_id:
        raise UnlinkRefused("already")
    former = next((one for one in history if one.person_id == person_id), None)
    if former is None:
        raise UnlinkRefused("never_linked")
    return replace(
        link,
        person_id=person_id,
        contested_because="relinked",
        contested_by=by,
        linked_at=now,
        by_national_id=former.by_national_id,
    )
