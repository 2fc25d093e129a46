"""What `show` masks is masked in pages, the API, MCP, transcripts, reports, and the index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from migrate.errors import MigrateError
from migrate.mcp.server import ServedArchive
from tests.e2e.running import World
from tests.e2e.secret_places import Planter, secret_archive
from tests.serve.client import KEY, Client, served
from tests.serve.html_pages import crawl
from tests.serve.test_pages import compared

SNAPSHOTS = ("1", "2", "3", "4")
OBJECTS = (
    "asst_1",
    "desk",
    "thread_1",
    "vs_1",
    "file-1",
    "msg_1",
    "msg_2",
    "run_1",
    "step_1",
    "item_4",
    "item_5",
)
AZURE = (
    "assistants", "assistants/asst_1", "threads", "threads/thread_1", "threads/thread_1/messages",
    "threads/thread_1/messages/msg_1", "threads/thread_1/runs", "threads/thread_1/runs/run_1",
    "threads/thread_1/runs/run_1/steps", "threads/thread_1/runs/run_1/steps/step_1", "files", "files/file-1",
    "files/file-2/content", "vector_stores", "vector_stores/vs_1", "vector_stores/vs_1/files",
    "vector_stores/vs_1/files/file-1",
)  # fmt: skip
PROJECT = (
    "agents?api-version=v1", "agents/desk?api-version=v1", "agents/desk/versions?api-version=v1",
    "agents/desk/versions/1?api-version=v1", "openai/v1/conversations", "openai/v1/conversations/thread_1",
    "openai/v1/conversations/thread_1/items", "openai/v1/conversations/thread_1/items/item_4",
    "openai/v1/vector_stores/vs_1/files",
)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets") / "estate.db"


@pytest.fixture(scope="module")
def plant(path: Path) -> Planter:
    return secret_archive(path)


@pytest.fixture(scope="module")
def client(path: Path, plant: Planter) -> Iterator[Client]:
    with served(path) as client:
        yield client


@pytest.fixture
def run(tmp_path: Path) -> World:
    (tmp_path / "estates.toml").touch()
    return World(tmp_path, Emulator(), Emulator())


def test_pages(client: Client, plant: Planter) -> None:
    for left, right in ((1, 2), (3, 4)):
        page = compared(client, f"/compare?left={left}&right={right}")
        listed = client.page(f"/compare?left={left}&right={right}&list=1")
        assert "(secret " in listed
        assert plant.leaks(page) | plant.leaks(listed) == set()
    found = dict(crawl(client, "/"))
    assert len(found) > 60
    for address, text in found.items():
        assert plant.leaks(text) == set(), address
    for query in ("see", "key", "planted*", "text", "kind:run_step see"):
        page = client.page(f"/snapshots/1/search?q={query.replace(' ', '+')}")
        assert plant.leaks(page) == set(), query
    for name in ("f", "see", "desk"):
        assert plant.leaks(client.send(f"/jump?snapshot=1&q={name}").text) == set(), name


@pytest.mark.parametrize("partial", ["", "allow"])
def test_api(client: Client, plant: Planter, partial: str) -> None:
    addresses = [f"/openai/{name}?api-version=2025-03-01-preview" for name in AZURE]
    for address in [*addresses, *(f"/api/projects/p/{name}" for name in PROJECT)]:
        answer = client.send(address, api_key=KEY, x_archive_partial=partial)
        assert answer.status == 200 or (answer.status == 424 and ("files" in address)), address
        json.loads(answer.body)
        assert plant.leaks(answer.text) == set(), address
        assert plant.leaks(" ".join(answer.headers.values())) == set(), address


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_tools_of_an_assistant(path: Path, plant: Planter, snapshot: str) -> None:
    served_archive = ServedArchive(path, snapshot)
    agent = "desk" if snapshot in ("3", "4") else "asst_1"
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_threads", {}), ("get_thread", {"thread": "thread_1"}), ("list_assistants", {}),
        ("get_assistant", {"assistant": agent}), ("list_snapshots", {}), ("compare", {}),
        *(("history", {"object": id_}) for id_ in OBJECTS),
        *(("get_file_text", {"file": f"file-{n}"}) for n in (1, 3)),
        *(("search", {"query": query}) for query in ("see", "planted*", "text", "kind:file text")),
    ]  # fmt: skip
    if snapshot in ("1", "3"):
        calls.remove(("compare", {}))
    for tool, arguments in calls:
        following: dict[str, Any] | None = arguments
        while following is not None:
            try:
                text = served_archive.call(tool, following)
            except MigrateError as error:  # an object of the other estate
                text = json.dumps({"error": error.lines(), "next": None})
            assert plant.leaks(text) == set(), (tool, following)
            following = json.loads(text).get("next")


@pytest.mark.parametrize("snapshot", ["2", "4"])
def test_transcripts(run: World, path: Path, plant: Planter, snapshot: str) -> None:
    for format_ in ("text", "markdown", "json", "html", "jsonl"):
        result = run.plain("transcript", f"{path}@{snapshot}", "thread_1", "--format", format_)
        assert result.code == 0
        assert plant.leaks(result.out) == set(), format_
    for format_ in ("html", "markdown", "jsonl"):
        folder = run.folder / format_
        everything = ("--all", "--dir", str(folder), "--format", format_)
        assert run.plain("transcript", f"{path}@{snapshot}", *everything).code == 0
        texts = [file for file in folder.rglob("*") if file.is_file() and "files" not in file.parts]
        assert texts
        for file in texts:
            assert plant.leaks(file.read_text() + file.name) == set(), file.name


@pytest.mark.parametrize("snapshot", ["2", "4"])
def test_commands(run: World, path: Path, plant: Planter, snapshot: str) -> None:
    sides = f"{path}@{int(snapshot) - 1}", f"{path}@{snapshot}"
    commands = [
        *(("show", f"{path}@{snapshot}", id_) for id_ in OBJECTS),
        *(("history", str(path), id_) for id_ in OBJECTS),
        *(("diff", *sides, "--format", name) for name in ("text", "html")),
        *(("ls", f"{path}@{snapshot}", "--kind", kind) for kind in ("assistant", "thread", "file")),
        ("search", f"{path}@{snapshot}", "see"),
        ("search", f"{path}@{snapshot}", "--query", "see"),
    ]  # fmt: skip
    for command in commands:
        result = run.plain(*command)
        assert plant.leaks(result.out + result.err) == set(), command
        if "--format" not in command:
            assert plant.leaks(run(*command).out) == set(), command


def test_index(path: Path, plant: Planter) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'text_words', 'row')")
        words = " ".join(row[0] for row in conn.execute("SELECT term FROM temp.words"))
        assert "secret" in words, "fingerprints are there"
        assert plant.leaks(words) == set()
        for table in ("thread_summaries", "thread_assistants", "metadata_pairs", "text_files"):
            assert plant.leaks(str(conn.execute(f"SELECT * FROM {table}").fetchall())) == set(), table
