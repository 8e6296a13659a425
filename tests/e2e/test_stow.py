"""dicomweb-client, unmodified, stores real files in the local cloud, and they are found by their patient; the guide's
commands do the same with curl, by STOW-RS and by a signed PUT."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom.data import get_testdata_file

ROOT = Path(__file__).parents[2]


def path_of(name):
    return Path(get_testdata_file(name))


def client_of(caller):
    token = caller.client.token(caller.login)
    return DICOMwebClient(f"{caller.client.told['api_url']}/dicomweb", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def here(town):
    return town.hospital()


def test_what_a_pacs_stores_is_found_by_its_patient(town, here):
    image = pydicom.dcmread(path_of("CT_small.dcm"))
    patient = town.patient(here, image.PatientID)
    pacs = client_of(town.of_hospital(here))
    for _ in range(2):  # the same again is a success
        told = pacs.store_instances([image], image.StudyInstanceUID)
        (stored,) = told.ReferencedSOPSequence
        assert (stored.ReferencedSOPClassUID, stored.ReferencedSOPInstanceUID) == (
            image.SOPClassUID,
            image.SOPInstanceUID,
        )
        assert told.RetrieveURL.endswith(f"/dicomweb/studies/{image.StudyInstanceUID}")
        assert (
            stored.RetrieveURL
            == f"{told.RetrieveURL}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
        )
        assert "FailedSOPSequence" not in told
    town.study(here, image.StudyInstanceUID, served=1)
    found = client_of(patient).search_for_instances(image.StudyInstanceUID)
    assert [one["00080018"]["Value"] for one in found] == [[image.SOPInstanceUID]]
    listed = client_of(patient).search_for_studies(search_filters={"ModalitiesInStudy": "CT"})
    assert [one["0020000D"]["Value"] for one in listed] == [[image.StudyInstanceUID]]


def test_several_studies_at_once_and_one_that_is_none(town, here):
    images = [pydicom.dcmread(path_of(name)) for name in ("MR_small.dcm", "JPEG2000.dcm", "rtdose.dcm")]
    broken = pydicom.dcmread(path_of("CT_small.dcm"))
    del broken.SeriesInstanceUID
    told = client_of(town.of_hospital(here)).store_instances([*images, broken])
    assert [one.ReferencedSOPInstanceUID for one in told.ReferencedSOPSequence] == [
        one.SOPInstanceUID for one in images
    ]
    (failed,) = told.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (broken.SOPInstanceUID, 0xA900)
    for image in images:
        town.study(here, image.StudyInstanceUID, served=1)
    assert town.of_hospital(here).all("/hospital/quarantine", "records") == []


def test_of_another_study_and_by_another_role_nothing_is_stored(town, here):
    image = pydicom.dcmread(path_of("CT_small.dcm"))
    for caller, status in ((town.of_hospital(here), 409), (town.doctor(here), 403), (town.patient(here, "P9"), 403)):
        with pytest.raises(requests.HTTPError) as refused:
            client_of(caller).store_instances([image], "1.2.404")
        assert refused.value.response.status_code == status
    assert town.of_hospital(here).ask("GET", f"/hospital/studies/{image.StudyInstanceUID}").status == 404


def test_more_than_fits_is_told_the_signed_way(town, here):
    caller = town.of_hospital(here)
    headers = {"Authorization": f"Bearer {caller.client.token(caller.login)}", "Content-Type": "application/dicom"}
    answer = requests.post(
        f"{caller.client.told['api_url']}/dicomweb/studies", bytes(4_300_001), headers=headers, timeout=30
    )
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large_to_store")
    assert "/hospital/uploads" in answer.json()["message"]["en"]


def test_what_a_signed_put_brings_is_found_by_its_patient(town, here):
    data = path_of("MR_small.dcm").read_bytes()
    image = pydicom.dcmread(path_of("MR_small.dcm"))
    patient = town.patient(here, image.PatientID)
    offer = {"kind": "instances", "bytes": len(data), "sha256": sha256(data).hexdigest()}
    (put,) = town.of_hospital(here).ask("POST", "/hospital/uploads", {"objects": [offer]}).of(200)["uploads"]
    assert put["key"] == f"instances/{here}/{datetime.now(UTC).date()}/{offer['sha256']}.dcm"
    sent = [requests.put(put["url"], data, headers=put["headers"], timeout=10).status_code for _ in range(2)]
    assert sent == [200, 412]
    town.study(here, image.StudyInstanceUID, served=1)
    found = client_of(patient).search_for_instances(image.StudyInstanceUID)
    assert [one["00080018"]["Value"] for one in found] == [[image.SOPInstanceUID]]


def test_the_guides_commands_store_by_both_ways(town, here, tmp_path):
    """As infra/JOINING.md has them, with a token at hand."""
    text = (ROOT / "infra/JOINING.md").read_text(encoding="utf-8")
    (section,) = [part for part in text.split("\n## ") if part.startswith("Without AWS")]
    by_stow, by_put = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    caller = town.of_hospital(here)
    for name, script in (("CT_small.dcm", by_stow), ("MR_small.dcm", by_put)):
        (tmp_path / "image.dcm").write_bytes(path_of(name).read_bytes())
        subprocess.run(  # noqa: S603 - our own guide
            ["/bin/bash", "-c", f'set -euo pipefail\ntoken() {{ printf %s "$TOKEN"; }}\n{script}'],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "API_URL": caller.client.told["api_url"],
                "TOKEN": caller.client.token(caller.login),
            },
            check=True,
        )
        town.study(here, pydicom.dcmread(path_of(name)).StudyInstanceUID, served=1)
