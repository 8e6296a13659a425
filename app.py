"""Table of contents: the routes, every queue and every schedule. What they do stands where they point."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Cron, Rate, SQSEvent

from chalicelib import wiring
from chalicelib.events import disposal, oversight, sweeps
from chalicelib.events import exports as copies
from chalicelib.events import ingest as uploads
from chalicelib.events import messages as words
from chalicelib.events import notices as visits
from chalicelib.events import reconcile as nights
from chalicelib.events import settle as studies

app = Chalice(app_name="imaging-cloud")
app.api.binary_types += ["application/dicom", "multipart/related"]  # DICOMweb's bodies, beside octet-stream and images
if wiring.serves_routes():  # a queue's or a schedule's function loads none
    from chalicelib.http.blueprints import serve

    serve(app)


@app.on_sqs_message(queue="imaging-cloud-instances", batch_size=300, maximum_batching_window_in_seconds=3)
def ingest(event: SQSEvent) -> dict[str, Any]:
    return uploads.instances(event.to_dict(), event.context)


@app.on_sqs_message(queue="imaging-cloud-instances-single", batch_size=1)
def ingest_single(event: SQSEvent) -> dict[str, Any]:
    return uploads.instances(event.to_dict(), event.context)


@app.on_sqs_message(queue="imaging-cloud-archives", batch_size=1)
def unpack(event: SQSEvent) -> dict[str, Any]:
    return uploads.archives(event.to_dict(), event.context)


@app.on_sqs_message(queue="imaging-cloud-notices", batch_size=100, maximum_batching_window_in_seconds=3)
def notices(event: SQSEvent) -> dict[str, Any]:
    return visits.notices(event.to_dict(), event.context)


@app.on_sqs_message(queue="imaging-cloud-notices-single", batch_size=1)
def notices_single(event: SQSEvent) -> dict[str, Any]:
    return visits.notices(event.to_dict(), event.context)


@app.on_sqs_message(queue="imaging-cloud-settle.fifo", batch_size=1)
def settle(event: SQSEvent) -> dict[str, Any]:
    return studies.studies(event.to_dict())


@app.on_sqs_message(queue="imaging-cloud-exports", batch_size=1)
def export(event: SQSEvent) -> dict[str, Any]:
    return copies.exports(event.to_dict())


@app.on_sqs_message(queue="imaging-cloud-messages", batch_size=1)
def send(event: SQSEvent) -> dict[str, Any]:
    return words.messages(event.to_dict())


@app.on_sqs_message(queue="imaging-cloud-reconcile", batch_size=1)
def reconcile_pieces(event: SQSEvent) -> dict[str, Any]:
    return nights.pieces(event.to_dict(), event.context)


@app.schedule(Rate(5, unit=Rate.MINUTES))
def sweep(event: CloudWatchEvent) -> dict[str, Any]:
    return sweeps.sweep(event.context)


@app.schedule(Cron(0, 18, "*", "*", "?", "*"))  # 02:00 in the province
def reconcile(_event: CloudWatchEvent) -> dict[str, Any]:
    return sweeps.reconcile()


@app.schedule(Cron(0, 6, "*", "*", "?", "*"))  # 14:00 in the province: yesterday's last exam was due at noon
def report(event: CloudWatchEvent) -> dict[str, Any]:
    return sweeps.report(event.to_dict(), event.context)


@app.schedule(Cron(10, "*", "*", "*", "?", "*"))
def seal(event: CloudWatchEvent) -> dict[str, Any]:
    return oversight.seal(event.context)


@app.schedule(Cron(0, 5, "*", "*", "?", "*"))  # S3 delivers most of its log within hours
def check_reads(event: CloudWatchEvent) -> dict[str, Any]:
    return oversight.check_reads(event.to_dict(), event.context)


@app.lambda_function()
def reindex(event: dict[str, Any], context: Any) -> dict[str, Any]:  # run by an operator, until "done"
    return sweeps.reindex(event, context)


@app.lambda_function()
def dispose(event: dict[str, Any], context: Any) -> dict[str, Any]:  # run by an operator, where `Disposal` is on
    return disposal.dispose(event, context)
