"""No key and no token is written or shown; the secrets of a tool are only in verbatim bodies."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrate.archive.packs import decompress
from tests.e2e import projects
from tests.e2e.conftest import Launch
from tests.e2e.running import KEYS, World, options

HEADER, AUTHORIZATION = "secret-in-a-header-of-a-tool", "secret-in-an-authorization-of-a-tool"
API_KEY = "secret-in-an-api-key-of-a-tool"
TOOLS = (HEADER, AUTHORIZATION, API_KEY)
DEBUG = {
    "OPENAI_LOG": "debug",
    "AZURE_LOG_LEVEL": "DEBUG",
    "AZURE_AI_PROJECTS_CONSOLE_LOGGING": "true",
    "AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING": "true",
}
QUIET = {**DEBUG, "AZURE_AI_PROJECTS_CONSOLE_LOGGING": "false"}
MCP = {
    "type": "mcp",
    "server_label": "register",
    "server_url": "https://mcp.example.com/",
    "headers": {"Authorization": HEADER, "api-key": API_KEY},
    "authorization": AUTHORIZATION,
}
WAYS = {
    "openai": ("openai", None),
    "azure-openai": ("azure-openai", None),
    "classic": ("foundry", ("foundry-classic", "foundry")),
    "foundry": ("foundry", ("foundry", "foundry")),
}


def prepared(launch: Launch, way: str) -> World:
    service, types = WAYS[way]
    given: dict[str, Any] = {"service": service, "list_threads": "works", "downloads": True}
    world = launch(options("SOURCE_KEY", **given), options("TARGET_KEY", **given), types=types)
    if way == "foundry":
        projects.agent(world.source, "bot", tools=[MCP])
    else:
        projects.add(world.source, projects.assistant(7, "bot", tools=[MCP], instructions="I help."))
        thread = projects.thread(world.source, 1, ["hello"])
        projects.say(world.source, thread, "ho", attachments=[])
    projects.file(world.source, 1, "a.txt")
    return world


def commands(world: World) -> list[tuple[str, ...]]:
    db, plan = world.db, world.plan
    return [
        ("doctor", "source"),
        ("snapshot", "source", "-o", db),
        ("ls", db),
        ("show", db, "bot" if world.types == ("foundry", "foundry") else f"asst_{7:024}"),
        ("search", db, "secret-in"),
        ("assess", db, "--to", "target"),
        ("plan", db, "target", "-o", plan, "--accept-loss", "all"),
        ("apply", plan, "--yes"),
        ("verify", plan),
        ("diff", db, "target"),
        ("ids", db),
        ("rollback", plan, "--yes"),
    ]


def cells(db: str) -> Iterator[tuple[str, str, bytes]]:
    """Every value of every table: its table, its column, its bytes, unpacked."""
    with closing(sqlite3.connect(db)) as conn:
        conn.text_factory = bytes
        tables = [
            row[0].decode() for row in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            found = conn.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in found.description]
            for row in found:
                if table in ("packs", "chunks"):
                    held = dict(zip(names, row, strict=True))
                    row = tuple({**held, "data": decompress(held["data"], held["size"])}.values())
                for name, value in zip(names, row, strict=True):
                    yield table, name, value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.parametrize("way", WAYS)
def test_nothing_shown_or_written_holds_a_secret(launch: Launch, way: str) -> None:
    world = prepared(launch, way)
    for given in commands(world):
        for said in (world.plain(*given), world(*given)):
            text = said.out + said.err
            assert not [secret for secret in (*KEYS.values(), *TOOLS) if secret in text], given
            assert "Traceback" not in text
    for path in world.folder.iterdir():
        if path != Path(world.db):
            raw = path.read_bytes()
            assert not [s for s in (*KEYS.values(), *TOOLS) if s.encode() in raw], path.name
    places = {(t, c) for t, c, value in cells(world.db) for s in TOOLS if s.encode() in value}
    assert places == {("packs", "data")}, "verbatim, and in no other table"
    assert not [1 for _, _, value in cells(world.db) for key in KEYS.values() if key.encode() in value]
    raw = Path(world.db).read_bytes()
    assert not [key for key in KEYS.values() if key.encode() in raw], "in no forgotten page either"


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_names_no_secret(launch: Launch, way: str) -> None:
    world = prepared(launch, way)
    world.env["SOURCE_KEY"] = "secret-that-is-wrong"
    for given in (("doctor", "source"), ("snapshot", "source", "-o", world.db)):
        said = world(*given)
        said.error(5)
        assert "secret-that-is-wrong" not in said.out + said.err


def in_own_process(world: World, variables: dict[str, str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    world.env.update(variables)
    for given in commands(world):
        if given[0] in ("doctor", "snapshot", "plan", "apply", "verify"):
            yield given, world.alone(*given, "--json")


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("way", WAYS)
def test_debug_logs_of_the_sdks_show_no_secret(launch: Launch, way: str) -> None:
    """They have methods, URLs and status codes, on standard error; no header and no body."""
    for given, said in in_own_process(prepared(launch, way), QUIET):
        text = said.out + said.err
        assert not [secret for secret in (*KEYS.values(), *TOOLS) if secret in text], given
        json.loads(said.out)


@pytest.mark.slow
@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("auth", ["token", "key"])
def test_no_key_is_shown_when_a_project_is_logged_to_the_console(launch: Launch, auth: str) -> None:
    world = prepared(launch, "foundry")
    if auth == "key":
        text = world.config.read_text()
        world.config.write_text(
            text.replace('auth = "token"', 'auth = "key"').replace("token_env", "key_env")
        )
    for given, said in in_own_process(world, DEBUG):
        assert not [key for key in KEYS.values() if key in said.out + said.err], given


@pytest.mark.slow
def test_a_project_logged_to_the_console_shows_no_body(launch: Launch) -> None:
    for given, said in in_own_process(prepared(launch, "foundry"), DEBUG):
        assert not [secret for secret in TOOLS if secret in said.out + said.err], given
        json.loads(said.out)
