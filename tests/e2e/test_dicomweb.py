"""dicomweb-client, unmodified, against the local cloud: lists, filters, pages, metadata, instances and frames."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image

from infra.local import samples

SLICES = 4


def client_of(caller) -> DICOMwebClient:
    token = caller.client.token(caller.login)
    told = caller.client.told
    return DICOMwebClient(f"{told['api_url']}/dicomweb", headers={"Authorization": f"Bearer {token}"})


def written(dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture(scope="module")
def scene(town) -> Iterator[dict]:
    """A CT and a film in packs, and an ultrasound as an object by itself, of one patient. No answer holds the film."""
    here, patient_id = town.hospital(), f"P{town.new()}"
    patient = town.patient(here, patient_id)
    made = {}
    ct = [_of(file, patient_id) for file in samples.chest_ct(hospital=here, accession_number=f"D{here}", slices=SLICES)]
    us = _of(samples.single("US", hospital=here, accession_number=f"U{here}"), patient_id)
    film = [_large(_of(samples.single("DX", hospital=here, accession_number=f"F{here}"), patient_id))]
    town.put(here, "ct.zip", samples.make_pack(ct), kind="archives")
    town.put(here, "film.zip", samples.make_pack(film), kind="archives")
    town.put(here, "us.dcm", us)
    for name, files in (("ct", ct), ("us", [us]), ("film", film)):
        read = [pydicom.dcmread(io.BytesIO(file)) for file in files]
        made[name] = read
        town.study(here, read[0].StudyInstanceUID, served=len(files))
    return {"patient": patient, "hospital": here, "patient_id": patient_id, **made}


def _of(file: bytes, patient_id: str) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.PatientID = patient_id
    return written(dataset)


def _large(file: bytes) -> bytes:
    """Of more than 4.3 MB: each line twice."""
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.PixelData = np.repeat(dataset.pixel_array, 2, axis=0).tobytes()
    dataset.Rows *= 2
    return written(dataset)


@pytest.fixture
def client(scene):
    return client_of(scene["patient"])


def test_it_lists_filters_and_pages(scene, client):
    studies = client.search_for_studies()
    wanted = {scene[name][0].StudyInstanceUID for name in ("ct", "us", "film")}
    assert {one["0020000D"]["Value"][0] for one in studies} == wanted
    (ct,) = client.search_for_studies(search_filters={"ModalitiesInStudy": "CT", "PatientID": scene["patient_id"]})
    assert ct["0020000D"]["Value"] == [scene["ct"][0].StudyInstanceUID]
    assert client.search_for_studies(search_filters={"StudyDate": "19000101-19001231"}) == []
    pages = [client.search_for_studies(limit=2, offset=offset) for offset in range(0, 5, 2)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert len(client.search_for_series()) == 3
    study = scene["ct"][0].StudyInstanceUID
    assert len(client.search_for_instances(study, limit=3)) == 3
    assert len(client.search_for_instances(study, get_remaining=True, limit=3)) == SLICES


def test_metadata_is_the_whole_header(scene, client):
    for name in ("ct", "us", "film"):
        study = scene[name][0].StudyInstanceUID
        told = client.retrieve_study_metadata(study)
        assert len(told) == len(scene[name])
        series = client.retrieve_series_metadata(study, scene[name][0].SeriesInstanceUID)
        assert series == told
        by_uid = {one["00080018"]["Value"][0]: pydicom.Dataset.from_json(_without_pixels(one)) for one in told}
        for sent in scene[name]:
            got = by_uid[sent.SOPInstanceUID]
            for element in sent:
                if element.keyword not in ("PixelData", "SpecificCharacterSet"):
                    assert got[element.tag].value == element.value, element.keyword


def _without_pixels(told):
    return {tag: element for tag, element in told.items() if "BulkDataURI" not in element}


def test_instances_come_whole_out_of_packs_and_by_a_signed_url(scene, client):
    for name in ("ct", "us", "film"):
        sent = scene[name][-1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a redirect gives the file itself: CP-2040's question
            got = client.retrieve_instance(sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID)
        assert got == sent
    assert client.retrieve_study(scene["ct"][0].StudyInstanceUID) == scene["ct"]


def test_frames_are_the_pixels(scene, client):
    for name in ("ct", "us", "film"):
        sent = scene[name][0]
        (frame,) = client.retrieve_instance_frames(
            sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID, [1]
        )
        assert frame == sent.PixelData[: len(frame)]
        assert len(frame) == sent.Rows * sent.Columns * sent.get("SamplesPerPixel", 1) * sent.BitsAllocated // 8
        assert np.frombuffer(frame, np.uint8).any()


def test_what_is_made_once_comes_by_signed_urls_from_the_bucket(scene):
    """By whoever follows a redirect; the bearer stays with us."""
    patient = scene["patient"]
    bearer = {"Authorization": f"Bearer {patient.client.token(patient.login)}", "Accept": "*/*"}
    for name in ("ct", "us", "film"):
        study = f"{patient.client.told['api_url']}/dicomweb/studies/{scene[name][0].StudyInstanceUID}"
        for beneath, kind in (("metadata", "application/dicom+json"), ("thumbnail", "image/jpeg")):
            moved = requests.get(f"{study}/{beneath}", headers=bearer, allow_redirects=False, timeout=30)
            assert (moved.status_code, moved.content) == (307, b"")
            given = requests.get(moved.headers["Location"], timeout=30)
            assert (given.status_code, given.headers["Content-Type"]) == (200, kind)
        picture = Image.open(io.BytesIO(given.content))
        assert max(picture.size) == 128
        assert len(picture.convert("L").getcolors(256)) > 20, "a picture, and not a field of one shade"


def test_another_doctor_sees_nothing_of_it(town, scene):
    stranger = client_of(town.doctor(scene["hospital"]))
    sent = scene["ct"][0]
    assert stranger.search_for_studies(search_filters={"PatientID": scene["patient_id"]}) == []
    uids = (sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID)
    asks = [
        stranger.retrieve_study_metadata,
        stranger.search_for_series,
        lambda study: stranger.retrieve_instance(study, *uids[1:]),
        lambda study: stranger.retrieve_instance_frames(study, *uids[1:], [1]),
        lambda study: stranger.retrieve_instance_metadata(study, *uids[1:]),
        lambda study: stranger.retrieve_series_metadata(study, uids[1]),
    ]
    for ask in asks:
        told = []
        for study in (uids[0], "1.2.404"):
            with pytest.raises(requests.HTTPError) as refused:
                ask(study)
            told.append((refused.value.response.status_code, refused.value.response.content))
        assert told[0] == told[1] == (403, b'{"error":"no_grant"}')
