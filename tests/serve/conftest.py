"""One served archive for all tests of a module: the small one with an object of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.archive.filling import filled
from tests.serve.client import Client, served


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("served") / "estate.db"
    filled(path)
    with served(path) as client:
        yield client
