"""The result of `forget` as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import table


def forget_document(verdicts: Any, forgotten: Any = None, shrunk: Any = None) -> dict[str, Any]:
    """As a JSON document; `removed` and `archive_bytes` are null where nothing was removed."""
    return {
        "kept": [_verdict(one) for one in verdicts if one.is_kept],
        "forgotten": [_verdict(one) for one in verdicts if not one.is_kept],
        "removed": asdict(forgotten) if forgotten else None,
        "archive_bytes": asdict(shrunk) if shrunk else None,
    }


def _verdict(one: Any) -> dict[str, Any]:
    info = one.snapshot
    return {
        "snapshot": info.id,
        "started_at": info.started_at,
        "state": info.state,
        "type": info.type,
        "url": info.url,
        "tag": info.tag,
        "why": list(one.why),
        "remark": one.remark,
    }


def forget_text(verdicts: Any) -> str:
    """One line a snapshot: it stays, and why, or it goes."""
    lines = [
        (
            one.snapshot.id,
            one.snapshot.started_at,
            one.snapshot.state,
            f"{one.snapshot.type} {one.snapshot.url}",
            one.snapshot.tag,
            "keep" if one.is_kept else "forget",
            ", ".join(one.why) or one.remark,
        )
        for one in verdicts
    ]
    going = sum(not one.is_kept for one in verdicts)
    end = f"{len(lines) - going:,} kept, {going:,} to forget"
    return f"{table(lines, ('no', 'started', 'state', 'estate', 'tag', 'what', 'why'))}\n{end}"


def forget_result_text(forgotten: Any, shrunk: Any) -> str:
    """What was removed, and what became of the room."""
    lines = [
        f"removed {forgotten.snapshots:,} snapshots, {forgotten.listings:,} listings, "
        f"{forgotten.bodies:,} bodies, {forgotten.files:,} files with {forgotten.file_bytes:,} bytes"
    ]
    if shrunk is None:
        lines.append("the archive keeps its size; later snapshots use the room")
    elif shrunk.why:
        lines.append(f"the room was not given back: {shrunk.why}; later snapshots use it")
    else:
        lines.append(f"the archive had {shrunk.before:,} bytes and has {shrunk.after:,}")
    return "\n".join(lines)
