"""Credentials in URLs of tools: sent unchanged and reported, stored in the archive, shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import projects
from tests.e2e.conftest import Launch
from tests.e2e.running import World, options

SECRETS = ("c0de-of-a-function", "s1gnature-of-a-server", "p4ssword-of-a-user", "m3tadata-key-of-a-hook")
MCP = {
    "type": "mcp",
    "server_label": "register",
    "server_url": f"https://x.example/sse?code={SECRETS[0]}&v=1",
}
OPENAPI = {
    "type": "openapi",
    "openapi": {
        "name": "weather",
        "spec": {
            "openapi": "3.0.0",
            "info": {"title": "w", "version": "1"},
            "servers": [
                {"url": f"https://y.example/api?sv=1&sig={SECRETS[1]}"},
                {"url": f"https://me:{SECRETS[2]}@z.example/"},
            ],
            "paths": {},
        },
        "auth": {"type": "anonymous"},
    },
}
METADATA = {"hook": f"https://h.example/?key={SECRETS[3]}"}
WAYS = {"classic": ("foundry-classic", "foundry-classic"), "foundry": ("foundry", "foundry")}


def prepared(launch: Launch, way: str) -> World:
    given: dict[str, Any] = {"service": "foundry", "list_threads": "works", "downloads": True}
    world = launch(options("SOURCE_KEY", **given), options("TARGET_KEY", **given), types=WAYS[way])
    if way == "foundry":
        projects.agent(world.source, "bot", tools=[MCP, OPENAPI])
        world.source.estate.agent_versions["bot"]["bot:1"]["metadata"].update(METADATA)
    else:
        row = projects.assistant(
            7, "bot", tools=[MCP, OPENAPI], metadata=METADATA, instructions=f"Ask {MCP['server_url']} first."
        )
        projects.add(world.source, row)
        thread = projects.thread(world.source, 1, [f"look at {MCP['server_url']}"])
        projects.say(world.source, thread, "ho", attachments=[])
    return world


@pytest.mark.parametrize("way", WAYS)
def test_a_credential_in_an_address_arrives_and_is_shown_nowhere(
    launch: Launch, tmp_path: Path, way: str
) -> None:
    world = prepared(launch, way)
    db, plan, id_ = world.db, world.plan, "bot" if way == "foundry" else f"asst_{7:024}"
    config, terraform = tmp_path / "config", tmp_path / "tf"
    reports = [tmp_path / f"report{ending}" for ending in (".txt", ".md", ".html", ".xml", ".json")]
    files = [option for file in reports for option in ("-o", str(file))]
    said = []
    for command in (
        ("snapshot", "source", "-o", db),
        ("show", db, id_),
        ("history", db, id_),
        ("ls", db),
        ("search", db, "https://"),
        ("assess", db, "--to", "target"),
        ("diff", db, "target", *files),
        ("export", db, str(config)),
        ("export", db, str(terraform), "--format", "azapi"),
        ("plan", db, "target", "-o", plan, "--accept-loss", "all"),
        ("apply", plan, "--yes"),
        ("verify", plan),
        ("diff", db, "target"),
        ("diff", str(config), "target"),
        *([("transcript", db, f"thread_{1:024}")] if way == "classic" else []),
    ):
        for form in ((), ("--json",)):
            if command[0] in ("snapshot", "plan", "apply", "export") and form:
                continue
            done = world.plain(*command, *form)
            assert done.code in (0, 1), (command, done.err, done.out)
            said.append(done.out + done.err)
    written = [*reports, Path(plan), *config.rglob("*"), *terraform.rglob("*")]
    texts = [file.read_text(encoding="utf-8") for file in written if file.is_file()]
    # Texts of an assistant are written into a config directory unchanged, and that is reported.
    exact = [text for text in texts if "Ask https://" in text and text.startswith("---")]
    shown = "\n".join([*said, *(text for text in texts if text not in exact)])
    assert not [secret for secret in SECRETS if secret in shown]
    told = json.loads(Path(plan).read_text(encoding="utf-8"))["losses"]
    fields = {row["field"]: row["grade"] for row in told if "holds a credential" in row["reason"]}
    assert {"tools.server_url", "metadata.hook"} <= fields.keys()
    assert set(fields.values()) == {"adapted"}
    assert any("'code'" in row["reason"] and "connection" in row["way_out"] for row in told)
    arrived = json.dumps([*world.target.estate.agents.values(), *world.target.estate.assistants.values()])
    assert all(secret in arrived for secret in SECRETS)
    if way == "classic":
        assert "instructions holds a credential" in shown


def test_two_secrets_at_one_place_differ_without_being_shown(launch: Launch) -> None:
    world = prepared(launch, "classic")
    other = MCP | {"server_url": "https://x.example/sse?code=an-other-secret&v=1"}
    row = projects.assistant(7, "bot", tools=[other, OPENAPI], metadata=METADATA,
                             instructions=f"Ask {MCP['server_url']} first.")  # fmt: skip
    projects.add(world.target, row)
    world.snapshot()
    said = world.plain("diff", world.db, "target", "--kind", "assistant")
    assert said.code == 1
    assert "server_url" in said.out
    assert "(secret " in said.out
    assert "an-other-secret" not in said.out
    assert SECRETS[0] not in said.out


def test_a_search_for_a_secret_reports_only_that_it_exists(launch: Launch) -> None:
    world = prepared(launch, "classic")
    world.snapshot()
    said = world.plain("search", world.db, SECRETS[0])
    assert said.code == 0
    assert SECRETS[0] not in said.out
    assert "(secret " in said.out


def test_a_plan_from_files_reports_that_the_credential_is_not_in_them(launch: Launch, tmp_path: Path) -> None:
    world = prepared(launch, "classic")
    world.snapshot()
    config = tmp_path / "config"
    world.plain("export", world.db, str(config))
    plan = world("plan", str(config), "target", "-o", world.plan).ok(1)
    fields = {row["field"] for row in plan["losses"] if "fingerprints of its secrets" in row["reason"]}
    assert {"tools.secrets", "metadata.secrets"} <= fields
    assert world.plain("apply", world.plan, "--yes").code == 0
    arrived = json.dumps(list(world.target.estate.assistants.values()))
    assert "(secret " not in arrived
    assert "https://x.example/sse?v=1" in arrived


@pytest.mark.parametrize("way", WAYS)
def test_an_edit_of_the_files_keeps_the_credentials_of_the_target(
    launch: Launch, tmp_path: Path, way: str
) -> None:
    world = prepared(launch, way)
    world.snapshot()
    world.planned()
    world.apply().ok()
    folder = tmp_path / "config"
    world("export", "target", str(folder)).ok()
    (file,) = (folder / "assistants").glob("*.md")
    assert not [secret for secret in SECRETS[1:] if secret in file.read_text(encoding="utf-8")]
    file.write_text(file.read_text(encoding="utf-8").rstrip() + "\n\nBe brief.\n", encoding="utf-8")
    second = str(tmp_path / "second.json")
    planned = world("plan", str(folder), "target", "-o", second).ok()
    assert planned["actions"]["update"] == 1
    assert not [row for row in planned["losses"] if row["field"].endswith(".secrets")]
    world("apply", second, "--yes").ok()
    assert world("verify", second).ok()["findings"] == []
    estate = world.target.estate
    now = [agent["versions"]["latest"] for agent in estate.agents.values()]
    arrived = json.dumps(now or [*estate.assistants.values()])
    assert all(secret in arrived for secret in SECRETS)
    assert "Be brief." in arrived
    again = world("plan", str(folder), "target", "-o", str(tmp_path / "third.json")).ok()
    assert again["actions"]["update"] == 0
