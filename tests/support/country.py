"""Two hospitals, a doctor and a patient over a whole cloud: what they put arrives by app.py's own triggers."""

import time
from datetime import UTC, datetime

import app
from infra.local.personas import LAKE, PATIENT, RIVER
from infra.local.poller import Functions, QueuePoller, scheduled_event
from tests.support.served_app import Served

TODAY = datetime.now(UTC).date().isoformat()
PATIENT_BODY = {
    "national_id": PATIENT.national_id,
    "name": PATIENT.name,
    "sex": PATIENT.sex,
    "birth_date": PATIENT.birth_date,
    "phone": PATIENT.phone,
}


WAITING = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
PATIENCE_SECONDS = 60  # a stall of the machine is no fault; a queue that never empties is one
PAUSE_SECONDS = 0.02


class Country:
    """Two hospitals, a doctor and a registered patient; what they put arrives by the queues."""

    def __init__(self, cloud, served: Served):
        self.cloud, self.served = cloud, served
        self.functions = Functions(app)
        for hospital in (RIVER, LAKE):
            body = {"hospital_id": hospital.hospital_id, "name": hospital.name}
            served.ask("POST", "/hospitals", "regulator", body)
        doctor = {"doctor_id": "d1", "hospital_id": LAKE.hospital_id, "licence_number": "110", "name": "李医生"}
        served.ask("POST", "/doctors", "administrator", doctor)
        for hospital_id, patient_id in PATIENT.patient_ids.items():
            body = {**PATIENT_BODY, "patient_id": patient_id}
            registered = served.ask("POST", "/desk/registrations", "desk_clerk", body, hospital_id=hospital_id)
            self.person_id = registered.json_body["person_id"]

    def put(self, kind, name, body, hospital_id=RIVER.hospital_id):
        key = f"{kind}/{hospital_id}/{TODAY}/{name}"
        self.cloud.client("s3").put_object(Bucket=self.cloud.settings["UPLOADS_BUCKET"], Key=key, Body=body)
        return key

    def tell(self, notice, hospital_id):
        answer = self.served.ask("POST", "/hospital/notices", "hospital", notice, hospital_id=hospital_id)
        assert answer.status_code == 202, answer.body

    def drain(self, *queues):
        """Hand over what lies in these queues, in order, until nothing waits, is delayed or comes back."""
        for name in queues:
            queue = f"imaging-cloud-{name}"
            poller = QueuePoller(self.cloud.client("sqs"), queue, self.functions.queues()[queue], self.functions)
            until = time.monotonic() + PATIENCE_SECONDS
            # Twice: moto counts first what is visible, then what is delayed, and misses what ripens in between.
            while poller.poll() or self._waiting(name) or self._waiting(name):
                assert time.monotonic() < until, f"{queue} does not empty"
                time.sleep(PAUSE_SECONDS)

    def _waiting(self, name):
        attributes = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.cloud.queue_url(name), AttributeNames=list(WAITING)
        )["Attributes"]
        return sum(int(attributes[one]) for one in WAITING)

    def run(self, name, **detail):
        return self.functions(name, {**scheduled_event(name), "detail": detail})

    def seen(self, ref):
        return self.served.manifest("patient", ref, person_id=self.person_id).json_body
