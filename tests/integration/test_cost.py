"""The bill's inputs are what a run asks of AWS, and nothing else (infra/cost.py)."""

from __future__ import annotations

import copy
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

import app
from chalicelib import wiring
from infra import cost, cost_levers
from infra.local.personas import LAKE, PATIENT, RIVER
from infra.local.poller import Functions
from infra.local.samples import chest_ct, make_pack
from tests.support import recorder
from tests.support.counted import counted
from tests.support.country import Country
from tests.support.hospital_keys import registered
from tests.support.ordering import SIGN, call, client_token, order
from tests.support.served_app import ORIGIN, jwks_url, served

__all__ = ["jwks_url", "served"]

IMAGES = 100
USD = cost.HERE / "costs/us-east-1.json"
PRICES = json.loads(USD.read_text(encoding="utf-8"))
KEPT = json.loads(cost.CALLS.read_text(encoding="utf-8"))


@pytest.fixture
def country(cloud, served):
    return Country(cloud, served)


class Counting(Functions):
    """Functions that say how often they ran, and with how many messages."""

    def __init__(self, module):
        super().__init__(module)
        self.runs, self.messages = Counter(), Counter()

    def __call__(self, name, event):
        self.runs[name] += 1
        self.messages[name] += len(event["Records"])
        return super().__call__(name, event)


def recorded(country, act, *queues, images=0):
    """What `act`, and the queues that it fills, ask of AWS."""
    country.functions = functions = Counting(app)
    asked_before = len(country.served.said)
    with recorder.watch() as calls:
        act(country)
        country.drain(*queues)
    functions.runs["api_handler"] = len(country.served.said) - asked_before
    return counted(calls, functions.runs, functions.messages, images)


def singles(country):
    for number, file in enumerate(chest_ct(slices=IMAGES)):
        country.put("instances", f"{number}.dcm", file)


def pack(country):
    country.put("archives", "pack.zip", make_pack(chest_ct(slices=IMAGES, seed=2, accession_number="SYN2503100002")))


def patient_of(hospital):
    return {"patient_id": PATIENT.patient_ids[hospital.hospital_id], "name": PATIENT.name, "sex": "M"}


def notice(country):
    ended = (datetime.now(UTC) - timedelta(minutes=40)).replace(microsecond=0)
    body = {
        "type": "exam",
        "notice_id": "N1",
        "status": "performed",
        "accession_number": "SYN2503100001",
        "patient": patient_of(RIVER),
        "patient_class": "outpatient",
        "modality": "CT",
        "procedure": "胸部CT平扫",
        "performed_at": ended.isoformat(),
    }
    country.tell(body, RIVER.hospital_id)


def visit(country):
    body = {
        "type": "encounter",
        "encounter_id": "E1",
        "status": "open",
        "doctor_id": "d1",
        "patient": patient_of(LAKE),
        "patient_class": "outpatient",
        "at": datetime.now(UTC).isoformat(),
    }
    country.tell(body, LAKE.hospital_id)


def view(country):
    """A doctor asks, the patient tells the code, the doctor looks at the list and opens one study."""
    claims = {"hospital_id": LAKE.hospital_id}
    asked = country.served.ask(
        "POST", "/consent-requests", "doctor", {"encounter_id": "E1", "purpose": "treatment"}, **claims
    )
    country.drain("messages")
    body = {"encounter_id": "E1", "request_id": asked.json_body["request_id"], "code": country.served.code()}
    assert country.served.ask("POST", "/consent-requests/verify", "doctor", body, **claims).status_code == 200
    listed = country.served.ask("GET", "/encounters/E1/timeline", "doctor", **claims).json_body["studies"]
    path = f"/hospitals/{listed[0]['hospital_id']}/studies/{listed[0]['study_instance_uid']}/manifest"
    assert country.served.ask("GET", path, "doctor", **claims).status_code == 200


def remind(country):
    """An ordering system asks while a chest CT is ordered, and gets a card."""
    url = f"/cds-services/{SIGN}"
    headers = {"Authorization": f"Bearer {client_token(LAKE.hospital_id, 'lake', ORIGIN + url)}"}
    body = call(SIGN, order("胸部CT平扫"), patient=PATIENT.patient_ids[LAKE.hospital_id])
    told = country.served.ask("POST", url, body=body, headers=headers)
    assert len(told.json_body["cards"]) == 1, told.body


