"""The address of a run opens the part of its thread in which the run is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.archive.database import Archive
from migrate.serve.addresses import PageLinks
from migrate.serve.pages import thread
from migrate.stages.index.run import build_index
from migrate.stages.progress import Progress
from tests.archive.filling import write
from tests.serve.client import Client, served
from tests.serve.html_pages import parsed

RUNS = ["run/..", "a b", *(f"run_{n}" for n in range(2, 12)), "after the last"]
LINKS = PageLinks(1)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A thread with a question, a run and an answer, again and again, and a run behind the last message."""
    messages: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    for n, run in enumerate(RUNS):
        messages.append({"id": f"q{n}", "role": "user", "content": "?", "created_at": 10 * n})
        runs.append({"id": run, "status": "failed", "created_at": 10 * n + 1})
        answer = {"id": f"a{n}", "role": "assistant", "content": "!", "created_at": 10 * n + 2, "run_id": run}
        messages += [answer] if n < len(RUNS) - 1 else []
    steps = [
        {"id": f"step of {run}", "run_id": run, "created_at": 10 * n + 1, "type": "tool_calls",
         "step_details": {"tool_calls": [{"type": "function", "function": {"name": "zebra", "output": run}}]}}
        for n, run in enumerate(RUNS)
    ]  # fmt: skip
    path: Path = tmp_path_factory.mktemp("served") / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, [
            ("thread", "", [{"id": "t"}]), ("message", "t", messages), ("run", "t", runs),
            ("run_step", "t", steps),
        ])  # fmt: skip
        build_index(archive, Progress())
    with served(path) as client:
        yield client


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_each_run_is_on_the_page_of_its_address(
    client: Client, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(thread, "MESSAGES_PER_PAGE", size)
    for run in RUNS:
        address, _, anchor = LINKS.run("t", run).partition("#")
        assert anchor in parsed(client.page(address)).ids, run


def test_a_page_that_ends_early_has_it_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "MAX_PAGE_CHARS", 1_500)
    for run in RUNS:
        address, _, anchor = LINKS.run("t", run).partition("#")
        assert anchor in parsed(client.page(address)).ids, run


def test_ids_and_hits_of_runs_and_steps_lead_there(client: Client) -> None:
    expected = LINKS.run("t", "run/..")
    for id_ in ("run/..", "step of run/.."):
        assert client.send(LINKS.jump(id_)).headers["location"] == expected
    hits = set(parsed(client.page(LINKS.search("zebra"))).links)
    assert {LINKS.run("t", run) for run in RUNS} <= hits


def test_a_made_up_run_shows_the_beginning(client: Client) -> None:
    assert 'id="m-q0"' in client.page(LINKS.run("t", "made up").partition("#")[0])
