"""WADO-RS and WADO-URI over the API: what is told where something is not there, not acceptable, or too much."""

from dataclasses import replace

import pytest

from chalicelib import wiring
from chalicelib.store import clients
from tests.support.audit_watch import Watch
from tests.support.dicom_files import element, instance
from tests.support.served_app import NO_GRANT, REF, jwks_url, served
from tests.support.settle_samples import entry

__all__ = ["jwks_url", "served"]

BITS = element(0x00280100, "US", b"\x10\0")
PIXELS = bytes(range(8))
BASE = f"/dicomweb/studies/{REF.study_instance_uid}"


@pytest.fixture
def study(served):
    """One image of the patient's, in the bucket."""
    served.open_hospitals()
    person_id = served.register()
    one = entry(1)
    uids = {
        "study": REF.study_instance_uid,
        "series": one.header.series_instance_uid,
        "sop": one.header.sop_instance_uid,
    }
    body = instance(BITS, **uids, pixels=element(0x7FE00010, "OW", PIXELS))
    put = clients.s3().put_object(Bucket=wiring.settings().uploads_bucket, Key=one.place.key, Body=body)
    place = replace(one.place, version_id=put["VersionId"], length=len(body))
    served.receive(replace(one, place=place))
    image = f"{BASE}/series/{uids['series']}/instances/{uids['sop']}"

    def ask(path, accept="*/*", **who):
        claims = who or {"role": "patient", "person_id": person_id}
        return served.ask("GET", path, headers={"Accept": accept}, **claims)

    return ask, image


def test_an_instance_is_a_redirect_and_its_frame_is_its_pixels(study):
    ask, image = study
    moved = ask(image)
    assert (moved.status_code, moved.body) == (307, b"")
    assert "X-Amz-Signature" in moved.headers["Location"]
    frame = ask(f"{image}/frames/1", 'multipart/related; type="application/octet-stream"; transfer-syntax=*')
    assert frame.status_code == 200
    assert b"transfer-syntax=1.2.840.10008.1.2.1\r\n" in frame.body
    assert b"\r\n\r\n" + PIXELS + b"\r\n--" in frame.body


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("{image}/frames/2", "*/*", 404),
        ("{image}/frames/0", "*/*", 404),
        ("{image}/frames/x", "*/*", 400),
        ("{image}/frames/1", 'multipart/related; type="image/jpeg"', 406),
        (
            "{image}/frames/1",
            'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.5',
            406,
        ),
        ("{image}1/metadata", "*/*", 404),
        ("{image}/metadata", "application/dicom+xml", 406),
        ("{base}/series/1.2.404/metadata", "*/*", 404),
        ("/dicomweb/wado?requestType=WADO&studyUID=1.2", "*/*", 400),
    ],
)
def test_what_cannot_be_given_is_told_with_its_status(study, path, accept, status):
    ask, image = study
    assert ask(path.format(image=image, base=BASE), accept).status_code == status


def test_a_rendered_image_is_not_acceptable(study):
    ask, image = study
    uids = image.split("/")
    wado = f"/dicomweb/wado?requestType=WADO&studyUID={uids[3]}&seriesUID={uids[5]}&objectUID={uids[7]}"
    assert ask(wado).status_code == 307
    assert ask(f"{wado}&contentType=image%2Fjpeg").status_code == 406


def test_every_resource_of_a_forbidden_study_and_of_an_unknown_one_is_one_answer(study):
    ask, image = study
    doctor = {"role": "doctor"}
    beneath = (f"{image}{more}" for more in ("", "/metadata", "/frames/1", "/thumbnail"))
    series = image.rpartition("/instances/")[0]
    of_study = (f"{BASE}{more}" for more in ("", "/metadata", "/dicomjson", "/thumbnail"))
    for path in (*of_study, series, f"{series}/metadata", f"{series}/thumbnail", *beneath):
        forbidden, unknown = ask(path, **doctor), ask(path.replace(REF.study_instance_uid, "1.2.404"), **doctor)
        assert (forbidden.status_code, forbidden.body) == (403, NO_GRANT) == (unknown.status_code, unknown.body)
        assert forbidden.headers == unknown.headers


def test_images_are_events_of_their_own_kind_beside_the_study_that_was_opened(study):
    ask, image = study
    watch = Watch()
    ask(f"{BASE}/metadata")
    ask(f"{image}/frames/1")
    opened, fetched = watch.added()
    assert "view_study" in opened
    assert "view_images" in fetched
