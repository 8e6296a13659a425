"""The rehearsal's steps of what stands beside data and functions: alarms, backups, one name for pages and API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from infra.local.client import Answer, expect, fetch
from infra.local.story import Stage, Step
from infra.rehearse import cloud, conditions, edge
from infra.rehearse.beside import stand
from infra.rehearse.hands import standing
from infra.rehearse.ministack import ACCOUNT_ID, REGION

PAGE = b"<!doctype html><title>rehearsal</title>"
OWN_PAGE = "rehearsal.example.cn"
_ROLES = f"arn:{cloud.PARTITION}:iam::{ACCOUNT_ID}:role"


def watch(stage: Stage) -> dict[str, Any]:
    here = standing(stage)
    stand(here, "watch", {})
    found = here.here.client("cloudwatch")
    alarms = [one for page in found.get_paginator("describe_alarms").paginate() for one in page["MetricAlarms"]]
    told = [one for one in alarms if one["AlarmActions"] == [here.outputs["AlarmsTopicArn"]]]
    expect(len(told) >= 30, f"alarms that tell somebody: {len(told)}")
    expect(found.list_dashboards()["DashboardEntries"], "a dashboard")
    return {"alarms": len(told)}


def keep(stage: Stage) -> dict[str, Any]:
    """The stack of the other region, here beside the first, and the one of backups, which copies into it."""
    here = standing(stage)
    roles = {f"{name}RoleArn": f"{_ROLES}/imaging-cloud-{name.lower()}-{REGION}" for name in ("Replication", "Backup")}
    replica = stand(here, "replica", roles)
    bucket = replica["UploadsReplicaArn"].rsplit(":", 1)[1]
    stand(here, "keep", {"CopyVaultArn": replica["CopyVaultArn"], "ReplicaUploadsBucket": bucket})
    backup = here.here.client("backup")
    (plan,) = backup.list_backup_plans()["BackupPlansList"]
    rules = backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"]
    into = {copy["DestinationBackupVaultArn"] for rule in rules for copy in rule["CopyActions"]}
    expect(into == {replica["CopyVaultArn"]}, "each backup is copied to the other region")
    return {"rules": len(rules)}


def own_name(stage: Stage) -> dict[str, Any]:
    """The API under the name of its own, at the same path as at the stage."""
    endpoint = standing(stage).here.emulator.endpoint
    under = {"Host": cloud.API_NAME}
    expect(fetch(f"{endpoint}/api/health", under).of(200) == {"status": "ok"}, "the API under /api")
    elsewhere = fetch(f"{endpoint}/me/studies", under).status
    expect(elsewhere in (403, 404), f"and nowhere else: {elsewhere}")
    at_stage = stage.client.told["api_url"]
    expect("/api/" in at_stage, "the stage is called api")
    return {"name": cloud.API_NAME}


def front(stage: Stage) -> dict[str, Any]:
    """CloudFront before pages and API, as elsewhere and as in China: each asked through it, then the API without it."""
    here = standing(stage)
    secret, header = here.parameters["OriginSecret"], cloud.secret_header(here.app)
    own = {"DomainName": OWN_PAGE, "Certificate": "a" * 21, "OriginSecret": secret, "ApiHost": cloud.LOOPBACK}
    with edge.running(here.here.emulator, cloud.API_NAME, header, secret) as way:
        for china in (False, True):
            changed = partial(conditions.near, port=way.port, china=china)
            made = stand(here, "front", own, changed, "front-china" if china else "front")
            page = {"Bucket": made["PagesBucket"], "Key": "index.html", "Body": PAGE, "ContentType": "text/html"}
            here.here.client("s3").put_object(**page)
            through = _Through(here.here.emulator.endpoint, made["FrontTarget"])
            _pages(through, here.here.emulator.endpoint, made["PagesBucket"], headers=not china)
            _session(stage, through)
        expect({one.get(header) for one in way.seen} == {secret}, "each request of CloudFront has the secret")
        without = fetch(f"https://{cloud.LOOPBACK}:{way.port}/api/health", {header: secrets.token_hex(16)})
        expect(without.status == 403, "whoever goes round CloudFront is refused")
    return {"requests": len(way.seen)}


class _Through:
    """A browser before the distribution."""

    def __init__(self, endpoint: str, name: str) -> None:
        self._endpoint, self._name = endpoint, name

    def ask(self, method: str, path: str, headers: Mapping[str, str], data: bytes | None = None) -> Answer:
        return fetch(self._endpoint + path, {**headers, "Host": self._name}, data, method)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers)


def _pages(through: _Through, endpoint: str, bucket: str, *, headers: bool) -> None:
    page = through.get("/")
    expect((page.status, page.body) == (200, PAGE), f"the page at /, not {page.status}")
    told = {name.lower(): value for name, value in page.headers.items()}
    if headers:
        expect("frame-ancestors 'none'" in told.get("content-security-policy", ""), "a page's own policy")
        expect(told.get("referrer-policy") == "no-referrer", "and the other headers")
    expect(through.get("/?list-type=2").body == PAGE, "no query reaches the bucket")
    expect(through.get("/missing.js").status in (403, 404), "what there is not is not the first page")
    expect(fetch(f"{endpoint}/{bucket}/index.html").status == 403, "the bucket itself is open to nobody")


def _session(stage: Stage, through: _Through) -> None:
    """A token becomes a cookie, a cookie writes only with what a page of ours can say, all through CloudFront."""
    health = through.get("/api/health")
    expect(health.status == 200, f"the API under /api: {health.status}")
    expect("default-src 'none'" in str(health.headers), "with headers of its own")
    bearer = {"Authorization": f"Bearer {stage.client.token('patient-zhang')}", "Content-Type": "application/json"}
    opened = through.ask("POST", "/api/session", bearer, b"{}")
    csrf = opened.of(200)["csrf"]
    cookie = next(value for name, value in opened.headers.items() if name.lower() == "set-cookie").split(";")[0]
    kept = {"Cookie": cookie}
    expect(through.get("/api/me/studies", **kept).of(200)["studies"], "the cookie reads, query and all")
    expect(through.get("/api/me/studies").status == 401, "and nobody reads what was answered to another")
    for headers in (
        {"X-CSRF": csrf},
        {"X-CSRF": csrf, "Origin": "https://elsewhere.example"},
        {"Origin": cloud.ORIGIN},
    ):
        status = through.ask("DELETE", "/api/session", {**kept, **headers}).status
        expect(status == 403, f"no write without page and proof: {status}")
    through.ask("DELETE", "/api/session", {**kept, "X-CSRF": csrf, "Origin": cloud.ORIGIN}).of(200)


STEPS: dict[str, Step] = {"watch": watch, "keep": keep, "own_name": own_name, "front": front}
