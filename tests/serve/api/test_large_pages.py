"""Long threads and large rows: the cost of a page is that of its rows, and memory is bounded."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.archive.packs import BodyReader
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.serve.api.application import ApiRoute
from migrate.serve.api.page_pieces import PIECE_CHARS
from migrate.serve.connections import ArchiveAccess
from tests.serve.api.archives import Made, MadeSnapshot, make_archive, messages, named
from tests.serve.api.serving import VERSION, serving_api

MESSAGES = 3_000


@pytest.fixture(scope="module")
def long_thread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{**row, "run_id": f"run_{n % 50}"} for n, row in enumerate(messages(MESSAGES))]
    steps = [row for n in range(400) for row in named(f"step_{n}a", f"step_{n}b", run_id=f"run_{n}")]
    read = [
        Made("thread", "", named("thread_1")),
        Made("message", "thread_1", rows),
        Made("run", "thread_1", named(*(f"run_{n}" for n in range(400)))),
        Made("run_step", "thread_1", steps),
    ]
    return make_archive(tmp_path_factory.mktemp("long") / "a.db", MadeSnapshot(read))


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The packs that are decompressed, in order."""
    seen: list[int] = []
    read = BodyReader.pack

    def pack(self: BodyReader, number: int, min_count: int) -> Any:
        seen.append(number)
        return read(self, number, min_count)

    monkeypatch.setattr(BodyReader, "pack", pack)
    return seen


def ask(route: ApiRoute, path: str, query: str) -> Any:
    """The answer to one request, without a server."""
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": query.encode()}
    scope |= route.matches(scope)[1]
    return json.loads(route._respond(scope).body)


def test_a_page_costs_the_same_wherever_it_is(long_thread: Path, unpacked: list[int]) -> None:
    path = "/openai/threads/thread_1/messages"
    with ArchiveAccess(long_thread, connections=1) as access:
        route = ApiRoute(access, ("azure",))
        for query in ("order=asc", "", "after=msg_1500", "before=msg_1500&order=asc", "limit=5&after=msg_7"):
            unpacked.clear()
            assert ask(route, path, f"{VERSION}&{query}")["data"]
            assert len(set(unpacked)) <= 4, query
        unpacked.clear()
        assert ask(route, f"{path}/msg_2000", VERSION)["id"] == "msg_2000"
        assert len(set(unpacked)) == 1


def test_a_filter_reads_the_whole_list_once(long_thread: Path, unpacked: list[int]) -> None:
    thread = "/openai/threads/thread_1"
    with ArchiveAccess(long_thread, connections=1) as access:
        route = ApiRoute(access, ("azure",))
        for number in (7, 8):
            unpacked.clear()
            page = ask(route, f"{thread}/messages", f"{VERSION}&run_id=run_{number}&order=asc&limit=100")
            assert [row["id"] for row in page["data"]] == [f"msg_{n}" for n in range(number, MESSAGES, 50)]
        few = len(unpacked)
        after = ask(route, f"{thread}/messages", f"{VERSION}&run_id=run_8&order=asc&after=msg_2900")
        assert [row["id"] for row in after["data"]] == ["msg_2908", "msg_2958"]
        assert ask(route, f"{thread}/runs/run_3/steps", VERSION)["last_id"] == "step_3a"
        unpacked.clear()
        assert ask(route, f"{thread}/runs/run_399/steps", f"{VERSION}&order=asc")["first_id"] == "step_399a"
        assert len(unpacked) <= 5
        assert few <= 70
        assert ask(route, f"{thread}/messages", f"{VERSION}&run_id=run_99")["data"] == []


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many listings each thread opens, by its name."""
    names: Counter[str] = Counter()
    read = SnapshotReader.listing_by_place

    def listing_by_place(self: SnapshotReader, kind: str, parent: str = "") -> Any:
        names[threading.current_thread().name] += 1
        return read(self, kind, parent)

    monkeypatch.setattr(SnapshotReader, "listing_by_place", listing_by_place)
    return names


def test_only_what_may_take_long_waits_for_a_worker(long_thread: Path, threads: Counter[str]) -> None:
    with serving_api(long_thread) as api:
        messages_path = "threads/thread_1/messages"
        for path, query in (
            (messages_path, ""),
            (f"{messages_path}/msg_7", ""),
            ("threads", "after=thread_1"),
        ):
            api.azure(path, query)
        assert set(threads) == {"serve"}
        for path, query in ((messages_path, "run_id=run_1"), ("threads/thread_1/runs/run_1/steps", "")):
            threads.clear()
            api.azure(path, query)
            assert len(threads) == 2, "it was begun in haste, and answered by a worker"
            threads.clear()
            api.azure(path, query)
            assert set(threads) == {"serve"}, "what was learned is kept"
        threads.clear()
        api.refused(f"/openai/threads/nobody?{VERSION}", 404)
        assert len(threads) == 2


def test_a_page_of_large_rows_is_sent_in_pieces(tmp_path: Path, threads: Counter[str]) -> None:
    image = "x" * (PIECE_CHARS // 2)
    rows = [{"id": f"ig_{n}", "type": "image_generation_call", "result": f"{n}{image}"} for n in range(30)]
    read = [Made("thread", "", named("conv_1")), Made("message", "conv_1", rows)]
    url = "https://a.services.ai.azure.com/api/projects/p"
    path = make_archive(tmp_path / "a.db", MadeSnapshot(read, "foundry", url, "v1"))
    del rows, read
    with serving_api(path) as api:
        asked = "/api/projects/p/openai/v1/conversations/conv_1/items"
        page = api.ok(f"{asked}?limit=100&order=asc")
        assert threads["serve"] == 1, "only begun there: its list is looked for"
        assert page.headers.get("transfer-encoding") == "chunked"
        assert page.ids == [f"ig_{n}" for n in range(30)]
        assert [row["result"] for row in page.json["data"]] == [f"{n}{image}" for n in range(30)]
        assert (page.json["first_id"], page.json["last_id"]) == ("ig_0", "ig_29")
        assert page.json["has_more"] is False
        assert api.send(f"{asked}?limit=100", "HEAD").body == b""
        assert api.ok(f"{asked}?limit=1").headers["content-length"]


def test_no_more_than_a_few_pieces_are_in_memory(tmp_path: Path) -> None:
    rows: Iterator[dict[str, Any]] = ({"id": f"m{n}", "x": "y" * PIECE_CHARS} for n in range(40))
    path = make_archive(
        tmp_path / "a.db", MadeSnapshot([Made("thread", "", named("t")), Made("message", "t", rows)])
    )
    with ArchiveAccess(path, connections=1) as access:
        route = ApiRoute(access, ("azure",))
        scope = {"type": "http", "method": "GET", "path": "/openai/threads/t/messages", "headers": []}
        scope["query_string"] = f"{VERSION}&limit=100".encode()
        scope |= route.matches(scope)[1]
        tracemalloc.start()
        answer = route._answer(scope, scope["api_address"])
        size = sum(map(len, answer.pieces))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size > 40 * PIECE_CHARS
    assert peak < 12 * PIECE_CHARS
