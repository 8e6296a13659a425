"""A local cloud in a process of its own, and people to act in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.local.client import Client, until
from infra.local.personas import national_id
from infra.local.provision import clients
from infra.local.story_images import today

START_SECONDS = 90


def command(*arguments):
    return [sys.executable, "-m", "infra.local", *map(str, arguments)]


def environment():
    """Without what a developer's shell may say of AWS, ports or language."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LC_", "LANG", "PORT"))}


def run_to_end(command, timeout=600, cwd=None, **more):
    """The finished process, with what it said. `more` is added to its environment."""
    return subprocess.run(  # noqa: S603 - our own modules
        command, cwd=cwd, env=environment() | more, capture_output=True, text=True, timeout=timeout, check=False
    )


def start(directory):
    """The process and its client, once local.json is there."""
    log = (directory / "stdout.txt").open("w")
    process = subprocess.Popen(  # noqa: S603 - our own module
        command("--no-story", "--port", 0, "--directory", directory),
        env=environment(),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    log.close()
    path, give_up = directory / "local.json", time.monotonic() + START_SECONDS
    while not path.exists():
        assert process.poll() is None, (directory / "stdout.txt").read_text()
        assert time.monotonic() < give_up, "no local.json"
        time.sleep(0.1)
    return process, Client.of(path)


@dataclass
class Caller:
    """One person or program with a token of its own."""

    client: Client
    login: str

    def ask(self, method, path, body=None):
        return self.client.call(self.login, method, path, body)

    def all(self, path, items):
        return self.client.pages(self.login, path, items)


@dataclass
class Town:
    """Hospitals, patients and doctors, made as tests need them; every name is new."""

    client: Client
    count: int = 0
    _operator: dict = field(default_factory=dict)

    def new(self):
        self.count += 1
        return self.count

    def caller(self, login, **claims):
        return Caller(Client(self.client.told, {login: claims}), login)

    def operator(self, service):
        if service not in self._operator:
            self._operator[service] = clients(self.client.told["s3_endpoint"], self.client.told["region"])(service)
        return self._operator[service]

    def hospital(self):
        """A registered hospital's id."""
        hospital_id = f"T{self.new():04d}"
        body = {"hospital_id": hospital_id, "name": f"测试医院{hospital_id}"}
        self.caller("regulator").ask("POST", "/hospitals", body).of(201)
        return hospital_id

    def of_hospital(self, hospital_id):
        """The hospital's own system."""
        return self.caller("hospital-jb001", sub=hospital_id, hospital_id=hospital_id)

    def patient(self, hospital_id, patient_id, phone=None):
        """Registered at the hospital's desk: the patient as a caller."""
        number = self.new()
        details = {
            "patient_id": patient_id,
            "national_id": national_id("329999", "1970-01-01", f"{number:03d}"),
            "name": "欧阳测试",
            "phone": phone or f"199{number:08d}",
        }
        desk = self.caller("clerk-jb001", hospital_id=hospital_id)
        person = desk.ask("POST", "/desk/registrations", details).of(201)["person_id"]
        return self.caller("patient-zhang", sub=f"p{number}", person_id=person)

    def doctor(self, hospital_id):
        name = f"doctor-{self.new()}"
        account = {"doctor_id": name, "hospital_id": hospital_id, "name": "王医生", "licence_number": f"1{self.count}"}
        self.caller("administrator").ask("POST", "/doctors", account).of(201)
        return self.caller("doctor-li", sub=name, hospital_id=hospital_id)

    def visit(self, hospital_id, patient_id, doctor):
        """An open encounter that the doctor can already see."""
        encounter = f"V{self.new()}"
        notice = {
            "type": "encounter",
            "encounter_id": encounter,
            "status": "open",
            "patient": {"patient_id": patient_id, "name": "欧阳测试", "sex": "M", "birth_date": "1970-01-01"},
            "patient_class": "outpatient",
            "at": datetime.now(UTC).isoformat(),
        }
        self.of_hospital(hospital_id).ask("POST", "/hospital/notices", notice).of(202)
        until(lambda: doctor.ask("GET", f"/encounters/{encounter}/timeline").status == 200, "the visit is known")
        return encounter

    def put(self, hospital_id, name, body, kind="instances"):
        """Upload one object; its key."""
        key = f"{kind}/{hospital_id}/{today()}/{name}"
        bucket = self.client.told["buckets"]["uploads"]
        self.operator("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return key

    def tell(self, queue, key, size):
        """An S3 event of an upload that may never have been."""
        detail = {"bucket": {"name": self.client.told["buckets"]["uploads"]}, "object": {"key": key, "size": size}}
        event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": detail}]}
        sqs = self.operator("sqs")
        url = sqs.get_queue_url(QueueName=f"imaging-cloud-{queue}")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))

    def refusal(self, hospital_id, key):
        """The quarantine's record of a key, once it is there."""

        def found():
            records = self.of_hospital(hospital_id).all("/hospital/quarantine", "records")
            return next((one for one in records if one["key"] == key), None)

        return until(found, f"{key} in quarantine")

    def study(self, hospital_id, uid, **wanted):
        """The study as its hospital sees it, once its `statuses` are these."""

        def found():
            answer = self.of_hospital(hospital_id).ask("GET", f"/hospital/studies/{uid}")
            return answer.json if answer.status == 200 and answer.json["statuses"] == wanted else None

        return until(found, f"study with {wanted}")
