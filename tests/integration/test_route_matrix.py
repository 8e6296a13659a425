"""Every route × every role × {own, another hospital's, another person's, unknown}, asked over HTTP, against the table.

What should come of each follows from `ROUTES` alone, by `expected`; where it does not, `EXCEPTIONS` says what and why.
A route that is new is asked with all that a request can name, and fails here until it does what its row says.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import get_args

import app
from chalicelib.domain.access import Role
from chalicelib.domain.fhir_id import report_id, study_id
from chalicelib.domain.study import StudyRef
from chalicelib.http.role_table import ROUTES
from tests.support import tokens
from tests.support.audit_watch import audit_down
from tests.support.hospital_keys import key_proof
from tests.support.ingest_samples import instance
from tests.support.matrix_world import FLAG, TARGETS, World
from tests.support.ordering import SELECT
from tests.support.served_app import BOUND, ORIGIN, error_of, jwks_url, national_id
from tests.support.served_http import over_http

__all__ = ["jwks_url", "over_http"]

ROLES = tuple(BOUND)
NO_EVENT = {("GET", path) for path in ("/health", "/openapi.json", "/cds-services", "/fhir/metadata")}  # see `Allowed`
DOOR = {"unauthenticated", "not_allowed", "csrf"}  # what only the door says


# What is asked


def body_of(kit):
    """All that any route's body may name, at once; what a route does not know it ignores."""
    return {
        **kit.card,
        "encounter_id": kit.encounter_id,
        "request_id": kit.request_id,
        "consent_id": kit.consent_id,
        "code": kit.code,
        "patient_id": kit.patient_id,
        "person_id": kit.person_id,
        "hospital_id": kit.hospital_id,
        "study_instance_uid": kit.uid,
        "version_id": kit.version_id,
        "ward": kit.ward,
        "doctor_id": kit.doctor_id,
        "licence_number": f"11{kit.doctor_id}",
        "purpose": "treatment",
        "decision": "deny",
        "status": "suspended",
        "confirm": "yes",
        "phone": "13700000009",
        "kind": "exclude",
        "reason": "核对",
        "from": "2026-11-23T00:00:00+08:00",
        "to": "2026-11-23T06:00:00+08:00",
    }


def _prove(kit):
    grown = {"national_id": national_id("32010219750505002"), "name": "王五福"}
    return {"ward": kit.other["minor"][0], "guardian": grown, "kind": "minor", "document": "court_decision"}


SEEN = {"day": FLAG.day, "rule": FLAG.rule, "version": FLAG.version}
FLAGGED = f"?day={FLAG.day}&rule={FLAG.rule}"


SEARCH = {"Content-Type": "application/x-www-form-urlencoded"}


def _searched(_kit):
    return b"_count=1"


def _instance(kit):
    """Of the study that the path names; where it names none, of any."""
    return instance(1, 1, StudyInstanceUID=kit.uid)


def _offer(_kit):
    return {"objects": [{"kind": "instances", "bytes": 1, "sha256": "0" * 64}]}


def _decide(kit):
    return {"disposal_id": kit.other["disposal"], "decision": "approve"}


