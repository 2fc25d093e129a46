"""A request whose turn it is comes in; an answer that says less, or otherwise, than it should goes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from migrate.emulator.errors import refuse
from migrate.emulator.state import Json

if TYPE_CHECKING:
    from migrate.emulator.faults.actions import Hit

INCLUDE = "include[]"
Pairs = list[tuple[str, str]]


def _query(hit: Hit) -> Pairs:
    return parse_qsl(hit.scope["query_string"].decode("latin-1"), keep_blank_values=True)


async def _asked(hit: Hit, pairs: Pairs) -> None:
    await hit.app({**hit.scope, "query_string": urlencode(pairs).encode()}, hit.receive, hit.send)


async def ignores_order(hit: Hit) -> None:
    """What comes is newest first, or oldest first, whatever is asked for."""
    others = [pair for pair in _query(hit) if pair[0] != "order"]
    await _asked(hit, [*others, ("order", "asc" if hit.row["comes"] == "oldest-first" else "desc")])


async def ends_early(hit: Hit) -> None:
    """A page says that it is the last, although there are more."""
    await hit.altered(lambda answer: answer.update(has_more=False) if "has_more" in answer else None)


async def no_has_more(hit: Hit) -> None:
    """A page does not say whether it is the last, nor where it begins and ends (recorded 2024-07)."""

    def bare(answer: Json) -> None:
        for name in ("has_more", "first_id", "last_id"):
            answer.pop(name, None)

    await hit.altered(bare)


async def counts_more(hit: Hit) -> None:
    """A vector store counts more files than its listing gives."""

    def counted(answer: Json) -> None:
        for store in _objects(answer):
            if isinstance(counts := store.get("file_counts"), dict):
                counts["total"] = counts.get("total", 0) + hit.row["more"]

    await hit.altered(counted)


async def pinned(hit: Hit) -> None:
    """An agent serves one version by its rules, whatever its newest one is (the shape recorded 2026-04)."""
    rule = {"type": "FixedRatio", "agent_version": hit.row["version"], "traffic_percentage": 100}

    def serving(answer: Json) -> None:
        if answer.get("object") == "agent":
            endpoint = answer.get("agent_endpoint") or {}
            selector = {"version_selection_rules": [rule]}
            answer["agent_endpoint"] = {**endpoint, "version_selector": selector}

    await hit.altered(serving)


async def refuses_include(hit: Hit) -> None:
    """400 for a request that asks for what else should be shown: for any, or for one `value` of it. What
    cannot be asked for is not shown."""
    values = [value for name, value in _query(hit) if name == INCLUDE]
    bad = [value for value in values if hit.row["value"] in ("*", value)]
    if not bad:
        hidden = [name for name in HIDDEN if hit.row["value"] in ("*", name)]
        await hit.altered(lambda answer: _hide(answer, hidden))
        return
    error = refuse(f"Invalid value: '{bad[0]}'.", param="include", code="invalid_value")
    body: Json = error.body
    await hit.answer(400, json.dumps(body).encode(), {"content-type": "application/json"})


async def hides_content(hit: Hit) -> None:
    """Items show pictures, outputs and results only to who asks for them (recorded 2026-02, 2026-07)."""
    shown = {value for name, value in _query(hit) if name == INCLUDE}

    await hit.altered(lambda answer: _hide(answer, [name for name in HIDDEN if name not in shown]))


async def ignores_include(hit: Hit) -> None:
    """`include[]` is taken as any unknown query is, and brings nothing."""
    await hit.altered(lambda answer: _hide(answer, list(HIDDEN)))


def _hide(answer: Json, names: list[str]) -> None:
    for item in _objects(answer):
        for name in names:
            HIDDEN[name](item)


def _objects(answer: Json) -> list[Json]:
    """The rows of a list, or the one object that an answer is."""
    rows = answer.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [answer]


def _parts(item: Json) -> list[Json]:
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _picture(item: Json) -> None:
    for part in _parts(item):
        if part.get("type") == "input_image":
            part.setdefault("file_id", None)
            part["image_url"] = None


def _file_data(item: Json) -> None:
    """Bytes inside a message never come back, whatever is asked for (recorded 2026-02)."""
    for part in _parts(item):
        if part.get("type") == "input_file" and part.pop("file_data", None) is not None:
            part.setdefault("file_id", None)


def _of_type(type_: str, change: Callable[[Json], Any]) -> Callable[[Json], None]:
    def take_out(item: Json) -> None:
        if item.get("type") == type_:
            change(item)

    return take_out


def _within(name: str, key: str) -> Callable[[Json], Any]:
    return lambda item: item[name].pop(key, None) if isinstance(item.get(name), dict) else None


HIDDEN: dict[str, Callable[[Json], None]] = {
    "message.input_image.image_url": _picture,
    "code_interpreter_call.outputs": _of_type(
        "code_interpreter_call", lambda item: item.update(outputs=None)
    ),
    "file_search_call.results": _of_type("file_search_call", lambda item: item.pop("results", None)),
    "web_search_call.action.sources": _of_type("web_search_call", _within("action", "sources")),
    "reasoning.encrypted_content": _of_type("reasoning", lambda item: item.pop("encrypted_content", None)),
    "computer_call_output.output.image_url": _of_type("computer_call_output", _within("output", "image_url")),
    "": _file_data,
}
"""What `include[]` may name -> takes it out of an item; '' is never named, so that is always taken out."""
