"""RS256 bearer tokens of the issuers in the `ISSUERS` setting, and of the hospitals that have joined with a key of
their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast, get_args

from chalicelib.domain.access import Caller, Role
from chalicelib.domain.hospital_key import hospital_of, issuer_of
from chalicelib.domain.session import Session, TokenRefused, is_subject
from chalicelib.services.ports import SpentTokens
from chalicelib.store import jwts
from chalicelib.store.jwks import Fetch, IssuerUnreachable, Keys, fetch_https

if TYPE_CHECKING:
    from chalicelib.store.registered_keys import RegisteredKeys

MAX_LIFETIME = timedelta(minutes=15)
HOSPITAL_LIFETIME = timedelta(minutes=5)  # DESIGN §8: of a token that a hospital signs itself, and good once
ALGORITHMS = ("RS256",)
ROLES: tuple[str, ...] = get_args(Role)
OF_A_HOSPITAL = ("hospital", "doctor", "desk_clerk", "privacy_officer")  # no hospital says who is a patient or rules
REQUIRED = ["exp", "iat", "nbf", "aud", "iss"]
_HOSPITAL = re.compile("[A-Z0-9]{0,16}")
_PERSON = re.compile("[A-Za-z0-9_-]{0,64}")
CLAIMS = ("role", "subject", "hospital_id", "person_id", "session_epoch")
PHONE = "phone"  # believed only where ISSUERS maps it: the real-name app's issuer, which has checked the number


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who may vouch for callers. `claims` maps our words to its claims. `roles` are those it may vouch for;
    `hospital_id`, when set, is the only hospital it may speak for: the hospital is the issuer. `jwks_url` is "" where
    its keys are registered with us. `single_use`: each of its tokens, by its `jti`, opens the door once; a hospital's
    own always."""

    issuer: str
    audience: str
    jwks_url: str
    claims: Mapping[str, str]
    max_lifetime: timedelta = MAX_LIFETIME
    roles: tuple[str, ...] = ROLES
    hospital_id: str = ""
    single_use: bool = False


def parse_issuers(setting: str) -> tuple[Issuer, ...]:
    """The `ISSUERS` setting: a JSON list of {issuer, audience, jwks_url, claims, max_lifetime_seconds?, roles?,
    hospital_id?, single_use?}; `claims` maps `phone` for the real-name app only. Raises ValueError: a process with a
    bad setting must not start."""
    issuers = tuple(_issuer(given) for given in json.loads(setting))
    if len({issuer.issuer for issuer in issuers}) != len(issuers):
        raise ValueError("ISSUERS names an issuer twice")
    return issuers


def _issuer(given: Mapping[str, Any]) -> Issuer:
    mapped = given.get("claims", {})
    claims = {name: mapped.get(name, name) for name in CLAIMS}
    claims |= {PHONE: mapped[PHONE]} if PHONE in mapped else {}
    hospital_id = given.get("hospital_id", "")
    single_use = bool(given.get("single_use", bool(hospital_id)))
    longest = HOSPITAL_LIFETIME if single_use else MAX_LIFETIME
    lifetime = timedelta(seconds=given.get("max_lifetime_seconds", longest.total_seconds()))
    roles = tuple(given.get("roles", ("hospital",) if hospital_id else ROLES))
    may = OF_A_HOSPITAL if hospital_id else ROLES
    if not set(roles) <= set(may) or not timedelta(0) < lifetime <= longest:
        raise ValueError("ISSUERS: unknown role, or a lifetime beyond 15 minutes (5 for tokens of a single use)")
    if hospital_id and not single_use:
        raise ValueError("ISSUERS: a hospital's own tokens are good once")
    if not (given["issuer"] and given["audience"]):
        raise ValueError("ISSUERS: issuer and audience are required")
    issuer, audience, jwks_url = given["issuer"], given["audience"], given["jwks_url"]
    return Issuer(issuer, audience, jwks_url, claims, lifetime, roles, hospital_id, single_use)


@dataclass(frozen=True, slots=True)
class Joined:
    """Hospitals that are issuers by a key of their own: it vouches for that hospital's systems, five minutes and once
    each. `audience` is our origin, so that a token for one deployment is none for another; "" and none is believed."""

    audience: str
    keys: Callable[[], RegisteredKeys]

    def issuer(self, hospital_id: str) -> Issuer:
        if not self.audience:
            raise jwts.Untrusted("issuer")
        claims = {name: name for name in CLAIMS} | {"subject": "sub"}
        return Issuer(
            issuer=issuer_of(hospital_id),
            audience=self.audience,
            jwks_url="",
            claims=claims,
            max_lifetime=HOSPITAL_LIFETIME,
            roles=("hospital",),
            hospital_id=hospital_id,
            single_use=True,
        )


