"""Recorded answers of projects are decoded completely, and recorded requests are reproduced exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from migrate.codecs import CODECS
from migrate.model import KINDS, Entity
from migrate.model.normalize import normalize_entity
from tests.codecs import project_answers
from tests.codecs.adaptation import NATIVE, adapted
from tests.codecs.recordings import FOLDER, exchanges, items, of_project, of_projects

pytestmark = pytest.mark.skipif(not of_projects(), reason=f"no recordings of projects in {FOLDER.name}/")

CODEC = CODECS["foundry"]
# Keys of a version in 2025, before the service began to add its own.
OLDEST = {"metadata", "object", "id", "name", "version", "description", "created_at", "definition"}
SAYS_THE_FORM = {"object", "type", "kind"}
Body = dict[str, Any]

OBJECTS = [
    pytest.param(kind, row, id=f"{name}-{row['id']}")
    for name in of_projects()
    for exchange in exchanges(name)
    for kind, row in of_project(exchange["response_body"])
]
VERSIONS = [
    pytest.param(exchange, id=name)
    for name in of_projects()
    for exchange in exchanges(name)
    if exchange["method"] == "POST" and exchange["response_body"].get("object") == "agent.version"
]
each_object = pytest.mark.parametrize(("kind", "body"), OBJECTS)
each_version = pytest.mark.parametrize("exchange", VERSIONS)


def decoded(kind: str, body: Body) -> Entity:
    entity, *derived = CODEC.decode(kind, body, "conv_1", None)
    assert not derived
    return entity


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no container, with its key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, key)
    else:
        yield key, value


def test_every_recording_is_looked_at() -> None:
    for name in of_projects():
        for exchange in exchanges(name):
            body = exchange["response_body"]
            deleted = body.get("deleted") is True
            seen = list(of_project(body))
            assert seen or deleted or "error" in body or body.get("data") == [], name


def test_every_kind_was_recorded() -> None:
    seen = {
        kind for name in of_projects() for e in exchanges(name) for kind, _ in of_project(e["response_body"])
    }
    assert seen == {"assistant", "thread", "message", "file", "vector_store", "vector_store_file"}


@each_object
def test_nothing_of_a_recorded_object_is_lost(kind: str, body: Body) -> None:
    entity = decoded(kind, body)
    held = [value for _, value in leaves([entity.id, entity.fields, entity.facts, entity.extras])]
    versions = {row.get("id") for row in (body, body.get("versions", {}).get("latest", {}))}
    for key, value in leaves(body):
        made_of_the_rest = key == "id" and value in versions and kind == "assistant"
        if key not in SAYS_THE_FORM and not made_of_the_rest:
            assert value in held, key


@each_object
def test_a_recorded_object_holds_nothing_unknown(kind: str, body: Body) -> None:
    entity = decoded(kind, body)
    assert not entity.extras, "name it as a field or a fact of the kind"
    assert set(entity.facts) <= set(KINDS[kind].facts)
    assert set(entity.fields) <= set(KINDS[kind].fields)


@each_object
def test_a_recorded_object_has_a_compared_form(kind: str, body: Body) -> None:
    compared = normalize_entity(decoded(kind, body))
    assert compared.keys() <= set(KINDS[kind].fields)
    assert None not in compared.values()


@each_version
def test_agents_of_every_version_are_decoded_equally(exchange: Body) -> None:
    """A version alone, with or without keys that the service added later, and inside its agent."""
    version = exchange["response_body"]
    name = version["name"]
    ages = [
        version,
        {key: value for key, value in version.items() if key in OLDEST},
        {"object": "agent", "id": name, "name": name, "versions": {"latest": version}},
        {**project_answers.agent(exchange["request_body"], name), "agent_endpoint": {"protocols": []}},
    ]
    first, *others = (decoded("assistant", body) for body in ages)
    assert first.id == name
    assert first.facts["version"] == version["version"]
    for other in others:
        assert (other.id, normalize_entity(other)) == (first.id, normalize_entity(first))
        assert other.fields.keys() == first.fields.keys()


@each_version
def test_what_was_accepted_is_what_is_sent(exchange: Body) -> None:
    sent = exchange["request_body"]
    entity = decoded("assistant", project_answers.agent(sent))
    wire = CODEC.create_request(entity)
    assert _as_said(wire["definition"]) == _as_said(sent["definition"])
    assert wire.get("description") == sent.get("description")
    assert normalize_entity(decoded("assistant", project_answers.agent(wire))) == normalize_entity(entity)


def _as_said(definition: Body) -> Body:
    """Treat an empty list of files and a missing one as equal."""
    nothing, silent = {"type": "auto", "file_ids": []}, {"type": "auto"}
    tools = [
        {**tool, "container": silent} if tool.get("container") == nothing else tool
        for tool in definition.get("tools", [])
    ]
    return {**definition, "tools": tools}


def test_items_that_were_accepted_are_what_is_sent() -> None:
    (exchange,) = exchanges("conv_create_mixed_items.json")
    sent = exchange["request_body"]["items"]
    (listed,) = exchanges("conv_items_list_asc.json")
    read = [decoded("message", row) for row in listed["response_body"]["data"]]
    assert [CODEC.create_request(adapted(entity, NATIVE)[0]) for entity in read] == sent


def test_items_of_a_run_keep_their_texts_and_the_servers_keys_are_facts() -> None:
    (exchange,) = exchanges("conv_items_after_responses.json")
    rows = exchange["response_body"]["data"]
    read = [decoded("message", row) for row in rows]
    texts = [part["text"]["value"] for one in read for part in one.fields["content"] if "text" in part]
    assert texts == ["84", "Now multiply that result by 2"]
    assert [one.fields["role"] for one in read] == ["assistant", "item", "item", "user"]
    for row, entity in zip(rows, read, strict=True):
        assert entity.facts["service"] == {key: row[key] for key in ("created_by", "partition_key")}
        assert (entity.id, entity.facts["status"]) == (row["id"], "completed")
        bare = {key: value for key, value in row.items() if key not in ("created_by", "partition_key")}
        assert normalize_entity(entity) == normalize_entity(decoded("message", bare))


def test_a_thread_lists_as_it_was_made() -> None:
    (updated,) = exchanges("conv_update_metadata.json")
    entity = decoded("thread", updated["response_body"])
    assert entity.fields["metadata"] == updated["request_body"]["metadata"]
    assert normalize_entity(entity) == {"metadata": {"key1": "value1", "key2": "value2"}}


@pytest.mark.parametrize("body", [pytest.param(body, id=f"{name}-{body['id']}") for name, body in items()])
def test_nothing_of_a_recorded_item_is_lost(body: Body) -> None:
    entity = decoded("message", body)
    held = {repr(value) for _, value in leaves({**entity.fields, **entity.facts, **entity.extras})}
    lost = {
        name: value for name, value in leaves(body) if name not in ("type", "id") and repr(value) not in held
    }
    assert not {name: value for name, value in lost.items() if value is not None}
