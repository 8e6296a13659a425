"""app.py is a table of contents: it says what exists, and each trigger hands on at once."""

import ast
from pathlib import Path

import pytest
import yaml
from chalice.app import ScheduledEventConfig, SQSEventConfig

import app
from chalicelib.http.role_table import ROUTES
from tests.support.cloudformation import Loader

SOURCE = Path(app.__file__)
TREE = ast.parse(SOURCE.read_text(encoding="utf-8"))
DATA = SOURCE.parent / "infra" / "data.yaml"
# What app.py may name besides Chalice: the layers right below it.
MAY_IMPORT = ("__future__", "typing", "chalice.app", "chalicelib", "chalicelib.events", "chalicelib.http")


def functions():
    return [node for node in TREE.body if isinstance(node, ast.FunctionDef)]


def declared():
    return {(method, path) for path, methods in app.app.routes.items() for method in methods}


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.name)
def test_a_triggers_body_is_three_lines_at_most(function):
    assert function.decorator_list, "app.py holds nothing but triggers"
    assert function.body[-1].end_lineno - function.body[0].lineno < 3
    assert not any(isinstance(node, ast.If | ast.For | ast.While | ast.Try) for node in ast.walk(function))


def test_app_imports_only_what_it_registers():
    imported = {node.module for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom)}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(TREE))
    assert all(module in MAY_IMPORT or module.startswith("chalicelib.http.") for module in imported)


def test_every_route_stands_in_the_role_table():
    assert declared() - set(ROUTES) == set()


def test_the_role_table_names_no_route_that_does_not_exist():
    assert set(ROUTES) - declared() == set()


def test_routes_stay_far_from_api_gateways_limit():
    """300 resources by default, each path element one; the design keeps 250."""
    parts = [path.split("/") for path in app.app.routes]
    resources = {"/".join(path[:length]) for path in parts for length in range(2, len(path) + 1)}
    assert len(resources) <= 250


def test_every_queue_of_work_has_its_trigger_and_no_other():
    names = {
        resource["Properties"]["QueueName"]
        for resource in yaml.load(DATA.read_text(encoding="utf-8"), Loader)["Resources"].values()  # noqa: S506 - ours
        if resource["Type"] == "AWS::SQS::Queue"
    }
    served = [source.queue for source in app.app.event_sources if isinstance(source, SQSEventConfig)]
    assert len(served) == len(set(served))
    assert {name for name in names if "-dead" not in name} == set(served)


def test_the_schedules_are_known():
    names = {source.name for source in app.app.event_sources if isinstance(source, ScheduledEventConfig)}
    assert names == {"sweep", "reconcile", "report", "seal", "check_reads"}
