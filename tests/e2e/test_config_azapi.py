"""Agents exported for Terraform: one resource each, without secrets, and nothing is overwritten."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.directories import bundled, write
from tests.e2e.running import World


@pytest.fixture
def agents(launch: Launch) -> World:
    return bundled(launch, "foundry")


def test_every_agent_of_a_project_is_a_resource(agents: World) -> None:
    done = agents("export", "source", str(agents.folder / "tf"), "--format", "azapi").ok()
    text = (agents.folder / "tf/agents.tf").read_text(encoding="utf-8")
    held = agents.source.estate.agents
    assert done["agents"].keys() == held.keys()
    assert text.count('resource "azapi_data_plane_resource"') == text.count("import {") == len(held)
    assert f'default     = "{agents.source.url.partition("://")[2]}"' in text
    for name in held:
        assert f'/agents/{name}|Microsoft.Foundry/agents@v1"' in text
    assert done["secrets"] == ["tool_belt_definition_tools_1_headers_authorization"]
    assert done["losses"] == []
    secret = next(
        tool["headers"]["Authorization"]
        for row in held.values()
        for tool in row["versions"]["latest"]["definition"].get("tools", [])
        if "headers" in tool
    )
    assert secret not in text
    again = agents("export", "source", str(agents.folder / "tf"), "--format", "azapi").ok()
    assert again == done
    assert (agents.folder / "tf/agents.tf").read_text(encoding="utf-8") == text


def test_assistants_of_another_service_are_adapted_and_losses_reported(launch: Launch) -> None:
    world = bundled(launch, "foundry-classic")
    done = world("export", "source", str(world.folder / "tf"), "--format", "azapi").ok()
    text = (world.folder / "tf/agents.tf").read_text(encoding="utf-8")
    assert "import {" not in text
    assert "  default  " not in text
    assert {row["grade"] for row in done["losses"]} >= {"adapted", "lost"}
    assert done["variables"]
    for name in done["variables"]:
        assert f'variable "{name}" {{' in text
        assert f"var.{name}," in text
    shown = world.plain("export", "source", str(world.folder / "tf"), "--format", "azapi").out
    assert f"give {done['variables'][0]}: an id of the new project" in shown


def test_somebody_elses_file_stays(agents: World) -> None:
    write(agents.folder / "tf", {"agents.tf": "# mine\n"})
    said = agents("export", "source", str(agents.folder / "tf"), "--format", "azapi")
    said.error(4, "was not written by an export")
    assert (agents.folder / "tf/agents.tf").read_text() == "# mine\n"


def test_only_what_is_chosen_is_handed_over(agents: World) -> None:
    chosen = ("--format", "azapi", "--include", "assistant:web-*")
    done = agents("export", "source", str(agents.folder / "tf"), *chosen).ok()
    assert list(done["agents"]) == ["web-researcher"]
