"""The body of a request comes in; what a pickier service would refuse in it goes out, in words, or ''."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
