"""What a regulator registers of a hospital, asked over HTTP on moto."""

import json

from tests.support.newcomer import FULL, told
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]


def test_a_registration_in_full_is_told_back_to_the_commission(served):
    registered = served.ask("POST", "/hospitals", "regulator", FULL)
    assert registered.status_code == 201
    seen = served.ask("GET", "/hospitals/JB001", "regulator").json_body
    assert {name: seen[name] for name in FULL if name != "contacts"} == {
        name: FULL[name] for name in FULL if name != "contacts"
    }
    assert [one["name"] for one in seen["contacts"]] == ["王工", "李工"]
    assert (seen["patient_id_issuer"], seen["keys"]) == ("JB001", [])
    assert seen["joining"]["tries_left"] == 5


WRONG = [
    ("hospital_id", "jb001"),
    ("name", ""),
    ("utc_offset_minutes", "Asia/Shanghai"),
    ("contacts", [{"role": "cleaner", "name": "王工", "phone": "02580000001"}]),
    ("contacts", [{"role": "pacs", "name": "王工"}]),
    ("contacts", [{"role": "pacs", "name": "王工", "phone": "call me"}]),
    ("contacts", [{"role": "pacs", "name": "王工", "email": "a@b"}]),
    ("contacts", [{"role": "pacs", "name": "王工", "phone": "02580000001"}] * 11),
    ("contacts", "王工"),
    ("contacts", [1]),
    ("weekday_volume", [1, 2, 3]),
    ("weekday_volume", [1, 2, 3, 4, 5, 6, -7]),
    ("weekday_volume", [1, 2, 3, 4, 5, 6, True]),
    ("default_class", "emergency"),
    ("contacts", [{"role": "pacs", "name": "王工", "email": "a@c.example\nbcc: x@y.example"}]),
    ("patient_id_issuer", "OTHER"),
]


def test_what_is_wrong_with_a_registration_is_said_in_both_languages(served):
    for field, value in WRONG:
        answer = served.ask("POST", "/hospitals", "regulator", {**FULL, field: value})
        assert (told(answer), answer.json_body["field"]) == ((400, "bad_request"), field)
        assert set(answer.json_body["hint"]) == {"en", "zh"}
    assert served.ask("GET", "/hospitals", "regulator").json_body["hospitals"] == []


def test_hospitals_are_listed_by_pages_without_the_people_to_reach(served, monkeypatch):
    from chalicelib.http import regulators

    monkeypatch.setattr(regulators, "PAGE", 2)
    for number in range(5):
        served.ask("POST", "/hospitals", "regulator", {**FULL, "hospital_id": f"H{number}"})
    found, token = [], ""
    while True:
        page = served.ask("GET", "/hospitals" + (f"?token={token}" if token else ""), "regulator").json_body
        assert len(page["hospitals"]) <= 2
        found += page["hospitals"]
        token = page["next_token"]
        if not token:
            break
    assert [one["hospital_id"] for one in found] == [f"H{number}" for number in range(5)]
    assert not any("王工" in json.dumps(one, ensure_ascii=False) or "contacts" in one for one in found)


def test_a_token_that_no_list_made_is_the_callers_fault(served):
    for token in ("x", "====", "~", "a" * 2000):
        answer = served.ask("GET", f"/hospitals?token={token}", "regulator")
        assert told(answer) == (400, "bad_request")
