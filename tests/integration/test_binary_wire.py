"""The REST API as it is deployed: every media type is binary to it, so that each body comes in base64, whatever it is,
and an answer is decoded exactly where it is flagged, whatever was accepted."""

import base64
import json
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from chalice.local import RouteMatcher

import app
from chalicelib.http.asked import MAX_BODY
from tests.support.dicomweb_world import BASE, WORDS, world
from tests.support.fhir_clinic import FORM, OF_H2, clinic, uids
from tests.support.served_app import error_of, jwks_url, served

__all__ = ["clinic", "jwks_url", "served", "world"]

OHIF = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
ACCEPTS = {
    "anything": "*/*",
    "OHIF's": OHIF,
    "dicomweb-client's": 'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
    "several": f"application/dicom+json, {OHIF};q=0.9, text/plain;q=0.1",
    "a browser's": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "a family": "multipart/*",
    "the bytes' own type": "application/octet-stream",
}


class Wire:
    """Between a client and the function, as API Gateway is."""

    def request(self, method, path, headers, body=b""):
        route = RouteMatcher([*app.app.routes]).match_route(path)
        event = {
            "requestContext": {"httpMethod": method, "resourcePath": route.route, "path": f"/api{path.split('?')[0]}"},
            "headers": headers,
            "multiValueQueryStringParameters": route.query_params or None,
            "pathParameters": route.captured,
            "stageVariables": None,
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
        }
        told = app.app(event, None)
        self.flagged = bool(told.get("isBase64Encoded"))
        given = base64.b64decode(told["body"]) if self.flagged else told["body"].encode()
        is_json = given[:1] in (b"{", b"[")
        return SimpleNamespace(
            status_code=told["statusCode"],
            headers=told["headers"],
            body=given,
            json_body=json.loads(given) if is_json else None,
        )


@pytest.fixture
def wire(served):
    served.http = Wire()
    return served.http


def ask(world, path, accept):
    headers = {} if accept is None else {"Accept": accept}
    return world.served.ask("GET", path, "patient", headers=headers, person_id=world.person_id)


def test_a_frame_is_its_pixels_whatever_the_accept_header_is(world, wire):
    image, _ = world.image(1, in_pack=7)
    for whose, accept in ACCEPTS.items():
        answer = ask(world, f"{image}/frames/1", accept)
        assert (answer.status_code, wire.flagged) == (200, True), whose
        assert b"\r\n\r\n" + WORDS + b"\r\n--" in answer.body, whose


def test_an_instance_out_of_a_pack_is_its_file(world, wire):
    image, file = world.image(1, in_pack=7)
    for accept in ("*/*", "multipart/*", 'multipart/related; type="application/dicom"'):
        answer = ask(world, image, accept)
        assert (answer.status_code, wire.flagged) == (200, True), accept
        assert b"\r\n\r\n" + file + b"\r\n--" in answer.body, accept


def test_by_wado_uri_it_is_its_file_for_contenttype_says_what_is_taken(world, wire):
    image, file = world.image(1, in_pack=7)
    named = image.split("/")
    wado = f"/dicomweb/wado?requestType=WADO&studyUID={named[3]}&seriesUID={named[5]}&objectUID={named[7]}"
    for accept in ("*/*", "application/dicom", "application/*", "text/html"):
        answer = ask(world, wado, accept)
        assert (answer.status_code, wire.flagged, answer.body) == (200, True, file), accept


def test_who_says_nothing_of_what_is_acceptable_is_told_so_and_given_no_bytes(world, wire):
    image, _ = world.image(1, in_pack=7)
    for accept in (None, ""):
        for path in (image, f"{image}/frames/1"):
            answer = ask(world, path, accept)
            assert (answer.status_code, wire.flagged, answer.json_body["field"]) == (400, False, "accept")


def test_what_is_not_acceptable_is_still_told_in_words(world, wire):
    image, _ = world.image(1, in_pack=7)
    for accept in ("text/html", "application/json", "image/jpeg"):
        answer = ask(world, f"{image}/frames/1", accept)
        assert (answer.status_code, wire.flagged) == (406, False)
        assert error_of(answer) == "not_acceptable"


def test_json_stays_json(world, wire):
    world.image(1)
    for whose, accept in {**ACCEPTS, "none": None, "an empty one": ""}.items():
        answer = ask(world, "/me/studies", accept)
        assert (answer.status_code, wire.flagged) == (200, False), whose
        assert len(answer.json_body["studies"]) == 1, whose


def test_what_has_moved_is_told_without_a_body(world, wire):
    world.image(1)
    moved = ask(world, f"{BASE}/metadata", None)
    assert (moved.status_code, wire.flagged, moved.body) == (307, False, b"")


def test_bodies_are_read_though_they_come_in_base64(clinic):
    plain = clinic.ask("POST", "/fhir/ImagingStudy/_search", "doctor", urlencode(OF_H2).encode(), FORM)
    clinic.http = Wire()
    form = clinic.ask("POST", "/fhir/ImagingStudy/_search", "doctor", urlencode(OF_H2).encode(), FORM)
    assert uids(form) == uids(plain) != []
    notice = {"notice_type": "encounter", "name": "欧阳慧敏"}
    assert clinic.ask("POST", "/hospital/notices", "hospital", notice).status_code == 202
    for wrong in (b"", b"{", b"\xff", b'{"a": NaN}'):
        assert clinic.ask("POST", "/hospital/notices", "hospital", wrong).status_code == 400


def test_a_body_of_the_most_that_a_function_can_be_handed_is_taken_and_one_byte_more_is_not(clinic):
    clinic.http = Wire()
    handed = 6 * 1024 * 1024  # bytes of an event, Lambda's quota
    assert handed - 128 * 1024 > 4 * (MAX_BODY + 2) // 3, "what else is in the event has room"
    frame = len('{"notice_type":"x","text":""}')
    for more, status in ((0, 202), (1, 400)):
        body = b'{"notice_type":"x","text":"%s"}' % (b"x" * (MAX_BODY - frame + more))
        assert clinic.ask("POST", "/hospital/notices", "hospital", body).status_code == status
