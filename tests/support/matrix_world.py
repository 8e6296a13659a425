"""Two hospitals, their patients, families and doctors: what every role can call its own, and what is others'.

A `Kit` is one set of things that a request can name. `own` is the caller's; `other_hospital` is of H2 and its patient;
`other_person` is of the caller's own hospital, but of somebody else; `unknown` exists nowhere.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from moto.backends import get_backend

from chalicelib import wiring
from chalicelib.domain.break_glass import CONFIRMATION
from chalicelib.domain.exam import ExamKey, Report
from chalicelib.domain.flag import Behind, Flag, FlaggedExam, Step
from chalicelib.domain.identity import PatientDetails
from chalicelib.domain.outage import Outage
from chalicelib.domain.study import StudyRef
from chalicelib.services.ports import QuarantineRecord
from chalicelib.services.record_encounter import EncounterNotice, RecordEncounter
from chalicelib.store import clients
from infra.local.provision import ACCOUNT_ID, REGION
from tests.support.audit_watch import Watch
from tests.support.dicom_files import element, instance
from tests.support.hospital_keys import registered
from tests.support.ledger_world import notice
from tests.support.old_studies import put_disposals
from tests.support.served_app import national_id
from tests.support.settle_samples import T0, entry

TARGETS = ("own", "other_hospital", "other_person", "unknown")
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
DAY = "2026-11-23"
BEHIND = Behind((("missing", 1),), (FlaggedExam("A1", 1, "missing", None, None),), 1, "digest")
FLAG = Flag("H1", DAY, "missed_deadline", "raised", BEHIND, datetime(2026, 11, 24, 4, tzinfo=UTC))
CLAIMS = {
    "doctor": {"subject": "d1", "hospital_id": "H1"},
    "hospital": {"subject": "H1", "hospital_id": "H1"},
    "desk_clerk": {"subject": "c1", "hospital_id": "H1"},
    "privacy_officer": {"subject": "o1", "hospital_id": "H1"},
    "regulator": {"subject": "r1"},
    "administrator": {"subject": "a1"},
}
CARDS = {  # name: (first 17 digits of the national id, name)
    "zhang": ("32010219700101001", "欧阳慧敏"),
    "wang": ("32010219750505002", "王五福"),
    "mother": ("32010219880101006", "李母亲"),
    "father": ("32010219860101007", "王父亲"),
    "child": ("32010220180601002", "欧阳小"),
    "infant": ("32010220190601004", "王小宝"),
    "elder": ("32010219400101003", "赵老太"),
    "granny": ("32010219410101003", "钱老太"),
    "shut": ("32010219650101008", "孙不开"),
    "closed": ("32010219660101008", "周不开"),
}
NUMBERS = {name: str(number) for number, name in enumerate(CARDS, 1)}
WITHOUT_PHONE = ("elder", "granny")
# encounter: hospital, whose, doctor, class
VISITS = {
    "E1": ("H1", "zhang", "d1", "outpatient"),
    "E2": ("H1", "wang", "d3", "outpatient"),
    "E3": ("H2", "wang", "d2", "outpatient"),
    "E4": ("H1", "child", "d1", "outpatient"),
    "E5": ("H1", "infant", "d3", "outpatient"),
    "A1": ("H1", "elder", "d1", "outpatient"),
    "A2": ("H1", "granny", "d3", "outpatient"),
    "A3": ("H2", "granny", "d2", "outpatient"),
    "B1": ("H1", "zhang", "d1", "emergency"),
    "B2": ("H1", "wang", "d5", "emergency"),
    "B3": ("H2", "wang", "d6", "emergency"),
}


@dataclass(frozen=True)
class Kit:
    """What a request may name. `ward` is a guardian's word for a ward, in X-Ward and in bodies; `other` what only a
    few routes name, by the route's last words."""

    hospital_id: str = "H9"
    uid: str = "1.2.840.404"
    encounter_id: str = "E404"
    patient_id: str = "P404"
    card: dict = field(default_factory=lambda: card("32010219600101001", "无此人"))
    doctor_id: str = "d404"
    consent_id: str = NOBODY
    request_id: str = NOBODY
    code: str = "000000"
    person_id: str = NOBODY
    ward: str = NOBODY
    version_id: str = "none"
    day: str = "1999-01-01"
    other: dict = field(default_factory=dict)

    @property
    def image(self):
        """The study's only series and instance, as `settle_samples` numbers them."""
        return {"series": f"{self.uid}.1", "instance": f"{self.uid}.1.1"}


