"""The check of an archive, shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any


def as_dict(checked: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {**asdict(checked), "ok": not checked.damage}


def as_text(checked: Any) -> str:
    """What was looked at, and every damage with the snapshots it touches."""
    lines = [f"{checked.bodies:,} bodies, {checked.manifests:,} listings, {checked.blobs:,} files looked at"]
    for damage in checked.damage:
        touched = ", ".join(map(str, damage.snapshots))
        where = f" (snapshot {touched})" if touched else ""
        lines.append(f"damaged: {damage.what} {damage.which}: {damage.why}{where}")
    return "\n".join([*lines, "" if checked.damage else "no damage"]).rstrip()
