"""Services with nonsensical answers: no traceback, a documented exit code, an end, and no silent loss.

Each mutation of `answer_mutations.MUTATIONS` runs against one service in the ordinary tests. FUZZ_SEEDS=20
tries each with that many seeds against every service.
"""

from __future__ import annotations

import os
import zlib
from typing import Any

import pytest

from tests.e2e import projects
from tests.e2e.answer_mutations import MUTATIONS, Mutated
from tests.e2e.conftest import Launch
from tests.e2e.running import CommandResult, World, options

SEEDS = int(os.environ.get("FUZZ_SEEDS", "0"))
SERVICES = ("openai", "azure-openai", "foundry-classic", "foundry")
MOST_REQUESTS = 3_000

# A correct service with fewer or other objects gives equal answers: no client can detect these.
CANNOT_BE_SEEN = {
    "a value of another type", "a key is missing", "a key occurs twice", "a row of another kind", "odd ids",
    "a text of another kind", "an odd first_id",
}  # fmt: skip


def cases() -> list[Any]:
    if SEEDS:
        return [(name, service, seed) for name in MUTATIONS for service in SERVICES for seed in range(SEEDS)]
    return [
        (name, SERVICES[n % len(SERVICES)], zlib.crc32(name.encode())) for n, name in enumerate(MUTATIONS)
    ]


def project_or_service(service: str, key: str) -> Any:
    if service.startswith("foundry"):
        return projects.project(key)
    return options(key, service=service, list_threads="works", downloads=True)


def filled(cloud: Any, service: str) -> None:
    """A small estate with every kind."""
    files = [projects.file(cloud, n, f"notes {n}.txt", f"text {n}".encode()) for n in range(3)]
    store = projects.store(cloud, 1, "notes", files[:2])
    if service == "foundry":
        search = {"type": "file_search", "vector_store_ids": [store]}
        projects.agent(cloud, "searcher", tools=[search])
        projects.agent(cloud, "plain")
        conversation(cloud, 1, ["Hello", "How can I help?", "Tell me"])
        return
    resources = {"file_search": {"vector_store_ids": [store]}}
    search = projects.assistant(1, "Searcher", tools=[{"type": "file_search"}], tool_resources=resources)
    projects.add(cloud, search, projects.assistant(2, "Plain"))
    for number in (1, 2):
        projects.thread(
            cloud, number, ["Hello", "How can I help?", f"Tell me {number}"], metadata={"n": str(number)}
        )


def conversation(cloud: Any, number: int, texts: list[str]) -> None:
    id_ = f"conv_{number:024}"
    cloud.estate.conversations[id_] = {
        "id": id_, "object": "conversation", "created_at": projects.EPOCH, "metadata": {},
    }  # fmt: skip
    for place, text in enumerate(texts):
        role, type_ = ("user", "input_text") if place % 2 == 0 else ("assistant", "output_text")
        item = f"msg_{number:08}{place:012}"
        part = {"type": type_, "text": text, **({"annotations": []} if place % 2 else {})}
        cloud.estate.items[id_][item] = {
            "type": "message", "id": item, "status": "completed", "role": role, "content": [part],
        }  # fmt: skip


KINDS_OF_PROJECTS = {"agent": "assistant", "conversation": "thread", "item": "message", "agent_version": ""}


def counted(cloud: Any) -> dict[str, int]:
    """Number of objects of a service, by the kinds of the archive."""
    found = {KINDS_OF_PROJECTS.get(kind, kind): n for kind, n in cloud.estate.counts().items() if n}
    return {kind: n for kind, n in found.items() if kind}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts."""
    from migrate.endpoints.http import rate_limit, retry

    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.0)
    monkeypatch.setattr(rate_limit, "retry_wait_s", lambda attempt, headers: 0.0)


def held(said: CommandResult, *allowed: int) -> CommandResult:
    assert "Traceback" not in said.err + said.out, said.err
    assert said.code in (allowed or range(6)), f"exit {said.code}\n{said.out[:2000]}\n{said.err}"
    if said.code in (2, 4, 5) or "error: " in said.err:
        said.error(said.code)
    return said


def fuzzed(launch: Launch, name: str, service: str, seed: int, **where: Any) -> tuple[World, Mutated]:
    mutated = Mutated(MUTATIONS[name], seed, **where.pop("how", {}))
    given = {"types": (service, service), where["side"]: mutated}
    world = launch(
        project_or_service(service, "SOURCE_KEY"), project_or_service(service, "TARGET_KEY"), **given
    )
    filled(world.source, service)
    return world, mutated


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize(("name", "service", "seed"), cases())
def test_a_source_that_answers_nonsense(launch: Launch, name: str, service: str, seed: int) -> None:
    world, mutated = fuzzed(launch, name, service, seed, side="wrap_source")
    held(world("doctor", "source"))
    said = held(world("snapshot", "source", "-o", world.db))
    assert mutated.asked < MOST_REQUESTS
    if said.code == 0 and name not in CANNOT_BE_SEEN:
        there = counted(world.source)
        assert said.json["counts"] == there, mutated.spoiled
    if (world.folder / "estate.db").exists():
        for command in (["ls"], ["check"], ["snapshots"], ["search", "Hello"]):
            held(world(command[0], world.db, *command[1:]))
        held(world("diff", world.db, "source"))
        held(world("plan", world.db, "target", "-o", world.plan, "--accept-loss", "all"))
    mutated.on = False
    there = counted(world.source)
    answer = held(world("snapshot", "source", "-o", world.db), 0, 3)
    if name not in CANNOT_BE_SEEN:
        assert answer.code == 0, answer.out
        assert answer.json["counts"] == there
    held(world("diff", world.db, "source"), *((0, 1) if name in CANNOT_BE_SEEN else (0,)))


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize(("name", "service", "seed"), cases())
def test_a_target_that_answers_nonsense(launch: Launch, name: str, service: str, seed: int) -> None:
    how = {"methods": ("GET", "POST")}
    world, mutated = fuzzed(launch, name, service, seed, side="wrap_target", how=how)
    world.snapshot()
    mutated.on = False
    world.planned()
    mutated.on = True
    applied = held(world.apply())
    held(world("verify", world.plan))
    held(world("plan", world.db, "target", "-o", str(world.folder / "second.json"), "--accept-loss", "all"))
    mutated.methods = ("GET", "DELETE")
    held(world("rollback", world.plan, "--yes"))
    assert mutated.asked < MOST_REQUESTS
    mutated.on = False
    if applied.code == 0 and name not in CANNOT_BE_SEEN:
        held(world("rollback", world.plan, "--yes"))
