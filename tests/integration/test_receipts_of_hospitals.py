"""From a hospital's PUT to a receipt that holds without us: over the queues, by HTTP, into the sealed archive."""

import hashlib
import json
from datetime import datetime, timedelta

import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from chalicelib import wiring
from chalicelib.domain.seal import hour_of
from infra.local.personas import LAKE, RIVER
from infra.local.samples import chest_ct, make_pack
from infra.verify_audit import prove
from infra.verify_receipt import canonical, verify, verify_proof
from tests.support.country import TODAY, Country
from tests.support.served_app import jwks_url, served

__all__ = ["jwks_url", "served"]


@pytest.fixture
def country(cloud, served):
    return Country(cloud, served)


def ask(country, uid, hospital=RIVER, query=""):
    path = f"/hospital/studies/{uid}/receipt{query}"
    return country.served.ask("GET", path, "hospital", hospital_id=hospital.hospital_id)


def uploaded(country, slices=3):
    """A pack, and one slice more as an object whose sender declares its digest."""
    *packed, single = chest_ct(slices=slices + 1)
    country.put("archives", "ct.zip", make_pack(packed))
    country.cloud.client("s3").put_object(
        Bucket=country.cloud.settings["UPLOADS_BUCKET"],
        Key=f"instances/{RIVER.hospital_id}/{TODAY}/single.dcm",
        Body=single,
        Metadata={"sha256": hashlib.sha256(single).hexdigest()},
    )
    country.drain("archives", "instances", "settle.fifo")
    return [*packed, single]


def headers(file):
    return dcmread(DicomBytesIO(file), stop_before_pixels=True)


def test_a_receipt_names_every_file_by_its_digest_and_only_to_its_hospital(country):
    files = uploaded(country)
    uid = headers(files[0]).StudyInstanceUID
    told = ask(country, uid).json_body
    arrived = {entry["arrived"]["declared_sha256"]: entry["arrived"] for entry in told["entries"]}
    assert arrived.keys() == {hashlib.sha256(file).hexdigest() for file in files}
    for file in files:
        one = arrived[hashlib.sha256(file).hexdigest()]
        assert (one["sop_instance_uid"], one["length"]) == (headers(file).SOPInstanceUID, len(file))
    assert told["statuses"] == {"served": len(files)}
    unknown = ask(country, "1.2.3.4")
    other = ask(country, uid, LAKE)
    assert (other.status_code, other.body) == (404, unknown.body)
    assert ask(country, uid, query="?token=nonsense").status_code == 400


def test_what_it_states_is_in_the_sealed_archive_and_can_be_proven_there(country):
    (file, *_) = uploaded(country, slices=1)
    told = ask(country, headers(file).StudyInstanceUID).json_body
    wiring.seal_audit()(wiring.now() + timedelta(hours=3), lambda: True)
    archive = wiring.seal_archive()
    proof = prove(archive, archive.survey(), told["event_id"])
    assert proof["holds"]
    assert (proof["seal"]["hour"], proof["seal"]["count"] > 0) == (told["sealed_with"], True)
    assert json.loads(proof["line"])["event"]["statement"] == told["statement_sha256"]
    proof = json.loads(json.dumps(proof, ensure_ascii=False))
    assert verify([told]) + verify_proof([told], proof) == []
    kept = archive.kept(archive.survey(), hour_of(datetime.fromisoformat(told["statement"]["issued_at"])))
    assert canonical(proof["seal"]) == kept.seal
