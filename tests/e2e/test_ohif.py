"""OHIF's published build, unmodified, opens studies of the local cloud in a browser: `make ohif` brings it."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pydicom
import pytest

from infra.local import samples
from infra.local.client import until
from tests.support.ohif import serve

DIST = Path(__file__).parents[2] / "build" / "ohif" / "package" / "dist"
SEEN = Path(__file__).parents[2] / "build" / "ohif-seen"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
SLICES = 12
GREYS = 60  # of 256 in the viewport: text and frames of an empty one have fewer
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
    pytest.mark.skipif(not DIST.is_dir(), reason="OHIF is not here: make ohif"),
]


@pytest.fixture(scope="module")
def scene(town):
    """A CT in a pack and an ultrasound as an object by itself: their patient, and the studies' UIDs."""
    here, patient_id = town.hospital(), f"P{town.new()}"
    patient = town.patient(here, patient_id)
    ct = [_of(one, patient_id) for one in samples.chest_ct(hospital=here, accession_number=f"C{here}", slices=SLICES)]
    us = [_of(samples.single("US", hospital=here, accession_number=f"U{here}"), patient_id)]
    town.put(here, "ct.zip", samples.make_pack(ct), kind="archives")
    town.put(here, "us.dcm", us[0])
    uids = [str(pydicom.dcmread(io.BytesIO(files[0])).StudyInstanceUID) for files in (ct, us)]
    for uid, files in zip(uids, (ct, us), strict=True):
        town.study(here, uid, served=len(files))
    return patient, *uids


def _of(file, patient_id):
    dataset, out = pydicom.dcmread(io.BytesIO(file)), io.BytesIO()
    dataset.PatientID = patient_id
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture(scope="module")
def origin(town, scene):
    """Pages and API at one origin, which the buckets of what is signed know as they know the portal's."""
    patient, *_ = scene
    with serve(DIST, town.client.told["api_url"], lambda: patient.client.token(patient.login)) as (url, seen):
        for name in ("uploads", "reports"):
            s3, bucket = town.operator("s3"), town.client.told["buckets"][name]
            rules = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
            rules = [{**rule, "AllowedOrigins": [*rule["AllowedOrigins"], url]} for rule in rules]
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
        yield url, seen


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *SOFTWARE_GL])
        yield browser
        browser.close()


@pytest.mark.parametrize(("study", "images"), [(1, SLICES), (2, 1)])
@pytest.mark.parametrize("source", ["dicomweb", "dicomjson"])
def test_ohif_shows_a_study(browser, origin, scene, source, study, images):  # noqa: PLR0913, PLR0917 - four are fixtures
    (url, seen), uid = origin, scene[study]
    seen.clear()
    told = f"{url}/dicomweb/studies/{uid}/dicomjson"
    page, faults = browser.new_page(viewport={"width": 1280, "height": 800}), []
    page.add_init_script("localStorage.setItem('shownTours', '[\"basicViewerTour\"]')")  # it lays itself over the image
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(url + (f"/viewer?StudyInstanceUIDs={uid}" if source == "dicomweb" else f"/viewer/dicomjson?url={told}"))
    wanted = "/frames/" if source == "dicomweb" else "/wado?"
    until(lambda: _ask(page) or sum(wanted in path for path, _ in seen) >= images, "the images are asked for", 60)
    until(lambda: _greys(page, f"{source}-{study}") >= GREYS or faults, "an image on the screen", 60)
    assert not faults, faults[0]
    assert {status for _, status in seen} <= {200, 204, 307}
    if source == "dicomweb":
        made = [(path, status) for path, status in seen if "/thumbnail?" in path or path.endswith("/metadata")]
        assert {("/thumbnail?" in path, status) for path, status in made} == {(True, 307), (False, 307)}
    page.close()


def _ask(page):
    page.wait_for_timeout(200)  # the browser's own work is done while Playwright waits


def _greys(page, name):
    """How many greys stand in the viewport; a picture of it is kept for who wants to look."""
    from PIL import Image

    page.wait_for_timeout(500)
    if not page.locator("canvas").count():
        return 0
    SEEN.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SEEN / f"{name}.png")
    viewport = (
        Image.open(SEEN / f"{name}.png").convert("L").crop((400, 200, 800, 650))
    )  # beside what OHIF may say over it
    return len(viewport.getcolors(256))
