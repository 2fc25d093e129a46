"""The result of `check` as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.commands.snapshot import expected_gaps_text
from migrate.reports.text_table import shorten
from migrate.reports.values import number_of

MAX_DAMAGE_CHARS = 200


def check_document(checked: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {**asdict(checked), "ok": not checked.damage}


def check_text(checked: Any) -> str:
    """What was looked at, and every damage with the snapshots it touches."""
    lines = [
        f"{_of(checked.bodies, checked.all_bodies)} bodies, "
        f"{_of(checked.manifests, checked.all_manifests)} listings, "
        f"{number_of(checked.snapshots, 'fingerprint of a snapshot', 'fingerprints of snapshots')}, "
        f"{_of(checked.blobs, checked.all_blobs)} files looked at",
        f"references: {', '.join(checked.references)}",
    ]
    if checked.expected_gaps:
        lines.append(expected_gaps_text(checked.expected_gaps))
    if checked.sample:
        lines.append(
            f"a sample of {checked.sample.percent:g} %, --seed {checked.sample.seed} looks at the same again"
        )
    for damage in checked.damage:
        touched = ", ".join(map(str, damage.snapshots))
        where = f" (snapshot {touched})" if touched else ""
        lines.append(f"damaged: {damage.what} {shorten(damage.which, MAX_DAMAGE_CHARS)}: {damage.why}{where}")
    end = "no damage in what was looked at" if checked.sample else "no damage"
    return "\n".join([*lines, "" if checked.damage else end]).rstrip()


def _of(looked: int, there: int) -> str:
    return f"{looked:,}" if looked == there else f"{looked:,} of {there:,}"
