"""Results of `snapshot`, `snapshots`, `check`, `merge` and `forget` as text and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias

from migrate.model.entity import JSON
from migrate.model.results.archive import (
    CheckResult,
    ForgetResult,
    MergeResult,
    MissingObject,
    RetentionDecision,
    SnapshotInfo,
    SnapshotResult,
    VacuumResult,
)
from migrate.reports.commands.retirements import retiring_document, retiring_notes
from migrate.reports.text_table import number_of, shorten, table

EXPECTED_GAP_REASON = "the service never gives the bytes of such files back"
# Missing objects shown in text; JSON has all of them.
MAX_MISSING_SHOWN = 20
MAX_DAMAGE_CHARS = 200
MAX_SHARDS_LISTED = 20
# Options of a selection that are shown with the snapshot that it limited.
MAX_SELECTION_OPTIONS_SHOWN = 6

# Snapshots with the counts of their objects, and the numbers of their unexpected and expected gaps.
SnapshotRows: TypeAlias = Sequence[tuple[SnapshotInfo, dict[str, int], tuple[int, int]]]

# Option of a snapshot that is off -> what the snapshot leaves out.
LEFT_OUT_OPTIONS = {
    "threads": "threads that no list of ids names (--threads none)",
    "runs": "runs and their steps (--no-runs)",
    "bytes": "bytes of files (--no-bytes)",
}


def expected_gaps_text(count: int) -> str:
    """A line about gaps that a service causes by its own rule; '' if there is none."""
    return f"expected: {number_of(count, 'gap')}: {EXPECTED_GAP_REASON}" if count else ""


def hidden_text(content: str) -> str:
    """A line about content that the service refuses to return, so that no archive has it."""
    return f"the service refuses to show {content}"


def unknown_id_text(id_: str, other_snapshot: int | None, place: str = "snapshot") -> str:
    """A selected id that the snapshot, or another `place`, does not have, with the number of another snapshot
    that has it."""
    return f"the {place} has no {id_}" + (f"; snapshot {other_snapshot} has it" if other_snapshot else "")


def unmatched_text(rule: str) -> str:
    """A line about a filter that matched nothing."""
    return f"no object matches {rule}"


def snapshot_document(result: SnapshotResult, path: object) -> dict[str, JSON]:
    """The JSON document of `snapshot`."""
    return {
        "snapshot": result.id,
        "archive": str(path),
        "state": result.state,
        "counts": result.counts,
        "missing": [asdict(gap) for gap in result.missing],
        "notes": list(result.notes),
        "unmatched": list(result.unmatched),
        "unknown_ids": list(result.unknown_ids),
        "filtered": result.filtered,
        "hidden": list(result.hidden),
        **({"shard": result.shard} if result.shard else {}),
        **retiring_document(result.retiring),
    }


# `sync` shows this text too, and does not have the option itself.
FOLDER_OF_ORIGINALS_HINT = "`snapshot ESTATE -o FILE --originals DIR` takes bytes from a folder"


def snapshot_text(result: SnapshotResult, path: object) -> str:
    """Counts, every gap by name, and notes."""
    lines = [
        f"snapshot {result.id} in {path}: {_state(result.state, result.shard, filtered=result.filtered)}",
        table(sorted(result.counts.items())),
    ]
    gaps = [gap for gap in result.missing if not gap.expected]
    lines += [f"missing: {_gap_name(gap)}: {shorten(gap.reason, 200)}" for gap in gaps[:MAX_MISSING_SHOWN]]
    if len(gaps) > MAX_MISSING_SHOWN:
        lines.append(f"missing: {len(gaps) - MAX_MISSING_SHOWN:,} more, --json lists all of them")
    if expected := expected_gaps_text(len(result.missing) - len(gaps)):
        lines.append(f"{expected}; --json lists them, {FOLDER_OF_ORIGINALS_HINT}")
    lines += map(unmatched_text, result.unmatched)
    lines += map("the estate has no {}".format, result.unknown_ids)
    lines += map(hidden_text, result.hidden)
    lines += [f"note: {note}" for note in (*result.notes, *retiring_notes(result.retiring))]
    return "\n".join(filter(None, lines))


def _gap_name(gap: MissingObject) -> str:
    """An object by kind, id and name, or a whole listing; and its parent."""
    name = f"the list of {gap.kind}" if gap.id == "*" else f"{gap.kind} {gap.id}"
    return f"{name}{f' {gap.name}' if gap.name else ''}{f' in {gap.parent}' if gap.parent else ''}"


def _state(state: str, shard: JSON, interrupted: bool = False, filtered: bool = False) -> str:
    marks = [f"shard {shard}"] if shard else []
    marks += [name for name, is_set in (("filtered", filtered), ("interrupted", interrupted)) if is_set]
    return "".join([state, *(f" ({mark})" for mark in marks)])


def left_out_texts(options: Mapping[str, JSON]) -> list[str]:
    """What a snapshot left out on purpose, in words. `options`: as they are stored with the snapshot."""
    texts = [text for name, text in LEFT_OUT_OPTIONS.items() if options.get(name) is False]
    if selection := options.get("selection"):
        more = len(selection) - MAX_SELECTION_OPTIONS_SHOWN
        shown = " ".join(selection[:MAX_SELECTION_OPTIONS_SHOWN])
        return [*texts, f"what {shown}{f' and {more:,} more options' if more > 0 else ''} did not select"]
    for name, template in (("include", "every {} but {} (--include)"), ("exclude", "{} {} (--exclude)")):
        rules: dict[str, list[str]] = {}
        for kind, glob in options.get(name) or ():
            rules.setdefault(kind, []).append(glob)
        for kind, globs in rules.items():
            text = template.format(kind, ", ".join(globs))
            texts.append(f"every {kind}" if name == "exclude" and "*" in globs else text)
    if shard := options.get("shard"):
        texts.append(f"the shares other than {shard}")
    return texts


def snapshots_document(rows: SnapshotRows) -> list[dict[str, JSON]]:
    """The JSON document of `snapshots`."""
    return [
        {**asdict(info), "filtered": info.is_filtered,
         "counts": counts, "gaps": gaps, "expected_gaps": expected,
         "left_out": left_out_texts(info.options), "hidden": info.hidden}
        for info, counts, (gaps, expected) in rows
    ]  # fmt: skip


def snapshots_text(rows: SnapshotRows) -> str:
    """One line per snapshot, and below the table what each of them lacks."""
    if not rows:
        return "no snapshot yet"
    head = ("no", "started", "state", "estate", "tag", "objects", "new", "bytes added")
    lines = [
        (
            info.id,
            info.started_at,
            _state(info.state, info.options.get("shard"), info.interrupted, info.is_filtered),
            f"{info.type} {info.url}",
            info.tag,
            sum(counts.values()),
            info.bodies_added,
            info.bytes_added,
        )
        for info, counts, _ in rows
    ]
    return "\n".join(
        [table(lines, head), *(line for info, _, gaps in rows for line in _gap_lines(info, *gaps))]
    )


def _gap_lines(info: SnapshotInfo, gaps: int, expected: int) -> Iterator[str]:
    if gaps:
        yield f"{info.id}: {number_of(gaps, 'object or listing', 'objects or listings')} could not be read"
    if expected:
        yield f"{info.id}: {expected_gaps_text(expected)}"
    for content in info.hidden:
        yield f"{info.id}: {hidden_text(content)}"
    if texts := left_out_texts(info.options):
        yield f"{info.id}: left out on purpose: {'; '.join(texts)}"


def check_document(result: CheckResult) -> dict[str, JSON]:
    """The JSON document of `check`."""
    return {**asdict(result), "ok": not result.damage}


def check_text(result: CheckResult) -> str:
    """How much was checked, and every damage with the snapshots that it affects."""
    lines = [
        f"{_checked_of(result.bodies, result.all_bodies)} bodies, "
        f"{_checked_of(result.manifests, result.all_manifests)} listings, "
        f"{number_of(result.snapshots, 'fingerprint of a snapshot', 'fingerprints of snapshots')}, "
        f"{_checked_of(result.blobs, result.all_blobs)} files looked at",
        f"references: {', '.join(result.references)}",
        expected_gaps_text(result.expected_gaps),
        f"full-text index: {number_of(result.documents, 'object')} compared" if result.documents else "",
        f"note: {result.index_note}" if result.index_note else "",
    ]
    if sample := result.sample:
        lines.append(f"a sample of {sample.percent:g} %, --seed {sample.seed} looks at the same again")
    for damage in result.damage:
        numbers = ", ".join(map(str, damage.snapshots))
        where = f" (snapshot {numbers})" if numbers else ""
        lines.append(f"damaged: {damage.what} {shorten(damage.which, MAX_DAMAGE_CHARS)}: {damage.why}{where}")
    if not result.damage:
        lines.append("no damage in what was looked at" if result.sample else "no damage")
    return "\n".join(filter(None, lines))


def _checked_of(count: int, total: int) -> str:
    return f"{count:,}" if count == total else f"{count:,} of {total:,}"


def merge_document(result: MergeResult, path: object) -> dict[str, JSON]:
    """The JSON document of `merge`."""
    return {"archive": str(path), "whole": result.whole, **asdict(result)}


def merge_text(result: MergeResult, path: object) -> str:
    """What is new, what was joined, and what is incomplete."""
    added = ", ".join(map(str, result.added)) or "none"
    lines = [
        f"{path}: new snapshots: {added}; {result.bodies:,} objects, bytes of {result.files:,} files, "
        f"{result.journal:,} journal lines"
    ]
    for joined in result.joined:
        lines.append(f"snapshot {joined.snapshot} ({joined.tag}) of {joined.of} shards: {joined.state}")
        for name, numbers in (("missing", joined.missing), ("partial", joined.partial)):
            if numbers:
                more = ", ..." if len(numbers) > MAX_SHARDS_LISTED else ""
                shown = ", ".join(map(str, numbers[:MAX_SHARDS_LISTED]))
                lines.append(f"{name}: shard {shown}{more} of {joined.of}")
    lines += [
        f"left out: snapshot {one.snapshot} of {one.path} was interrupted ({one.url}); run its command "
        "again, then merge"
        for one in result.left_out
    ]
    if result.renumbered:
        lines.append(f"{result.renumbered:,} snapshots have new numbers: an older one came before them")
    return "\n".join(lines)


def forget_document(
    decisions: Iterable[RetentionDecision],
    result: ForgetResult | None = None,
    vacuum: VacuumResult | None = None,
) -> dict[str, JSON]:
    """The JSON document of `forget`; `removed` and `archive_bytes` are null if nothing was removed."""
    rows = list(decisions)
    return {
        "kept": [_decision(row) for row in rows if row.is_kept],
        "forgotten": [_decision(row) for row in rows if not row.is_kept],
        "removed": asdict(result) if result else None,
        "archive_bytes": asdict(vacuum) if vacuum else None,
    }


def _decision(decision: RetentionDecision) -> dict[str, JSON]:
    info = decision.snapshot
    return {
        "snapshot": info.id,
        **{name: getattr(info, name) for name in ("started_at", "state", "type", "url", "tag")},
        "why": list(decision.why),
        "remark": decision.remark,
    }


def forget_text(decisions: Sequence[RetentionDecision]) -> str:
    """One line per snapshot: whether it is kept, and why."""
    lines = [
        (
            row.snapshot.id,
            row.snapshot.started_at,
            row.snapshot.state,
            f"{row.snapshot.type} {row.snapshot.url}",
            row.snapshot.tag,
            "keep" if row.is_kept else "forget",
            ", ".join(row.why) or row.remark,
        )
        for row in decisions
    ]
    kept = sum(row.is_kept for row in decisions)
    total = f"{kept:,} kept, {len(lines) - kept:,} to forget"
    return f"{table(lines, ('no', 'started', 'state', 'estate', 'tag', 'what', 'why'))}\n{total}"


def forget_result_text(result: ForgetResult, vacuum: VacuumResult | None) -> str:
    """What was removed, and how the size of the archive changed."""
    removed = (
        f"removed {result.snapshots:,} snapshots, {result.listings:,} listings, {result.bodies:,} bodies, "
        f"{result.files:,} files with {result.file_bytes:,} bytes"
    )
    if result.is_emptied:
        removed += "; the full-text index was built again"
    elif result.documents:
        removed += f"; {number_of(result.documents, 'object')} of the full-text index"
    if vacuum is None:
        size = "the archive keeps its size; later snapshots use the free space"
    elif vacuum.why:
        size = f"the archive could not be made smaller: {vacuum.why}; later snapshots use the free space"
    else:
        size = f"the archive had {vacuum.before:,} bytes and has {vacuum.after:,}"
    return f"{removed}\n{size}"
