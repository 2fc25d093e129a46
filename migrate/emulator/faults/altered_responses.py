"""Faults that alter a response: it says less than it should, or something else."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import Message, Receive

from migrate.emulator.errors import refuse
from migrate.emulator.state import Json

if TYPE_CHECKING:
    from migrate.emulator.faults.actions import Hit


ITEM_KEYS = {
    "message": {"type", "role", "content"},
    "function_call": {"type", "call_id", "name", "arguments"},
    "function_call_output": {"type", "call_id", "output"},
}
"""What projects were seen to take of each type of item (recorded 2025-11 to 2026-07)."""


def null_in(body: Any, at: str = "") -> str:
    """The first null."""
    if body is None:
        return f"Invalid type for '{at or 'body'}': null is not accepted."
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    found = (null_in(value, f"{at}.{key}".strip(".")) for key, value in inside)
    return next(filter(None, found), "")


def unseen_in(body: Any) -> str:
    """The first item in a form that no project was seen to take."""
    items = body.get("items") if isinstance(body, dict) else None
    return next(filter(None, map(_unseen, items if isinstance(items, list) else ())), "")


def _unseen(item: Any) -> str:
    known = ITEM_KEYS.get(item.get("type", ""), set()) if isinstance(item, dict) else set()
    return next(_strange(item, known), "") if isinstance(item, dict) else ""


def _strange(item: dict[str, Any], known: set[str]) -> Iterator[str]:
    for key in item.keys() - known:
        yield f"Unknown parameter: '{key}' of an item."
    if isinstance(item.get("output"), list):
        yield "Invalid type for 'output': expected a string, but got an array instead."
    for part in item["content"] if isinstance(item.get("content"), list) else ():
        if "file_data" in part or str(part.get("image_url", "")).startswith("data:"):
            yield "The content of a part lies inside the request."


BEGIN = b'{"object": "list", "data": [{"id": "'
FILL = b"a" * (1 << 20)
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


async def redirect(hit: Hit) -> None:
    """To the address `to`; one that begins with / lies on this service. Nothing is carried out."""
    await hit.heard()
    query = hit.scope["query_string"].decode("latin-1")
    to = str(hit.row["to"]) or f"{hit.asked.path}{'?' if query else ''}{query}"
    headers = [(b"location", to.encode()), (b"content-length", b"0")]
    await hit.send({"type": "http.response.start", "status": hit.row["code"], "headers": headers})
    await hit.send({"type": "http.response.body", "body": b""})


async def silent(hit: Hit) -> None:
    """No answer while the client waits, at most so many seconds; then the connection ends."""
    await hit.heard()
    try:
        await asyncio.wait_for(_left(hit.receive), hit.row["silence"])
    except asyncio.TimeoutError:
        await hit.cut(at_once=True)


async def flood(hit: Hit) -> None:
    """An answer that begins as a listing does and holds so many bytes, packed or not."""
    await hit.heard()
    packed = hit.row["packing"] == "gzip"
    headers = [(b"content-type", b"application/json")]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    await hit.send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(_left(hit.receive))
    for piece in _packed(hit.row["bytes"]) if packed else _plain(hit.row["bytes"]):
        await hit.send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
        if gone.done():
            return
    gone.cancel()
    await hit.send({"type": "http.response.body", "body": b"", "more_body": False})


async def drip(hit: Hit, carried_out: Callable[[], Awaitable[list[Message]]]) -> None:
    """The answer of the service, one byte after the other."""
    start, *rest = await carried_out()
    await hit.send(start)
    gone = asyncio.ensure_future(_left(hit.receive))
    for byte in b"".join(message.get("body", b"") for message in rest):
        await hit.send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.wait([gone], timeout=hit.row["pause"])
        if gone.done():
            return
    gone.cancel()
    await hit.send({"type": "http.response.body", "body": b"", "more_body": False})


def _plain(size: int) -> Iterator[bytes]:
    yield BEGIN
    for _ in range(size // len(FILL) + 1):
        yield FILL


def _packed(size: int) -> Iterator[bytes]:
    """Blocks of deflate that unpack to the same, one after the other: a megabyte in a kilobyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    yield GZIP_HEAD + packer.compress(BEGIN) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(FILL) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(size // len(FILL) + 1):
        yield block


async def _left(receive: Receive) -> None:
    """Until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