# What some routes name that no other does, or in their own way.
BODIES = {
    # Never the unknown one: a process keeps what it read of a hospital for minutes
    "POST /hospitals": lambda kit: {"hospital_id": kit.hospital_id.replace("H9", "H8"), "name": "某医院"},
    "POST /joining": lambda kit: {"hospital_id": kit.hospital_id, "code": "0" * 24, "public_key": {}, "proof": "x"},
    "POST /hospital/uploads": _offer,
    "POST /dicomweb/studies": _instance,
    "POST /dicomweb/studies/{uid}": _instance,
    "POST /hospital/keys": lambda _: {"public_key": tokens.jwk("h1"), "proof": key_proof("H1", "h1", ORIGIN)},
    "POST /hospital/keys/retire": lambda kit: {"kid": kit.other["kid"]},
    "POST /desk/guardians": _prove,
    "POST /desk/guardians/end": lambda kit: dict(zip(("ward", "guardian"), kit.other["minor"], strict=True)),
    "POST /desk/persons/unfreeze": lambda kit: kit.other["frozen"],
    "POST /desk/accesses/object": lambda kit: {**kit.card, "consent_id": kit.other["review"]},
    "POST /desk/hand-overs/print": lambda kit: {"consent_id": kit.other["paper"]},
    "POST /desk/hand-overs/done": lambda kit: {"consent_id": kit.other["paper"], "how": "posted"},
    "POST /privacy/identities/relink": lambda kit: {"patient_id": kit.other["contested"], "person_id": kit.person_id},
    "POST /privacy/reviews/verdict": lambda kit: {
        "review_id": kit.other["review"],
        "verdict": "justified",
        "note": "属实",
    },
    "POST /privacy/suspensions/lift": lambda kit: {"doctor_id": kit.other["suspended"], "note": "已培训"},
    "POST /hospital/disposals": lambda kit: {"studies": [{"study_instance_uid": kit.uid, "last_visit": "1990-02-03"}]},
    "POST /privacy/disposals/decide": _decide,
    "POST /hospitals/{hospital_id}/disposals/decide": _decide,
    "POST /privacy/holds": lambda kit: {"study_instance_uid": kit.uid, "reason": "纠纷"},
    "POST /hospitals/{hospital_id}/holds": lambda kit: {"patient_id": kit.patient_id, "reason": "纠纷"},
    "POST /privacy/holds/lift": lambda kit: {"hold_id": kit.other["hold"], "reason": "结案"},
    "POST /hospitals/{hospital_id}/holds/lift": lambda kit: {"hold_id": kit.other["hold"], "reason": "结案"},
    "POST /assisted-requests": lambda kit: kit.other["assisted"],
    "POST /assisted-requests/confirm": lambda kit: {"request_id": kit.other["confirm"]},
    "POST /assisted-requests/outcome": lambda kit: {
        "encounter_id": kit.other["assisted"]["encounter_id"],
        "request_id": kit.other["confirm"],
    },
    "POST /break-glass": lambda kit: kit.other["glass"],
    "POST /consent-requests/qr": lambda kit: {"encounter_id": kit.encounter_id, "qr": kit.other["qr"]()},
    "POST /hospital/quarantine/replaced": lambda kit: {
        "entry_id": kit.other["quarantined"],
        "study_instance_uid": kit.uid,
        "version_id": kit.version_id,
    },
    "POST /hospital/quarantine/release": lambda kit: {
        "entry_id": kit.other["quarantined"],
        "ground": "registered_since",
    },
    "POST /compliance/quarantine/{hospital_id}/decisions": lambda kit: {
        "entry_id": kit.other["release"],
        "decision": "grant",
        "note": "已恢复登记",
    },
    "POST /hospital/flags/acknowledge": lambda kit: SEEN,
    "POST /hospital/flags/explain": lambda kit: {**SEEN, "text": "停电 power cut"},
    "POST /compliance/flags/acknowledge": lambda kit: {**SEEN, "hospital_id": kit.hospital_id},
    "POST /compliance/flags/close": lambda kit: {**SEEN, "hospital_id": kit.hospital_id, "verdict": "upheld"},
    "POST /compliance/excuses": lambda kit: {**body_of(kit), "scope": "all"},
    "POST /compliance/excuses/withdraw": lambda kit: {"outage_id": kit.other["outage"], "reason": "误报"},
    "POST /recognitions": lambda kit: {
        "encounter_id": kit.encounter_id,
        "hospital_id": kit.hospital_id,
        "study_instance_uid": kit.uid,
        "decision": "recognise",
    },
    "POST /fhir/ImagingStudy/_search": _searched,
    "POST /fhir/DiagnosticReport/_search": _searched,
    "POST /me/accesses/object": lambda kit: {"consent_id": kit.other["review"]},
    "POST /me/guardians/object": lambda kit: {"ward": kit.other["guardian"]},
    "POST /wards/guardians/object": lambda kit: {"ward": kit.other["waiting"]},
}
QUERIES = {
    ("GET", "/hospital/statistics/recognition/{period}/events"): "?measure=alerts",
    ("GET", "/statistics/recognition/{period}/events"): "?measure=alerts&hospital_id={hospital_id}",
    ("GET", "/dicomweb/studies"): "?limit=1",
    ("GET", "/dicomweb/series"): "?limit=1",
    ("GET", "/dicomweb/instances"): "?limit=1",
    ("GET", "/dicomweb/wado"): "?requestType=WADO&studyUID={uid}&seriesUID={series}&objectUID={instance}",
    ("GET", "/hospital/compliance"): "?from=2026-11-23&to=2026-11-24",
    ("GET", "/compliance/hospitals/{hospital_id}"): "?from=2026-11-23&to=2026-11-24",
    ("GET", "/hospital/exams"): f"?day={FLAG.day}",
    ("GET", "/compliance/reports"): "?hospital_id={hospital_id}",
    ("GET", "/hospital/flags/exams"): FLAGGED,
    ("GET", "/hospital/flags/history"): FLAGGED,
    ("GET", "/compliance/flags/exams"): FLAGGED + "&hospital_id={hospital_id}",
    ("GET", "/compliance/flags/history"): FLAGGED + "&hospital_id={hospital_id}",
}


