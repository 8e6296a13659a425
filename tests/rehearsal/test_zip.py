"""The functions' zip, run as Lambda runs it: by its entry points, with nothing beside it but the runtime's own."""

from __future__ import annotations

import json
import site
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from chalicelib.http.blueprints import MODULES
from infra.package import archive

ROOT = Path(__file__).parents[2]
# boto3 comes with the runtime, and these with boto3.
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six.py")
AARCH64 = 183  # e_machine of an ELF file
# Nobody listens there; one attempt each.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_DEFAULT_REGION": "cn-north-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_LAMBDA_FUNCTION_NAME": "imaging-cloud-app",
    "UPLOADS_BUCKET": "uploads",
    "JOURNAL_TABLE": "journal",
    "MAIN_TABLE": "main",
    "QUARANTINE_BUCKET": "quarantine",
    "SETTLE_QUEUE_URL": "http://127.0.0.1:9/settle.fifo",
}
CALL = """
import json, sys, importlib
module, _, name = sys.argv[1].rpartition(".")
class Context:
    aws_request_id, function_name, memory_limit_in_mb = "1", "imaging-cloud-app", 1769
    invoked_function_arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:imaging-cloud-app"
    get_remaining_time_in_millis = staticmethod(lambda: 25000)
event = json.load(sys.stdin)
answer = getattr(importlib.import_module(module), name)(event, Context())
print("ANSWER" + json.dumps(answer))
"""
IMPORT_ALL = """
import pkgutil, importlib, chalicelib, app
for one in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    importlib.import_module(one.name)
from chalicelib.store import journal
import jwt, pydicom, cryptography.hazmat.primitives.asymmetric.rsa
print(chalicelib.__path__[0])
"""

NEEDY = """
from chalice import Chalice
app = Chalice(app_name="x")
@app.lambda_function()
def work(event, context):
    import elsewhere
"""


@pytest.fixture(scope="module")
def unzipped(package, tmp_path_factory):
    task = tmp_path_factory.mktemp("task")
    with ZipFile(package.zipped) as made:
        made.extractall(task)
    return task


@pytest.fixture(scope="module")
def run(unzipped, tmp_path_factory):
    """Run a program in a new environment that has the unzipped package and boto3."""
    home = tmp_path_factory.mktemp("runtime")
    venv.create(home / "venv", symlinks=True, with_pip=False)
    (home / "runtime").mkdir()
    for name in OF_THE_RUNTIME:
        (home / "runtime" / name).symlink_to(Path(site.getsitepackages()[0]) / name)
    environment = {**NOWHERE, "PYTHONPATH": f"{unzipped}:{home / 'runtime'}", "PYTHONDONTWRITEBYTECODE": "1"}

    def program(text, *arguments, given=""):
        told = subprocess.run(  # noqa: S603 - our own programs
            [str(home / "venv/bin/python"), "-c", text, *arguments],
            cwd=unzipped,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        return told.stdout

    return program


def call(run, entry, event):
    """What Lambda would get back."""
    (answer,) = [line for line in run(CALL, entry, given=json.dumps(event)).splitlines() if line.startswith("ANSWER")]
    return json.loads(answer.removeprefix("ANSWER"))


def rest_api_event(method, path):
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Accept": "application/json", "Host": "x.execute-api.cn-north-1.amazonaws.com.cn"},
        "multiValueHeaders": {"Accept": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/api{path}",
            "stage": "api",
            "requestId": "1",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def sqs_event(*bodies):
    records = [
        {
            "messageId": f"message-{n}",
            "receiptHandle": f"handle-{n}",
            "body": json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws-cn:sqs:cn-north-1:123456789012:imaging-cloud-instances",
            "awsRegion": "cn-north-1",
        }
        for n, body in enumerate(bodies)
    ]
    return {"Records": records}


def uploaded(key):
    told = {"bucket": {"name": "uploads"}, "object": {"key": key, "size": 1000, "versionId": "v"}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}]}


def test_the_zip_is_small(package):
    assert package.zipped.stat().st_size <= archive.LIMIT
    with pytest.raises(archive.TooBigError, match="cryptography"):
        archive.weigh(package.zipped, limit=1000)


