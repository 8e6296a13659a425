"""How hospitals join, keep their keys and upload, asked over HTTP on moto."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.services.replay_facts import ReplayRegistrations
from infra.local.provision import clients
from tests.support.cloud import forget_cached
from tests.support.hospital_keys import key_proof, own_token, public_key
from tests.support.newcomer import FULL, NEW, add, join, own, told
from tests.support.served_app import ORIGIN, jwks_url, served

__all__ = ["jwks_url", "served"]


@pytest.fixture
def opened(served):
    served.open_hospitals()
    return served


@pytest.fixture
def letter(served):
    """What the commission sends to JB001."""
    return served.ask("POST", "/hospitals", "regulator", NEW).json_body["joining"]


def later(monkeypatch, **length):
    """In so long, when what a process keeps has aged."""
    moment = datetime.now(UTC) + timedelta(**length)
    monkeypatch.setattr(wiring, "now", lambda: moment)


# Joining


def test_nothing_of_a_contact_code_key_or_credential_is_logged(served, caplog, capsys):
    caplog.set_level(logging.DEBUG, logger="imaging_cloud")
    registered = served.ask("POST", "/hospitals", "regulator", FULL)
    code = registered.json_body["joining"]["code"]
    join(served, "0" * 24)
    join(served, code)
    vended = own(served, "POST", "/hospital/credentials", {}).json_body["credentials"]
    logged = caplog.text + "".join(capsys.readouterr())
    words = ["王工", "8000 0001", "@jiangbei", code, code.replace("-", ""), *vended.values()]
    assert not [word for word in words if word in logged]


def test_a_hospital_joins_with_the_letters_code_and_is_then_its_own_issuer(served, letter):
    joined = join(served, letter["code"])
    assert joined.status_code == 201, joined.body
    assert (joined.json_body["issuer"], joined.json_body["audience"]) == (letter["issuer"], letter["audience"])
    assert joined.json_body["kid"] == public_key("k1").kid
    listed = own(served, "GET", "/hospital/keys").json_body["keys"]
    assert [(one["kid"], one["added_by"]) for one in listed] == [(public_key("k1").kid, "code")]
    assert own(served, "POST", "/hospital/credentials", {}).status_code == 201
    assert served.ask("GET", "/hospitals/JB001", "regulator").json_body["joining"] is None


def test_a_code_is_read_however_it_is_typed(served, letter):
    assert join(served, f" {letter['code'].lower().replace('-', ' ')} ".replace("0", "o")).status_code == 201


def test_a_code_is_told_once_and_good_once(served, letter):
    again = served.ask("POST", "/hospitals", "regulator", NEW)
    assert "joining" not in again.json_body
    assert letter["code"] not in json.dumps(served.ask("GET", "/hospitals/JB001", "regulator").json_body)
    assert join(served, letter["code"]).status_code == 201
    assert told(join(served, letter["code"], "k2")) == (403, "joining_refused")


def test_whatever_is_wrong_with_hospital_or_code_gets_one_answer(served, letter, monkeypatch):
    other = served.ask("POST", "/hospitals", "regulator", {**NEW, "hospital_id": "H2"}).json_body["joining"]["code"]
    wrong = letter["code"][:9] + "0000-0000-0000-0000"  # the right name
    tries = [
        join(served, "0" * 24),
        join(served, "no code"),
        join(served, other),
        join(served, wrong),
        join(served, letter["code"], hospital_id="H404"),
    ]
    served.ask("POST", "/hospitals", "regulator", {**NEW, "hospital_id": "H2", "active": False})
    tries.append(join(served, other, hospital_id="H2"))
    later(monkeypatch, hours=72, minutes=1)
    tries.append(join(served, letter["code"]))
    assert {one.status_code for one in tries} == {403}
    assert len({one.body for one in tries}) == 1


def test_five_wrong_tries_of_its_name_end_a_code_and_strangers_tries_do_not(served, letter):
    for _ in range(20):
        join(served, "0" * 24)
    wrong = letter["code"][:9] + "0000-0000-0000-0000"
    for _ in range(4):
        assert told(join(served, wrong)) == (403, "joining_refused")
    assert served.ask("GET", "/hospitals/JB001", "regulator").json_body["joining"]["tries_left"] == 1
    assert told(join(served, wrong)) == (403, "joining_refused")
    assert told(join(served, letter["code"])) == (403, "joining_refused")
    fresh = served.ask("POST", "/hospitals/JB001/joining-code", "regulator", {}).json_body
    assert join(served, fresh["code"]).status_code == 201


def test_a_new_code_voids_the_one_before(served, letter):
    fresh = served.ask("POST", "/hospitals/JB001/joining-code", "regulator", {}).json_body
    assert told(join(served, letter["code"])) == (403, "joining_refused")
    assert join(served, fresh["code"]).status_code == 201


def test_what_is_wrong_with_a_key_is_told_to_who_has_the_code_alone(served, letter):
    answer = join(served, letter["code"], proof=key_proof("JB001", "k2", ORIGIN))
    assert (told(answer), answer.json_body["reason"]) == ((422, "key_refused"), "proof")
    assert answer.json_body["tries_left"] == 4
    assert told(join(served, "0" * 24, proof="x")) == (403, "joining_refused")
    assert join(served, letter["code"]).status_code == 201


def test_what_is_no_key_at_all_is_a_bad_request(served, letter):
    for key in (None, 5, [], True):
        assert told(join(served, letter["code"], public_key=key)) == (400, "bad_request")


# Keys


@pytest.fixture
def joined(served, letter):
    assert join(served, letter["code"]).status_code == 201
    return served


def test_a_hospital_changes_its_key_without_a_gap(joined, monkeypatch):
    assert add(joined, "k2").status_code == 201
    assert own(joined, "GET", "/hospital/keys", name="k2").status_code == 200
    retired = own(joined, "POST", "/hospital/keys/retire", {"kid": public_key("k1").kid}, "k2")
    assert (retired.status_code, retired.json_body["ended_by"]) == (200, "pacs-1")
    later(monkeypatch, minutes=2)
    moment = wiring.now()
    late = own_token("JB001", "k1", ORIGIN, moment, jti="late")
    bearer = {"Authorization": f"Bearer {late}"}
    assert told(joined.ask("GET", "/hospital/keys", headers=bearer)) == (401, "unauthenticated")


def test_two_keys_live_at_once_and_no_third(joined):
    assert add(joined, "k2").status_code == 201
    assert told(add(joined, "k3")) == (409, "too_many_keys")
    assert add(joined, "k2").status_code == 201  # the answer had been lost


def test_the_last_key_stays(joined):
    answer = own(joined, "POST", "/hospital/keys/retire", {"kid": public_key("k1").kid})
    assert told(answer) == (409, "last_key")


def test_a_retired_key_never_comes_back(joined):
    add(joined, "k2")
    own(joined, "POST", "/hospital/keys/retire", {"kid": public_key("k2").kid})
    answer = add(joined, "k2")
    assert (told(answer), answer.json_body["reason"]) == ((422, "key_refused"), "known_key")
    fresh = joined.ask("POST", "/hospitals/JB001/joining-code", "regulator", {}).json_body
    assert join(joined, fresh["code"], "k2").json_body["reason"] == "known_key"


def test_a_revoked_hospital_is_out_within_a_minute_and_leaves_nothing_behind(joined, monkeypatch):
    add(joined, "k2")
    waiting = joined.ask("POST", "/hospitals/JB001/joining-code", "regulator", {}).json_body["code"]
    assert own(joined, "GET", "/hospital/keys", name="k2").status_code == 200
    revoked = joined.ask("POST", "/hospitals/JB001/keys/revoke", "regulator", {})
    assert revoked.json_body == {"revoked": 2}
    assert told(add(joined, "k3", by="k2")) == (409, "no_live_key")  # for a minute this process believes k2
    assert told(join(joined, waiting, "k3")) == (403, "joining_refused")
    later(monkeypatch, minutes=2)
    late = own_token("JB001", "k1", ORIGIN, wiring.now(), jti="late")
    answer = joined.ask("POST", "/hospital/credentials", body={}, headers={"Authorization": f"Bearer {late}"})
    assert told(answer) == (401, "unauthenticated")


def test_keys_come_back_from_the_bucket_alone_and_those_that_ended_do_not_live(joined, cloud_settings):
    add(joined, "k2")
    own(joined, "POST", "/hospital/keys/retire", {"kid": public_key("k1").kid}, "k2")
    before = set(wiring.hospital_keys().of("JB001"))
    _forget_table(cloud_settings)
    forget_cached()
    assert wiring.hospital_keys().of("JB001") == ()
    for _ in range(2):
        ReplayRegistrations(wiring.uploads(), wiring.hospitals(), wiring.hospital_keys())()
        assert set(wiring.hospital_keys().of("JB001")) == before
    assert {one.key.kid for one in before if one.is_live} == {public_key("k2").kid}
    assert own(joined, "GET", "/hospital/keys", name="k2").status_code == 200


def _forget_table(cloud):
    from tests.support.matrix_world import _tables

    _tables()[cloud.settings["MAIN_TABLE"]].items.clear()


# Credentials


def test_a_hospitals_credentials_put_an_object_where_the_answer_says(opened, cloud_settings):
    answer = opened.ask("POST", "/hospital/credentials", "hospital", {})
    vended = answer.json_body
    assert answer.status_code == 201, answer.body
    assert vended["bucket"] == cloud_settings.settings["UPLOADS_BUCKET"]
    assert datetime.fromisoformat(vended["credentials"]["expires_at"]) <= datetime.now(UTC) + timedelta(hours=1)
    day, here = next(iter(vended["prefixes"].items()))
    assert here == {kind: f"{kind}/H1/{day}/" for kind in ("instances", "archives")}
    kept = clients(keys=vended["credentials"])("s3").put_object(
        Bucket=vended["bucket"],
        Key=here["instances"] + "a.dcm",
        Body=b"x",
        ChecksumAlgorithm="CRC32",
        ServerSideEncryption=vended["headers"]["x-amz-server-side-encryption"],
        SSEKMSKeyId=vended["headers"]["x-amz-server-side-encryption-aws-kms-key-id"],
    )
    assert kept["VersionId"]


@pytest.mark.parametrize("hospital_id", ["H2", "H3"])
def test_a_closed_or_unknown_hospital_gets_none(opened, hospital_id):
    closed = {"hospital_id": "H2", "name": "H2医院", "active": False}
    assert opened.ask("POST", "/hospitals", "regulator", closed).status_code == 201
    answer = opened.ask("POST", "/hospital/credentials", "hospital", {}, hospital_id=hospital_id)
    assert told(answer) == (403, "hospital_closed")
