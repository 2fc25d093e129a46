"""Read the transcript of a thread from a snapshot, message by message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS, DecodeContext
from migrate.model import JSON
from migrate.model.message import ITEM_ROLE
from migrate.model.results.query import MessagePart, Transcript, TranscriptEntry
from migrate.model.secret_text import mask_text
from migrate.stages.query.message_parts import as_text, message_parts, step_tool_calls


def read_transcript(snapshot: SnapshotReader, thread: str) -> Transcript | None:
    """The transcript of a thread, or None when the snapshot has no such thread."""
    id_ = storable_text(thread)
    found = [body for kind, _, body in snapshot.find(id_) if kind == "thread"]
    if not found:
        return None
    state, reason = snapshot.scope("message", id_)
    gap = "" if state == "complete" else reason or state or "its messages were not read"
    return Transcript(
        id_,
        _time(found[0].get("created_at")),
        snapshot.info.id,
        f"{snapshot.info.type} {snapshot.info.url}",
        snapshot.count("message", id_),
        gap,
        _entries(snapshot, id_),
    )


def _entries(snapshot: SnapshotReader, thread: str) -> Iterator[TranscriptEntry]:
    files, assistants = _names(snapshot, "file", "filename"), _names(snapshot, "assistant", "name")
    calls = _calls(snapshot, thread)
    decode = CODECS[snapshot.info.type].decode
    for number, (_, body) in enumerate(snapshot.bodies("message", thread), 1):
        entity = decode("message", body, thread, DecodeContext())[0]
        role = as_text(entity.fields.get("role", entity.extras.get("role")))
        who = as_text(entity.facts.get("assistant_id"))
        yield TranscriptEntry(
            number,
            entity.id,
            _time(entity.facts.get("created_at")),
            "" if role == ITEM_ROLE else role,
            assistants.get(who, who),
            tuple(replace(part, text=mask_text(part.text)) for part in message_parts(entity, files)),
            calls.pop(as_text(entity.facts.get("run_id")), ()) if role != "user" else (),
        )


def _names(snapshot: SnapshotReader, kind: str, key: str) -> dict[str, str]:
    """Id -> name of everything of a kind that has one."""
    return {str(body.get("id")): as_text(body[key]) for _, body in snapshot.bodies(kind) if body.get(key)}


def _calls(snapshot: SnapshotReader, thread: str) -> dict[str, tuple[MessagePart, ...]]:
    """Run id -> the tools it called, shown with its first message."""
    called: dict[str, tuple[MessagePart, ...]] = {}
    for _, step in snapshot.bodies("run_step", thread):
        run = as_text(step.get("run_id"))
        shown = (replace(part, text=mask_text(part.text)) for part in step_tool_calls(step))
        called[run] = (*called.get(run, ()), *shown)
    return called


def _time(seconds: JSON) -> str:
    """Seconds since 1970 as people read them, or ''."""
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        return ""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""
