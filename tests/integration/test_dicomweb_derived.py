"""What is made of a study's bytes: made when it is first asked for, kept in the bucket, and given by a signed URL that
never opens what is not served any more."""

import gzip
import io
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from chalicelib import wiring
from chalicelib.domain.derived import Derived, key_of
from chalicelib.services import retrieve_images, retrieve_metadata
from chalicelib.store import clients
from chalicelib.store.derived import S3Derived
from tests.support.audit_watch import Watch
from tests.support.dicom_files import EXPLICIT, JPEG, element, fragments
from tests.support.dicomweb_world import BASE, GREY, WORDS, world
from tests.support.served_app import REF, jwks_url, served
from tests.support.settle_samples import entry, exclude

__all__ = ["jwks_url", "served", "world"]


def kept():
    listed = clients.s3().list_object_versions(Bucket=wiring.settings().reports_bucket, Prefix="derived/")
    return [one["Key"] for one in listed.get("Versions", [])]


def sops(answer):
    return [one["00080018"]["Value"][0].rpartition(".")[2] for one in answer.json()]


def test_metadata_is_made_once_and_is_gzip_that_every_client_unpacks(world):
    for number in (1, 2):
        world.image(number)
    first, second = (world.opened(f"{BASE}/metadata", "application/dicom+json") for _ in range(2))
    assert first.headers["Content-Encoding"] == "gzip"
    assert sops(first) == sops(second) == ["1", "2"]
    (key,) = kept()
    assert key.startswith(f"derived/H1/{REF.study_instance_uid}/metadata/")
    stored = clients.s3().get_object(Bucket=wiring.settings().reports_bucket, Key=key)
    assert json.loads(gzip.decompress(stored["Body"].read())) == first.json()
    assert (stored["ContentType"], stored["ContentEncoding"]) == ("application/dicom+json", "gzip")


def test_the_url_is_good_for_five_minutes_names_its_event_and_says_its_type(world):
    world.image(1)
    watch = Watch()
    moved = world.ask(f"{BASE}/metadata")
    query = parse_qs(urlsplit(moved.headers["Location"]).query)
    assert int(query["X-Amz-Expires"][0]) <= 300
    assert query["response-content-type"] == ["application/dicom+json"]
    assert query["response-cache-control"] == ["private, no-store"]
    (event,) = watch.added()
    assert query["x-audit-event"][0] in event


def test_what_was_excluded_since_is_in_no_answer_and_what_came_since_is(world):
    for number in (1, 2):
        world.image(number)
    series = f"{BASE}/series/{REF.study_instance_uid}.1/metadata"
    assert sops(world.opened(series)) == ["1", "2"]
    wiring.studies().amend(REF, exclude(world.entries[2].place.version_id))
    world.image(3)
    assert sops(world.opened(series)) == ["1", "3"]
    assert len(kept()) == 2
    gone = f"{BASE}/series/{REF.study_instance_uid}.1/instances/{world.entries[2].header.sop_instance_uid}"
    assert {world.ask(f"{gone}/{what}").status_code for what in ("metadata", "thumbnail", "frames/1")} == {404}


def test_what_was_kept_of_a_study_that_is_conflicted_since_is_given_to_nobody(world):
    world.image(1)
    for path in (f"{BASE}/metadata", f"{BASE}/thumbnail"):
        assert world.ask(path).status_code == 307
    world.entries[9] = entry(9, patient_id="P2", patient_name="李四")
    assert world.served.receive(*world.entries.values()).state == "conflicted"
    for path in (f"{BASE}/metadata", f"{BASE}/thumbnail"):
        refused = world.ask(path)
        assert (refused.status_code, "Location" in refused.headers) == (409, False)


def test_another_base_url_is_other_metadata(world, monkeypatch):
    world.image(1)
    one = world.opened(f"{BASE}/metadata").json()
    monkeypatch.setattr(wiring, "origin", lambda: "https://other.example")
    other = world.opened(f"{BASE}/metadata").json()
    uris = [told[0]["7FE00010"]["BulkDataURI"].partition("/dicomweb")[0] for told in (one, other)]
    assert uris[1] == "https://other.example" != uris[0]


def test_what_the_lifecycle_let_go_is_made_again(world):
    world.image(1)
    before = world.opened(f"{BASE}/metadata")
    clients.s3().delete_object(Bucket=wiring.settings().reports_bucket, Key=kept()[0])  # as expiry does: a marker
    assert world.opened(f"{BASE}/metadata").content == before.content


def test_who_cannot_follow_reads_the_headers_one_by_one(world):
    image, _ = world.image(1)
    answer = world.ask(f"{image}/metadata", "application/dicom+json")
    assert (answer.status_code, len(answer.json_body), kept()) == (200, 1, [])


def test_more_headers_than_one_answer_reads_are_told_and_a_series_of_them_still_comes(world, monkeypatch):
    world.image(1)
    world.entries[2] = entry(2, series=2)
    world.image(3)
    monkeypatch.setattr(retrieve_metadata, "MOST_HEADERS", 2)
    refused = world.ask(f"{BASE}/metadata")
    assert (refused.status_code, refused.json_body["error"]) == (413, "too_large")
    assert len(world.opened(f"{BASE}/series/{REF.study_instance_uid}.1/metadata").json()) == 2


# Thumbnails


