"""Bodies are checked against the declared write form of a service, including nested parts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs import CODECS, Target, TextMessage
from migrate.codecs.adapt import adapt
from migrate.codecs.write_forms import assistants, foundry
from migrate.model import Entity
from tests.codecs.adaptation import (
    AZURE,
    CLASSIC,
    FOUNDRY,
    NATIVE,
    OPENAI,
    adapted,
    assistant,
    fit,
    message,
    text,
)
from tests.strategies import anything, steady

TARGETS = {"azure": AZURE, "openai": OPENAI, "classic": CLASSIC, "foundry": FOUNDRY, "native": NATIVE}
each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
FORMS = {"foundry": foundry.foundry_body_form}
SEARCH = {"type": "file_search", "file_search": {"max_num_results": 51}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n" * 65, "schema": {}}}

ODD: dict[str, tuple[str, Any]] = {
    "a temperature beyond the limit": ("temperature", 3),
    "a temperature below it": ("temperature", -0.1),
    "a temperature that is a text": ("temperature", "1"),
    "a temperature that is true": ("temperature", True),
    "a share that is a list": ("top_p", [1]),
    "a format that nobody knows": ("response_format", "markdown"),
    "a format without its schema": ("response_format", {"type": "json_schema"}),
    "a schema with too long a name": ("response_format", SCHEMA),
    "a schema that is a text": (
        "response_format",
        {"type": "json_schema", "json_schema": {"name": "n", "schema": "x"}},
    ),
}


@each_target
@pytest.mark.parametrize(("field", "value"), ODD.values(), ids=ODD.keys())
def test_a_value_without_its_form_is_left_out_and_reported(field: str, value: Any, target: Target) -> None:
    fitted, reported = fit(assistant(**{field: value}), target)
    if (field, "adapted") in reported:  # a value that only the service can check, read from the same service
        assert target.source_type == target.capabilities.service
        return
    assert not fitted.fields.get(field)
    assert reported == [(field, "lost")]


ODD_TOOLS: dict[str, Any] = {
    "more results than there may be": SEARCH,
    "a threshold beyond one": {
        "type": "file_search",
        "file_search": {"ranking_options": {"score_threshold": 2}},
    },
    "results in words": {"type": "file_search", "file_search": {"max_num_results": "3"}},
    "parameters that are a list": {"type": "function", "function": {"name": "f", "parameters": []}},
    "strict in words": {"type": "function", "function": {"name": "f", "strict": "yes"}},
}


@each_target
@pytest.mark.parametrize("tool", ODD_TOOLS.values(), ids=ODD_TOOLS.keys())
def test_a_tool_without_its_form_is_left_out_and_reported(tool: Any, target: Target) -> None:
    stores = {"file_search": {"vector_store_ids": ["vs"]}}
    fitted, reported = fit(
        assistant(tools=[tool, {"type": "code_interpreter"}], tool_resources=stores), target
    )
    assert [one["type"] for one in fitted.fields["tools"]] == ["code_interpreter"]
    assert reported.count(("tools", "lost")) == 1


@pytest.mark.parametrize("name", ["two words", "ü", "x" * 65])
@pytest.mark.parametrize(("target", "grade"), [(OPENAI, "lost"), (FOUNDRY, "lost"), (NATIVE, "adapted")])
def test_a_name_that_no_document_allows_is_tried_only_where_it_was_read(
    name: str, target: Target, grade: str
) -> None:
    tool = {
        "type": "function",
        "function": {"name": name, "parameters": {}, "strict": False, "description": "d"},
    }
    fitted, reported = fit(assistant(tools=[tool]), target)
    assert reported == [("tools", grade)]
    assert len(fitted.fields["tools"]) == (grade == "adapted")


@pytest.mark.parametrize(
    ("name", "value", "grade"),
    [
        ("tomorrow", {"a": 1}, "adapted"),
        ("tool_choice", "never", "adapted"),
        ("tool_choice", "required", None),
        ("structured_inputs", {"a": {"description": "d"}}, None),
        ("structured_inputs", {"a": 7}, "lost"),
        ("structured_inputs", {"a": {"colour": 1}}, "adapted"),
        ("skills", [{"version": "1"}], "lost"),
        ("reasoning", {"summary": 7}, "lost"),
        ("rai_config", {}, "lost"),
    ],
)
def test_fields_of_only_a_definition_are_checked_too(name: str, value: Any, grade: str | None) -> None:
    fitted, reported = fit(assistant(definition={name: value}), NATIVE)
    assert (name in fitted.fields["definition"]) == (grade != "lost")
    assert [one for one in reported if one[0] == f"definition.{name}"][:1] == (
        [(f"definition.{name}", grade)] if grade else []
    )


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("assistant", {"model": "m", "tools": [{"type": "function", "function": {}}]}, "tools"),
        ("assistant", {"model": "m", "metadata": {"a": 1}}, "metadata"),
        ("thread", {"tool_resources": {"code_interpreter": {"file_ids": [7]}}}, "tool_resources"),
        ("vector_store", {"expires_after": {"anchor": "created_at"}}, "expires_after"),
        ("vector_store_file", {"file_id": "f", "attributes": {"a": [1]}}, "attributes"),
    ],
)
def test_what_no_rule_caught_blocks_the_object_with_its_reason(kind: str, fields: Any, field: str) -> None:
    """Rules may miss a case; the whole body is checked again."""
    entity = Entity(kind, "x", "p", fields)
    _, losses = adapt(entity, AZURE, rules={kind: lambda entity, target, losses: entity})
    assert [(loss.field, loss.grade) for loss in losses] == [(field, "blocked")]
    assert "cannot be written" in losses[0].reason


def test_a_message_that_no_rule_caught_becomes_a_line() -> None:
    odd = message(text(""))
    fitted, losses = adapt(odd, AZURE, rules={"message": lambda entity, target, losses: entity})
    assert [loss.grade for loss in losses] == ["lost"]
    assert fitted.fields["content"] == [text("[user said something that cannot be written]")]


@each_target
@steady
@given(entity=anything)
def test_every_body_that_is_not_blocked_fits_or_is_reported_as_tried(target: Target, entity: Entity) -> None:
    fitted, losses = adapted(entity, target)
    if any(loss.grade == "blocked" for loss in losses):
        return
    form = FORMS.get(target.capabilities.service, assistants.assistants_body_form)(
        entity.kind, target.capabilities
    )
    misfits = list(form(CODECS[target.capabilities.service].create_request(fitted), ""))
    assert all(misfit.unknown for misfit in misfits), misfits
    if misfits:
        assert any("tried at apply" in loss.reason for loss in losses), misfits


@each_target
@steady
@given(role=st.sampled_from(["user", "assistant", "system"]), texts=st.lists(st.text(max_size=9), min_size=1))
def test_words_that_take_the_short_way_fit_the_form(target: Target, role: str, texts: list[str]) -> None:
    """Messages of only text are never adapted, so the check for them must not accept more than the form
    does."""
    parts = [{"type": "input_text" if role != "assistant" else "output_text", "text": one} for one in texts]
    words = CODECS["foundry"].text_message({"type": "message", "role": role, "content": parts})
    if isinstance(words, TextMessage) and words.fits(target.capabilities):
        wire = CODECS[target.capabilities.service].create_request(Entity("message", "m", "t", words.fields))
        form = FORMS.get(target.capabilities.service, assistants.assistants_body_form)(
            "message", target.capabilities
        )
        assert list(form(wire, "")) == []
