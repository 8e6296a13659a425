from __future__ import annotations

import pytest

from tests.support.local_cloud import Town, start


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """One local cloud for all tests that do not need a fresh one."""
    directory = tmp_path_factory.mktemp("local")
    process, client = start(directory)
    yield Town(client)
    process.terminate()
    assert process.wait(30) == 0, (directory / "stdout.txt").read_text()