def card(seventeen, name):
    return {"national_id": national_id(seventeen), "name": name}


class World:
    """Made once; `kit(role, target)` says what to name, `rewind()` undoes what a request did."""

    def __init__(self, served):
        self.served = served
        self.watch = Watch()
        self.cards = {name: card(*given) for name, given in CARDS.items()}
        self.ids, self.wards, self.given, self.disposals, self.versions = {}, {}, {}, {}, {}
        self._open()
        self._register()
        self._study()
        self._families()
        self._consents()
        self._exceptions()
        self._quarantine()
        self._disposals()
        self._kits = {"others": self._others(), "guardian": self._guardians()}
        self._kept = {name: pickle.dumps(dict(table.items)) for name, table in _tables().items()}

    def claims(self, role):
        whose = {"patient": "zhang", "guardian": "mother"}
        return CLAIMS.get(role) or {"subject": f"{role}-1", "person_id": self.ids[whose[role]]}

    def kit(self, role, target):
        return self._kits["guardian" if role == "guardian" else "others"][target]

    def rewind(self):
        for name, kept in self._kept.items():
            table = _tables()[name]
            table.items.clear()
            table.items.update(pickle.loads(kept))  # noqa: S301 - what was pickled above

    def qr(self, name):
        """One shown now: it lives a minute."""
        return self.ask("POST", "/me/qr", "patient", person_id=self.ids[name])["qr"]

    def persons(self):
        """Every word that says who somebody is or what was found: nothing for a regulator or an administrator."""
        words = {*self.ids.values(), *(one["name"] for one in self.cards.values())}
        return words | {one["national_id"] for one in self.cards.values()} | {f"1.2.840.{n}" for n in range(1, 6)}

    # Making it

    def ask(self, method, path, role, body=None, **claims):
        answer = self.served.ask(method, path, role, body, **{**CLAIMS.get(role, {}), **claims})
        assert answer.status_code < 300, (path, answer.status_code, answer.body)
        return answer.json_body

    def _as_doctor(self, visit, path, body):
        hospital_id, _, doctor_id, _ = VISITS[visit]
        return self.ask(
            "POST", path, "doctor", {**body, "encounter_id": visit}, subject=doctor_id, hospital_id=hospital_id
        )

    def _open(self):
        for hospital_id in ("H1", "H2"):
            self.ask("POST", "/hospitals", "regulator", {"hospital_id": hospital_id, "name": f"{hospital_id}医院"})
        for hospital_id, name in (("H1", "h1"), ("H1", "h2"), ("H2", "h3"), ("H2", "h4")):
            assert wiring.hospital_keys().add(registered(hospital_id, name))
        for doctor_id, hospital_id in (("d1", "H1"), ("d2", "H2"), ("d3", "H1"), ("d5", "H1"), ("d6", "H2")):
            account = {"doctor_id": doctor_id, "hospital_id": hospital_id, "licence_number": f"11{doctor_id}"}
            self.ask("POST", "/doctors", "administrator", {**account, "name": "李医生"})
        for hospital_id in ("H1", "H2"):
            assert wiring.flags().put(replace(FLAG, hospital_id=hospital_id), Step(FLAG.raised_at, "raised"))
        for name in ("H1", "H2", "province"):
            report = json.dumps({"period": DAY}).encode()
            wiring.compliance_reports().put(f"compliance/{DAY}/{name}.json", report, "application/json")

    def _register(self):
        for name, number in NUMBERS.items():
            for hospital_id, letter in (("H1", "P"), ("H2", "Q")):
                phone = {} if name in WITHOUT_PHONE else {"phone": f"139000000{int(number):02}"}
                self._at_desk(name, hospital_id, f"{letter}{number}", phone)
        for hospital_id, patient_id, name in (("H1", "P91", "zhang"), ("H1", "P92", "wang"), ("H2", "Q92", "wang")):
            self._at_desk(name, hospital_id, patient_id, {})
            for deed in ("contest", "unlink"):
                undone = {"patient_id": patient_id}
                self.ask("POST", f"/desk/identities/{deed}", "desk_clerk", undone, hospital_id=hospital_id)
        for name in ("shut", "closed"):
            self.ask("POST", "/me/freeze", "patient", {"confirm": "yes"}, person_id=self.ids[name])

    def _at_desk(self, name, hospital_id, patient_id, phone):
        body = {**self.cards[name], "patient_id": patient_id, **phone}
        done = self.ask("POST", "/desk/registrations", "desk_clerk", body, hospital_id=hospital_id)
        self.ids[name] = done["person_id"]

    def _study(self):
        for number, visit in enumerate(("E1", "E2", "E3", "E4", "E5"), 1):
            hospital_id, name, _, _ = VISITS[visit]
            ref = StudyRef(hospital_id, f"1.2.840.{number}")
            self.versions[str(number)] = self._object(ref, _patient_id(hospital_id, name))
            self._report(ref, _patient_id(hospital_id, name))
        for visit, (hospital_id, name, doctor_id, patient_class) in VISITS.items():
            patient = PatientDetails(_patient_id(hospital_id, name), self.cards[name]["name"])
            now = datetime.now(UTC)
            opened = EncounterNotice(hospital_id, visit, "open", patient, patient_class, now, doctor_id)
            RecordEncounter(wiring.encounters())(opened)

    def _report(self, ref, patient_id):
        """A report of that study, whose digest is its UID."""
        uid = ref.study_instance_uid
        report = Report(uid, "application/pdf", f"reports/{ref.hospital_id}/2026-11-24/r", "v1", 7)
        told = {"at": T0, "patient_id": patient_id, "study_instance_uid": uid, "report": report}
        wiring.exam_ledger().put_notice(ExamKey(ref.hospital_id, "A1"), notice(notice_id=f"n{uid}", **told))

    def _object(self, ref, patient_id):
        """One image of that study, in the bucket and settled: its version."""
        made = entry(1, ref=ref, patient_id=patient_id)
        uids = {"study": ref.study_instance_uid, "series": made.header.series_instance_uid}
        grey = (element(0x00280004, "CS", "MONOCHROME2"), element(0x00280100, "US", b"\x10\0"))
        body = instance(*grey, **uids, sop=made.header.sop_instance_uid, patient_id=patient_id)
        put = clients.s3().put_object(Bucket=wiring.settings().uploads_bucket, Key=made.place.key, Body=body)
        place = replace(made.place, version_id=put["VersionId"], length=len(body))
        self.served.receive(replace(made, place=place), ref=ref)
        return place.version_id

    def _families(self):
        for ward, guardian in (("child", "mother"), ("infant", "father")):
            self._prove(ward, guardian, "minor", "birth_certificate")
            (held,) = self.ask("GET", "/wards", "guardian", person_id=self.ids[guardian])["wards"]
            assert held["is_live"]
            self.wards[ward] = held["ward"]
        self._prove("zhang", "wang", "incapacity", "court_decision")
        (self.wards["zhang"],) = self._guardians_of("zhang")
        self._prove("child", "wang", "minor", "court_decision")
        (self.wards["waiting"],) = set(self._guardians_of("child")) - {self.wards["child"]}

    def _prove(self, ward, guardian, kind, document):
        body = {"kind": kind, "document": document, "ward": self.cards[ward], "guardian": self.cards[guardian]}
        self.ask("POST", "/desk/guardians", "desk_clerk", body)

    def _guardians_of(self, name):
        held = self.ask("GET", "/me/guardians", "patient", person_id=self.ids[name])["guardians"]
        return [one["ward"] for one in held]

    def _consents(self):
        """Each visit's patient has allowed its doctor something, and is asked again."""
        for visit in ("E1", "E2", "E3", "E4", "E5"):
            first = self._as_doctor(visit, "/consent-requests", {"purpose": "treatment"})["request_id"]
            said = {"request_id": first, "code": self.served.code()}
            given = self._as_doctor(visit, "/consent-requests/verify", said)
            asked = self._as_doctor(visit, "/consent-requests", {"purpose": "treatment"})
            names = {"consent_id": given["consent_id"], "request_id": asked["request_id"]}
            self.given[visit] = {**names, "code": self.served.code()}

    def _exceptions(self):
        """Assisted: confirmed once and opened again. Break-glass: once, and d5 and d6 lose the right."""
        for visit in ("A1", "A2", "A3"):
            hospital_id, name, _, _ = VISITS[visit]
            asked = {"national_id": self.cards[name]["national_id"], "reason": "no_phone"}
            first = self._as_doctor(visit, "/assisted-requests", asked)["request_id"]
            witness = {"subject": "c9", "hospital_id": hospital_id}
            paper = self.ask("POST", "/assisted-requests/confirm", "desk_clerk", {"request_id": first}, **witness)
            waiting = self._as_doctor(visit, "/assisted-requests", asked)["request_id"]
            self.given[visit] = {"paper": paper["consent_id"], "waiting": waiting}
        for visit in ("B1", "B2", "B3"):
            consent_id = self._as_doctor(visit, "/break-glass", emergency(visit))["consent_id"]
            self.given[visit] = {"consent_id": consent_id}
            if visit != "B1":
                verdict = {"review_id": consent_id, "verdict": "not_justified", "note": "不属实"}
                self.ask("POST", "/privacy/reviews/verdict", "privacy_officer", verdict, hospital_id=VISITS[visit][0])

    def _quarantine(self):
        """One upload of each visit's that came while its hospital was closed; another whose release is asked for."""
        for visit in ("E1", "E2", "E3", "E4", "E5"):
            hospital_id = VISITS[visit][0]
            kept, waits = (quarantined(hospital_id, f"{visit}-{number}.dcm") for number in (1, 2))
            for record in (kept, waits):
                wiring.quarantine().put(record)
            body = {"entry_id": waits.entry_id, "ground": "registered_since"}
            self.ask("POST", "/hospital/quarantine/release", "hospital", body, hospital_id=hospital_id)
            self.given[visit] |= {"kept": kept.entry_id, "waits": waits.entry_id}

    def _disposals(self):
        """For each study of the first three visits a hold, a proposal that waits, and one that was carried out."""
        for number, visit in enumerate(("E1", "E2", "E3"), 1):
            hospital_id = VISITS[visit][0]
            self.disposals[visit] = put_disposals(hospital_id, f"1.2.840.{number}", number)

    # What it holds

    def _others(self):
        others = ("zhang", "1", "E1", "A1", "B1"), ("wang", "3", "E3", "A3", "B3"), ("wang", "2", "E2", "A2", "B2")
        own, other_hospital, other_person = (self._kit(*one) for one in others)
        return dict(zip(TARGETS, (own, other_hospital, other_person, UNKNOWN), strict=True))

    def _guardians(self):
        others = ("child", "4", "E4", "A1", "B1"), ("wang", "3", "E3", "A3", "B3"), ("infant", "5", "E5", "A2", "B2")
        own, other_hospital, other_person = (self._kit(*one) for one in others)
        return dict(zip(TARGETS, (own, other_hospital, other_person, UNKNOWN), strict=True))

    def _kit(self, name, number, visit, assisted, glass):
        hospital_id, _, doctor_id, _ = VISITS[visit]
        mine = name in ("zhang", "child")
        contested = {"zhang": "P91", "wang": "P92" if hospital_id == "H1" else "Q92"}.get(name, "P91")
        cared = self.cards[VISITS[assisted][1]]
        given = dict(self.given[visit])
        other = {
            "qr": lambda: self.qr("zhang" if mine else "wang"),
            "assisted": {"encounter_id": assisted, "national_id": cared["national_id"], "reason": "no_phone"},
            "confirm": self.given[assisted]["waiting"],
            "paper": self.given[assisted]["paper"],
            "glass": emergency(glass),
            "review": self.given[glass]["consent_id"],
            "kid": registered(hospital_id, "h1" if hospital_id == "H1" else "h3").key.kid,
            "suspended": "d5" if hospital_id == "H1" else "d6",
            "contested": contested,
            "frozen": self.cards["shut" if mine else "closed"],
            "minor": (self.cards["child"], self.cards["mother"])
            if mine
            else (self.cards["infant"], self.cards["father"]),
            "guardian": self.wards["zhang" if mine else "infant"],
            "waiting": self.wards["waiting"],
            "quarantined": given.pop("kept"),
            "release": given.pop("waits"),
            "outage": accepted(hospital_id, visit),
            **self.disposals.get(visit, self.disposals["E1"]),
        }
        return Kit(
            hospital_id=hospital_id,
            uid=f"1.2.840.{number}",
            encounter_id=visit,
            patient_id=_patient_id(hospital_id, name),
            card=self.cards[name],
            doctor_id=doctor_id,
            person_id=self.ids[name],
            ward=self.wards["child" if mine else "infant"],
            version_id=self.versions[number],
            day=DAY,
            other=other,
            **given,
        )


