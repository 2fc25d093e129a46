"""Snapshots that would take too much memory are not compared by a server: it names the command instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.errors import BadUsage
from migrate.mcp.server import ServedArchive
from migrate.stages.diff import comparison_size
from migrate.stages.diff.comparison_size import check_comparison_size
from tests.archive.filling import write
from tests.serve.client import served
from tests.serve.test_pages import text_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        for mark in "ab":
            assistants = [{"id": f"asst_{n}", "instructions": f"{mark} {n} " * 1_000} for n in range(50)]
            write(archive, [("assistant", "", assistants), ("thread", "", [{"id": "t", "created_at": 1}])])
    return tmp_path / "estate.db"


def test_the_size_of_a_listing_is_about_that_of_its_json(path: Path) -> None:
    with Archive.open(path) as archive:
        left, right = (SnapshotReader(archive.conn, info) for info in list_snapshots(archive.conn))
        for side in (left, right):
            whole = sum(len(json.dumps(body)) for _, body in side.bodies("assistant"))
            assert 0.8 * whole < side.listed_bytes("assistant", "") < 1.2 * whole
        assert left.listed_bytes("run", "none") == 0
        check_comparison_size(left, right, "estate.db")


def test_too_much_is_refused_with_the_command_that_does_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_size, "MAX_COMPARED_BYTES", 1_000_000)
    command = "assistants-migrate diff estate.db@1 estate.db@2 --format html -o report.html"
    with served(path) as client:
        answer = client.send("/compare?left=1&right=2")
        for _ in range(200):
            if answer.status != 200:
                break
            answer = client.send("/compare?left=1&right=2")
        assert answer.status == 400
        assert command in text_of(answer.text)
    with pytest.raises(BadUsage) as error:
        ServedArchive(path, "latest").call("compare", {})
    assert command in error.value.todo
