"""The result of `merge` as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

MAX_SHARDS_SHOWN = 20


def merge_document(merged: Any, path: object) -> dict[str, Any]:
    """As a JSON document."""
    return {"archive": str(path), "whole": merged.whole, **asdict(merged)}


def merge_text(merged: Any, path: object) -> str:
    """What is new, what was joined, and what is not whole."""
    new = ", ".join(map(str, merged.added)) or "none"
    lines = [
        f"{path}: new snapshots: {new}; {merged.bodies:,} objects, bytes of {merged.files:,} files, "
        f"{merged.journal:,} journal lines"
    ]
    for joined in merged.joined:
        lines.append(f"snapshot {joined.snapshot} ({joined.tag}) of {joined.of} shards: {joined.state}")
        for name, numbers in (("missing", joined.missing), ("partial", joined.partial)):
            if numbers:
                more = ", ..." if len(numbers) > MAX_SHARDS_SHOWN else ""
                lines.append(
                    f"{name}: shard {', '.join(map(str, numbers[:MAX_SHARDS_SHOWN]))}{more} of {joined.of}"
                )
    lines += [
        f"left out: snapshot {gone.snapshot} of {gone.path} was interrupted ({gone.url}); run its command "
        "again, then merge"
        for gone in merged.left_out
    ]
    if merged.renumbered:
        lines.append(f"{merged.renumbered:,} snapshots have new numbers: an older one came before them")
    return "\n".join(lines)