class Tokens:
    """The `Tokens` port: a bearer token's session, or why it is refused. `spent` and `joined` are asked for when they
    are needed."""

    def __init__(
        self,
        issuers: Sequence[Issuer],
        spent: Callable[[], SpentTokens],
        fetch: Fetch = fetch_https,
        joined: Joined | None = None,
    ) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._spent = spent
        self._joined = joined
        self._keys = {issuer.issuer: Keys(issuer.jwks_url, fetch) for issuer in issuers}

    def verify(self, token: str, now: datetime) -> Session | TokenRefused:
        """Signature, algorithm, issuer, audience, times, the caller's claims and, where that is its issuer's rule,
        whether it was used before: in this order, so that nothing but a true token is ever spent."""
        try:
            issuer, payload = self._verified(token, now)
            ends = jwts.check_times(payload, issuer.max_lifetime, now)
            session = Session(_caller(payload, issuer), ends)
            if issuer.single_use:
                jwts.spend(self._spent(), issuer.issuer, payload.get("jti"), ends)
        except jwts.Untrusted as fault:
            return TokenRefused(fault.reason)
        return session

    def _verified(self, token: str, now: datetime) -> tuple[Issuer, Mapping[str, Any]]:
        header, claimed = jwts.unverified(token, ALGORITHMS)
        issuer = self._issuer(str(claimed.get("iss")))
        key = self._key(issuer, header.get("kid"), now)
        expected = jwts.Expected(issuer.audience, issuer.issuer, ALGORITHMS, REQUIRED)
        return issuer, jwts.decode(token, key, expected)

    def _issuer(self, named: str) -> Issuer:
        """By the setting; else a hospital by its own name, whose key must be registered."""
        if issuer := self._issuers.get(named):
            return issuer
        hospital_id = hospital_of(named)
        if self._joined is None or not hospital_id:
            raise jwts.Untrusted("issuer")
        return self._joined.issuer(hospital_id)

    def _key(self, issuer: Issuer, kid: Any, now: datetime) -> Any:
        if not isinstance(kid, str):
            raise jwts.Untrusted("key")
        try:
            key = self._known_key(issuer, kid, now)
        except IssuerUnreachable:
            raise jwts.Untrusted("issuer_unreachable") from None
        if key is None:
            raise jwts.Untrusted("key")
        return key

    def _known_key(self, issuer: Issuer, kid: str, now: datetime) -> Any:
        if issuer.jwks_url:
            return self._keys[issuer.issuer].get(kid, now)
        return self._joined.keys().get(issuer.hospital_id, kid, now) if self._joined else None


def _caller(payload: Mapping[str, Any], issuer: Issuer) -> Caller:
    role = payload.get(issuer.claims["role"])
    subject = payload.get(issuer.claims["subject"])
    hospital_id = payload.get(issuer.claims["hospital_id"], "")
    person_id = payload.get(issuer.claims["person_id"], "")
    epoch = payload.get(issuer.claims["session_epoch"], 0)
    phone = payload.get(issuer.claims[PHONE], "") if PHONE in issuer.claims else ""
    texts = (role, subject, hospital_id, person_id, phone)
    if not all(isinstance(value, str) for value in texts) or type(epoch) is not int:
        raise jwts.Untrusted("claim_type")
    if not subject:
        raise jwts.Untrusted("claim_missing")
    if not is_subject(subject):
        raise jwts.Untrusted("claim_type")
    if not (_HOSPITAL.fullmatch(hospital_id) and _PERSON.fullmatch(person_id)):
        raise jwts.Untrusted("claim_type")  # both become parts of keys
    if role not in issuer.roles or (issuer.hospital_id and hospital_id != issuer.hospital_id):
        raise jwts.Untrusted("role")
    vouched = phone if role == "patient" else ""
    return Caller(cast(Role, role), subject, hospital_id, person_id, epoch, vouched, _signed_in_at(payload))


def _signed_in_at(payload: Mapping[str, Any]) -> datetime:
    """When the human signed in (OpenID Connect Core §2). An issuer that renews tokens without asking the human must
    say `auth_time`: a renewed `iat` would pass for a login."""
    issued = jwts.instant(payload, "iat")
    return min(issued, jwts.instant(payload, "auth_time")) if "auth_time" in payload else issued