def ask(world, route, role, target, unaudited=None, **changes):
    method, path = route
    kit = world.kit(role, target)
    filled = path.format(
        hospital_id=kit.hospital_id,
        uid=kit.uid,
        encounter_id=kit.encounter_id,
        **kit.image,
        frames="1",
        period=FLAG.day if path.startswith("/hospital/") else kit.day,
        disposal_id=kit.other["executed"],
        service_id=SELECT,
        study_id=study_id(StudyRef(kit.hospital_id, kit.uid)),
        report_id=report_id(StudyRef(kit.hospital_id, kit.uid), kit.uid),
        consent_id=kit.consent_id,
    )
    body = BODIES.get(" ".join(route), body_of)(kit) if method == "POST" else None
    headers = {"X-Ward": kit.ward, "Accept": "*/*"}  # as every client says: who says nothing is given no bytes
    headers |= SEARCH if path.endswith("/_search") else {}
    headers |= {"Content-Type": "application/dicom"} if body is not None and path.startswith("/dicomweb/") else {}
    world.watch.added()  # what making the kit left
    with contextlib.nullcontext() if unaudited is None else audit_down(unaudited):
        return world.served.ask(
            method,
            filled + QUERIES.get(route, "").format(**vars(kit), **kit.image),
            role,
            body,
            headers,
            **{**world.claims(role), **changes},
        )


# What should come of it

# Routes that name nothing of anybody's: they are about the caller, whatever else the request says.
ABOUT_THE_CALLER = {
    "GET /health",
    "GET /openapi.json",
    "GET /cds-services",
    "GET /fhir/metadata",
    "POST /session",
    "DELETE /session",
    "GET /hospital/quarantine",
    "GET /hospital/compliance",
    "GET /hospital/reports/{period}",
    "GET /hospital/disposals",
    "GET /disposals",
    "GET /privacy/holds",
    "GET /hospital/exams",
    "GET /hospital/statistics/recognition/{period}",
    "GET /hospital/statistics/recognition/{period}/events",
    "GET /statistics/recognition/{period}",
    "GET /statistics/recognition/{period}/events",
    "GET /hospital/worklist",
    "GET /hospital/flags/exams",
    "GET /hospital/flags/history",
    "POST /hospital/flags/acknowledge",
    "POST /hospital/flags/explain",
    "POST /hospital/credentials",
    "POST /hospital/uploads",
    "GET /hospital/keys",
    "GET /hospitals",
    "GET /desk/hand-overs",
    "GET /assisted-requests",
    "GET /privacy/pairs",
    "GET /privacy/reviews",
    "GET /privacy/suspensions",
    "GET /compliance/flags",
    "GET /hospital/reports",
    "GET /compliance/excuses",
    "POST /compliance/excuses",
    "GET /compliance/quarantine",
    "GET /wards",
    "POST /me/freeze",
    "POST /me/sessions/end",
    "POST /me/phone/void",
    "POST /me/export",
    "POST /me/qr",
}
# Routes that make what they name, so that nothing is unknown to them.
MAKES = {
    "POST /dicomweb/studies",
    "POST /dicomweb/studies/{uid}",
    "POST /hospital/notices",
    "POST /desk/registrations",
    "POST /desk/guardians",
    "POST /hospitals",
    "POST /hospital/keys",
    "POST /doctors",
}
REACH = {
    "open": set(TARGETS),
    "session": set(TARGETS),
    "own_hospital": {"own", "other_person"},  # a hospital's staff, about any patient of their own hospital
    "self": {"own"},
    "ward": {"own"},
    "granted": {"own"},
    "province": {"own", "other_hospital", "other_person"},
}


