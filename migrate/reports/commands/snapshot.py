"""Snapshots as text and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from migrate.reports.text_table import shorten, table
from migrate.reports.values import number_of

EXPECTED_GAP_REASON = "the service never gives the bytes of such files back"
# Missing objects shown in text; JSON has all of them.
MAX_MISSING_SHOWN = 20


def snapshot_document(taken: Any, path: object) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "snapshot": taken.id,
        "archive": str(path),
        "state": taken.state,
        "counts": taken.counts,
        "missing": [asdict(gap) for gap in taken.missing],
        "notes": list(taken.notes),
        "unmatched": list(taken.unmatched),
        "hidden": list(taken.hidden),
        **({"shard": taken.shard} if taken.shard else {}),
    }


def snapshot_text(taken: Any, path: object) -> str:
    """Counts, every gap by name, and what else is worth knowing."""
    lines = [
        f"snapshot {taken.id} in {path}: {_state(taken.state, taken.shard)}",
        table(sorted(taken.counts.items())),
    ]
    gaps = [gap for gap in taken.missing if not gap.expected]
    for gap in gaps[:MAX_MISSING_SHOWN]:
        lines.append(f"missing: {_gap_text(gap)}: {shorten(gap.reason, 200)}")
    if len(gaps) > MAX_MISSING_SHOWN:
        lines.append(f"missing: {len(gaps) - MAX_MISSING_SHOWN:,} more, all named with --json")
    if gaps_text := expected_gaps_text(len(taken.missing) - len(gaps)):
        lines.append(f"{gaps_text}; --json names them, --originals DIR takes bytes from a folder")
    lines += [unmatched_text(rule) for rule in taken.unmatched]
    lines += [hidden_text(what) for what in taken.hidden]
    lines += [f"note: {note}" for note in taken.notes]
    return "\n".join(line for line in lines if line)


def _gap_text(gap: Any) -> str:
    """An object by kind, id and name, or a whole listing; and what it lies in."""
    what = f"the list of {gap.kind}" if gap.id == "*" else f"{gap.kind} {gap.id}"
    return f"{what}{f' {gap.name}' if gap.name else ''}{f' in {gap.parent}' if gap.parent else ''}"


def expected_gaps_text(number: int) -> str:
    """What is said of gaps that a service makes by its own rule; '' where there is none."""
    return f"expected: {number_of(number, 'gap')}: {EXPECTED_GAP_REASON}" if number else ""


def hidden_text(what: str) -> str:
    """What is said of content that a service refuses to be asked for: it is in no archive."""
    return f"the service refuses to show {what}"


def unmatched_text(rule: str) -> str:
    """What is said of a filter that fits nothing."""
    return f"no object fits {rule}"


def left_out_texts(options: Mapping[str, Any]) -> list[str]:
    """What a reading left out on purpose, in words, by the options it was asked with."""
    found = [words for name, words in LEFT_OUT_OPTIONS.items() if options.get(name) is False]
    for name, words in (("include", "every {} but {} (--include)"), ("exclude", "{} {} (--exclude)")):
        rules: dict[str, list[str]] = {}
        for kind, glob in options.get(name) or ():
            rules.setdefault(kind, []).append(glob)
        for kind, globs in rules.items():
            text = words.format(kind, ", ".join(globs))
            found.append(f"every {kind}" if name == "exclude" and "*" in globs else text)
    if shard := options.get("shard"):
        found.append(f"the shares other than {shard}")
    return found


# Option of a reading that is off -> what it leaves out.
LEFT_OUT_OPTIONS = {
    "threads": "threads that no list of ids names (--threads none)",
    "runs": "runs and their steps (--no-runs)",
    "bytes": "bytes of files (--no-bytes)",
}


def _state(state: str, shard: Any, interrupted: bool = False) -> str:
    """A state, and of how much of the estate."""
    return f"{state}{f' (shard {shard})' if shard else ''}{' (interrupted)' if interrupted else ''}"


# Snapshots with the counts of their objects, and of their gaps without and with a rule of the service.
SnapshotRows: TypeAlias = Iterable[tuple[Any, dict[str, int], tuple[int, int]]]


def snapshots_document(rows: SnapshotRows) -> list[dict[str, Any]]:
    """As a JSON document."""
    return [
        {**asdict(info), "counts": counts, "gaps": gaps, "expected_gaps": expected,
         "left_out": left_out_texts(info.options), "hidden": info.hidden}
        for info, counts, (gaps, expected) in rows
    ]  # fmt: skip


def snapshots_text(rows: SnapshotRows) -> str:
    """One line a snapshot, and below it what it lacks."""
    rows = list(rows)
    head = ("no", "started", "state", "estate", "tag", "objects", "new", "bytes added")
    lines = [
        (
            info.id,
            info.started_at,
            _state(info.state, info.options.get("shard"), info.interrupted),
            f"{info.type} {info.url}",
            info.tag,
            sum(counts.values()),
            info.bodies_added,
            info.bytes_added,
        )
        for info, counts, _ in rows
    ]
    lacks = [line for info, _, gaps in rows for line in _gap_lines(info, *gaps)]
    return "\n".join([table(lines, head), *lacks]) if lines else "no snapshot yet"


def _gap_lines(info: Any, gaps: int, expected: int) -> Iterator[str]:
    """What of an estate is not in a snapshot, and why."""
    if gaps:
        yield f"{info.id}: {number_of(gaps, 'object or listing', 'objects or listings')} could not be read"
    if expected:
        yield f"{info.id}: {expected_gaps_text(expected)}"
    for what in info.hidden:
        yield f"{info.id}: {hidden_text(what)}"
    if left := left_out_texts(info.options):
        yield f"{info.id}: left out on purpose: {'; '.join(left)}"
