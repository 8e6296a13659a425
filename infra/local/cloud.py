"""The whole cloud in one process: moto for AWS, the development issuer, app.py's triggers behind a poller, and its
routes behind an HTTP server. Everything listens on loopback only."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import logging
import os
import socket
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalDevServer, create_local_server
from moto.server import ThreadedMotoServer

from infra.local.issuer import IssuerServer
from infra.local.outline import Where, outline, users
from infra.local.poller import Functions, Poller, scheduled_event
from infra.local.provision import CREDENTIALS, REGION, Cloud, clients, provision
from infra.local.whole_writes import make_writes_whole

HOST = "127.0.0.1"
SETTLE_SECONDS = "1"
SWEEP_GRACE_SECONDS = "2"
FLAGS_SEEN = "imaging-cloud-local-flags-seen"


class PortTakenError(RuntimeError):
    """A port that was asked for is in use."""


@dataclass(frozen=True)
class Options:
    """Ports (0: any free one) and where to write local.json, the SMS outbox and the log."""

    api_port: int = 0
    s3_port: int = 0
    issuer_port: int = 0
    directory: Path = Path("build")


@contextlib.contextmanager
def running(options: Options) -> Iterator[dict[str, Any]]:
    """A local cloud, as long as the context lasts. Gives what local.json says. Raises PortTakenError."""
    options.directory.mkdir(parents=True, exist_ok=True)
    (options.directory / "local.json").unlink(missing_ok=True)  # that of a cloud that is no more
    _log_to(options.directory / "local.log")
    with contextlib.ExitStack() as stack:
        api_port = free_port(options.api_port, "API", "PORT")
        endpoint = _moto(stack, options)
        issuer = _issuer(stack, options)
        cloud = _provision(endpoint, issuer, options, api_port)
        os.environ.update(environment(cloud, endpoint))
        functions = Functions(_app(stack, options))
        issuer.functions.update({name: _on_demand(functions, name) for name in functions.on_demand()})
        issuer.start()
        _serve(stack, functions, api_port)
        _poll(stack, cloud, functions)
        where = Where(endpoint, f"http://{HOST}:{api_port}", _hear_flags(cloud), _outbox(options))
        told = outline(cloud.settings, issuer.issuer, where, users(cloud))
        _write(options.directory / "local.json", json.dumps(told, ensure_ascii=False, indent=2) + "\n")
        yield told


def _write(path: Path, text: str) -> None:
    """All at once: whoever waits for the file must not find half of it."""
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def free_port(wanted: int, what: str, setting: str) -> int:
    """`wanted`, or any free port for 0. Raises PortTakenError with what to do about it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise PortTakenError(
                f"port {wanted} for the {what} is taken or not allowed: choose another with {setting}=…, "
                f"or {setting}=0 for any free one"
            ) from error
        return int(probe.getsockname()[1])


def environment(cloud: Cloud, endpoint: str) -> dict[str, str]:
    """What the functions find in their environment."""
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
    return {**CREDENTIALS, **aws, "AWS_EC2_METADATA_DISABLED": "true", **cloud.settings}


def _outbox(options: Options) -> Path:
    return (options.directory / "sms-outbox.jsonl").resolve()


def _log_to(path: Path) -> None:
    logging.basicConfig(
        filename=path, filemode="w", level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    logging.captureWarnings(capture=True)
    for noisy in ("werkzeug", "botocore", "urllib3", "boto3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _app(stack: contextlib.ExitStack, options: Options) -> ModuleType:
    """app.py. Its functions log to the standard output, as Lambda wants it; here that is a file."""
    output = stack.enter_context((options.directory / "functions.log").open("w", encoding="utf-8"))
    with contextlib.redirect_stdout(output):
        return importlib.import_module("app")


def _moto(stack: contextlib.ExitStack, options: Options) -> str:
    port = free_port(options.s3_port, "AWS endpoint", "S3_PORT")
    make_writes_whole()
    server = ThreadedMotoServer(HOST, port, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto's own, about the world it came from
        server.start()
    stack.callback(server.stop)
    return f"http://{HOST}:{port}"


def _issuer(stack: contextlib.ExitStack, options: Options) -> IssuerServer:
    server = IssuerServer(free_port(options.issuer_port, "development issuer", "ISSUER_PORT"))
    stack.callback(server.stop)
    return server


def _provision(endpoint: str, issuer: IssuerServer, options: Options, api_port: int) -> Cloud:
    _outbox(options).unlink(missing_ok=True)
    origin = f"http://{HOST}:{api_port}"
    settings = {
        "ISSUERS": json.dumps(issuer.issuer.setting()),
        "ORIGIN": origin,
        "SWEEP_GRACE_SECONDS": SWEEP_GRACE_SECONDS,
        "SMS_GATEWAY": f"outbox:{_outbox(options)}",
    }
    return provision(clients(endpoint), {"SettleSeconds": SETTLE_SECONDS, "PortalOrigins": origin}, settings)


def _on_demand(functions: Functions, name: str) -> Callable[[Any], Any]:
    """A schedule gets what EventBridge would send, with the caller's body as its detail; others get the body."""
    if name in functions.schedules():
        return lambda body: functions(name, {**scheduled_event(name), "detail": body})
    return lambda body: functions(name, body)


def _serve(stack: contextlib.ExitStack, functions: Functions, port: int) -> LocalDevServer:
    ChaliceRequestHandler.disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement
    ChaliceRequestHandler.log_message = lambda *_arguments: None  # query strings carry tokens
    server = create_local_server(functions.app, Config.create(chalice_app=functions.app, project_dir="."), HOST, port)
    thread = Thread(target=server.server.serve_forever, name="api", daemon=True)
    thread.start()
    stack.callback(server.server.server_close)
    stack.callback(server.shutdown)
    return server


def _poll(stack: contextlib.ExitStack, cloud: Cloud, functions: Functions) -> None:
    for queue in functions.queues():
        cloud.client("sqs").purge_queue(QueueUrl=cloud.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])
    poller = Poller(cloud.client("sqs"), functions)
    poller.start()
    stack.callback(poller.stop)


def _hear_flags(cloud: Cloud) -> str:
    """A queue that listens to the flags topic as a regulator's system would; its URL."""
    sqs = cloud.client("sqs")
    url: str = sqs.create_queue(QueueName=FLAGS_SEEN)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.client("sns").subscribe(TopicArn=cloud.settings["FLAGS_TOPIC_ARN"], Protocol="sqs", Endpoint=arn)
    return url
