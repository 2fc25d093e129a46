"""Threads with more parts, citations, files, calls or runs than anybody reads: what is read is bounded."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from migrate.archive import Archive
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.mcp.server import ServedArchive
from migrate.model.member_limit import MemberLimit, cut_members
from migrate.model.results.conversation import Conversation
from migrate.serve.addresses import PageLinks
from migrate.stages.query.conversation import PAGE_MEMBERS, read_conversation
from migrate.stages.query.thread_runs import MAX_RUNS_AT_ONE_PLACE
from tests.serve.api.archives import Made, MadeSnapshot, make_archive
from tests.serve.client import Client, served
from tests.strategies import json_values

MANY = 1_000
LINKS = PageLinks(1)
Body = dict[str, Any]


def text(value: str, annotations: list[Body] | None = None) -> Body:
    return {"type": "text", "text": {"value": value, "annotations": annotations or []}}


def message(id_: str, thread: str, content: list[Body], **more: Any) -> Body:
    facts = {"created_at": 5, "thread_id": thread, "role": "user", "metadata": {}}
    return {"id": id_, **facts, "content": content, **more}


def step(run: str, number: int, calls: int, thread: str, length: int = 2) -> Body:
    made = [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": "f", "arguments": "{}", "output": "o" * length},
        }
        for n in range(calls)
    ]
    return {
        "id": f"step_{number}", "run_id": run, "thread_id": thread, "created_at": number,
        "type": "tool_calls", "status": "completed",
        "step_details": {"type": "tool_calls", "tool_calls": made},
    }  # fmt: skip


def run(id_: str, thread: str, at: int) -> Body:
    return {"id": id_, "thread_id": thread, "status": "completed", "created_at": at}


def notes(count: int) -> list[Body]:
    return [
        {"type": "file_citation", "text": "", "file_citation": {"file_id": f"file-{n}", "quote": f"q{n}"}}
        for n in range(count)
    ]


def _one(thread: str, content: list[Body] | None = None, **more: Any) -> list[Body]:
    return [message("m1", thread, content or [text("x")], **more)]


def _runs(thread: str, first: int = 0) -> list[Body]:
    return [run(f"run_{n}", thread, first + n) for n in range(MANY)]


# Thread -> its listings, each with one thing a thousand times.
THREADS: dict[str, dict[str, list[Body]]] = {
    "parts": {"message": _one("parts", [text(f"part {n};") for n in range(MANY)])},
    "citations": {"message": _one("citations", [text("x", notes(MANY))])},
    "both": {"message": _one("both", [text(f"part {n}", notes(100)) for n in range(100)])},
    "metadata": {"message": _one("metadata", metadata={f"k{n}": "v" for n in range(MANY)})},
    "files": {"message": _one("files", attachments=[{"file_id": f"file-{n}"} for n in range(MANY)])},
    "calls": {
        "message": _one("calls"),
        "run": [run("run_1", "calls", 1)],
        "run_step": [step("run_1", 1, MANY, "calls")],
    },
    "steps": {
        "message": _one("steps"),
        "run": [run("run_1", "steps", 1)],
        "run_step": [step("run_1", n, 4, "steps", 500) for n in range(MANY)],
    },
    "runs": {"message": _one("runs", created_at=10_000), "run": _runs("runs")},
    "runs at the end": {
        "message": _one("runs at the end", created_at=0),
        "run": _runs("runs at the end", first=1),
    },
    "runs alone": {"run": _runs("runs alone")},
    "steps alone": {"run_step": [step(f"run_{n}", n, 1, "steps alone") for n in range(MANY)]},
    "pairs": {"message": []},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pairs = {"pairs": {f"k{n}": "v" for n in range(MANY)}}
    threads = [{"id": id_, "created_at": 1, "metadata": pairs.get(id_, {})} for id_ in THREADS]
    listings = [Made("thread", "", threads)]
    listings += [Made(kind, id_, rows) for id_, kinds in THREADS.items() for kind, rows in kinds.items()]
    return make_archive(tmp_path_factory.mktemp("many") / "estate.db", MadeSnapshot(listings))


@pytest.fixture(scope="module")
def client(path: Path) -> Iterator[Client]:
    with served(path) as client:
        yield client


@pytest.fixture
def snapshot(path: Path) -> Iterator[SnapshotReader]:
    with Archive.open(path) as archive:
        yield SnapshotReader(archive.conn, list_snapshots(archive.conn)[0])


def read(snapshot: SnapshotReader, thread: str, limit: MemberLimit | None) -> Conversation:
    found = read_conversation(snapshot, thread, limit=limit)
    assert found is not None
    return found


@pytest.mark.parametrize("thread", THREADS)
def test_a_page_is_short_and_says_what_it_leaves_out(client: Client, thread: str) -> None:
    began = time.monotonic()
    page = client.page(LINKS.thread(thread))
    assert time.monotonic() - began < 5
    assert len(page) < 2_000_000
    if thread in ("parts", "citations", "both", "metadata", "files"):
        whole = re.search(r'([\d,]+) more values of this message: <a href="([^"]+)">', page)
        assert whole
        more = MANY - PAGE_MEMBERS.in_one if thread != "both" else 90  # what is inside is not counted
        assert int(whole[1].replace(",", "")) >= more
        body = client.send(whole[2]).text
        assert len(re.findall(r"\bk?\d+\b", body)) >= MANY, "the rest is to be had"
    elif thread != "pairs":
        assert re.search(r"Not shown: (steps of )?[\d,]+ more (runs|steps of runs|values of steps)", page)


@pytest.mark.parametrize("thread", THREADS)
def test_without_a_limit_everything_is_there(snapshot: SnapshotReader, thread: str) -> None:
    found = read(snapshot, thread, None)
    messages = list(found.messages)
    assert not any(message.left_out or message.runs_left_out for message in messages)
    assert not found.trailing_left_out
    runs = [run for message in messages for run in message.runs] + list(found.trailing_runs)
    counted = {
        "parts": sum(len(message.parts) for message in messages),
        "citations": sum(len(part.citations) for message in messages for part in message.parts),
        "metadata": sum(len(message.metadata) for message in messages),
        "files": sum(len(message.attachments) for message in messages),
        "calls": sum(len(step.calls) for run in runs for step in run.steps),
        "steps": sum(len(run.steps) for run in runs),
        "pairs": len(found.head.metadata),
        **dict.fromkeys(("runs", "runs at the end", "runs alone", "steps alone"), len(runs)),
    }
    assert counted.get(thread, MANY) == MANY


@pytest.mark.parametrize("thread", ["runs", "runs at the end", "runs alone", "steps alone"])
def test_the_first_runs_are_read_and_the_others_are_counted(snapshot: SnapshotReader, thread: str) -> None:
    found = read(snapshot, thread, PAGE_MEMBERS)
    messages = list(found.messages)
    runs = [run for message in messages for run in message.runs] + list(found.trailing_runs)
    assert len(runs) == MAX_RUNS_AT_ONE_PLACE
    said = " ".join([*(message.runs_left_out for message in messages), found.trailing_left_out])
    assert f"{MANY - MAX_RUNS_AT_ONE_PLACE:,} more runs" in said


@pytest.mark.parametrize("thread", THREADS)
def test_an_assistant_that_asks_gets_a_bounded_answer_to_its_end(path: Path, thread: str) -> None:
    archive, following, calls, said = ServedArchive(path, "latest"), {"thread": thread}, 0, ""
    while following is not None:
        answer = json.loads(archive.call("get_thread", following))
        said += json.dumps(answer["messages"])
        following, calls = answer["next"], calls + 1
        assert calls < 60
    assert ("left_out" in said) == (thread != "pairs")


@given(json_values)
def test_what_is_cut_is_a_part_of_it_and_is_counted(value: Any) -> None:
    body = {"value": value}
    same, none = cut_members(body, MemberLimit(1_000, 100_000))
    assert (same, none) == (body, 0)
    cut, left_out = cut_members(body, MemberLimit(2, 6))
    assert size(cut) <= 6
    assert (left_out == 0) == (cut == body)


def size(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + size(member) for member in members)
