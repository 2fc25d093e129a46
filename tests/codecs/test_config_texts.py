"""Objects and their text files: nothing is lost in either direction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs.config_directory import assistant_file, compose
from migrate.codecs.config_directory.parse import decode_config_object, parse_config_directory
from migrate.codecs.config_directory.variables import Environment, apply_environment, read_variables
from migrate.errors import BadUsage
from migrate.model import KINDS, Entity
from migrate.model.normalize import normalize_entity
from migrate.model.references import references_of
from tests.strategies import anything as any_object
from tests.strategies import assistants, named_files, steady, store_files, stores

any_text = st.text(st.characters(exclude_categories=()), max_size=60) | st.text(
    "-\n \t\rab\x00\x85", max_size=12
)


@steady
@given(any_text)
def test_instructions_are_exact(text: str) -> None:
    written = assistant_file.format_assistant_file({"name": "A"}, text, {})
    assert (assistant_file.parse_assistant_file(written).value.get("instructions") or "") == text
    assert assistant_file.parse_assistant_file(written).value["name"] == "A"


@steady
@given(any_text)
def test_a_checkout_with_carriage_returns_reads_the_same(text: str) -> None:
    written = assistant_file.format_assistant_file({"name": "A"}, text, {})
    checkout = written.replace("\n", "\r\n").encode("utf-8")
    assert checkout.decode().replace("\r\n", "\n") == written


def test_the_body_is_the_text_between_one_blank_line_and_the_last_newline() -> None:
    assert (
        assistant_file.format_assistant_file({"name": "A"}, "Hi.\n\n- x", {})
        == "---\nname: A\n---\n\nHi.\n\n- x\n"
    )
    assert assistant_file.format_assistant_file({"name": "A"}, "", {}) == "---\nname: A\n---\n"
    assert assistant_file.parse_assistant_file("---\nname: A\n---\nHi.").value["instructions"] == "Hi."
    assert (
        assistant_file.parse_assistant_file("---\nname: A\n---\n\n\nHi.\n\n").value["instructions"]
        == "\nHi.\n"
    )
    assert "instructions:" in assistant_file.format_assistant_file({"name": "A"}, "a\rb", {})


@steady
@given(assistants)
def test_an_assistant_comes_back(given_: Entity) -> None:
    entity = replace(given_, id="key-1")
    absent = [id_ for _, _, id_ in references_of(entity)]
    text = compose.assistant_text(entity, "why", absent)
    contents, problems = parse_config_directory({"assistants/x.md": text})
    assert not problems, text
    (back,) = decode_config_object("assistant", contents.objects["assistant"][0].body)
    assert normalize_entity(back) == normalize_entity(entity)
    assert compose.assistant_text(back, "why", absent) == text


@steady
@given(stores, st.lists(store_files, max_size=1))
def test_a_store_comes_back(given_: Entity, rows: list[Entity]) -> None:
    store = replace(given_, id="key-1")
    text = compose.vector_store_text(store, rows, "why", ["file-a"])
    contents, problems = parse_config_directory({"vector-stores/x.yaml": text})
    assert not problems, text
    (back,) = decode_config_object("vector_store", contents.objects["vector_store"][0].body)
    held = [decode_config_object("vector_store_file", body, "key-1")[0] for body in contents.members["key-1"]]
    assert normalize_entity(back) == normalize_entity(store)
    assert list(map(normalize_entity, held)) == list(map(normalize_entity, rows))
    assert compose.vector_store_text(back, held, "why", ["file-a"]) == text


@steady
@given(named_files)
def test_a_file_comes_back(given_: Entity) -> None:
    ids = compose.keys_of_files([given_])
    rows = {ids[given_.id]: given_}
    text = compose.files_yaml_text(rows, {}, {})
    contents, problems = parse_config_directory({"files.yaml": text})
    assert not problems, text
    (back,) = decode_config_object("file", contents.objects["file"][0].body)
    assert normalize_entity(back) == normalize_entity(given_)
    assert compose.files_yaml_text({back.id: back}, {}, {}) == text


@steady
@given(any_object)
def test_the_compared_form_is_its_own(entity: Entity) -> None:
    once = normalize_entity(entity)
    fields = {name: once[name] for name in KINDS[entity.kind].fields if name in once}
    extras = {name: value for name, value in once.items() if name not in fields}
    assert normalize_entity(Entity(entity.kind, entity.id, entity.parent, fields, {}, extras)) == once


def files_of(*rows: tuple[str, str | None, dict[str, Any]]) -> list[Entity]:
    return [Entity("file", id_, fields={"filename": name, **more}) for id_, name, more in rows]


def test_files_of_one_name_are_reported_apart() -> None:
    rows = files_of(
        ("f1", "a.txt", {"sha256": "1" * 64}),
        ("f2", "a.txt", {"sha256": "2" * 64}),
        ("f3", "a.txt", {"bytes": 7}),
        ("f4", "a.txt", {"bytes": 7}),
        ("f5", "b.txt", {}),
        ("f6", None, {}),
        ("f7", "{{x}}", {}),
    )
    assert compose.keys_of_files(rows) == {
        "f1": "a.txt@11111111",
        "f2": "a.txt@22222222",
        "f3": "a.txt@7",
        "f4": "a.txt@7-2",
        "f5": "b.txt",
        "f6": "f6",
        "f7": "file {{x}}",
    }
    assert compose.keys_of_files(reversed(rows)) == compose.keys_of_files(rows)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"a1": "Desk"}, {"a1": "Desk"}),
        ({"a1": "Twin", "a2": "Twin"}, {"a1": "a1", "a2": "a2"}),
        ({"a1": None}, {"a1": "a1"}),
        ({"a1": "a2", "a2": "Desk"}, {"a1": "a1", "a2": "Desk"}),
        ({"Desk": "Desk"}, {"Desk": "Desk"}),
        ({"a1": "{{x}}", "a2": "\ud800"}, {"a1": "a1", "a2": "a2"}),
    ],
)
def test_a_name_is_the_key_where_it_can_be(names: dict[str, str | None], expected: dict[str, str]) -> None:
    found = compose.keys_of_named_objects(
        Entity("assistant", id_, fields={"name": name}) for id_, name in names.items()
    )
    assert {id_: key for id_, (key, _) in found.items()} == expected
    assert all((why == "") == (key == names[id_]) for id_, (key, why) in found.items())


def test_a_name_never_hides_what_is_gone() -> None:
    found = compose.keys_of_named_objects(
        [Entity("assistant", "a1", fields={"name": "gone"})], taken={"gone"}
    )
    assert found["a1"][0] == "a1"


def test_an_environment_reaches_every_reference() -> None:
    text = (
        "---\nname: A\nmodel: m\ntools:\n  - type: connected_agent\n    connected_agent: {id: B, name: b}\n"
        "tool_resources:\n  file_search:\n    vector_store_ids: [S]\n---\n"
    )
    texts = {
        "assistants/a.md": text,
        "assistants/b.md": "---\nid: b-key\nname: B\n---\n",
        "vector-stores/s.yaml": "name: S\nfiles: {f: {}}\n",
        "files.yaml": "f: {bytes: 1}\n",
    }
    contents, problems = parse_config_directory({**texts, "assistants/b.md": "---\nname: B\n---\n"})
    assert not problems
    there = apply_environment(contents, Environment(name_prefix="p-", models={"m": "n"}))
    first, second = (one.body for one in there.objects["assistant"])
    assert (first["id"], first["name"], first["model"], second["id"]) == ("p-A", "p-A", "n", "p-B")
    assert first["tools"][0]["connected_agent"]["id"] == "p-B"
    assert first["tool_resources"]["file_search"]["vector_store_ids"] == ["p-S"]
    assert there.members == {"p-S": [{"id": "f", "extras": {}, "file_id": "f"}]}


def test_a_config_directory_is_no_target() -> None:
    from migrate.codecs import CODECS, Target, capabilities_for

    with pytest.raises(BadUsage, match="cannot be a target"):
        CODECS["config"].adapt(Entity("assistant", "a"), Target(capabilities_for("openai")))
    with pytest.raises(BadUsage, match="cannot be a target"):
        CODECS["config"].create_request(Entity("assistant", "a"))


def test_the_template_of_variables_is_valid() -> None:
    from migrate.codecs.config_directory.variables import VARIABLES_TEMPLATE

    assert read_variables(VARIABLES_TEMPLATE) == ({}, [])
    lines = VARIABLES_TEMPLATE.splitlines()
    example = "\n".join(line.removeprefix("# ") for line in lines[lines.index("#") + 1 :])
    environments, problems = read_variables(example)
    assert (list(environments), problems) == (["prod"], [])


def test_no_secret_is_written_at_any_depth() -> None:
    tools = [{"type": "mcp", "inner": {"rows": [{"headers": {"key": "tomato"}}]}, "authorization": "tomato"}]
    extras = {"new": {"headers": {"a": "tomato"}}, "authorization": "tomato"}
    text = compose.assistant_text(
        Entity("assistant", "A", fields={"name": "A", "tools": tools}, extras=extras)
    )
    assert "tomato" not in text
    assert text.count("(secret ") == 4
    own = {"type": "function", "function": {"name": "f", "parameters": {"headers": {"type": "a word"}}}}
    assert "a word" in compose.assistant_text(Entity("assistant", "A", fields={"name": "A", "tools": [own]}))


def test_a_fingerprint_is_never_sent() -> None:
    from migrate.codecs import CODECS, Target, capabilities_for

    tools = [{"type": "new_tool", "inner": {"headers": {"key": "(secret 01234567)"}}}]
    entity = Entity(
        "assistant",
        "A",
        fields={"name": "A", "model": "m", "tools": tools, "instructions": "(secret 01234567)"},
    )
    target = Target(capabilities_for("foundry"), "foundry", stamp_type="config", names={"A": "A"})
    fitted, losses = CODECS["foundry"].adapt(entity, target)
    wire = CODECS["foundry"].create_request(fitted)
    assert "secret" not in str(wire["definition"]["tools"])
    assert wire["definition"]["instructions"] == "(secret 01234567)"
    assert "tools.secrets" in [loss.field for loss in losses]
