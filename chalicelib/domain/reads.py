"""What S3 says it gave, held against what the audit says was allowed.

S3's server access log has one line for a request, best effort and hours late. A signed URL names the audit event that
allowed it in a parameter that the signature holds fast; so each GET by the signer's role must name an allowed event,
of the study the object belongs to, and come within the life of the URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from chalicelib.domain.access import IMAGE_BY_IMAGE
from chalicelib.domain.derived import prefix_of
from chalicelib.domain.study import StudyRef

EVENT_PARAMETER = "x-audit-event"
URL_LIFE = timedelta(minutes=5)
SLACK = timedelta(minutes=1)  # S3's clock and ours
LONGEST_LINE = 64 * 1024
GIVES_BYTES = frozenset({"200", "206"})
OPENS = frozenset({"view_study", IMAGE_BY_IMAGE})  # actions whose events open a study's objects

Verdict = Literal["allowed", "no_event", "unknown_event", "other_study", "outside_life"]

# AWS: "Amazon S3 server access log format". Owner, bucket, [time], address, requester, request id, operation, key,
# "uri", status, error, bytes, size, two times, and then what the client says of itself, which is not read.
_END_OF_URI = r'" (?P<status>\d{3}|-) \S+ (?:\d+|-) (?:\d+|-) (?:\d+|-) (?:\d+|-) "'
_FRONT = re.compile(
    r"\S+ \S+ \[(?P<at>[^\]]{1,40})\] \S+ (?P<requester>\S+) \S+ (?P<operation>\S+) (?P<key>\S+) "
    rf'"(?P<uri>.*?){_END_OF_URI}'
)
_ENDS_AGAIN = re.compile(_END_OF_URI)
_AT = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Request:
    """One line. `keys`: the object's name as it may have been written (S3 encodes it once or twice, by character).
    `event_id`: "" where the URL names none, or more than one."""

    at: datetime
    requester: str
    operation: str
    keys: tuple[str, ...]
    status: str
    event_id: str

    @property
    def is_read(self) -> bool:
        """Whether bytes of an object were given."""
        return self.operation == "REST.GET.OBJECT" and self.status in GIVES_BYTES

    def is_beneath(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A study that an audit event opened, and when."""

    study: StudyRef
    at: datetime


def read_line(line: str) -> Request | None:
    """None for what is no line of the format, whatever it is; also for one with quotes that let it be read in two ways,
    for a status must not be forged by a URL or a client's name."""
    found = _FRONT.match(line) if len(line) <= LONGEST_LINE else None
    at = _instant(found["at"]) if found else None
    if found is None or at is None or _ENDS_AGAIN.search(line, found.end()):
        return None
    event_id = _event_id(found["uri"])
    return Request(at, found["requester"], found["operation"], _keys(found["key"]), found["status"], event_id)


def sessions_of(role_arn: str) -> str:
    """How the log names whoever acts as a role: the beginning of its sessions' ARNs. "" for what is no role's ARN."""
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or not parts[5].startswith("role/"):
        return ""
    return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{parts[5].rsplit('/', 1)[-1]}/"


def allowed_events(event: Mapping[str, object]) -> Allowed | None:
    """What a sealed event opened; None for a refusal and for all that opens no study."""
    if event.get("action") not in OPENS or event.get("allowed") is not True:
        return None
    told = [event.get(name) for name in ("study_hospital_id", "study_instance_uid", "at")]
    hospital_id, uid, at = (one if isinstance(one, str) else "" for one in told)
    try:
        return Allowed(StudyRef(hospital_id, uid), datetime.fromisoformat(at))
    except ValueError:
        return None


def judge(request: Request, allowed: Allowed | None, study_keys: frozenset[str] | None) -> Verdict:
    """`allowed` is what the event opened that the request names, `study_keys` all uploaded objects of that study; None
    where nobody can say any more. What was made of the study lies beneath its own name."""
    if not request.event_id:
        return "no_event"
    if allowed is None:
        return "unknown_event"
    made_of_it = request.is_beneath(prefix_of(allowed.study))
    if study_keys is not None and not study_keys.intersection(request.keys) and not made_of_it:
        return "other_study"
    if not allowed.at - SLACK <= request.at <= allowed.at + URL_LIFE + SLACK:
        return "outside_life"
    return "allowed"


def _event_id(uri: str) -> str:
    """From `GET /key?query HTTP/1.1`."""
    method, _, rest = uri.partition(" ")
    target = rest.rpartition(" ")[0] if method else ""
    try:
        named = [value for name, value in parse_qsl(urlsplit(target).query) if name == EVENT_PARAMETER]
    except ValueError:
        return ""
    return named[0] if len(named) == 1 else ""


def _keys(written: str) -> tuple[str, ...]:
    once = unquote(written)
    return tuple(dict.fromkeys((written, once, unquote(once), unquote_plus(written), unquote_plus(once))))


def _instant(text: str) -> datetime | None:
    """`24/Nov/2026:02:03:04 +0000`; no locale's names."""
    found = _AT.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        return None
    ahead = timedelta(hours=int(found[8]), minutes=int(found[9]))
    day, year, hour, minute, second = (int(found[number]) for number in (1, 3, 4, 5, 6))
    try:
        at = datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=UTC)
        return at - ahead if found[7] == "+" else at + ahead
    except (ValueError, OverflowError):
        return None