def test_a_study_a_series_and_the_instance_in_their_middle_have_one_thumbnail(world):
    images = [world.image(number)[0] for number in (1, 2, 3)]
    series = f"{BASE}/series/{REF.study_instance_uid}.1/thumbnail"
    paths = (f"{BASE}/thumbnail", series, f"{images[1]}/thumbnail")
    (png,) = {world.opened(path, "image/png").content for path in paths}
    picture = Image.open(io.BytesIO(png))
    assert (picture.mode, picture.size, list(picture.tobytes())) == ("L", (2, 2), [0, 85, 170, 255])
    assert len(kept()) == 1
    given = world.opened(f"{BASE}/thumbnail?accept=image/jpeg", "*/*")
    assert (given.headers["Content-Type"], given.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert len(kept()) == 2


JPG = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x02\0\x02\x01\x01\x11\0" + b"\xff\xd9"


def test_a_small_jpeg_is_its_own_thumbnail(world):
    image, _ = world.image(1, *GREY, pixels=fragments(JPG + b"\0"), syntax=JPEG)
    given = world.opened(f"{image}/thumbnail", "image/jpeg")
    assert (given.headers["Content-Type"], given.content) == ("image/jpeg", JPG + b"\0")


@pytest.mark.parametrize(
    ("elements", "pixels", "accept", "told"),
    [
        (GREY, None, "image/gif", "not_acceptable"),
        (GREY[1:], None, "*/*", "not_drawable"),
        ((*GREY[:1], element(0x00280100, "US", b"\x0c\0")), None, "*/*", "not_drawable"),
        ((*GREY, element(0x00280010, "US", b"\xff\xff"), element(0x00280011, "US", b"\xff\xff")), None, "*/*", ""),
        (GREY, element(0x7FE00010, "OW", WORDS[:4]), "*/*", ""),
        (GREY, b"", "*/*", "not_drawable"),
        (GREY, fragments(b"\xff\xd8"), "*/*", "not_drawable"),
    ],
)
def test_of_what_is_not_drawn_it_is_said_and_nothing_is_kept(world, elements, pixels, accept, told):
    image, _ = world.image(1, *elements, pixels=pixels)
    refused = world.ask(f"{image}/thumbnail", accept)
    assert (refused.status_code, refused.json_body["error"]) == (406, told or "not_drawable")
    assert kept() == []


# What does not fit an answer


def test_a_large_instance_of_a_pack_is_laid_by_itself_once(world, monkeypatch):
    monkeypatch.setattr(retrieve_images, "MOST_BYTES", 100)
    image, body = world.image(1, in_pack=1000)
    for _ in range(2):
        given = world.opened(image, 'multipart/related; type="application/dicom"')
        assert (given.headers["Content-Type"], given.content) == ("application/dicom", body)
    uids = image.split("/")
    wado = f"/dicomweb/wado?requestType=WADO&studyUID={uids[3]}&seriesUID={uids[5]}&objectUID={uids[7]}"
    assert world.opened(wado).content == body
    assert len(kept()) == 1
    monkeypatch.setattr(retrieve_images, "MOST_LAID", 200)
    assert world.ask(image).status_code == 413


@pytest.mark.parametrize("pixels", [None, fragments(WORDS)])
def test_large_frames_come_as_multipart_whose_boundary_the_url_has_signed(world, monkeypatch, pixels):
    monkeypatch.setattr(retrieve_images, "MOST_BYTES", 7)
    syntax = EXPLICIT if pixels is None else JPEG
    image, _ = world.image(1, *GREY, pixels=pixels, syntax=syntax)
    for _ in range(2):
        given = world.opened(f"{image}/frames/1", 'multipart/related; type="application/octet-stream"')
        boundary = given.headers["Content-Type"].partition("boundary=")[2]
        assert given.headers["Content-Type"].startswith('multipart/related; type="application/octet-stream"')
        head, _, rest = given.content.partition(b"\r\n\r\n")
        assert head.startswith(f"--{boundary}\r\nContent-Type: application/octet-stream".encode())
        assert rest == WORDS + f"\r\n--{boundary}--\r\n".encode()
    assert len(kept()) == 1


def test_a_frame_that_is_named_again_and_again_is_no_larger_than_may_be_laid(world, monkeypatch):
    monkeypatch.setattr(retrieve_images, "MOST_BYTES", 7)
    monkeypatch.setattr(retrieve_images, "MOST_LAID", 79)
    image, _ = world.image(1)
    assert world.ask(f"{image}/frames/{','.join('1' * 10)}").status_code == 413
    packed, _ = world.image(2, *GREY, pixels=fragments(WORDS), syntax=JPEG)
    assert world.ask(f"{packed}/frames/{','.join('1' * 10)}").status_code == 413
    assert kept() == []


def test_a_file_that_is_cut_off_has_no_frames(world):
    whole, _ = world.image(1, pixels=element(0x7FE00010, "OW", WORDS[:4], length=8))
    assert world.ask(f"{whole}/frames/1").status_code == 404


def test_what_lies_there_already_stays_as_it_is(cloud_settings):
    """Two requests may make the same at the same time: the second's is not needed."""
    made = Derived(REF, key_of(REF, "thumbnail", 1), "image/png")
    objects = S3Derived(clients.s3(), wiring.settings().reports_bucket)
    for body in (b"first", b"second"):
        objects.put_new(made, body)
    (key,) = kept()
    assert clients.s3().get_object(Bucket=wiring.settings().reports_bucket, Key=key)["Body"].read() == b"first"
