"""Values that may be secrets (headers of tools): compared by a short fingerprint, shown as one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from migrate.model.entity import JSON

SECRET_KEYS = frozenset({"headers", "authorization"})
"""Keys of a tool, and of a row of `tool_resources.mcp`, whose value may be a secret."""


def masked(value: JSON) -> JSON:
    """A fingerprint in the place of a secret; a mapping keeps its keys. Equal secrets stay equal."""
    if isinstance(value, Mapping):
        return {name: masked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    if value is None or value == "":
        return value
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
    return f"(secret {digest})"


def without_secrets(tool: Mapping[str, JSON]) -> dict[str, JSON]:
    """A tool, or a row about one, with its secrets masked; empty ones say nothing."""
    return {
        name: masked(value) if name in SECRET_KEYS else value
        for name, value in tool.items()
        if value or name not in SECRET_KEYS
    }
