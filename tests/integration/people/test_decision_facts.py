"""What a decision reads in one go, as the fakes and DynamoDB keep it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from chalicelib.domain.identity import IdentityKey, Link
from chalicelib.domain.linking import LinkChange
from chalicelib.domain.study import StudyRef
from tests.support.clinic import NOW, clinic_in_memory, clinic_on, summary


@pytest.fixture(params=["fake", "moto"])
def ports(request):
    return clinic_in_memory() if request.param == "fake" else clinic_on(request.getfixturevalue("cloud"))


def with_manifest(ports, body):
    found = replace(summary(StudyRef("H1", "1.2.3")), manifest_digest="d" * 64)
    return replace(found, manifest_parts=ports.studies.put_manifest(found.ref, found.manifest_digest, body, 0))


@pytest.mark.parametrize("size", [1, 25_000])
def test_a_patients_link_comes_with_the_studys_manifest(ports, size):
    body = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(size))
    found = with_manifest(ports, body)
    link = Link(IdentityKey(found.issuer, found.patient_id), "P", "unconfirmed", NOW)
    assert ports.facts.link_and_manifest(found) == (None, body)
    assert ports.people.save(LinkChange(link))
    assert ports.facts.link_and_manifest(found) == (ports.people.link(link.identity), body)


def test_a_manifest_that_is_not_all_there_is_an_error(ports):
    found = with_manifest(ports, b"body")
    with pytest.raises(LookupError):
        ports.facts.link_and_manifest(replace(found, manifest_parts=found.manifest_parts + 1))
