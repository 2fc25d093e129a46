"""Faults of the content of objects: fields that are hidden or altered, and bodies that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from starlette.types import Message

from migrate.emulator.errors import refuse
from migrate.emulator.faults.listings import query_pairs, rows_of
from migrate.emulator.faults.rule import JSON_TYPE, FaultContext
from migrate.emulator.state import Json

INCLUDE = "include[]"

# The keys that projects were seen to accept for each type of item (recorded 2025-11 to 2026-07).
ACCEPTED_ITEM_KEYS = {
    "message": {"type", "role", "content"},
    "function_call": {"type", "call_id", "name", "arguments"},
    "function_call_output": {"type", "call_id", "output"},
}

# ------------------------------------------------------------------------------------- refused bodies


async def _refuse_bodies(ctx: FaultContext, find_error: Callable[[Any], str]) -> None:
    """400 if `find_error` returns a text for the JSON body. Other requests are carried out, uploads too."""
    messages, body = await _read_body(ctx)
    if text := find_error(body):
        await ctx.send_answer(400, ctx.error_body(400, text, None), JSON_TYPE)
        return
    await _pass_on(ctx, messages)


async def _read_body(ctx: FaultContext) -> tuple[list[Message], Any]:
    """The messages of a request, and its JSON body, None where it has another one."""
    messages = [await ctx.receive()]
    while messages[-1].get("more_body"):
        messages.append(await ctx.receive())
    try:
        return messages, json.loads(b"".join(message.get("body", b"") for message in messages))
    except ValueError:
        return messages, None


async def _pass_on(ctx: FaultContext, messages: list[Message]) -> None:
    """Let the service answer a request whose messages were read."""
    unread = iter(messages)

    async def replay() -> Message:
        message = next(unread, None)
        return await ctx.receive() if message is None else message

    await ctx.pass_on(receive=replay)


async def refuse_nulls(ctx: FaultContext) -> None:
    """The service refuses null everywhere, also where its description allows it."""
    await _refuse_bodies(ctx, lambda body: "" if body is None else _find_null(body))


def _find_null(value: Any, at: str = "") -> str:
    """The error for the first null, or ''."""
    if value is None:
        return f"Invalid type for '{at or 'body'}': null is not accepted."
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    errors = (_find_null(member, f"{at}.{key}".strip(".")) for key, member in members)
    return next(filter(None, errors), "")


async def refuse_unseen_forms(ctx: FaultContext) -> None:
    """A project accepts of items only what projects were seen to accept."""
    await _refuse_bodies(ctx, _find_unseen_form)


def _find_unseen_form(body: Any) -> str:
    """The error for the first item in another form, or ''."""
    return next((error for item in _items(body) for error in _unseen_forms(item)), "")


def _items(body: Any) -> list[Json]:
    """The items of a conversation that a request would create."""
    items = body.get("items") if isinstance(body, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _content_parts(item: Json) -> list[Json]:
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _unseen_forms(item: Json) -> Iterator[str]:
    for key in item.keys() - ACCEPTED_ITEM_KEYS.get(item.get("type", ""), set()):
        yield f"Unknown parameter: '{key}' of an item."
    if isinstance(item.get("output"), list):
        yield "Invalid type for 'output': expected a string, but got an array instead."
    for part in _content_parts(item):
        if "file_data" in part or str(part.get("image_url", "")).startswith("data:"):
            yield "The content of a part must not be inside the request."
    yield from _citations(item)


async def refuse_citations(ctx: FaultContext) -> None:
    """A project refuses answers with citations that a client writes."""
    await _refuse_bodies(ctx, lambda body: next((e for row in _items(body) for e in _citations(row)), ""))


def _citations(item: Json) -> Iterator[str]:
    for part in _content_parts(item):
        if part.get("annotations"):
            yield "Invalid 'annotations': expected an empty array."


async def drop_citations(ctx: FaultContext) -> None:
    """A project accepts citations that a client writes, and stores the answers without them."""
    messages, body = await _read_body(ctx)
    for item in _items(body):
        for part in _content_parts(item):
            if part.get("annotations"):
                part["annotations"] = []
    if body is not None:
        messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    await _pass_on(ctx, messages)


# --------------------------------------------------------------------------------- hidden and altered fields


async def pinned(ctx: FaultContext) -> None:
    """An agent serves one version, whatever its newest version is (the shape was recorded 2026-04)."""
    rule = {"type": "FixedRatio", "agent_version": ctx.rule["version"], "traffic_percentage": 100}

    def pin(answer: Json) -> None:
        if answer.get("object") == "agent":
            endpoint = answer.get("agent_endpoint") or {}
            selector = {"version_selection_rules": [rule]}
            answer["agent_endpoint"] = {**endpoint, "version_selector": selector}

    await ctx.alter_answer(pin)


def _included(ctx: FaultContext) -> list[str]:
    return [value for name, value in query_pairs(ctx) if name == INCLUDE]


async def refuses_include(ctx: FaultContext) -> None:
    """400 for a request with `include[]`, or with one `value` of it. Refused fields are never shown."""
    refused = ctx.rule["value"]
    values = [value for value in _included(ctx) if refused in ("*", value)]
    if not values:
        await _hide(ctx, [name for name in HIDDEN_FIELDS if refused in ("*", name)])
        return
    error = refuse(f"Invalid value: '{values[0]}'.", param="include", code="invalid_value")
    await ctx.answer(400, json.dumps(error.body).encode(), JSON_TYPE)


async def hides_content(ctx: FaultContext) -> None:
    """Items show images, outputs and results only with `include[]` (recorded 2026-02, 2026-07)."""
    included = _included(ctx)
    await _hide(ctx, [name for name in HIDDEN_FIELDS if name not in included])


async def ignores_include(ctx: FaultContext) -> None:
    """`include[]` is accepted like any unknown parameter and has no effect."""
    await _hide(ctx, HIDDEN_FIELDS)


async def _hide(ctx: FaultContext, names: Collection[str]) -> None:
    def hide(answer: Json) -> None:
        for item in rows_of(answer):
            for name in names:
                HIDDEN_FIELDS[name](item)

    await ctx.alter_answer(hide)


def _parts(item: Json, type_: str) -> list[Json]:
    return [part for part in _content_parts(item) if part.get("type") == type_]


def _hide_images(item: Json) -> None:
    for part in _parts(item, "input_image"):
        part.setdefault("file_id", None)
        part["image_url"] = None


def _hide_file_data(item: Json) -> None:
    """Bytes inside a message are never shown, even if they are requested (recorded 2026-02)."""
    for part in _parts(item, "input_file"):
        if part.pop("file_data", None) is not None:
            part.setdefault("file_id", None)


def _hide_in(type_: str, hide: Callable[[Json], Any]) -> Callable[[Json], None]:
    def hide_field(item: Json) -> None:
        if item.get("type") == type_:
            hide(item)

    return hide_field


def _remove(name: str, key: str) -> Callable[[Json], Any]:
    return lambda item: item[name].pop(key, None) if isinstance(item.get(name), dict) else None


# A value of `include[]` -> removes the field from an item. '' cannot be requested, so it is always removed.
HIDDEN_FIELDS: dict[str, Callable[[Json], None]] = {
    "message.input_image.image_url": _hide_images,
    "code_interpreter_call.outputs": _hide_in(
        "code_interpreter_call", lambda item: item.update(outputs=None)
    ),
    "file_search_call.results": _hide_in("file_search_call", lambda item: item.pop("results", None)),
    "web_search_call.action.sources": _hide_in("web_search_call", _remove("action", "sources")),
    "reasoning.encrypted_content": _hide_in("reasoning", lambda item: item.pop("encrypted_content", None)),
    "computer_call_output.output.image_url": _hide_in("computer_call_output", _remove("output", "image_url")),
    "": _hide_file_data,
}
