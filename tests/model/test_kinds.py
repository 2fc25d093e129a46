"""The table of kinds: its order, no key that is both field and fact, its references."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest
from hypothesis import given

from migrate.model import KINDS, STAMP, Entity, Kind
from migrate.model.references import references_of, remap_references
from tests.strategies import anything, steady

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def needed(kind: Kind) -> set[str]:
    """Kinds that must be created first; assistants that refer to each other are ordered within their kind."""
    return ({ref.kind for ref in kind.refs} | ({kind.parent} - {""})) - {kind.name}


def test_the_order_of_kinds_follows_from_references_and_parents() -> None:
    order = list(KINDS)
    for name, kind in KINDS.items():
        late = [other for other in needed(kind) if order.index(other) > order.index(name)]
        assert not late, f"{name} comes before {late}"
    assert set(TopologicalSorter({n: needed(k) for n, k in KINDS.items()}).static_order()) == set(order)


def test_every_kind_named_anywhere_is_in_the_table() -> None:
    assert {name for kind in KINDS.values() for name in needed(kind)} <= set(KINDS)


@each_kind
def test_a_name_is_a_field_or_a_fact_or_an_alias_but_one_of_them(kind: Kind) -> None:
    names = [*kind.fields, *kind.facts, *kind.aliases]
    assert len(names) == len(set(names))


@each_kind
def test_every_fact_has_a_reason_why_it_is_not_written(kind: Kind) -> None:
    assert all(kind.facts.values())


@each_kind
def test_references_are_in_fields(kind: Kind) -> None:
    assert {ref.path.split(".")[0].removesuffix("[]") for ref in kind.refs} <= set(kind.fields)


@each_kind
def test_the_stamp_is_no_field(kind: Kind) -> None:
    assert STAMP not in kind.fields


def test_a_message_names_files_in_four_places() -> None:
    content = [
        {"type": "image_file", "image_file": {"file_id": "i"}},
        {
            "type": "text",
            "text": {
                "value": "see file a",
                "annotations": [
                    {"file_citation": {"file_id": "c"}},
                    {"file_path": {"file_id": "p"}},
                    {"url_citation": {"file_id": "no"}},
                ],
            },
        },
        "bare",
    ]
    message = Entity("message", "m", "t", {"content": content, "attachments": [{"file_id": "a"}, {}]})
    assert sorted(id_ for _, _, id_ in references_of(message)) == ["a", "c", "i", "p"]
    moved = remap_references(message, lambda kind, old: f"{kind}:{old}")
    assert sorted(id_ for _, _, id_ in references_of(moved)) == [
        "file:a",
        "file:c",
        "file:i",
        "file:p",
    ]
    assert moved.fields["content"][1]["text"]["value"] == "see file a"
    assert moved.fields["content"][1]["text"]["annotations"][2] == {"url_citation": {"file_id": "no"}}


def test_an_agent_names_files_and_stores_in_its_tools_too() -> None:
    agent = Entity(
        "assistant",
        "a",
        fields={
            "tools": [
                {"type": "file_search", "vector_store_ids": ["vs_2"]},
                {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f2", "{{input}}"]}},
                {"type": "code_interpreter", "container": "cntr_1"},
                {"type": "connected_agent", "connected_agent": {"id": "asst_2"}},
                "bare",
            ],
            "tool_resources": {
                "file_search": {"vector_store_ids": ["vs_1"]},
                "code_interpreter": {"file_ids": ["{{x}}", "f1"]},
            },
        },
    )
    found = sorted((kind, id_) for _, kind, id_ in references_of(agent))
    assert found == [
        ("assistant", "asst_2"),
        ("file", "f1"),
        ("file", "f2"),
        ("vector_store", "vs_1"),
        ("vector_store", "vs_2"),
    ]


def test_an_item_names_files_where_a_message_does_not() -> None:
    content = [
        {"type": "input_file", "file_id": "f"},
        {"type": "text", "text": {"value": "f", "annotations": [{"type": "file_citation", "file_id": "c"}]}},
    ]
    item = Entity("message", "m", "conv_1", {"role": "user", "content": content})
    assert sorted(id_ for _, _, id_ in references_of(item)) == ["c", "f"]


def test_an_id_without_counterpart_stays() -> None:
    row = Entity("vector_store_file", "f", "vs", {"file_id": "f"})
    assert remap_references(row, lambda kind, old: None) == row


@steady
@given(entity=anything)
def test_renaming_there_and_back_is_no_change(entity: Entity) -> None:
    there = remap_references(entity, lambda _, old: f"new:{old}")
    assert [f"new:{id_}" for _, _, id_ in references_of(entity)] == [
        id_ for _, _, id_ in references_of(there)
    ]
    assert remap_references(there, lambda _, new: new.removeprefix("new:")) == entity


@steady
@given(entity=anything)
def test_renaming_leaves_the_original_alone(entity: Entity) -> None:
    before = repr(entity)
    remap_references(entity, lambda _, old: f"new:{old}")
    assert repr(entity) == before
