"""Ids with path segments, URLs or half surrogate pairs are treated as data or reported."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.e2e.commands import run
from tests.endpoints.scripted_server import RecordedRequest, Reply, Server, serving

ODD = (
    "..",
    ".",
    "a/b",
    "../assistants",
    "?limit=1",
    "#x",
    "%2e%2e",
    "a\nb",
    "\ud800",
    "x" * 5000,
    "//127.0.0.1:9/x",
)
ESTATE = '[estates.east]\ntype = "openai"\nendpoint = "{url}/v1"\nkey_env = "EAST_KEY"\n'


def listed(rows: list[dict[str, object]]) -> Reply:
    return Reply(body={"object": "list", "data": rows, "has_more": False, "first_id": None, "last_id": None})


def answer(asked: RecordedRequest) -> Reply:
    """Ten objects of each kind, and two messages in each thread whose path is one segment."""
    parts = [unquote(part, errors="surrogatepass") for part in asked.path.split("/")[2:]]
    top = {"assistants": "assistant", "threads": "thread", "files": "file", "vector_stores": "vector_store"}
    if len(parts) == 1 and parts[0] in top:
        rows = [{"id": id_, "object": top[parts[0]], "created_at": n} for n, id_ in enumerate(ODD)]
        return listed([{**row, "filename": "a", "bytes": 1, "purpose": "assistants"} for row in rows])
    if len(parts) == 3 and parts[0] == "threads" and parts[1] in ODD:
        said = [{"type": "text", "text": {"value": f"said in {parts[1]}", "annotations": []}}]
        rows = [
            {"id": f"{parts[1]}{n}", "object": "thread.message", "created_at": n, "role": "user"}
            for n in (1, 2)
        ]
        return listed([{**row, "content": said} for row in rows] if parts[2] == "messages" else [])
    if parts[-1] == "content" and len(parts) == 3:
        return Reply(body=b"x", headers={"content-type": "text/plain"})
    if len(parts) == 3 and parts[0] == "vector_stores":
        return listed([])
    return Reply(404, {"error": {"message": f"no route {asked.path}"}})


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(answer) as running:
        yield running


def test_a_snapshot_reads_or_names_each_and_obeys_none(tmp_path: Path, server: Server) -> None:
    config, archive = tmp_path / "estates.toml", tmp_path / "estate.db"
    config.write_text(ESTATE.format(url=server.origin), encoding="utf-8")
    env = {"EAST_KEY": "k-of-this-test"}
    taken = run("snapshot", "east", "-o", str(archive), "--json", config=config, env=env).ok(3)
    assert taken["counts"]["assistant"] == taken["counts"]["thread"] == len(ODD)
    usable = [id_ for id_ in ODD if id_ != "\ud800" and len(id_) < 2048]
    assert taken["counts"]["message"] == 2 * len(usable)
    unread = [gap for gap in taken["missing"] if "cannot be requested" not in gap["reason"]]
    assert unread == []
    assert {asked.path.count("/") for asked in server.asked if asked.path.endswith("/messages")} == {4}
    for arguments in (
        ("check", str(archive)), ("ls", str(archive)), ("ls", str(archive), "--kind", "thread", "--json"),
        ("snapshots", str(archive)), ("search", "said", str(archive)),
        ("assess", str(archive), "--to", "foundry"),
        *((word, id_, str(archive)) for word in ("show", "transcript") for id_ in usable),
    ):  # fmt: skip
        done = run(*arguments, config=config, env=env)
        assert "Traceback" not in done.err, arguments
        assert done.code in (0, 1, 2, 3), (arguments, done.err)
    with sqlite3.connect(archive) as held:
        assert held.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    held.close()


@pytest.mark.slow
def test_a_plan_and_an_apply_of_them_end_in_words(tmp_path: Path, server: Server) -> None:
    from migrate.emulator import Emulator
    from tests.e2e.running import options

    archive, plan = str(tmp_path / "estate.db"), str(tmp_path / "plan.json")
    with Emulator(options("TARGET_KEY", service="openai", list_threads="works")) as target:
        config = tmp_path / "estates.toml"
        there = f'[estates.west]\ntype = "openai"\nendpoint = "{target.url}"\nkey_env = "WEST_KEY"\n'
        config.write_text(ESTATE.format(url=server.origin) + there, encoding="utf-8")
        env = {"EAST_KEY": "k-of-this-test", "WEST_KEY": target.options.key}
        run("snapshot", "east", "-o", archive, config=config, env=env)
        for arguments in (
            ("plan", archive, "west", "-o", plan, "--accept-loss", "all"), ("apply", plan, "--yes"),
            ("verify", plan), ("rollback", plan, "--yes"), ("ids", archive),
        ):  # fmt: skip
            done = run(*arguments, "--json", config=config, env=env)
            assert "Traceback" not in done.err, (arguments, done.err[-2000:])
            assert done.code in (0, 1, 2, 3, 4), (arguments, done.err)
            json.loads(done.out or "null")