def names_nothing(route):
    method, path = route
    caller_only = path.startswith("/me/") and method == "GET"
    return caller_only or f"{method} {path}" in ABOUT_THE_CALLER | MAKES


def expected(route, role, target):
    """`refused` by the door, `through`, or `hidden`: answered as what does not exist, to the byte."""
    allowed = ROUTES[route]
    if allowed.whose != "open" and role not in allowed.roles:
        return "refused"
    if allowed.whose == "covered":  # a guardian names the ward, the others nothing
        return "through" if role != "guardian" or target == "own" else "hidden"
    if names_nothing(route):
        return "through"
    return "through" if target in REACH[allowed.whose] - {"unknown"} else "hidden"


THROUGH, HIDDEN = "through", "hidden"
# (route, target): what comes instead, and why.
EXCEPTIONS = {
    ("POST /desk/persons/unfreeze", "other_hospital"): (THROUGH, "a person is no hospital's: any desk reads a card"),
    ("POST /desk/persons/sessions/end", "other_hospital"): (THROUGH, "as above"),
    ("POST /desk/guardians/end", "other_hospital"): (THROUGH, "as above, with both cards"),
    ("POST /desk/accesses/object", "other_hospital"): (THROUGH, "as above: an objection is taken anywhere"),
    ("POST /privacy/identities/history", "other_hospital"): ((200, ""), "a list, empty as for a number never given"),
    ("POST /privacy/identities/history", "unknown"): ((200, ""), "the number was never given: its history is empty"),
    ("POST /privacy/holds", "other_hospital"): (THROUGH, "a hold is of the caller's hospital, and may come first"),
    ("POST /privacy/holds", "unknown"): (THROUGH, "as above"),
    ("POST /hospital/disposals", "own"): ((422, "nothing_to_dispose"), "nothing of this world is old enough"),
    ("POST /hospital/disposals", "other_hospital"): ((422, "nothing_to_dispose"), "as unknown: it says so of each"),
    ("POST /hospital/disposals", "other_person"): ((422, "nothing_to_dispose"), "as own"),
    ("POST /hospital/disposals", "unknown"): ((422, "nothing_to_dispose"), "it says so of each"),
    ("POST /consent-requests/verify", "other_person"): ((403, "code_locked"), "a colleague's request in their visit"),
    ("POST /consent-requests/outcome", "other_person"): (
        HIDDEN,
        "a colleague's request is not the caller's to ask about",
    ),
    ("POST /assisted-requests/outcome", "other_person"): (HIDDEN, "as above"),
    ("POST /recognitions", "other_person"): (HIDDEN, "a colleague's grant is not the caller's"),
    **{
        ("POST /joining", target): ((403, "joining_refused"), "no code of anybody's: one answer for all")
        for target in TARGETS
    },
    **{
        (f"POST /cds-services/{{service_id}}{more}", target): ((401, "unauthenticated"), "no token made for it")
        for target in TARGETS
        for more in ("", "/feedback")
    },
    ("POST /me/phone", "own"): ((422, "phone_not_vouched"), "no token of this issuer vouches for a number"),
    ("POST /me/phone", "other_hospital"): ((422, "phone_not_vouched"), "as above"),
    ("POST /me/phone", "other_person"): ((422, "phone_not_vouched"), "as above"),
    ("POST /me/phone", "unknown"): ((422, "phone_not_vouched"), "as above"),
}


@dataclass(frozen=True)
class Seen:
    status: int
    error: str
    body: bytes

    @classmethod
    def of(cls, answer):
        return cls(answer.status_code, error_of(answer), answer.body)


def judge(route, role, target, seen, unknown):
    """What is wrong with an answer; "" for nothing."""
    wanted = expected(route, role, target)
    if wanted != "refused":
        wanted, _why = EXCEPTIONS.get((" ".join(route), target), (wanted, ""))
    if wanted == "refused":
        right = (seen.status, seen.error) == (403, "not_allowed")
    elif wanted == THROUGH:
        right = 200 <= seen.status < 300 or (seen.status == 307 and not seen.body)  # a signed URL
    elif wanted == HIDDEN:
        right = seen.status in (403, 404, 409, 422) and seen.error not in DOOR and seen.body == unknown.body
    else:
        right = (seen.status, seen.error) == wanted
    return "" if right else f"{route} {role} {target}: {seen.status} {seen.body[:160]!r}, not {wanted}"


