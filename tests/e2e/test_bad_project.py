"""Projects that cannot be reached or decoded: an exit code, three lines, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.endpoints.http import retry
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer
from tests.e2e.projects import add, assistant, moved, project, to_agents
from tests.e2e.running import World, options
from tests.e2e.test_bad_estate import free_port

TYPES = ("foundry-classic", "foundry")


@pytest.fixture
def small(launch: Launch) -> World:
    return to_agents(launch, assistant(1, "desk"))


@pytest.mark.parametrize("type_", TYPES)
def test_a_wrong_token(launch: Launch, type_: str) -> None:
    world = launch(options("SOURCE_KEY", type_, "foundry"), types=(type_, "foundry"))
    world.env["SOURCE_KEY"] = "not-the-token"
    said = world("snapshot", "source", "-o", world.db)
    said.error(5, "denies access")
    assert "not-the-token" not in said.err
    assert not Path(world.db).exists()


def test_a_wrong_token_for_the_target(small: World) -> None:
    small.snapshot()
    small.env["TARGET_KEY"] = "not-the-token"
    said = small("plan", small.db, "target", "-o", small.plan)
    said.error(5, "denies access")
    assert "not-the-token" not in said.err
    assert not Path(small.plan).exists()


@pytest.mark.parametrize("type_", TYPES)
def test_a_closed_port(small: World, type_: str) -> None:
    address = f"{type_}+http://127.0.0.1:{free_port()}/api/projects/demo"
    small.env["FOUNDRY_TOKEN"] = "any"
    small("snapshot", address, "-o", small.db).error(5, "cannot reach")


@pytest.mark.parametrize("type_", TYPES)
def test_an_address_without_a_project(small: World, type_: str) -> None:
    small.env["FOUNDRY_TOKEN"] = "secret-of-the-source"
    address = f"{type_}+{small.source.url.replace('/api/projects/demo', '')}"
    said = small("snapshot", address, "-o", small.db)
    said.error(5, "/api/projects/PROJECT")


@pytest.mark.parametrize("type_", TYPES)
def test_a_token_variable_that_is_not_set(launch: Launch, type_: str) -> None:
    world = launch(project("SOURCE_KEY"), types=(type_, "foundry"))
    world.env["SOURCE_KEY"] = ""
    world("snapshot", "source", "-o", world.db).error(2, "SOURCE_KEY", "is empty")


def test_retired_classic_agents(launch: Launch) -> None:
    """After 31 March 2027 they and their files are gone; objects of the newer generation remain."""
    source = options("SOURCE_KEY", "foundry-classic", "foundry", retired=True)
    world = launch(source, project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    world("snapshot", "source", "-o", world.db).error(5, "31 March 2027")
    assert not Path(world.db).exists()
    assert world("doctor", "source").code == 5
    assert world("doctor", "target").ok()


@pytest.mark.parametrize("type_", TYPES)
def test_doctor_names_what_works(launch: Launch, type_: str) -> None:
    world = launch(options("SOURCE_KEY", type_, "foundry"), types=(type_, "foundry"))
    assert world("doctor", "source").ok()
    out = world.plain("doctor", "source").out
    assert "assistant" in out
    assert "works" in out


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("path", ["/deployments", "/connections"])
def test_what_cannot_be_listed_is_reported_and_blocks_nothing(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.0)
    error = {"error": {"code": "x", "message": "not today", "type": "error"}}
    fault = FixedAnswer(
        lambda method, asked, query: asked.endswith(path), last=10**6, status=status, body=error
    )
    rows = [{"connection_id": "web-search"}]
    search = {"type": "bing_grounding", "bing_grounding": {"search_configurations": rows}}
    world = to_agents(launch, assistant(1, "desk", tools=[search]), wrap_target=fault)
    world.snapshot()
    plan = world("plan", world.db, "target", "-o", world.plan).ok(0)
    field, what = ("model", "gpt-4o") if path == "/deployments" else ("connections", "web-search")
    (row,) = [r for r in plan["losses"] if r["field"] == field]
    assert "cannot be seen" in row["reason"]
    assert what in row["reason"]
    assert world.apply().ok()["created"] == 1
    assert world("verify", world.plan).ok()["ok"] is True


def test_an_older_version_of_the_classic_api(launch: Launch) -> None:
    world = launch(
        options("SOURCE_KEY", "foundry-classic", "foundry", downloads=True),
        project("TARGET_KEY"),
        types=("foundry-classic", "foundry"),
        source_version="2025-05-15-preview",
    )
    assert world.snapshot(code=3)["counts"]["assistant"] == len(world.source.estate.assistants)


def test_lists_without_their_envelope(launch: Launch) -> None:
    """The description of classic lists requires only `data` and `has_more`."""
    world = launch(
        project("SOURCE_KEY", minimal_lists=True), project("TARGET_KEY"), types=("foundry-classic", "foundry")
    )
    add(world.source, *(assistant(number, f"agent-{number}") for number in range(130)))
    assert moved(world)["created"] == 130
    assert len(world.target.estate.agents) == 130
    assert world("verify", world.plan).ok()["checked"] == 130