@pytest.fixture
def fresh(country):
    """The scenarios, one after another as they happen to a patient."""
    made = {"singles": recorded(country, singles, "instances", "settle.fifo", images=IMAGES)}
    made["packs"] = recorded(country, pack, "archives", "settle.fifo", images=IMAGES)
    made["notices"] = recorded(country, notice, "notices")
    visit(country)
    country.drain("notices")
    assert wiring.hospital_keys().add(registered(LAKE.hospital_id, "lake"))
    made["reminders"] = recorded(country, remind)
    made["views"] = recorded(country, view)
    return made


def test_the_bill_stands_on_what_a_run_asks_today(fresh):
    written = cost.HERE.parent / "build/calls.json"
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps(fresh, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert fresh == KEPT, "the calls have changed: look at build/calls.json, then copy it to infra/costs/calls.json"


def test_one_more_call_changes_the_table():
    changed = copy.deepcopy(KEPT)
    changed["singles"]["functions"]["ingest"]["calls"]["s3:GetObject"] += IMAGES
    before, after = (cost.day(one, cost.Volumes()) for one in (KEPT, changed))
    assert after["singles"]["s3:GET"] == pytest.approx(2 * before["singles"]["s3:GET"])
    assert before["views"] == after["views"]
    shown = []
    console = Console(record=True, file=io.StringIO(), width=120)
    for one in (KEPT, changed):
        console.print(next(cost.tables(one, cost.Volumes(), PRICES, "en")))
        shown.append(console.export_text())
    assert shown[0] != shown[1]


def test_a_call_that_nobody_has_priced_is_no_free_call():
    changed = copy.deepcopy(KEPT)
    changed["singles"]["functions"]["ingest"]["calls"]["rekognition:DetectText"] = 1
    with pytest.raises(KeyError, match="rekognition"):
        cost.day(changed, cost.Volumes())


def test_a_call_more_in_each_batch_moves_the_batchs_lever_and_not_the_packs():
    changed = copy.deepcopy(KEPT["singles"])
    before = cost_levers.once_a_batch(changed, PRICES["per_million"])
    changed["functions"]["ingest"]["calls"]["s3:PutObject"] += 1
    after = cost_levers.once_a_batch(changed, PRICES["per_million"])
    assert after - before == pytest.approx(PRICES["per_million"]["s3:PUT"])


def test_storage_grows_by_the_day_and_the_rule_saves_what_it_moves():
    say = {"years": "{years}={all}/{moved}", "between": " ", "stored": "{parts} {move} {currency}"}
    prices = {"per_gb_month": {"s3:Standard": 2.0, "s3:Glacier Instant Retrieval": 1.0}, "currency": "X"}
    prices["per_million"] = {"s3:move to Glacier Instant Retrieval": 20.0}
    told = cost_levers.stored(1.0, 1e6, prices, say)
    assert told == "1=730/455 3=2,190/1,185 15=10,950/5,565 20 X"


@pytest.mark.parametrize("path", sorted((cost.HERE / "costs").glob("*-*-*.json")), ids=lambda path: path.stem)
def test_a_regions_prices_are_complete_and_say_which_were_looked_up(path):
    prices = json.loads(path.read_text(encoding="utf-8"))
    assert prices["region"] == path.stem
    names = {group: set(prices[group]) for group in ("per_million", "per_gb_month", "per_gb")}
    assert names == {group: set(PRICES[group]) for group in names}
    assert set(prices["looked_up"]) <= set().union(*names.values())
    for lang in ("en", "zh"):
        parts = list(cost.tables(KEPT, cost.Volumes(), prices, lang))
        assert ("$65" in "".join(map(str, parts)) or "65 美元" in "".join(map(str, parts))) == (path == USD)


def test_every_use_has_a_price_and_every_price_a_use():
    days = [cost.day(KEPT, cost.Volumes(packed=share)) for share in (0.0, 1.0)]
    used = {name for one in [*days, cost.naive(cost.Volumes())] for amounts in one.values() for name in amounts}
    known = set(PRICES["per_million"]) | set(PRICES["per_gb"])
    ready = {*cost.PRICED.values(), "s3:move to Glacier Instant Retrieval"} - {""}  # asked for by some day's calls
    assert used <= known
    assert known == used | ready
