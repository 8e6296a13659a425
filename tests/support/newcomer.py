"""A hospital JB001 on its way in, over HTTP: what the commission and the hospital ask."""

import itertools

from tests.support import tokens
from tests.support.hospital_keys import key_proof, own_token, pem
from tests.support.served_app import ORIGIN

NEW = {"hospital_id": "JB001", "name": "江北人民医院", "name_en": "Jiangbei People's Hospital", "level": "三级甲等"}
FULL = {
    **NEW,
    "region": "320102",
    "utc_offset_minutes": 480,
    "contacts": [
        {"role": "network", "name": "王工", "phone": "025-8000 0001"},
        {"role": "pacs", "name": "李工", "email": "pacs@jiangbei.example"},
    ],
    "weekday_volume": [210, 200, 205, 190, 180, 60, 40],
    "default_class": "outpatient",
}
numbers = itertools.count()


def join(served, code, name="k1", hospital_id="JB001", **changes):
    body = {"hospital_id": hospital_id, "code": code, "public_key": tokens.jwk(name)}
    body["proof"] = key_proof(hospital_id, name, ORIGIN)
    return served.ask("POST", "/joining", body={**body, **changes})


def own(served, method, path, body=None, name="k1"):
    """As the hospital, with a token that it signed itself."""
    token = own_token("JB001", name, ORIGIN, jti=f"j{next(numbers)}")
    return served.ask(method, path, body=body, headers={"Authorization": f"Bearer {token}"})


def add(served, name, by="k1"):
    body = {"public_key": pem(name), "proof": key_proof("JB001", name, ORIGIN)}
    return own(served, "POST", "/hospital/keys", body, by)


def told(answer):
    return answer.status_code, answer.json_body.get("error", "")
