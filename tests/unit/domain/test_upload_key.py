from __future__ import annotations

from datetime import date

import pytest

from chalicelib.domain import upload_key
from chalicelib.domain.upload_key import UploadKey


def test_a_key_tells_kind_hospital_and_date():
    key = upload_key.parse("instances/H1/2026-11-24/CT/胸部 1.dcm")
    assert key == UploadKey("instances", "H1", date(2026, 11, 24), "CT/胸部 1.dcm")


@pytest.mark.parametrize("kind", upload_key.KINDS)
def test_what_is_built_is_parsed(kind):
    built = upload_key.prefix(kind, "H1", date(2026, 11, 24)) + "x"
    assert upload_key.parse(built) == UploadKey(kind, "H1", date(2026, 11, 24), "x")


def test_unpacked_entries_lie_under_their_archives_version_and_date():
    archive = upload_key.parse("archives/H1/2026-11-24/a/b.zip")
    built = upload_key.unpacked(archive, "v/1", 7)
    assert built == "unpacked/H1/2026-11-24/v%2F1/000007"
    assert built.startswith(upload_key.unpacked_prefix(archive, "v/1"))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "instances",
        "instances/H1/2026-11-24/",
        "instances/H1/2026-11-24",
        "instances/h1/2026-11-24/x",
        "instances/H-1/2026-11-24/x",
        "instances//2026-11-24/x",
        "instances/H1234567890123456/2026-11-24/x",
        "instances/H1/2026-02-30/x",
        "instances/H1/20261124/x",
        "instances/H1/٢٠٢٦-11-24/x",
        "images/H1/2026-11-24/x",
        "/instances/H1/2026-11-24/x",
        "receipts/2026-11-24/x",
    ],
)
def test_another_layout_is_none(key):
    assert upload_key.parse(key) is None
