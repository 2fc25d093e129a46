"""Text messages that are recognized without decoding give the same result as decoding them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs import CODECS, Target, capabilities_for
from migrate.codecs.foundry.items import is_writable_call
from migrate.codecs.text_messages import TextMessage, item_text, message_text
from migrate.model import STAMP
from migrate.model.normalize import normalize_entity, normalize_written_fields
from tests.strategies import steady

SERVICES = ("azure-openai", "openai", "foundry-classic", "foundry")
said = st.text(st.characters(exclude_categories=()), max_size=6) | st.sampled_from(["", " ", "Hello"])
odd = st.sampled_from([None, [], {}, "", "x", 0, [1], {"a": 1}])
part = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "input_text", "output_text", "refusal", "image_file"]) | odd},
    optional={
        "text": said
        | odd
        | st.fixed_dictionaries({"value": said | odd}, optional={"annotations": odd, "more": odd}),
        "annotations": odd,
        "logprobs": odd,
        "image_file": odd,
    },
)
BARE = {"id": "msg_1", "object": "thread.message", "created_at": 1, "thread_id": "thread_1"}
plain_part = st.builds(lambda text: {"type": "text", "text": {"value": text, "annotations": []}}, said)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"]) | odd,
     "content": st.lists(plain_part, min_size=1, max_size=3) | st.lists(part, max_size=2) | said | odd},
    optional={"attachments": odd, "metadata": odd | st.just({STAMP: "x:y"}), "status": odd, "unheard": odd,
              "file_ids": odd},
).map(lambda body: {**BARE, **body})  # fmt: skip
items = st.fixed_dictionaries(
    {"content": st.lists(part, max_size=2) | said | odd,
     "role": st.sampled_from(["user", "assistant", "tool"]) | odd},
    optional={"type": st.sampled_from(["message", "function_call"]), "status": odd, "unheard": odd},
).map(lambda body: {"id": "item_1", **body})  # fmt: skip


@steady
@given(body=messages, service=st.sampled_from(SERVICES), most=st.sampled_from([3, 1000]))
def test_words_that_arrive_are_all_that_the_long_way_writes(
    body: dict[str, Any], service: str, most: int
) -> None:
    words = message_text(body)
    capabilities = replace(capabilities_for(service), text_max=most)
    if words is None or not words.fits(capabilities):
        return
    codec = CODECS[service]
    entity = CODECS["azure-openai"].decode("message", body, "thread_1", None)[0]
    target = Target(capabilities, source_type="azure-openai")
    fitted, losses = codec.adapt(entity, target)
    assert losses == []
    assert not codec.why_not_replayed(entity, target)
    assert normalize_written_fields(fitted) == {"role": words.role, "content": normal_parts(words)}


def normal_parts(words: TextMessage) -> list[Any]:
    return [{"type": "text", "text": {"value": text}} for text in words.texts]


@steady
@given(one=messages, other=messages)
def test_equal_words_read_back_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = message_text(one), message_text(other)
    if first is None or first != second:
        return
    forms = [
        normalize_written_fields(CODECS["openai"].decode("message", body, "", None)[0])
        for body in (one, other)
    ]
    assert forms[0] == forms[1]


@steady
@given(body=items)
def test_the_text_of_an_item_is_its_whole_content(body: dict[str, Any]) -> None:
    words = item_text(body)
    if words is None:
        return
    entity = CODECS["foundry"].decode("message", body, "conv_1", None)[0]
    assert normalize_written_fields(entity) == {"role": words.role, "content": normal_parts(words)}
    assert normalize_entity(entity) == normalize_written_fields(entity), (
        "and nothing is there that no rule knows"
    )


@pytest.mark.parametrize("type_", [[], {}, [1], None, 5])
def test_a_part_whose_type_is_no_text_is_no_text(type_: Any) -> None:
    body = {"id": "x", "role": "user", "content": [{"type": type_, "text": "Hello"}], "type": "message"}
    assert item_text(body) is None
    assert message_text(body) is None
    assert not is_writable_call({"type": type_, "call_id": "c"})


@pytest.mark.parametrize("service", SERVICES)
def test_a_message_of_words_is_reported_by_them(service: str) -> None:
    body = {**BARE, "role": "user", "metadata": {}, "attachments": [], "content": [
        {"type": "text", "text": {"value": "Hello", "annotations": []}}]}  # fmt: skip
    item = {"id": "i", "type": "message", "status": "completed", "role": "user",
            "content": [{"type": "input_text", "text": "Hello"}]}  # fmt: skip
    assert message_text(body) == item_text(item) == TextMessage("user", ("Hello",))
    assert TextMessage("user", ("Hello",)).fits(capabilities_for(service))


@pytest.mark.parametrize(
    "more",
    [
        {"attachments": [{"file_id": "file-a", "tools": []}]},
        {"metadata": {"a": "b"}},
        {"metadata": "x"},
        {"unheard": None},
        {"file_ids": []},
        {"role": "system"},
        {"content": []},
        {"content": "Hello"},
        {"content": [{"type": "text", "text": {"value": "", "annotations": []}}]},
        {"content": [{"type": "text", "text": {"value": "a", "annotations": [{"type": "file_citation"}]}}]},
        {"content": [{"type": "text", "text": {"value": "a", "more": None}}]},
        {"content": [{"type": "text", "text": {"value": "a"}, "more": 1}]},
        {"content": [{"type": "text", "text": "a"}]},
        {"content": [{"type": "refusal", "refusal": "No."}]},
    ],
    ids=json.dumps,
)
def test_a_message_with_anything_else_takes_the_long_way(more: dict[str, Any]) -> None:
    body = {**BARE, "role": "user", "content": [{"type": "text", "text": {"value": "Hello"}}]}
    assert message_text(body)
    assert message_text({**body, **more}) is None


@pytest.mark.parametrize("texts", [("\ud800",), ("a" * 1_500_001,), ("fine", "x\udfff")])
def test_words_that_are_changed_on_the_way_take_the_long_way(texts: tuple[str, ...]) -> None:
    assert not TextMessage("user", texts).fits(capabilities_for("foundry"))


@pytest.mark.parametrize(
    ("more", "bare"),
    [
        ({"logprobs": []}, True),
        ({"logprobs": None}, True),
        ({"annotations": []}, True),
        ({"logprobs": [1]}, False),
        ({"annotations": [{"type": "url_citation"}]}, False),
        ({"unheard": 0}, False),
        ({"type": "summary_text"}, False),
        ({"text": ""}, False),
        ({"text": None}, False),
    ],
    ids=json.dumps,
)
def test_a_part_of_an_item_with_anything_else_takes_the_long_way(more: dict[str, Any], bare: bool) -> None:
    part_ = {"type": "output_text", "text": "Hello", **more}
    assert (item_text({"type": "message", "role": "assistant", "content": [part_]}) is not None) is bare


@pytest.mark.parametrize(
    "more", [{"type": "reasoning"}, {"unheard": None}, {"role": "critic"}, {"content": "Hi"}]
)
def test_an_item_with_anything_else_takes_the_long_way(more: dict[str, Any]) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    assert item_text(item)
    assert item_text({**item, **more}) is None