def test_every_file_of_the_code_is_in_it_and_nothing_of_the_desk(package):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "chalicelib", "app.py"],  # noqa: S607 - git as the machine has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    with ZipFile(package.zipped) as made:
        zipped = set(made.namelist())
    ours = {name for name in zipped if name.startswith("chalicelib/")} | {"app.py"}
    assert ours == {*listed, *archive.index()}
    assert [name for name in ours if not name.endswith(".py")]
    assert [name for name in zipped if name.startswith(("boto", "moto/", "infra/", "tests/", ".chalice"))] == []
    assert [name for name in zipped if "__pycache__" in name] == []


def test_everything_in_it_can_be_imported_from_it_alone(run, unzipped):
    assert run(IMPORT_ALL).strip() == str(unzipped / "chalicelib")


def test_its_api_answers_a_request_of_api_gateway(run):
    answer = call(run, "app.app", rest_api_event("GET", "/health"))
    assert answer["statusCode"] == 200
    assert isinstance(answer["body"], str)


def test_its_api_loads_the_one_module_that_a_request_is_for(run):
    loaded = "import sys, app\nprint(sorted(name for name in sys.modules if name in sys.argv[1:]))"
    modules = [f"chalicelib.http.{name}" for name in MODULES]
    assert run(loaded, *modules).strip() == "[]"
    asked = f"{CALL}\nimport sys\nprint('LOADED', *(name for name in {modules} if name in sys.modules))"
    told = run(asked, "app.app", given=json.dumps(rest_api_event("GET", "/health")))
    assert told.splitlines()[-1] == "LOADED chalicelib.http.session"


def test_its_door_is_shut_and_answers_nobody_whom_it_cannot_put_on_record(run):
    answer = call(run, "app.app", rest_api_event("GET", "/me/studies"))
    assert answer["statusCode"] == 503, "there is no audit table here; the rehearsal sees the 401"
    assert set(json.loads(answer["body"])) == {"error", "message"}


def test_its_ingest_reports_every_message_when_aws_cannot_be_reached(run):
    event = sqs_event(uploaded("instances/JB001/2026-11-24/a"), uploaded("instances/JB001/2026-11-24/b"))
    answer = call(run, "app.ingest", event)
    assert sorted(one["itemIdentifier"] for one in answer["batchItemFailures"]) == ["message-0", "message-1"]
    assert set(answer) == {"batchItemFailures"}


def test_what_is_compiled_in_it_is_for_the_functions_and_not_for_the_desk(tmp_path):
    command = [sys.executable, "-m", "infra.package", "--out", str(tmp_path)]
    subprocess.run(  # noqa: S603 - our own programs
        [*command, "--runtime", "python3.13", "--architecture", "arm64"], cwd=ROOT, capture_output=True, check=True
    )
    functions = json.loads((tmp_path / "app.json").read_text(encoding="utf-8"))["Resources"].values()
    chosen = [one["Properties"] for one in functions if one["Type"] == "AWS::Lambda::Function"]
    assert {(one["Runtime"], *one["Architectures"]) for one in chosen} == {("python3.13", "arm64")}
    with ZipFile(tmp_path / "deployment.zip") as made:
        compiled = {name: made.read(name)[:20] for name in made.namelist() if name.endswith(".so")}
    assert compiled
    for name, start in compiled.items():
        assert int.from_bytes(start[18:20], "little") == AARCH64
        assert ".abi3." in name or ".cpython-313-" in name


def test_a_dependency_without_a_wheel_for_the_functions_stops_the_packaging(tmp_path):
    wheels, project = tmp_path / "wheels", tmp_path / "project"
    wheels.mkdir()
    (project / "chalicelib").mkdir(parents=True)
    (project / ".chalice").mkdir()
    (project / ".chalice/config.json").write_text('{"version": "2.0", "app_name": "x"}', encoding="utf-8")
    (project / "app.py").write_text(NEEDY, encoding="utf-8")
    needs = f"--no-index\n--find-links {wheels}\nelsewhere==1.0\n"
    (project / "requirements.txt").write_text(needs, encoding="utf-8")
    with ZipFile(wheels / "elsewhere-1.0-cp313-cp313-win_amd64.whl", "w") as made:
        made.writestr("elsewhere-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    told = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, "-m", "infra.package", "--project", str(project), "--out", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert "elsewhere" in told.stderr
    assert not (tmp_path / "out/app.json").exists()