def leaks(world, role, target, seen):
    """Words in an answer that this caller must never read."""
    if role in ("regulator", "administrator"):
        return sorted(word for word in world.persons() if word.encode() in seen.body)
    foreign = world.kit(role, "other_hospital")
    secrets = {foreign.uid, foreign.consent_id, foreign.request_id, foreign.card["national_id"]}
    nothing_of_theirs = target in ("own", "unknown")
    return sorted(word for word in secrets if nothing_of_theirs and word.encode() in seen.body)


def unrecorded(world, route):
    """What is wrong with what the audit has of the request that was just answered."""
    if route in NO_EVENT:
        return ["leaves an event"] if world.watch.added() else []
    cards = {word for one in world.cards.values() for word in one.values()}
    return list(world.watch.wrong({*cards, "1390000", "1370000"}))  # how the phones begin


def test_every_route_of_the_app_stands_in_the_table_and_every_role_in_the_test():
    declared = {(method, path) for path, methods in app.app.routes.items() for method in methods}
    assert declared == set(ROUTES)
    assert set(ROLES) == set(get_args(Role))
    named = {route for route, _ in EXCEPTIONS} | set(BODIES) | ABOUT_THE_CALLER | MAKES
    assert named <= {" ".join(route) for route in declared}
    assert all(why for _, why in EXCEPTIONS.values())


def test_every_route_role_and_target_is_answered_as_the_table_says(over_http):
    world, wrong = World(over_http), []
    for route, allowed in ROUTES.items():
        for role in ROLES:
            let_in = allowed.whose == "open" or role in allowed.roles
            unknown = None
            for target in reversed(TARGETS):
                seen = Seen.of(ask(world, route, role, target))
                unknown = unknown or seen
                wrong.append(judge(route, role, target, seen, unknown))
                wrong += [f"{route} {role} {target} {what}" for what in unrecorded(world, route)]
                wrong += [f"{route} {role} {target} tells {word}" for word in leaks(world, role, target, seen)]
                if let_in and route[0] != "GET":
                    if target == "own":  # what is done already is on record as well
                        ask(world, route, role, target)
                        wrong += [f"{route} {role} again {what}" for what in unrecorded(world, route)]
                    world.rewind()
    assert not any(wrong), "\n" + "\n".join(filter(None, wrong))


def test_while_no_event_can_be_written_every_request_is_a_503_that_gives_nothing(over_http):
    world, wrong, sent = World(over_http), [], over_http.outbox.read_bytes()
    for route, allowed in ROUTES.items():
        for role in ROLES if route not in NO_EVENT else ():
            seen = Seen.of(ask(world, route, role, "own", made := set()))
            if (seen.status, seen.error, made) != (503, "try_again", set()):
                wrong.append(f"{route} {role}: {seen.status} {seen.body[:160]!r} {made}")
            if role in allowed.roles:
                world.rewind()
    assert over_http.outbox.read_bytes() == sent
    assert not wrong, "\n" + "\n".join(wrong)


# Accounts: whatever a route does, it first reads whether the session still counts.

WITH_ACCOUNTS = ("doctor", "patient", "guardian")
ANY_SESSION = {"GET /health", "POST /session", "DELETE /session"}


def of_accounts():
    named = [(route, role) for route, allowed in ROUTES.items() for role in WITH_ACCOUNTS if role in allowed.roles]
    return [(route, role) for route, role in named if " ".join(route) not in ANY_SESSION]


def test_an_ended_session_and_a_suspended_doctor_are_refused_on_every_route(over_http):
    world, wrong = World(over_http), []
    for route, role in of_accounts():
        seen = Seen.of(ask(world, route, role, "own", session_epoch=7))
        if (seen.status, seen.error) != (401, "session_ended"):
            wrong.append(f"{route} {role} of another epoch: {seen.status} {seen.body[:160]!r}")
            world.rewind()
    suspended = {"doctor_id": "d1", "status": "suspended"}
    world.ask("POST", "/doctors/status", "administrator", suspended)
    for route, role in of_accounts():
        if role == "doctor":
            seen = Seen.of(ask(world, route, role, "own", session_epoch=1))
            if (seen.status, seen.error) != (403, "doctor_inactive"):
                wrong.append(f"{route} of a suspended doctor: {seen.status} {seen.body[:160]!r}")
    assert not wrong, "\n" + "\n".join(wrong)
