"""Images of one patient's study in the bucket, each an object by itself or in a pack, and the patient who asks for them
over the API."""

import struct
from dataclasses import replace

import pytest
import requests

from chalicelib import wiring
from chalicelib.store import clients
from tests.support.dicom_files import EXPLICIT, element, instance
from tests.support.served_app import REF
from tests.support.settle_samples import entry

BASE = f"/dicomweb/studies/{REF.study_instance_uid}"
GREY = (element(0x00280004, "CS", "MONOCHROME2"), element(0x00280100, "US", b"\x10\0"))
WORDS = struct.pack("<4H", 0, 10, 20, 30)


@pytest.fixture
def world(served):
    served.open_hospitals()
    return World(served, served.register())


class World:
    def __init__(self, served, person_id):
        self.served, self.person_id, self.entries = served, person_id, {}

    def image(self, number, *elements, pixels=None, in_pack=0, syntax=EXPLICIT):
        """One image in the bucket and in the study; `in_pack`: behind so many bytes of its object."""
        one = entry(number, transfer_syntax_uid=syntax)
        uids = {"series": one.header.series_instance_uid, "sop": one.header.sop_instance_uid}
        value = element(0x7FE00010, "OW", WORDS) if pixels is None else pixels
        body = instance(
            *(elements or GREY), study=REF.study_instance_uid, **uids, pixels=value, number=str(number), syntax=syntax
        )
        put = clients.s3().put_object(
            Bucket=wiring.settings().uploads_bucket, Key=one.place.key, Body=bytes(in_pack) + body
        )
        place = replace(one.place, version_id=put["VersionId"], offset=in_pack, length=len(body))
        self.entries[number] = replace(one, place=place)
        self.served.receive(*self.entries.values())
        return f"{BASE}/series/{uids['series']}/instances/{uids['sop']}", body

    def ask(self, path, accept="*/*", **who):
        claims = who or {"role": "patient", "person_id": self.person_id}
        return self.served.ask("GET", path, headers={"Accept": accept}, **claims)

    def opened(self, path, accept="*/*"):
        """What the answer's signed URL gives."""
        moved = self.ask(path, accept)
        assert (moved.status_code, moved.body) == (307, b""), moved.body
        return requests.get(moved.headers["Location"], timeout=10)
