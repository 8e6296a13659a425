"""The rehearsal's steps of what speaks the standards: DICOMweb and FHIR, through the signer's own role to the bytes."""

from __future__ import annotations

import gzip
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import pydicom

from infra.local.client import Answer, expect, fetch
from infra.local.story import Stage, Step

PATIENT, DOCTOR = "patient-zhang", "doctor-li"
_BYTES = 'multipart/related; type="application/octet-stream"; transfer-syntax'
ACCEPTS = (
    "*/*",
    f"{_BYTES}=*",  # OHIF's
    f"{_BYTES}=1.2.840.10008.1.2.1",  # dicomweb-client's, with a syntax named
    f"application/dicom+json, {_BYTES}=*;q=0.9",  # what is given stands second
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",  # a browser's
)
FORM = "application/x-www-form-urlencoded"
UNKNOWN_UID = "1.2.404"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Where a redirect leads is asked by itself: the token goes to the API and to nobody else."""

    def redirect_request(self, *_: Any) -> None:
        """Nowhere."""


def _ask(stage: Stage, login: str, path: str, accept: str = "*/*", **sent: Any) -> Answer:
    """One answer of the API, a redirect too. `sent`: `data` and `headers` of a POST."""
    headers = {"Authorization": f"Bearer {stage.client.token(login)}", **({"Accept": accept} if accept else {})}
    headers |= sent.pop("headers", {})
    url = stage.client.told["api_url"] + path
    request = urllib.request.Request(url, headers=headers, **sent)  # noqa: S310 - our own
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=60) as answer:
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers.items()), error.read())


def _opened(answer: Answer) -> bytes:
    """What a redirect's signed URL gives to whoever has nothing but that."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    expect(answer.status == 307 and "X-Amz-Signature" in headers["location"], f"307, not {answer.status}")
    opened = fetch(headers["location"])
    expect(opened.status == 200, f"the signed URL opens: {opened.status}")
    return gzip.decompress(opened.body) if opened.body.startswith(b"\x1f\x8b") else opened.body


def dicomweb(stage: Stage) -> dict[str, Any]:
    """The patient's own CT: found, its headers, an instance to the byte, a frame to the pixel."""
    uid, files = stage.kept["river_ct"]["study_instance_uid"], stage.kept["river_ct"]["files"]
    found = _ask(stage, PATIENT, f"/dicomweb/studies?StudyInstanceUID={uid}").of(200)
    expect(_values(found, "0020000D") == [uid], "QIDO-RS finds it")
    images = _ask(stage, PATIENT, f"/dicomweb/studies/{uid}/instances?limit=1000").of(200)
    expect(sorted(_values(images, "00080018")) == sorted(files), "and all of its images")
    sop, file = next(iter(files.items()))
    header = pydicom.dcmread(io.BytesIO(file))
    image = f"/dicomweb/studies/{uid}/series/{header.SeriesInstanceUID}/instances/{sop}"
    expect(_opened(_ask(stage, PATIENT, image)) == file, "WADO-RS gives the bytes that were uploaded")
    _give_bytes(stage, f"{image}/frames/1", header.PixelData)
    _give_bytes(stage, *_packed(stage))
    told = _ask(stage, PATIENT, f"/dicomweb/studies/{uid}/metadata")
    body = told.body if told.status == 200 else _opened(told)
    expect(sorted(_values(json.loads(body), "00080018")) == sorted(files), "and the headers of all images")
    return {"images": len(files), "size": len(file) // 1000, "accepts": len(ACCEPTS)}


def _give_bytes(stage: Stage, path: str, wanted: bytes) -> None:
    """They come as bytes by whatever Accept; without one the function refuses, and what it says is no base64."""
    for accept in ACCEPTS if "/frames/" in path else ("*/*", 'multipart/related; type="application/dicom"'):
        given = _ask(stage, PATIENT, path, accept)
        expect(given.status == 200 and b"\r\n\r\n" + wanted + b"\r\n--" in given.body, f"{given.status} by {accept}")
    none = _ask(stage, PATIENT, path, "")
    expect((none.status, none.json.get("field")) == (400, "accept"), f"without Accept 400: {none.status}")


def _packed(stage: Stage) -> tuple[str, bytes]:
    """An image of the other hospital's pack, which no signed URL gives by itself: its path and its file."""
    sop, file = max(stage.kept["lake_ct"]["files"].items())
    header = pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True)
    series = f"/dicomweb/studies/{header.StudyInstanceUID}/series/{header.SeriesInstanceUID}"
    return f"{series}/instances/{sop}", file


def _values(results: Iterable[Any], tag: str) -> list[str]:
    return [one[tag]["Value"][0] for one in results]


def fhir(stage: Stage) -> dict[str, Any]:
    """The same study as FHIR tells it, which says where DICOMweb has it."""
    uid, files = stage.kept["river_ct"]["study_instance_uid"], stage.kept["river_ct"]["files"]
    bundle = _ask(stage, PATIENT, f"/fhir/ImagingStudy?identifier=urn:dicom:uid%7Curn:oid:{uid}").of(200)
    (listed,) = (one["resource"] for one in bundle["entry"])
    form = urlencode({"identifier": f"urn:dicom:uid|urn:oid:{uid}"}).encode()
    by_form = _ask(stage, PATIENT, "/fhir/ImagingStudy/_search", data=form, headers={"Content-Type": FORM}).of(200)
    expect([one["resource"]["id"] for one in by_form["entry"]] == [listed["id"]], "a form finds it too")
    study = _ask(stage, PATIENT, f"/fhir/ImagingStudy/{listed['id']}").of(200)
    told = [one["uid"] for series in study["series"] for one in series["instance"]]
    expect(sorted(told) == sorted(files), "every image stands in the resource")
    (address,) = (one["address"] for one in study["contained"] if one["resourceType"] == "Endpoint")
    found = _ask(stage, PATIENT, f"/dicomweb/studies?StudyInstanceUID={uid}").of(200)
    expect(_values(found, "00081190") == [f"{address}/studies/{uid}"], "DICOMweb stands where it says")
    events = _ask(stage, PATIENT, "/fhir/AuditEvent?date=ge2026&_count=100").of(200)["entry"]
    expect(any(one["resource"]["type"]["code"] == "110103" for one in events), "and the patient reads who looked")
    return {"events": len(events), "address": address}


def nothing_to_others(stage: Stage) -> dict[str, Any]:
    """The doctor whose consent was withdrawn: nothing is found, and what was never theirs is as what there is not."""
    uid = stage.kept["river_ct"]["study_instance_uid"]
    for path in ("studies", "series", "instances", f"studies?StudyInstanceUID={uid}"):
        none = _ask(stage, DOCTOR, f"/dicomweb/{path}")
        expect((none.status, none.body) == (204, b""), f"QIDO-RS finds nothing: {none.status}")
    expect("entry" not in _ask(stage, DOCTOR, "/fhir/ImagingStudy").of(200), "nor does FHIR")
    beneath = ("", "/metadata", "/series", "/dicomjson", "/thumbnail")
    for path in beneath:
        ended, unknown = (_ask(stage, DOCTOR, f"/dicomweb/studies/{one}{path}") for one in (uid, UNKNOWN_UID))
        expect((ended.status, unknown.status) == (403, 403), f"{path}: 403, not {ended.status}, {unknown.status}")
        expect(unknown.json == {"error": "no_grant"}, "and nothing is told")
    return {"tries": 5 + len(beneath)}


STEPS: dict[str, Step] = {"dicomweb": dicomweb, "fhir": fhir, "nothing_to_others": nothing_to_others}
