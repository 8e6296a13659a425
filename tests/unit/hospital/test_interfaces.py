"""The settings of listener and notices: every fault is named by its field before anything starts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra.hospital.imaging_hospital import interfaces
from infra.hospital.imaging_hospital.commitment_report import Address
from infra.hospital.imaging_hospital.settings import SettingsError
from tests.support.certificates import certificate

LISTEN = """
[listen]
ae_title = "CLOUD GATE"
port = 104
commitment_minutes = 60
[listen.callers]
PACS1 = "10.0.0.5:11112"
CT2 = ""
"""
NOTICE = """
[notice]
time_zone = "+06:00"
[notice.fields]
accession_number = ["OBR-3.1", "ORC-3"]
[notice.patient_classes]
t = "outpatient"
[notice.mllp]
host = "0.0.0.0"
port = 2575
callers = ["10.0.0.7"]
"""


def settings(tmp_path, text):
    path = tmp_path / "hospital.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_pacs_needs_to_know_is_read_with_limits_that_hold_where_none_is_set(tmp_path):
    told = interfaces.listening(settings(tmp_path, LISTEN))
    assert (told.ae_title, told.host, told.port) == ("CLOUD GATE", "0.0.0.0", 104)  # noqa: S104 - the default
    assert told.callers == {"PACS1": Address("10.0.0.5", 11112), "CT2": None}
    assert (told.commitment, told.associations, told.largest, told.tls) == (timedelta(hours=1), 20, 4 * 1024**3, None)


def test_what_a_ris_needs_to_know_is_read(tmp_path):
    told = interfaces.noticing(settings(tmp_path, NOTICE))
    assert told.reading.zone.utcoffset(None) == timedelta(hours=6)
    assert told.reading.fields == {"accession_number": ("OBR-3.1", "ORC-3")}
    assert told.reading.patient_classes == {"T": "outpatient"}
    assert (told.host, told.port, told.callers) == ("0.0.0.0", 2575, {"10.0.0.7"})  # noqa: S104 - as the setting says
    silent = interfaces.noticing(settings(tmp_path, ""))
    assert (silent.port, "127.0.0.1" in silent.callers) == (0, True)


def test_certificates_are_found_beside_the_file_and_tried_at_once(tmp_path):
    certificate(tmp_path)
    more = LISTEN + '[listen.tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n'
    assert interfaces.listening(settings(tmp_path, more)).tls.certificate == tmp_path / "cert.pem"
    with pytest.raises(SettingsError, match=r"listen\.tls\.certificate"):
        interfaces.listening(settings(tmp_path, more.replace("cert.pem", "none.pem")))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("", "listen.callers"),
        ("[listen]\ncallers = 3", "listen.callers"),
        (LISTEN.replace("CLOUD GATE", "A NAME THAT IS FAR TOO LONG"), "listen.ae_title"),
        (LISTEN.replace("CT2", '"CT\\\\2"'), r"listen.callers.CT\2"),
        (LISTEN.replace("10.0.0.5:11112", "10.0.0.5"), "listen.callers.PACS1"),
        (LISTEN.replace("10.0.0.5:11112", "10.0.0.5:99999"), "listen.callers.PACS1"),
        (LISTEN.replace("104", "0"), "listen.port"),
        (LISTEN.replace("104", '"104"'), "listen.port"),
    ],
)
def test_a_fault_of_the_listeners_settings_is_named(tmp_path, wrong, field):
    with pytest.raises(SettingsError) as error:
        interfaces.listening(settings(tmp_path, wrong))
    assert error.value.values["field"] == field


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (NOTICE.replace("+06:00", "Asia/Urumqi"), "notice.time_zone"),
        (NOTICE.replace("accession_number", "accession"), "notice.fields.accession"),
        (NOTICE.replace("OBR-3.1", "OBR.3"), "notice.fields.accession_number"),
        (NOTICE.replace('"outpatient"', '"walk-in"'), "notice.patient_classes.t"),
        (NOTICE.replace('["10.0.0.7"]', '"10.0.0.7"'), "notice.mllp.callers"),
    ],
)
def test_a_fault_of_the_notices_settings_is_named(tmp_path, wrong, field):
    with pytest.raises(SettingsError) as error:
        interfaces.noticing(settings(tmp_path, wrong))
    assert error.value.values["field"] == field
