"""A field that the target does not support is reported as lost once; nothing is written again for it."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.codecs.capabilities import UNSUPPORTED_FIELDS, capabilities_for
from migrate.emulator import Emulator
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant, file, project, store
from tests.e2e.running import World, options

Json = dict[str, Any]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
OTHERS = {"type": "static", "static": {"max_chunk_size_tokens": 300, "chunk_overlap_tokens": 50}}

TARGETS = {
    "classic": ("foundry-classic", ""),
    "project": ("foundry", ""),
    "azure of today": ("azure-openai", "2025-03-01-preview"),
    "azure without attributes": ("azure-openai", "2024-12-01-preview"),
    "azure without chunking": ("azure-openai", "2024-05-01-preview"),
    "openai": ("openai", ""),
}


def furnish(cloud: Emulator) -> None:
    """A store, one of its files and an assistant with all fields that some service does not support."""
    held = file(cloud, 1, "notes.md")
    papers = store(cloud, 1, "papers", [held], description="all papers", expires_after=None)
    row = {"attributes": {"year": 2024, "draft": False}, "chunking_strategy": OTHERS}
    cloud.estate.vector_store_files[papers][held] |= row
    search = {"file_search": {"vector_store_ids": [papers]}}
    tools = [{"type": "file_search"}]
    add(
        cloud,
        assistant(1, "thinker", reasoning_effort="low", model="o4-mini", temperature=None, top_p=None),
        assistant(2, "clerk", response_format=SCHEMA, tools=tools, tool_resources=search),
    )


def launched(launch: Launch, target: str, version: str) -> World:
    there = project("TARGET_KEY") if target.startswith("foundry") else options("TARGET_KEY", service=target)
    source = options("SOURCE_KEY", service="openai", list_threads="works", downloads=True)
    world = launch(source, there, types=("openai", target), target_version=version)
    furnish(world.source)
    return world


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("name", TARGETS)
def test_an_unsupported_field_is_reported_and_never_updated(launch: Launch, name: str) -> None:
    type_, version = TARGETS[name]
    world = launched(launch, type_, version)
    world.snapshot()
    first = world.planned()
    assert world.apply().ok()["failed"] == []
    again = world.planned()
    assert [again["actions"][what] for what in ("create", "update", "blocked")] == [0, 0, 0]
    assert graded(again) == graded(first)
    assert world("verify", world.plan).ok()["findings"] == []


def graded(plan: Json) -> set[tuple[str, str, str]]:
    return {(row["kind"], row["field"], row["grade"]) for row in plan["losses"] if row["grade"] == "lost"}


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("name", TARGETS)
def test_what_others_see_in_such_a_field_is_not_changed(launch: Launch, name: str) -> None:
    """The same project, or the same resource through another API version, may return more than can be
    written."""
    type_, version = TARGETS[name]
    world = launched(launch, type_, version)
    world.snapshot()
    world.planned()
    world.apply().ok()
    changed = by_others(world.target, type_, version)
    before = len(world.target.requests)
    again = world.planned()
    assert [again["actions"][what] for what in ("create", "update", "blocked")] == [0, 0, 0], changed
    assert world("verify", world.plan).ok()["findings"] == []
    assert world.apply().ok()["updated"] == 0
    assert world.writes(before) == []


def by_others(cloud: Emulator, type_: str, version: str) -> list[tuple[str, str]]:
    """Change every field that the target does not support."""
    profile = capabilities_for(type_, version)
    rows: dict[str, Any] = {"vector_store": cloud.estate.vector_stores, "assistant": cloud.estate.assistants}
    values: Json = {"description": "mine", "attributes": {"mine": True}, "chunking_strategy": OTHERS}
    values |= {"reasoning_effort": "high", "response_format": SCHEMA}
    done = []
    for (kind, name), absent in UNSUPPORTED_FIELDS.items():
        if name not in values or not absent(profile, values[name]):
            continue
        if kind == "vector_store_file":
            for table in cloud.estate.vector_store_files.values():
                for id_ in table:
                    table[id_] = {**table[id_], name: values[name]}
        for id_ in rows.get(kind, ()):
            if name != "response_format" or rows[kind][id_]["name"] == "clerk":
                rows[kind][id_] = {**rows[kind][id_], name: values[name]}
        done.append((kind, name))
    return done


def test_attributes_of_a_project_are_no_update_of_its_classic_side(launch: Launch) -> None:
    """The classic side lists files of stores that have attributes of the newer side."""
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    held = file(world.source, 1, "notes.md")
    store(world.source, 1, "papers", [held])
    world.snapshot()
    world.planned()
    world.apply().ok()
    (rows,) = world.target.estate.vector_store_files.values()
    for id_ in rows:
        rows[id_] = {**rows[id_], "attributes": {"year": 2024}}
    assert world.planned()["actions"]["update"] == 0
    assert world("verify", world.plan).ok()["findings"] == []


def test_fields_of_only_agents_are_no_update_of_an_assistant(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry-classic"))
    inputs = {"who": {"description": "who asks", "default_value": "nobody"}}
    agent(world.source, "greeter", structured_inputs=inputs, reasoning={"effort": "low", "summary": "auto"})
    world.snapshot()
    first = world.planned()
    assert {("assistant", "definition.structured_inputs", "lost")} <= graded(first)
    world.apply().ok()
    assert world.planned()["actions"]["update"] == 0
    assert world("verify", world.plan).ok()["findings"] == []
