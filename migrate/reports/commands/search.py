"""The result of `search` as text and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import shorten

MAX_EXCERPT_CHARS = 200


def search_document(hits: Iterable[Any]) -> list[dict[str, Any]]:
    """As a JSON document."""
    return [asdict(hit) for hit in hits]


def hit_line(hit: Any) -> str:
    """One hit on one line."""
    where = f" in {shorten(hit.parent)}" if hit.parent else ""
    return f"{hit.kind} {shorten(hit.id)}{where}, {hit.field}: {shorten(hit.excerpt, MAX_EXCERPT_CHARS)}"