def emergency(visit):
    own_words = {"text": "昏迷，无家属在场，须立即处理", "confirmation": CONFIRMATION.zh}
    return {"encounter_id": visit, "reason": "unconscious", **own_words}


def accepted(hospital_id, reason):
    """An outage that may be withdrawn."""
    outage = Outage("hospital", hospital_id, T0 - timedelta(days=9), T0 - timedelta(days=8), reason, "r1", T0)
    wiring.accept_outage()(outage)
    return outage.outage_id


def quarantined(hospital_id, name):
    """A record whose release may be asked for."""
    return QuarantineRecord(
        hospital_id=hospital_id,
        key=f"instances/{hospital_id}/2026-11-23/{name}",
        version_id="v1",
        size=7,
        received_at=T0 - timedelta(hours=1),
        reason="hospital_closed",
        detail="",
        recorded_at=T0,
    )


def _patient_id(hospital_id, name):
    return {"H1": "P", "H2": "Q"}[hospital_id] + NUMBERS[name]


def _tables():
    return get_backend("dynamodb")[ACCOUNT_ID][REGION].tables


UNKNOWN = Kit(
    other={
        "qr": lambda: "IC1.nothing",
        "assisted": {"encounter_id": "E404", "national_id": national_id("32010219600101001"), "reason": "no_phone"},
        "confirm": NOBODY,
        "paper": NOBODY,
        "glass": emergency("E404"),
        "review": NOBODY,
        "kid": "x" * 43,
        "suspended": "d404",
        "contested": "P404",
        "frozen": card("32010219600101001", "无此人"),
        "minor": (card("32010220170601002", "无此童"), card("32010219600101001", "无此人")),
        "guardian": NOBODY,
        "waiting": NOBODY,
        "quarantined": f"2026-11-23/{'0' * 64}",
        "release": f"2026-11-23/{'0' * 64}",
        "outage": "0" * 32,
        "disposal": NOBODY,
        "executed": NOBODY,
        "hold": NOBODY,
    }
)
