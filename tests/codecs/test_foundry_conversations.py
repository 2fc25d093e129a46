"""A thread as a conversation: only metadata, which also lists the thread's files and vector stores."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs import CODECS, Target
from migrate.codecs.foundry.encode import ids_as_metadata
from migrate.model import STAMP, Entity
from migrate.model.normalize import normalize_entity
from migrate.model.references import references_of, remap_references
from migrate.model.stamp import DEFAULT_STAMP_KEYS
from tests.codecs import project_answers
from tests.codecs.adaptation import FOUNDRY, NATIVE, adapted, fit, reasons, without
from tests.strategies import steady

CODEC = CODECS["foundry"]
STAMPED = "foundry-classic:thread_1"
LONGEST_ID = "assistant-" + "E" * 31


def thread(files: Any = (), stores: Any = (), **fields: Any) -> Entity:
    held = {
        "code_interpreter": {"file_ids": list(files)},
        "file_search": {"vector_store_ids": list(stores)},
    }
    return Entity("thread", "thread_1", fields={"tool_resources": held, "metadata": {}, **fields})


def ids(count: int, start: str = "file") -> list[str]:
    return [f"{start}-{n:02}" for n in range(count)]


def written(entity: Entity, target: Target = FOUNDRY) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(CODEC.create_request(adapted(entity, target)[0])))
    return found


def decoded(metadata: Any, **more: Any) -> Entity:
    body = {**project_answers.conversation({}), "metadata": metadata, **more}
    return CODEC.decode("thread", body, "", None)[0]


def test_a_bare_thread_becomes_a_stamped_conversation() -> None:
    assert written(thread()) == {"metadata": {STAMP: STAMPED}}
    assert fit(thread(), FOUNDRY)[1] == []


def test_metadata_arrives_as_it_is() -> None:
    given = thread(metadata={"ticket": "7 ", "note": ""})
    assert written(given) == {"metadata": {"ticket": "7 ", "note": "", STAMP: STAMPED}}


def test_files_and_stores_are_named_in_metadata_and_read_back() -> None:
    given = thread(["file-a", "file-b"], ["vs_1"], metadata={"k": "v"})
    assert fit(given, FOUNDRY)[1] == [("tool_resources", "adapted")]
    wire = written(given)
    assert wire == {
        "metadata": {
            "k": "v",
            STAMP: STAMPED,
            DEFAULT_STAMP_KEYS.files: "file-a,file-b",
            DEFAULT_STAMP_KEYS.stores: "vs_1",
        },
    }
    back = decoded(wire["metadata"])
    assert normalize_entity(back) == normalize_entity(given)
    assert [(kind, id_) for _, kind, id_ in references_of(back)] == [
        ("file", "file-a"),
        ("file", "file-b"),
        ("vector_store", "vs_1"),
    ]


@pytest.mark.parametrize(
    ("count", "keys"),
    [
        (0, []),
        (1, [DEFAULT_STAMP_KEYS.files]),
        (10, [DEFAULT_STAMP_KEYS.files]),
        (11, [DEFAULT_STAMP_KEYS.files, f"{DEFAULT_STAMP_KEYS.files}_2"]),
        (21, [DEFAULT_STAMP_KEYS.files, f"{DEFAULT_STAMP_KEYS.files}_2", f"{DEFAULT_STAMP_KEYS.files}_3"]),
    ],
)
def test_many_ids_go_on_in_further_keys(count: int, keys: list[str]) -> None:
    given = thread(ids(count))
    roomy = replace(FOUNDRY, capabilities=replace(FOUNDRY.capabilities, code_files_max=100))
    wire = written(given, roomy)
    assert [key for key in wire["metadata"] if key != STAMP] == keys
    assert normalize_entity(decoded(wire["metadata"])) == normalize_entity(given)


def test_ids_of_the_length_that_was_seen_fit_into_a_value() -> None:
    values = ids_as_metadata(
        DEFAULT_STAMP_KEYS.files, [f"{LONGEST_ID[:-2]}{n:02}" for n in range(20)]
    ).values()
    assert all(len(value) <= FOUNDRY.capabilities.metadata_value_max for value in values)


def test_more_than_a_hundred_ids_read_back_in_full() -> None:
    carried = {STAMP: "openai:thread_1", **ids_as_metadata(DEFAULT_STAMP_KEYS.stores, ids(115, "vs"))}
    assert len(carried) == 13
    back = decoded(carried)
    found = back.fields["tool_resources"]["file_search"]["vector_store_ids"]
    assert sorted(found) == sorted(ids(115, "vs"))


@pytest.mark.parametrize("pairs", [13, 14, 15, 16])
def test_without_room_in_metadata_the_names_are_lost(pairs: int) -> None:
    own = {f"k{n}": "v" for n in range(pairs)}
    given = thread(["file-a"], ["vs_1"], metadata=own)
    fitted, losses = fit(given, FOUNDRY)
    wire = written(given)["metadata"]
    assert len(wire) <= 16
    assert wire.items() >= own.items()
    if pairs == 13:
        assert ("tool_resources", "adapted") in losses
        assert wire[DEFAULT_STAMP_KEYS.files] == "file-a"
    else:
        assert ("tool_resources", "lost") in losses
        assert fitted.fields["tool_resources"] == {}
        assert DEFAULT_STAMP_KEYS.files not in wire
    assert normalize_entity(decoded(wire)) == normalize_entity(fitted)


def test_a_file_without_a_counterpart_is_not_named() -> None:
    given = thread(["file-a", "gone"])
    target = without("gone", target=FOUNDRY)
    assert written(given, target)["metadata"][DEFAULT_STAMP_KEYS.files] == "file-a"
    assert fit(given, target)[1] == [
        ("tool_resources.code_interpreter.file_ids", "lost"),
        ("tool_resources", "adapted"),
    ]


def test_more_than_the_older_generation_may_hold_are_lost_by_name() -> None:
    given = thread(ids(21), ["vs_1", "vs_2"])
    fitted, losses = fit(given, FOUNDRY)
    assert len(fitted.fields["tool_resources"]["code_interpreter"]["file_ids"]) == 20
    assert [grade for _, grade in losses] == ["lost", "lost", "adapted"]
    assert "file-20" in reasons(given, FOUNDRY)
    assert "vs_2" in reasons(given, FOUNDRY)


def test_the_content_of_one_project_arrives_in_another() -> None:
    given = thread(ids(21), ["vs_1", "vs_2"])
    assert fit(given, NATIVE)[1] == [("tool_resources", "adapted")]
    assert normalize_entity(adapted(given, NATIVE)[0]) == normalize_entity(given)


@pytest.mark.parametrize("branch", ["azure_ai_search", "mcp", "browser"])
def test_another_resource_has_no_place(branch: str) -> None:
    held = {branch: {"indexes": [{"index_name": "i"}]}}
    fitted, losses = fit(thread(tool_resources=held), FOUNDRY)
    assert (fitted.fields["tool_resources"], losses) == ({}, [(f"tool_resources.{branch}", "lost")])


@pytest.mark.parametrize(
    "held", [None, {}, {"code_interpreter": {"file_ids": []}}, {"azure_ai_search": {"indexes": []}}]
)
def test_a_resource_of_nothing_is_no_loss(held: Any) -> None:
    assert fit(thread(tool_resources=held), FOUNDRY)[1] == []


def test_written_ids_are_those_of_the_target() -> None:
    fitted, _ = adapted(thread(["file-a"], ["vs_1"]), FOUNDRY)
    moved = remap_references(fitted, lambda kind, old: f"new-{old}")
    metadata = CODEC.create_request(moved)["metadata"]
    assert (metadata[DEFAULT_STAMP_KEYS.files], metadata[DEFAULT_STAMP_KEYS.stores]) == (
        "new-file-a",
        "new-vs_1",
    )


@pytest.mark.parametrize("field", ["metadata", "tool_resources"])
def test_an_update_writes_all_of_the_metadata(field: str) -> None:
    fitted, _ = adapted(thread(["file-a"], metadata={"k": "v"}), FOUNDRY)
    assert CODEC.update_request(fitted, frozenset({field}), None) == {
        "metadata": {"k": "v", STAMP: STAMPED, DEFAULT_STAMP_KEYS.files: "file-a"}
    }


def test_a_key_that_only_begins_like_ours_names_no_file() -> None:
    back = decoded(
        {f"{DEFAULT_STAMP_KEYS.files}_note": "see below", f"{DEFAULT_STAMP_KEYS.stores}2": "x", "k": "v"}
    )
    assert back.fields["tool_resources"] == {}
    assert normalize_entity(back)["metadata"] == {
        f"{DEFAULT_STAMP_KEYS.files}_note": "see below",
        f"{DEFAULT_STAMP_KEYS.stores}2": "x",
        "k": "v",
    }


def test_a_conversation_of_somebody_else_is_read_whole() -> None:
    back = decoded({"topic": "pots"}, tomorrow={"a": 1})
    assert (back.id, back.facts["created_at"], back.extras) == ("conv_1", 9, {"tomorrow": {"a": 1}})
    assert normalize_entity(back) == {"metadata": {"topic": "pots"}, "tomorrow": {"a": 1}}


def test_an_unknown_key_with_the_name_of_a_field_is_kept_apart() -> None:
    back = decoded({STAMP: STAMPED, DEFAULT_STAMP_KEYS.files: "file-1"}, tool_resources={"a": 1})
    assert back.fields["tool_resources"] == {"code_interpreter": {"file_ids": ["file-1"]}}
    assert back.extras == {"thread.tool_resources": {"a": 1}}


@steady
@given(
    files=st.lists(st.sampled_from(ids(40)), max_size=40),
    stores=st.lists(st.sampled_from(ids(12, "vs")), max_size=12),
    pairs=st.integers(0, 18),
)
def test_any_number_of_files_and_pairs_keeps_the_budget(
    files: list[str], stores: list[str], pairs: int
) -> None:
    given = thread(files, stores, metadata={f"k{n}": "v" for n in range(pairs)})
    for target in (FOUNDRY, NATIVE):
        wire = written(given, target)["metadata"]
        assert len(wire) <= 16
        assert all(isinstance(value, str) and len(value) <= 512 for value in wire.values())
        assert wire.items() >= {f"k{n}": "v" for n in range(min(pairs, 16))}.items()
        assert normalize_entity(decoded(wire)) == normalize_entity(adapted(given, target)[0])
