"""Answers with values of unexpected types are still decoded, compared, adapted or reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import CODECS, Target
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.references import references_of, remap_references
from tests.codecs import project_answers
from tests.codecs.adaptation import AZURE, FOUNDRY, NATIVE, adapted
from tests.codecs.foundry_tool_table import NEW_ONLY, TABLE

ODD: tuple[Any, ...] = (None, 7, "x", [], {}, [7], [{"type": ["x"]}])
TOOLS = [pair for name, pair in TABLE.items() if " " not in name or "connection" in name]

AGENT = {
    **project_answers.agent(
        {
            "definition": {
                "kind": "prompt",
                "model": "gpt-4o",
                "instructions": "x",
                "temperature": 0.5,
                "top_p": 0.5,
                "tools": [pair.new for pair in TOOLS] + list(NEW_ONLY)[:4],
                "tool_choice": {"type": "function", "name": "f"},
                "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
                "reasoning": {"effort": "low", "summary": "auto"},
                "structured_inputs": {"a": {"required": True}},
                "rai_config": {"rai_policy_name": "p"},
            },
            "metadata": {"migrated_from": "openai:a", "migrated_name": "n", "logo": "l", "k": "v"},
            "description": "d",
        }
    ),
    "agent_endpoint": {"protocols": ["responses"]},
}
CONVERSATION = {
    **project_answers.conversation({}),
    "metadata": {
        "migrated_from": "openai:t",
        "k": "v",
        "migrated_files": "a,b",
        "migrated_files_2": "c",
        "migrated_vector_stores": "vs",
    },
}
ITEM = {
    "type": "message",
    "id": "msg_1",
    "status": "completed",
    "role": "user",
    "content": [
        {"type": "input_text", "text": "x"},
        {"type": "output_text", "text": "y", "annotations": [{"type": "file_citation", "file_id": "f"}]},
        {"type": "refusal", "refusal": "z"},
        {"type": "input_image", "file_id": "f", "detail": "auto"},
        {"type": "input_image", "image_url": "https://example.com", "detail": None},
        {"type": "input_file", "file_id": "f"},
    ],
    "created_by": {"response_id": "r"},
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "n", "arguments": "{}"}
ASSISTANT = {
    "id": "asst_1",
    "object": "assistant",
    "name": "n",
    "description": "d",
    "model": "gpt-4o",
    "instructions": "x",
    "tools": [pair.old for pair in TOOLS]
    + [{"type": "connected_agent", "connected_agent": {"id": "asst_2"}}],
    "tool_resources": {name: value for pair in TOOLS for name, value in pair.resources.items()},
    "temperature": 0.5,
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    "metadata": {"k": "v"},
}
MESSAGE = {
    "id": "msg_1",
    "object": "thread.message",
    "role": "user",
    "content": [
        {"type": "text", "text": {"value": "x", "annotations": [{"type": "file_path"}]}},
        {"type": "image_file", "image_file": {"file_id": "f", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com", "detail": "low"}},
    ],
    "attachments": [{"file_id": "f", "tools": [{"type": "file_search"}]}],
    "metadata": {"k": "v"},
}
THREAD = {"id": "thread_1", "tool_resources": ASSISTANT["tool_resources"], "metadata": {"k": "v"}}
CASES: dict[str, tuple[str, str, Any, Target]] = {
    "an agent, to a project": ("foundry", "assistant", AGENT, NATIVE),
    "an agent, to Azure": ("foundry", "assistant", AGENT["versions"]["latest"], AZURE),
    "a conversation": ("foundry", "thread", CONVERSATION, NATIVE),
    "a conversation, to Azure": ("foundry", "thread", CONVERSATION, AZURE),
    "an item": ("foundry", "message", ITEM, NATIVE),
    "an answer": ("foundry", "message", {**ITEM, "role": "assistant"}, NATIVE),
    "an item, to Azure": ("foundry", "message", ITEM, AZURE),
    "a call": ("foundry", "message", CALL, NATIVE),
    "a classic agent": ("foundry-classic", "assistant", ASSISTANT, FOUNDRY),
    "a thread": ("foundry-classic", "thread", THREAD, FOUNDRY),
    "a message": ("foundry-classic", "message", MESSAGE, FOUNDRY),
    "a message of the assistant": ("foundry-classic", "message", {**MESSAGE, "role": "assistant"}, FOUNDRY),
}


def with_odd_values(node: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the JSON many times, each time with one value replaced by an unexpected one."""
    rows: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        rows = list(node.items())
    elif isinstance(node, list):
        rows = list(enumerate(node))
    for key, value in rows:
        for odd in (*ODD, *(found for found in with_odd_values(value, f"{at}.{key}"))):
            where, changed = odd if isinstance(odd, tuple) else (f"{at}.{key} = {json.dumps(odd)}", odd)
            copy: Any = dict(node) if isinstance(node, dict) else list(node)
            copy[key] = changed
            yield where, copy


def _read_and_fitted(service: str, kind: str, body: Any, target: Target) -> None:
    (entity,) = CODECS[service].decode(kind, body, "conv_1", None)
    assert json_digest(normalize_entity(entity))
    list(references_of(entity))
    remap_references(entity, lambda _, old: old)
    codec = CODECS[target.capabilities.service]
    target = replace(target, has=lambda _kind, id_: bool(id_))
    if kind == "message" and codec.why_not_replayed(entity, target):
        return
    fitted, losses = adapted(entity, target)
    if not any(loss.grade == "blocked" for loss in losses):
        json.dumps(codec.create_request(fitted))
    before, after = normalize_entity(entity), normalize_entity(fitted)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    named = {loss.field.split(".")[0] for loss in losses}
    assert changed <= named | ({"tools", "tool_resources"} if "connections" in named else set())


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("name", CASES)
def test_it_is_read_compared_and_fitted_or_reported(name: str) -> None:
    service, kind, whole, target = CASES[name]
    count = 0
    for where, body in with_odd_values(whole):
        count += 1
        try:
            _read_and_fitted(service, kind, body, target)
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__} {error}") from error
    assert count >= len(ODD) * len(whole)


@pytest.mark.parametrize(
    "kind", ["assistant", "thread", "message", "file", "vector_store", "vector_store_file"]
)
@pytest.mark.parametrize(
    "body", [{}, {"id": None}, {"id": 7, "name": 7}, {"definition": [], "versions": [], "type": {}}]
)
def test_a_body_of_nothing_is_read(kind: str, body: dict[str, Any]) -> None:
    (entity,) = CODECS["foundry"].decode(kind, body, "", None)
    assert entity.kind == kind
    assert json_digest(normalize_entity(entity))
